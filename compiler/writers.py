"""Writers of models as text that other people's programs read, and the readers here read back."""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np

from ..contract.container import write_whole
from ..contract.errors import ModelError
from ..contract.update import Unit
from .base import Model
from .tables import FilePath


def write_gset(model: Model, path: FilePath) -> None:
    """Write a max-cut problem as a G-set file: ``n m``, then ``i j w`` with w = -J, vertices from 1.

    Parameters
    ----------
    model : Model
        Spins without biases and offset; labels are not kept.
    path : path-like
        Written whole or not at all.

    Raises
    ------
    ModelError
        If the model has what the format does not hold, or the file cannot be written.
    """
    _refuse_bits(model, "G-set")
    _refuse_offset(model, "G-set")
    if model.biases.any():
        i = int(np.argmax(model.biases != 0))
        raise ModelError(
            f"variable {model.labels[i]!r} has bias {model.biases[i]:g}, a G-set file holds none; use write_coo"
        )
    _write(path, [f"{model.size} {len(model.edges)}", *_rows(model.edges + 1, -model.couplings)])


def write_edge_list(model: Model, path: FilePath) -> None:
    """Write ``i j w`` with w = -J and ``i i w`` with w = -h, vertices from 0.

    Parameters
    ----------
    model : Model
        Spins without an offset; labels are not kept.
    path : path-like
        Written whole or not at all.

    Raises
    ------
    ModelError
        If the model has what the format does not hold, or the file cannot be written.
    """
    _refuse_bits(model, "edge list")
    _refuse_offset(model, "edge list")
    _write(path, [*_rows(model.edges, -model.couplings), *_rows(_alone(model), -model.biases[_alone(model)[:, 0]])])


def write_coo(model: Model, path: FilePath) -> None:
    """Write dimod's COO format: its header, ``i j value`` with dimod's sign, and ``i i value`` for linear terms.

    Parameters
    ----------
    model : Model
        Without an offset; its labels are integers from 0.
    path : path-like
        Written whole or not at all.

    Raises
    ------
    ModelError
        If the model has what the format does not hold, or the file cannot be written.
    """
    _refuse_offset(model, "COO")
    for label in model.labels:
        if not isinstance(label, (int, np.integer)) or isinstance(label, bool) or not 0 <= label < 1 << 31:
            raise ModelError(f"label {label!r} is no integer from 0, as a COO file needs; use write_bqm_json")
    labels = np.array(model.labels, np.int64)
    alone = _alone(model)
    rows = [*_rows(labels[model.edges], -model.couplings), *_rows(labels[alone], -model.biases[alone[:, 0]])]
    _write(path, [f"# vartype={_vartype(model)}", *rows])


def write_bqm_json(model: Model, path: FilePath) -> None:
    """Write JSON that dimod's ``from_serializable`` reads, schema 3.

    Parameters
    ----------
    model : Model
        Its labels are numbers, strings or tuples of them.
    path : path-like
        Written whole or not at all.

    Raises
    ------
    ModelError
        If a label is something else, or the file cannot be written.
    """
    fields = {
        "type": "BinaryQuadraticModel",
        "version": {"bqm_schema": "3.0.0"},
        "use_bytes": False,
        "index_type": "int32",
        "bias_type": "float64",
        "num_variables": model.size,
        "num_interactions": len(model.edges),
        "variable_labels": model.labels,
        "variable_type": _vartype(model),
        "offset": model.offset,
        "info": {},
        "linear_biases": (-model.biases).tolist(),
        "quadratic_biases": (-model.couplings).tolist(),
        "quadratic_head": model.edges[:, 0].tolist(),
        "quadratic_tail": model.edges[:, 1].tolist(),
    }
    try:
        _write(path, [json.dumps(fields)])
    except TypeError as error:
        raise ModelError(
            f"a label cannot be written as JSON: {error}; use numbers, strings or tuples of them"
        ) from None


def _vartype(model: Model) -> str:
    return "SPIN" if model.unit is Unit.SPIN else "BINARY"


def _alone(model: Model) -> np.ndarray:
    """Pairs (i, i) of variables with a bias or without an edge."""
    lines = (model.biases != 0) | (np.bincount(model.edges.ravel(), minlength=model.size) == 0)
    return np.repeat(np.flatnonzero(lines), 2).reshape(-1, 2)


def _rows(pairs: np.ndarray, values: np.ndarray) -> Iterable[str]:
    """Lines that give back the same floats."""
    return (f"{i} {j} {value!r}" for (i, j), value in zip(pairs.tolist(), values.tolist(), strict=True))


def _refuse_bits(model: Model, form: str) -> None:
    if model.unit is Unit.BIT:
        raise ModelError(f"the model is of bits, a {form} file is of spins; use write_coo")


def _refuse_offset(model: Model, form: str) -> None:
    if model.offset:
        raise ModelError(
            f"the model has an offset of {model.offset:g}, which a {form} file does not hold; use write_bqm_json"
        )


def _write(path: FilePath, lines: list[str]) -> None:
    try:
        write_whole(path, ("\n".join(lines) + "\n").encode())
    except OSError as error:
        raise ModelError(f"cannot write {path}: {error.strerror}") from error
