"""Invertible gates: Hamiltonians whose ground states are the rows of a truth table, with the largest gap.

Pins are spins. The energies of a gate are linear in its couplings and biases, so that the largest gap under a bound on
both is a linear program (Bian et al., Front. Phys. 2, 56, 2014). Where no couplings of the pins alone will do, as for
XOR, auxiliary spins are columns of the table, and every choice of them is tried.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract.errors import ModelError
from .edges import Float
from .models import Ising

Table = npt.NDArray[np.uint8]

AUXILIARY = "aux"
"""Auxiliary pins are named so, with a number from the second on."""

MAX_PINS = 8
"""Most pins, auxiliaries included, of a gate that is solved for: 256 states."""

_MAX_CHOICES = 1 << 12
_NEGLIGIBLE = 1e-7
_FRACTIONS = 12
"""Optima are vertices, whose coordinates have small denominators."""


@dataclass(frozen=True, eq=False)
class Gate:
    """A relation of pins, and spins whose ground states are its rows.

    Parameters
    ----------
    name : str
        Of the kind.
    pins : tuple of str
        Auxiliaries come last.
    table : ndarray of uint8, shape (rows, pins)
        Values of the pins that the relation allows.
    couplings : ndarray of float64, shape (pins, pins)
        J, symmetric with a zero diagonal; positive is ferromagnetic.
    biases : ndarray of float64, shape (pins,)
        h.
    """

    name: str
    pins: tuple[str, ...]
    table: Table
    couplings: Float
    biases: Float

    @cached_property
    def energies(self) -> Float:
        """Energy of each state, shape (2**pins,); pin i is bit i of the index."""
        spins = _spins(len(self.pins))
        return -np.einsum("ki,ij,kj->k", spins, self.couplings, spins) / 2 - spins @ self.biases

    @cached_property
    def _allowed(self) -> npt.NDArray[np.bool_]:
        index = self.table.astype(np.int64) @ (1 << np.arange(len(self.pins)))
        return np.isin(np.arange(1 << len(self.pins)), index)

    @cached_property
    def columns(self) -> tuple[int, ...]:
        """Values of each pin in all rows; row r is bit r."""
        return tuple(sum(int(bit) << row for row, bit in enumerate(column)) for column in self.table.T)

    @cached_property
    def offset(self) -> float:
        """What makes the lowest energy zero."""
        return -float(self.energies.min())

    @cached_property
    def gap(self) -> float:
        """Energy of the lowest state that is no row, above the highest row's; positive where the gate is right."""
        return float(self.energies[~self._allowed].min() - self.energies[self._allowed].max())

    def inverted(self, name: str, pins: Iterable[str]) -> Gate:
        """The gate with some pins inverted: a change of gauge, so the gap stays."""
        flips = np.isin(self.pins, list(pins))
        signs = np.where(flips, -1.0, 1.0)
        return Gate(name, self.pins, self.table ^ flips, self.couplings * np.outer(signs, signs), self.biases * signs)

    def scaled(self, factor: float) -> Gate:
        """The gate with all energies times a factor."""
        return replace(self, couplings=self.couplings * factor, biases=self.biases * factor)

    def model(self) -> Ising:
        """The gate by itself, its ground energy zero."""
        edges = np.stack(np.triu_indices(len(self.pins), 1), axis=1)
        couplings = self.couplings[edges[:, 0], edges[:, 1]]
        used = couplings != 0
        return Ising.from_edges(
            len(self.pins), edges[used], couplings[used], self.biases, labels=self.pins, offset=self.offset
        )


def gate(
    truth_table: npt.ArrayLike,
    max_coupling: float = 2.0,
    auxiliaries: int = 0,
    *,
    max_bias: float | None = None,
    pins: Sequence[str] | None = None,
    name: str = "gate",
) -> Gate:
    """The gate of the largest gap, by linear programming.

    Each row of the table becomes one ground state: auxiliaries are a function of the pins, so that rows weigh the same
    at every temperature. Of several optima, one with the smallest sum of |J| and |h| is taken.

    Parameters
    ----------
    truth_table : array_like of 0 and 1, shape (rows, pins)
        Values of the pins that are allowed.
    max_coupling : float
        Largest |J|.
    auxiliaries : int
        Spins beside the pins. All their functions are tried, 2^(rows - 1) for one.
    max_bias : float, optional
        Largest |h|; as ``max_coupling`` by default.
    pins : sequence of str, optional
        Names, A, B, C … by default.
    name : str
        Of the gate.

    Returns
    -------
    Gate

    Raises
    ------
    ModelError
        If the table is none, is too large, or no Hamiltonian with so many auxiliaries has its rows as ground states.
    """
    table = _checked(truth_table, auxiliaries)
    names = tuple("ABCDEFGH"[: table.shape[1]] if pins is None else pins)
    if len(names) != table.shape[1]:
        raise ModelError(f"{len(names)} names for {table.shape[1]} pins; give one for each")
    bounds = max_coupling, max_coupling if max_bias is None else max_bias
    gap, full = 0.0, table
    for columns in _auxiliary_columns(len(table), auxiliaries):
        extended = np.hstack([table, columns])
        other = _Program(extended, *bounds).largest_gap()
        if other > gap + _NEGLIGIBLE:
            gap, full = other, extended
    if not gap:
        raise ModelError(
            f"no couplings of {table.shape[1]} pins and {auxiliaries} auxiliaries have these {len(table)} rows as "
            f"ground states; use auxiliaries={auxiliaries + 1}"
        )
    extra = tuple(f"{AUXILIARY}{k or ''}" for k in range(auxiliaries))
    return _solved(name, names + extra, full, _Program(full, *bounds).smallest(gap))


def _solved(name: str, pins: tuple[str, ...], table: Table, values: Float) -> Gate:
    """A gate of J of pairs and then h."""
    rows, columns = np.triu_indices(len(pins), 1)
    couplings = np.zeros((len(pins), len(pins)))
    couplings[rows, columns] = couplings[columns, rows] = values[: len(rows)]
    return Gate(name, pins, table, couplings, values[len(rows) :])


def _checked(truth_table: npt.ArrayLike, auxiliaries: int) -> Table:
    table = np.asarray(truth_table)
    if table.ndim != 2 or not table.size or not np.isin(table, (0, 1)).all():
        raise ModelError(f"a truth table is rows of 0 and 1, one for each allowed state, not of shape {table.shape}")
    table = np.unique(table.astype(np.uint8), axis=0)
    rows, pins = table.shape
    if pins + auxiliaries > MAX_PINS or (auxiliaries and 2 ** (rows * auxiliaries - 1) > _MAX_CHOICES):
        raise ModelError(
            f"{rows} rows of {pins} pins with {auxiliaries} auxiliaries are too many to solve for; the limits are "
            f"{MAX_PINS} pins and {_MAX_CHOICES} choices of auxiliaries: split the gate"
        )
    if rows == 1 << pins:
        raise ModelError(f"the table allows all {rows} states of its {pins} pins; leave the gate out")
    return table


def _auxiliary_columns(rows: int, auxiliaries: int) -> Iterable[Table]:
    """Values of the auxiliaries in each row, up to inverting the first auxiliary."""
    for bits in itertools.product((0, 1), repeat=max(rows * auxiliaries - 1, 0)):
        yield np.array(((0, *bits) if auxiliaries else ()), np.uint8).reshape(rows, auxiliaries)


def _spins(pins: int) -> Float:
    """All states of some spins, shape (2**pins, pins)."""
    bits = np.arange(1 << pins)[:, None] >> np.arange(pins) & 1
    return 2 * bits.astype(np.float64) - 1


class _Program:
    """The linear programs of one table: unknown are J of pairs, h and the ground energy."""

    def __init__(self, table: Table, max_coupling: float, max_bias: float) -> None:
        pins = table.shape[1]
        spins = _spins(pins)
        first, second = np.triu_indices(pins, 1)
        terms = -np.hstack([spins[:, first] * spins[:, second], spins])
        allowed = np.isin(np.arange(len(spins)), table.astype(np.int64) @ (1 << np.arange(pins)))
        self._rows, self._others = terms[allowed], terms[~allowed]
        self._most = [max_coupling] * len(first) + [max_bias] * pins

    def largest_gap(self) -> float:
        """The largest energy of the lowest other state above rows that all have one energy."""
        ones, zeros = np.ones((len(self._others), 1)), np.zeros((len(self._rows), 1))
        above = np.hstack([-self._others, ones, ones])
        equal = np.hstack([self._rows, zeros - 1, zeros])
        bounds = [*((-most, most) for most in self._most), (None, None), (0, None)]
        cost = np.r_[np.zeros(above.shape[1] - 1), -1]
        return float(_minimised(cost, above, np.zeros(len(above)), equal, bounds)[-1])

    def smallest(self, gap: float) -> Float:
        """J and h of the smallest sum of magnitudes at a gap; each is the difference of two that are not negative."""
        count = len(self._most)
        above = np.hstack([-self._others, self._others, np.ones((len(self._others), 1))])
        equal = np.hstack([self._rows, -self._rows, -np.ones((len(self._rows), 1))])
        bounds = [*((0, most) for most in self._most * 2), (None, None)]
        cost = np.r_[np.ones(2 * count), 0]
        found = _minimised(cost, above, np.full(len(above), _NEGLIGIBLE - gap), equal, bounds)
        return _snapped(found[:count] - found[count : 2 * count])


def _minimised(cost: Float, above: Float, most: Float, equal: Float, bounds: list[tuple[Any, Any]]) -> Float:
    try:
        from scipy.optimize import linprog
    except ImportError:
        raise ModelError("a gate of one's own is found by scipy's linear programming: pip install scipy") from None
    found = linprog(cost, above, most, equal, np.zeros(len(equal)), bounds, method="highs")
    return np.asarray(found.x, np.float64)


def _snapped(values: Float) -> Float:
    """Values to the next fraction of `_FRACTIONS`, where all are next to one; adding 0 turns -0 into 0."""
    near: Float = np.round(values * _FRACTIONS) / _FRACTIONS + 0.0
    return near if np.abs(near - values).max() < 1e3 * _NEGLIGIBLE else values
