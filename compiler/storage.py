"""Program files: the image beside the model in float, its labels and where everything lies.

Of an expanded program the model is what it was expanded to. The user's own, and which p-bits stand for what, lie
beside it.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract import container
from ..contract.errors import ImageError, ModelError, PbitError
from ..contract.image import Image
from ..contract.update import Unit
from . import models
from .base import Model, Variables
from .cnf import Formula
from .copies import Copies
from .edges import Int32
from .expansion import Expansion
from .polynomial import Polynomial
from .reduce import Reduction

_KINDS = {kind.__name__: kind for kind in (Model, *(getattr(models, name) for name in models.__all__))}
_EXPANSIONS = {kind.__name__: kind for kind in (Expansion, Copies, Reduction)}
_OTHERS = {kind.__name__: kind for kind in (Polynomial, Formula)}
"""What a user's model may be besides one of pairs."""
_SOURCE = "source_"
"""Begins the names of the arrays of the user's model, where that is not the one on the array."""


def write(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a program file whole or not at all, or raise `ImageError`."""
    try:
        container.write_whole(path, data)
    except OSError as error:
        raise ImageError(f"cannot write program {path}: {error.strerror}") from error


def read(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a program file, or raise `ImageError`."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ImageError(f"cannot read program {path}: {error.strerror}") from error


def dump(model: Model, image: Image, order: Int32, slot_edges: Int32, expansion: Expansion | None = None) -> bytes:
    """The bytes of a program file; equal programs give equal bytes.

    Parameters
    ----------
    model, image, order, slot_edges, expansion
        The fields of a `Program`.

    Raises
    ------
    ModelError
        If a label cannot be stored.
    """
    meta, arrays = image.parts()
    header, own = _model_parts(model)
    arrays = {**arrays, **own, "order": order, "slot_edges": slot_edges}
    if expansion is not None:
        source, theirs = _model_parts(expansion.source)
        header["expansion"] = {"kind": type(expansion).__name__, "unit": expansion.source.unit.name, "source": source}
        arrays |= {_SOURCE + name: array for name, array in theirs.items()}
        arrays |= {name: getattr(expansion, name) for name in _expansion_arrays(type(expansion))}
    return container.dump({"image": meta, **header}, arrays)


def _model_parts(model: Variables) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    header: dict[str, Any] = {"labels": [_plain(label) for label in model.labels], "kind": type(model).__name__}
    if isinstance(model, Polynomial | Formula):
        meta, arrays = model.parts()
        return header | meta, arrays
    assert isinstance(model, Model)
    arrays = {name: getattr(model, name) for name in ("edges", "couplings", "visible", "hidden")}
    return header | {"offset": model.offset}, arrays | {"model_biases": model.biases}


def _expansion_arrays(kind: type[Expansion]) -> list[str]:
    return [field.name for field in dataclasses.fields(kind) if field.name not in ("source", "target")]


def parse(data: bytes, source: str) -> tuple[Model, Image, Int32, Int32, Expansion | None]:
    """The fields of a program from the bytes of its file.

    Parameters
    ----------
    data : bytes
        A whole file.
    source : str
        Its name, for errors.

    Raises
    ------
    ImageError
        If the file is foreign, damaged, of another version, or contradicts itself.
    """
    meta, arrays = container.parse(data, source)
    try:
        image = Image.from_parts(meta["image"], arrays)
        model = _model(meta, arrays, image.unit)
        expansion = _expansion(meta["expansion"], arrays, model) if "expansion" in meta else None
        consistent = _consistent(model, image, arrays["order"], arrays["slot_edges"])
    except ImageError as error:
        raise ImageError(f"{source}: {error}") from error
    except (PbitError, KeyError, IndexError, TypeError, ValueError) as error:
        raise ImageError(f"{source} does not hold a program ({error}); compile it again") from error
    if not consistent:
        raise ImageError(f"{source} contradicts itself: its image is not that of its model; compile it again")
    return model, image, arrays["order"], arrays["slot_edges"], expansion


def _model(meta: dict[str, Any], arrays: dict[str, npt.NDArray[Any]], unit: Unit) -> Model:
    kind = _KINDS[meta["kind"]]
    model = kind.__new__(kind)
    Model.__init__(
        model,
        unit,
        _labels(meta),
        arrays["edges"],
        arrays["couplings"],
        arrays["model_biases"],
        float(meta["offset"]),
        arrays["visible"],
        arrays["hidden"],
    )
    return model


def _labels(meta: dict[str, Any]) -> tuple[Hashable, ...]:
    return tuple(_hashable(label) for label in meta["labels"])


def _expansion(meta: dict[str, Any], arrays: dict[str, npt.NDArray[Any]], target: Model) -> Expansion:
    theirs = {name.removeprefix(_SOURCE): array for name, array in arrays.items() if name.startswith(_SOURCE)}
    inner = meta["source"]
    own: Variables
    if inner["kind"] in _OTHERS:
        own = _OTHERS[inner["kind"]].from_parts(inner, theirs, _labels(inner))
    else:
        own = _model(inner, theirs, Unit[meta["unit"]])
    kind = _EXPANSIONS[meta["kind"]]
    return kind(own, target, *(arrays[name] for name in _expansion_arrays(kind)))


def _consistent(model: Model, image: Image, order: Int32, slot_edges: Int32) -> bool:
    """Whether the image holds exactly the model's edges and its quantised values."""
    if not np.array_equal(np.sort(order), np.arange(model.size)) or image.size != model.size:
        return False
    ends = np.sort(order[np.stack([image.owners, image.neighbours], axis=1)], axis=1)
    return (
        image.slots == 2 * len(model.edges)
        and np.array_equal(model.edges[slot_edges], ends)
        and np.array_equal(image.grid.codes(model.couplings)[slot_edges], image.weights)
        and np.array_equal(image.grid.codes(model.biases)[order], image.unfold())
    )


def _plain(label: Hashable) -> Any:
    """A label as JSON can hold it: numbers, strings, and tuples of them as lists."""
    if isinstance(label, tuple):
        return [_plain(part) for part in label]
    if isinstance(label, np.generic):
        return label.item()
    if label is None or isinstance(label, str | int | float):
        return label
    raise ModelError(f"label {label!r} cannot be saved; use numbers, strings or tuples of them")


def _hashable(label: Any) -> Hashable:
    return tuple(_hashable(part) for part in label) if isinstance(label, list) else label
