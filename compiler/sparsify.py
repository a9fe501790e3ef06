"""Sparsifying: variables of high degree become chains of copies, so that a model fits p-bits of a bounded degree.

A variable of degree d is held by k = ceil((d - 2) / (D - 2)) p-bits of degree D at most, coupled as a chain and sharing
its neighbours and its bias (copy p-bits as in Aadit et al., Nature Electronics 5, 460, 2022). Given that all copies
agree, the copies sample exactly what the variables would, so the total variation from the source is at most the
chance that some copies disagree. Chains, not trees: to turn a chain over, one disagreement has to wander along it,
while a tree takes several at a time.
"""

from __future__ import annotations

from typing import overload

import numpy as np

from ..contract.errors import FitError, ModelError
from .base import Model, Variables
from .colouring import adjacency
from .copies import STRENGTH, Copies, make_copies, starts, torques
from .edges import Int32
from .expansion import Expansion
from .lowering import lower

LEAST_DEGREE = 3
"""Of a p-bit that passes its state on to more than one other and still has a neighbour of its own."""


@overload
def sparsify(model: Model, max_degree: int, strength: float = STRENGTH) -> Copies: ...


@overload
def sparsify(model: Variables | Expansion, max_degree: int, strength: float = STRENGTH) -> Expansion: ...


def sparsify(model: Variables | Expansion, max_degree: int, strength: float = STRENGTH) -> Expansion:
    """Split variables until none has more than ``max_degree`` neighbours.

    Parameters
    ----------
    model : Model, Polynomial, Formula or Expansion
        Of any degree. What is not a model of pairs becomes one first, as `compile` would make it.
    max_degree : int
        Largest degree, at least 3.
    strength : float
        Of the couplings between copies, relative to the torque that two halves of a chain exert on each other: the
        root of the summed squares of the couplings of one half. More keeps copies together, less lets them move.

    Returns
    -------
    Copies
        Of a `Model`; of anything else an expansion that takes both steps.

    Raises
    ------
    FitError
        If ``max_degree`` is below 3.
    ModelError
        If it is no model, or the strength is not positive and finite.
    """
    pairs, before = lower(model)
    copies = _chains(pairs, max_degree, strength)
    return copies if before is None else before.then(copies)


def _chains(model: Model, max_degree: int, strength: float) -> Copies:
    if max_degree < LEAST_DEGREE:
        raise FitError(f"copies of degree {max_degree} can hold no neighbours; use at least {LEAST_DEGREE}")
    degrees = np.bincount(model.edges.ravel(), minlength=model.size)
    first = starts(np.where(degrees > max_degree, -(-(degrees - 2) // (max_degree - 2)), 1))
    ends, whole = _ends(model, first, max_degree), np.arange(len(model.edges), dtype=np.int32)
    return make_copies(model, first, ends, whole, _links(first), strength, tuple(range(first[-1])))


def _ends(model: Model, first: Int32, max_degree: int) -> Int32:
    """Copies that each edge of the model joins, shape (m, 2)."""
    ends = first[model.edges]
    split = np.flatnonzero(np.diff(first) > 1)
    slot_first, neighbours = adjacency(model.size, model.edges)
    keys = model.edges[:, 0].astype(np.int64) * model.size + model.edges[:, 1]
    for v in split:
        others = neighbours[slot_first[v] : slot_first[v + 1]].astype(np.int64)
        count = first[v + 1] - first[v]
        room = np.full(count, max_degree - 2)  # two neighbours are copies, but for those at the ends
        room[[0, -1]] += 1
        holders = np.repeat(np.arange(count), room)[: len(others)]
        places = np.searchsorted(keys, np.minimum(v, others) * model.size + np.maximum(v, others))
        ends[places, (others < v).astype(int)] = first[v] + holders
    return ends


def _links(first: Int32) -> Int32:
    """Edges between copies, shape (k, 2)."""
    later = np.setdiff1d(np.arange(1, first[-1], dtype=np.int32), first)
    return np.stack([later - 1, later], axis=1).astype(np.int32)


def sampling_strength(model: Variables | Expansion, max_degree: int, beta: float = 1.0, broken: float = 0.01) -> float:
    """The copy strength at which about so large a share of chains is broken: for sampling; the default anneals.

    A chain of L links of coupling s that little else pulls apart is broken with a chance of L exp(-2 beta s), where
    that is small. The variable that needs most decides.

    Parameters
    ----------
    model, max_degree
        As for `sparsify`.
    beta : float
        Inverse temperature to sample at, positive.
    broken : float
        Share of states in which the copies of a variable disagree, between 0 and 1.

    Returns
    -------
    float
        For ``sparsify``.

    Raises
    ------
    FitError
        If ``max_degree`` is below 3.
    ModelError
        If it is no model, or beta or the share is out of range.
    """
    if not (0 < beta < np.inf and 0 < broken < 1):
        raise ModelError(f"beta {beta} must be positive and finite, and the share {broken} between 0 and 1")
    pairs, _ = lower(model)
    links = np.diff(sparsify(pairs, max_degree).first) - 1
    split = np.flatnonzero(links)
    if not len(split):
        return STRENGTH
    return float((np.log(links[split] / broken) / (2 * beta) / torques(pairs)[split]).max())
