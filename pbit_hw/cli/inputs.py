"""What commands read: models by name or file, programs, beta, clamps."""

from __future__ import annotations

import os
import re
from typing import Any

import click

from ..compiler import library
from ..compiler.buses import buses
from ..compiler.cnf import Formula
from ..compiler.models import Ising, Model
from ..compiler.program import Program
from ..compiler.topologies import topology
from ..contract.errors import ModelError, RequestError
from .logic import is_verilog, read_circuit

MODEL_HELP = (
    "A model is full-adder, and, lattice:8x8 (any size and dimension; lattice:8x8:SEED for couplings +1 and -1), "
    "regular:6:1000 (a random graph of that degree and size), circulant:44:1,5 (a ring with couplings at those "
    "distances), rbm:784x256 (random weights), chimera:16, pegasus:12 or zephyr:8 with couplings +1 and "
    "-1 (pegasus:12:SEED for others), or a file: G-set, edge list, dimod's COO or JSON, MatrixMarket, "
    ".npy, .npz, DIMACS .cnf and .wcnf, combinational Verilog."
)


def read_model(text: str) -> Any:
    """The model that a command's argument names, a `Model` or a `Formula`.

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
    if match := re.fullmatch(r"lattice:(\d+(?:x\d+)*)(?::(\d{1,9}))?", text):
        sides = tuple(int(side) for side in match[1].split("x"))
        return library.lattice(sides, spin_glass_seed=None if match[2] is None else int(match[2]))
    if match := re.fullmatch(r"regular:(\d{1,9}):(\d{1,9})(?::(\d{1,9}))?", text):
        return library.regular(int(match[1]), int(match[2]), int(match[3] or 0))
    if match := re.fullmatch(r"rbm:(\d{1,9})x(\d{1,9})(?::(\d{1,9}))?", text):
        return library.random_rbm(int(match[1]), int(match[2]), int(match[3] or 0))
    if match := re.fullmatch(r"circulant:(\d{1,9}):(\d{1,9}(?:,\d{1,9})*)(?::(\d{1,9}))?", text):
        offsets = [int(offset) for offset in match[2].split(",")]
        return library.circulant(int(match[1]), offsets, int(match[3] or 0))
    if match := re.fullmatch(r"(chimera|pegasus|zephyr):(\d{1,9})(?::(\d{1,9}))?", text):
        return topology(match[1], int(match[2]), seed=int(match[3] or 0))
    if not os.path.isfile(text):
        raise ModelError(f"there is no model {text!r}. {MODEL_HELP}")
    if is_verilog(text):
        return read_circuit(text).model()
    if text.lower().endswith((".cnf", ".wcnf")):
        return Formula.from_dimacs(text)
    return Ising.from_file(text)


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
    """Clamps given as ``LABEL=VALUE``, a number for a bus; None where there are none.

    Raises
    ------
    RequestError
        If a clamp names no variable or no integer.
    """
    by_name = {str(label): label for label in model.labels}
    named = buses(model.index) if texts else {}
    clamps: dict[object, int] = {}
    for text in texts:
        name, _, value = text.partition("=")
        is_bus = name in named and name not in by_name
        if not (is_bus or name in by_name) or not re.fullmatch(r"-?\d+" if is_bus else r"[+-]?1|0", value):
            raise RequestError(
                f"clamp {text!r} is not LABEL=VALUE with a variable of the model and -1, 0 or 1, or BUS=NUMBER"
            )
        clamps[by_name.get(name, name)] = int(value)
    return clamps or None
