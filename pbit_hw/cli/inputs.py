"""What commands read: models by name or file, programs, beta, clamps."""

from __future__ import annotations

import re
from pathlib import Path

import click
import numpy as np

from ..compiler import library
from ..compiler.models import Ising, Model
from ..compiler.program import Program
from ..contract.errors import ModelError, RequestError

MODEL_HELP = "A model is full-adder, and, lattice:8x8 (any size and dimension), a G-set file or an .npz with J and h."


def read_model(text: str) -> Model:
    """The model that a command's argument names.

    Parameters
    ----------
    text : str
        A name of the library, or a path.

    Raises
    ------
    ModelError
        If it is neither.
    """
    if text == "full-adder":
        return library.full_adder()
    if text == "and":
        return library.and_gate()
    if match := re.fullmatch(r"lattice:(\d+(?:x\d+)*)", text):
        return library.lattice(tuple(int(side) for side in match[1].split("x")))
    path = Path(text)
    if not path.is_file():
        raise ModelError(f"there is no model {text!r}. {MODEL_HELP}")
    return _read_npz(path) if path.suffix == ".npz" else Ising.from_gset(path)


def _read_npz(path: Path) -> Model:
    try:
        arrays = np.load(path, allow_pickle=False)
        couplings = np.asarray(arrays["J"], np.float64)
        biases = np.asarray(arrays["h"], np.float64) if "h" in arrays else np.zeros(len(couplings))
    except (KeyError, ValueError, OSError) as error:
        raise ModelError(f"{path} does not hold a numeric square array J (and h): {error}") from error
    return Ising(biases, couplings)


def read_program(path: str) -> Program:
    """Load a ``.pbit`` file."""
    return Program.load(path)


def parse_beta(ctx: click.Context, param: click.Parameter, value: str | None) -> float | tuple[float, float] | None:
    """Turn ``1.5`` into a constant and ``0.2:3`` into the ends of a schedule; a click callback."""
    if value is None:
        return None
    try:
        parts = [float(part) for part in value.split(":")]
    except ValueError:
        parts = []
    if len(parts) not in (1, 2):
        raise click.BadParameter(f"{value!r} is neither a number nor START:STOP", ctx, param)
    return parts[0] if len(parts) == 1 else (parts[0], parts[1])


def read_clamps(texts: tuple[str, ...], model: Model) -> dict[object, int] | None:
    """Clamps given as ``LABEL=VALUE``; None where there are none.

    Raises
    ------
    RequestError
        If a clamp names no variable or no integer.
    """
    by_name = {str(label): label for label in model.labels}
    clamps = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name not in by_name or not re.fullmatch(r"[+-]?1|0", value):
            raise RequestError(f"clamp {text!r} is not LABEL=VALUE with a variable of the model and -1, 0 or 1")
        clamps[by_name[name]] = int(value)
    return clamps or None
