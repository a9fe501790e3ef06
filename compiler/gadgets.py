"""Couplings of pairs for clauses: the weight of an unsatisfied clause as the least energy over auxiliary spins.

With s = +1 where a literal is true and t an auxiliary, a clause of three literals costs

    (2 - s1 - s2 - s3 + s1 s2 + s2 s3 + s3 s1 + t (1 - s1 - s2 - s3)) / 4

at the better t: 1 if all three are false, else 0. It is the reduction of a positive cubic monomial (Ishikawa, IEEE
Trans. Pattern Anal. Mach. Intell. 33, 1234, 2011) in the negated literals. Of longer clauses the first two literals and
a new variable make a clause, its negation and the rest another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..contract.update import Unit
from .base import Model
from .edges import Float, Int64, canonical_edges


def split(clause: Sequence[int], fresh: int) -> Iterator[list[int]]:
    """A clause as clauses of three literals at most, as many of which are unsatisfied at the best new variables.

    Parameters
    ----------
    clause : sequence of int
        Literals as DIMACS writes them.
    fresh : int
        First variable that is free; one is taken for each literal after the third.
    """
    rest = list(clause)
    while len(rest) > 3:
        yield [*rest[:2], fresh]
        rest = [-fresh, *rest[2:]]
        fresh += 1
    yield rest


def clause_model(size: int, clauses: Sequence[Sequence[int]], weights: Sequence[float]) -> Model:
    """The model of clauses: spins of the variables, then an auxiliary for each clause of three.

    Parameters
    ----------
    size : int
        Number of variables.
    clauses : sequence of sequence of int
        Of three literals at most, as DIMACS writes them.
    weights : sequence of float

    Returns
    -------
    Model
        Of spins. Its least energy, over all but the first ``size`` of them, is the weight of the unsatisfied clauses.
    """
    total = size + sum(len(clause) == 3 for clause in clauses)
    edges, couplings, biases, offset = [np.empty((0, 2), np.int64)], [np.empty(0)], np.zeros(total), 0.0
    for length in (1, 2, 3):
        rows = [(clause, weight) for clause, weight in zip(clauses, weights, strict=True) if len(clause) == length]
        literals = np.array([clause for clause, _ in rows], np.int64).reshape(-1, length)
        cost = np.array([weight for _, weight in rows]) / (2 if length == 1 else 4)
        variables, signs = np.abs(literals) - 1, np.sign(literals).astype(np.float64)
        if length == 3:  # the auxiliary acts as a fourth literal that is negated
            variables = np.column_stack([variables, np.arange(size, total)])
            signs = np.column_stack([signs, -np.ones(len(rows))])
        offset += float(cost.sum()) * (2 if length == 3 else 1)
        np.add.at(biases, variables, signs * cost[:, None])
        for ends, strengths in _couplings(variables, signs, cost):
            edges.append(ends)
            couplings.append(strengths)
    joined = canonical_edges(total, np.concatenate(edges), np.concatenate(couplings))
    return Model(Unit.SPIN, tuple(range(total)), *joined, biases, offset)


def _couplings(variables: Int64, signs: Float, cost: Float) -> Iterator[tuple[Int64, Float]]:
    """Couplings -cost s_i s_j of every two columns."""
    for i in range(variables.shape[1]):
        for j in range(i + 1, variables.shape[1]):
            yield variables[:, (i, j)], -cost * signs[:, i] * signs[:, j]
