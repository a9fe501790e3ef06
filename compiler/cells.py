"""The invertible gates by name, as `gates.gate` finds them: tests compare every number with the linear program.

The adders are (A + B + Cin - S - 2 Cout)^2 of bits, but for a factor: `library.full_adder` is the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from .gates import AUXILIARY, Gate

_Function = Callable[..., tuple[int, ...]]


def _cell(name: str, pins: str, function: _Function, couplings: list[list[float]], biases: list[float]) -> Gate:
    """A gate from the outputs, auxiliaries among them, of all inputs, and the lower triangle of J."""
    names = tuple(pins.split())
    matrix = np.zeros((len(names), len(names)))
    for row, values in enumerate(couplings, 1):
        matrix[row, :row] = matrix[:row, row] = values
    inputs = itertools.product((0, 1), repeat=function.__code__.co_argcount)
    table = np.array([(*bits, *function(*bits)) for bits in inputs], np.uint8)
    return Gate(name, names, table, matrix, np.array(biases, float))


def _sum(*bits: int) -> tuple[int, int]:
    return sum(bits) % 2, sum(bits) // 2


COPY = _cell("COPY", "A Y", lambda a: (a,), [[2]], [0, 0])
AND = _cell("AND", "A B Y", lambda a, b: (a & b,), [[-1], [2, 2]], [1, 1, -2])
XOR = _cell("XOR", f"A B Y {AUXILIARY}", lambda a, b: _sum(a, b), [[-1], [1, 1], [2, 2, -2]], [1, 1, -1, -2])
HALF_ADDER = _cell("HALF_ADDER", "A B S Cout", lambda a, b: _sum(a, b), [[-1], [1, 1], [2, 2, -2]], [1, 1, -1, -2])
FULL_ADDER = _cell(
    "FULL_ADDER",
    "A B Cin S Cout",
    lambda a, b, c: _sum(a, b, c),
    [[-1], [-1, -1], [1, 1, 1], [2, 2, 2, -2]],
    [0, 0, 0, 0, 0],
)
MUX = _cell(
    "MUX",
    f"A B S Y {AUXILIARY}",
    lambda a, b, s: (b if s else a, a & (1 - s)),
    [[0], [1, -1], [0, 2, 2], [2, -2, -4, 4]],
    [1, -1, -2, 2, -4],
)
NOT = COPY.inverted("NOT", "Y")
NAND = AND.inverted("NAND", "Y")
OR = AND.inverted("OR", "ABY")
NOR = AND.inverted("NOR", "AB")
XNOR = XOR.inverted("XNOR", "Y")

CELLS = {cell.name: cell for cell in (COPY, NOT, AND, OR, XOR, NAND, NOR, XNOR, MUX, HALF_ADDER, FULL_ADDER)}
