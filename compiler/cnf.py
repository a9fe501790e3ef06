"""Formulas in conjunctive normal form: satisfiability and its weighted kin as energies of bits.

The energy is the weight of the clauses that are not satisfied. `Formula.model` makes couplings of pairs of it, to be
annealed; `Formula.polynomial` states it as a polynomial, to be sampled.
"""

from __future__ import annotations

import itertools
import operator
import os
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract.errors import ModelError
from ..contract.update import Unit
from .base import Variables, check_labels
from .dimacs import read_dimacs
from .edges import Float, Int32, Int64, check_rows, real_array
from .expansion import Expansion
from .gadgets import clause_model, split
from .polynomial import Polynomial, Terms, freeze
from .reduce import reduce

MAX_TERMS = 10_000_000
"""Most terms of a formula's polynomial before equal ones are merged: a clause of k positive literals has 2^k."""

_BLOCK = 1 << 22
"""Values of literals, a byte each, that are held at once."""


@dataclass(frozen=True, eq=False)
class Formula(Variables):
    """Clauses over bits, 1 for true.

    Parameters
    ----------
    labels : tuple
        One hashable label per variable; 1 to n for files.
    clause_first : ndarray of int32, shape (m + 1,)
        Clause c has the literals ``literals[clause_first[c]:clause_first[c + 1]]``, at least one.
    literals : ndarray of int32
        i + 1 for the variable of index i, -(i + 1) for its negation; a clause has a variable once.
    weights : ndarray of float64, shape (m,)
        What each clause costs that is not satisfied, positive.
    hard : ndarray of int32, shape (m,)
        1 for clauses that must be satisfied. Each costs more than all others together.

    Raises
    ------
    ModelError
        If labels repeat, clauses are not as above, a shape is wrong or a weight is not positive and finite.
    """

    labels: tuple[Hashable, ...]
    clause_first: Int32
    literals: Int32
    weights: Float
    hard: Int32

    unit = Unit.BIT

    def __post_init__(self) -> None:
        check_labels(self.labels)
        _check_clauses(self.clause_first, self.literals, self.size)
        weights = real_array(self.weights, "weights", (len(self.clause_first) - 1,))
        if (weights <= 0).any():
            raise ModelError(f"weight {weights.min():g} of a clause is not positive; take the clause out")
        if self.hard.dtype != np.int32 or self.hard.shape != weights.shape or not np.isin(self.hard, (0, 1)).all():
            raise ModelError(f"hard must be {len(weights)} of 0 and 1, int32; use Formula.of_clauses")
        freeze(self, clause_first=self.clause_first, literals=self.literals, weights=weights, hard=self.hard)

    def __repr__(self) -> str:
        return f"<Formula: {self.size} variables, {len(self.weights)} clauses, {int(self.hard.sum())} of them hard>"

    @classmethod
    def of_clauses(
        cls,
        clauses: Iterable[Sequence[int]],
        weights: Iterable[float | None] | None = None,
        size: int | None = None,
    ) -> Formula:
        """A formula from lists of literals as DIMACS writes them.

        Parameters
        ----------
        clauses : iterable of sequence of int
            i for variable i, from 1, and -i for its negation. Clauses that hold both are always satisfied and left
            out; a literal that is there twice counts once.
        weights : iterable of float or None, optional
            What each soft clause costs, None for hard ones; all are hard by default.
        size : int, optional
            Number of variables; by default the largest that is named.

        Raises
        ------
        ModelError
            If a clause is empty, a literal names no variable or a weight is not positive and finite.
        """
        rows = [_literals(number, clause) for number, clause in enumerate(clauses, 1)]
        costs = [None] * len(rows) if weights is None else list(weights)
        if len(costs) != len(rows):
            raise ModelError(f"{len(costs)} weights for {len(rows)} clauses; give one for each, None for hard ones")
        named = max((abs(literal) for row in rows for literal in row), default=0)
        if size is not None and size < named:
            raise ModelError(f"variable {named} is named; they are 1 to {size}")
        kept = [k for k, row in enumerate(rows) if not any(-literal in row for literal in row)]
        lengths = [len(rows[k]) for k in kept]
        hard = np.array([costs[k] is None for k in kept], np.int32)
        soft = real_array([costs[k] or 0.0 for k in kept], "weights", (None,))
        above = soft.sum() + soft[hard == 0].min(initial=np.inf)
        return cls(
            tuple(range(1, (named if size is None else size) + 1)),
            np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32),
            np.array([literal for k in kept for literal in rows[k]], np.int32),
            np.where(hard, above if np.isfinite(above) else 1.0, soft),
            hard,
        )

    @classmethod
    def from_dimacs(cls, path: str | os.PathLike[str]) -> Formula:
        """The formula of a DIMACS CNF or WCNF file; see `dimacs.parse_dimacs`.

        Raises
        ------
        ModelError
            If the file is missing or not of these formats.
        """
        size, clauses, weights = read_dimacs(path)
        return cls.of_clauses(clauses, weights, size)

    def violations(self, bits: npt.ArrayLike) -> Int64:
        """How many clauses each state leaves unsatisfied.

        Parameters
        ----------
        bits : array_like, shape (k, n)

        Returns
        -------
        ndarray of int64, shape (k,)
        """
        return np.concatenate([block.sum(axis=0, dtype=np.int64) for block in self._unsatisfied(bits)])

    def energies(self, states: npt.ArrayLike) -> Float:
        """Weight of the clauses that each state leaves unsatisfied; see `Variables.energies`."""
        return np.concatenate([self.weights @ block for block in self._unsatisfied(states)])

    def _unsatisfied(self, states: npt.ArrayLike) -> Iterator[npt.NDArray[np.bool_]]:
        """Which clauses are not satisfied, shape (m, k), of so many states at a time."""
        values = self.values(states).astype(bool)
        rows = max(1, _BLOCK // max(1, len(self.literals)))
        for start in range(0, max(1, len(values)), rows):
            columns = np.ascontiguousarray(values[start : start + rows].T)
            false = columns[np.abs(self.literals) - 1] != (self.literals > 0)[:, None]
            yield np.logical_and.reduceat(false, self.clause_first[:-1], axis=0) if len(self.weights) else false

    def polynomial(self) -> Polynomial:
        """The same energy as a polynomial of the bits.

        Raises
        ------
        ModelError
            If clauses are so long that it has more than `MAX_TERMS` terms.
        """
        rows = self.clauses()
        expanded = sum(1 << min(60, sum(literal > 0 for literal in row)) for row in rows)
        if expanded > MAX_TERMS:
            raise ModelError(f"the polynomial has {expanded} terms, the limit is {MAX_TERMS}; use Formula.model()")
        terms: Terms = {}
        for row, weight in zip(rows, self.weights.tolist(), strict=True):
            negated = [-literal - 1 for literal in row if literal < 0]
            plain = [literal - 1 for literal in row if literal > 0]
            for some in itertools.chain.from_iterable(itertools.combinations(plain, k) for k in range(len(plain) + 1)):
                term = tuple(sorted((*negated, *some)))
                terms[term] = terms.get(term, 0.0) - weight * (-1) ** len(some)
        return Polynomial.of_indices({t: value for t, value in terms.items() if value}, self.unit, self.labels)

    def clauses(self) -> list[list[int]]:
        """Literals of each clause, as `of_clauses` takes them."""
        flat = self.literals.tolist()
        return [flat[start:stop] for start, stop in itertools.pairwise(self.clause_first.tolist())]

    def model(self, shared: bool = True) -> Expansion:
        """Spins whose least energy over the auxiliaries is the formula's energy, for annealing and tempering.

        Clauses of k > 3 literals become k - 2 of three first, with k - 3 new variables. Samples at a finite beta
        follow the formula's energy only roughly; ``reduce(formula.polynomial())`` samples it.

        Parameters
        ----------
        shared : bool
            Whether clauses share auxiliaries for pairs of variables, see `reduce`: fewer of them, and sooner solved
            (see docs/higher_order.md). Else each clause of three literals has its own, see `gadgets`.

        Returns
        -------
        Expansion
            From the formula; the variables come first, each once.
        """
        short = self._shortened()
        if shared:
            target = reduce(short.polynomial(), bound=None).target
        else:
            target = clause_model(short.size, short.clauses(), short.weights.tolist())
        places = np.arange(self.size + 1, dtype=np.int32)
        return Expansion(self, target, places, places[:-1])

    def _shortened(self) -> Formula:
        """The same in clauses of three literals at most, with new variables after the formula's own."""
        clauses: list[list[int]] = []
        weights: list[float] = []
        size = self.size
        for clause, weight in zip(self.clauses(), self.weights.tolist(), strict=True):
            parts = list(split(clause, size + 1))
            clauses += parts
            weights += [weight] * len(parts)
            size += max(0, len(clause) - 3)
        return Formula.of_clauses(clauses, weights, size)

    def parts(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """What a file holds of it besides the labels: JSON and arrays of int32 and float64."""
        names = ("clause_first", "literals", "weights", "hard")
        return {}, {name: getattr(self, name) for name in names}

    @classmethod
    def from_parts(
        cls, meta: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]], labels: tuple[Hashable, ...]
    ) -> Formula:
        """The formula of `parts` and labels.

        Raises
        ------
        ModelError, KeyError, TypeError, ValueError
            If they are no parts of a formula.
        """
        return cls(labels, arrays["clause_first"], arrays["literals"], arrays["weights"], arrays["hard"])


def _literals(number: int, clause: Sequence[int]) -> list[int]:
    """Literals of a clause, each once."""
    try:
        literals = list(dict.fromkeys(operator.index(literal) for literal in clause))
    except TypeError:
        raise ModelError(f"clause {number} is {clause!r}; give a list of whole numbers") from None
    if not literals:
        raise ModelError(f"clause {number} is empty, so nothing satisfies it; take it out")
    if 0 in literals:
        raise ModelError(f"clause {number} names variable 0; variables are counted from 1")
    return literals


def _check_clauses(first: Int32, literals: Int32, size: int) -> None:
    lengths = check_rows(first, literals, ("clause_first", "literals", "clauses"), "Formula.of_clauses")
    variables = np.abs(literals.astype(np.int64))
    if ((variables < 1) | (variables > size)).any():
        raise ModelError(f"a literal names none of the variables 1 to {size}; use Formula.of_clauses")
    keys = np.repeat(np.arange(len(lengths)), lengths) * (size + 1) + variables
    if len(np.unique(keys)) < len(keys):
        raise ModelError("a clause has a variable twice; use Formula.of_clauses")
