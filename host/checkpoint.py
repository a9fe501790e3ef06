"""Checkpoint files of training runs: written whole or not at all, and refused by any run but their own."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract import container
from ..contract.errors import CheckpointError, ImageError

KIND = "checkpoint 1"
"""Stands in every file, with the version of its layout."""


def write(
    path: str | os.PathLike[str],
    identity: Mapping[str, Any],
    meta: Mapping[str, Any],
    arrays: Mapping[str, npt.NDArray[Any]],
) -> None:
    """Write a checkpoint.

    Parameters
    ----------
    path : path-like
    identity : mapping
        What the run is, in JSON: `read` compares it.
    meta, arrays : mapping
        Where it stands.

    Raises
    ------
    CheckpointError
        If the file cannot be written; one that was there is whole.
    """
    layout = {name: (array.dtype.str, array.shape) for name, array in arrays.items()}
    stored = {name: np.frombuffer(array.tobytes(), np.uint8) for name, array in arrays.items()}
    header = {"kind": KIND, "identity": _in_json(identity), "run": _in_json(meta), "layout": layout}
    try:
        container.write_whole(path, container.dump(header, stored))
    except OSError as error:
        raise CheckpointError(f"cannot write checkpoint {path}: {error.strerror}") from error


def read(
    path: str | os.PathLike[str], identity: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Read the checkpoint of a run.

    Raises
    ------
    CheckpointError
        If the file is missing, damaged, or of another run; says what differs.
    """
    try:
        header, stored = container.parse(Path(path).read_bytes(), str(path))
    except OSError as error:
        raise CheckpointError(f"cannot read checkpoint {path}: {error.strerror}") from error
    except ImageError as error:
        raise CheckpointError(f"{path} is no whole checkpoint; delete it to begin anew ({error})") from error
    if header.get("kind") != KIND:
        raise CheckpointError(f"{path} is no checkpoint of this version; give another name, or delete it to begin anew")
    wanted, found = _in_json(identity), header["identity"]
    differing = sorted(key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key))
    if differing:
        raise CheckpointError(
            f"checkpoint {path} is of a run with another {' and '.join(differing)}; go on with the same settings, "
            f"or delete it to begin anew"
        )
    layout = header["layout"].items()
    return header["run"], {name: stored[name].view(dtype).reshape(shape) for name, (dtype, shape) in layout}


def _in_json(value: Mapping[str, Any]) -> Any:
    """What JSON gives back: tuples become lists, and numbers and arrays of numpy Python's own."""
    return json.loads(json.dumps(value, default=lambda numbers: numbers.tolist()))


def digest(data: bytes) -> str:
    """A name for bytes."""
    return hashlib.sha256(data).hexdigest()[:16]
