"""Sparsifying: variables of high degree become chains of copies, so that a model fits p-bits of a bounded degree.

A variable of degree d is held by k = ceil((d - 2) / (D - 2)) p-bits of degree D at most, coupled as a chain and sharing
its neighbours and its bias (copy p-bits as in Aadit et al., Nature Electronics 5, 460, 2022). Given that all copies
agree, the copies sample exactly what the variables would, so the total variation from the source is at most the
chance that some copies disagree. Chains, not trees: to turn a chain over, one disagreement has to wander along it,
while a tree takes several at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from ..contract.errors import FitError, ModelError
from ..contract.update import Unit
from .base import Model, Variables
from .colouring import adjacency
from .edges import Float, Int32, canonical_edges
from .expansion import Expansion
from .lowering import lower

STRENGTH = 2.0
"""Default strength of copy couplings, in units of the torque that they must stand: see `sparsify`."""

MOST_EXPONENT = 700.0
"""Larger ones overflow; a bound of e^700 says as little as one of more."""

LEAST_DEGREE = 3
"""Of a p-bit that passes its state on to more than one other and still has a neighbour of its own."""


@dataclass(frozen=True, eq=False)
class Copies(Expansion):
    """A model of pairs, some variables of which have several p-bits.

    Parameters
    ----------
    source, target, first, copies
        See `Expansion`.
    edge_places : ndarray of int32, shape (m_source,)
        Edge of the target that has the coupling of each edge of the source.
    copy_biases : ndarray of float64, shape (n_target,)
        What the couplings between copies add to the biases: something for bits, nothing for spins.
    """

    edge_places: Int32
    copy_biases: Float

    def reweighted(self, couplings: npt.ArrayLike, biases: npt.ArrayLike) -> Copies:
        """The same copies, coupled as strongly as before, of the source with other values."""
        assert isinstance(self.source, Model)
        source = self.source.with_values(couplings, biases)
        strengths = self.target.couplings.copy()
        strengths[self.edge_places] = source.couplings
        fields = self.copy_biases + (source.biases / np.diff(self.first))[self.owners]
        return replace(self, source=source, target=self.target.with_values(strengths, fields))

    def broken_bound(self, beta: float) -> float:
        """What the chance that some copies disagree cannot exceed, whatever the model's other couplings do.

        Let a variable's neighbours and bias pull with A = sum |J| + |h|, for bits with half of that, and let its links
        have strengths s. Whatever the other variables are, a set of broken links costs 2 s each and gains A at most,
        so that the chance of any is at most exp(beta A) (prod(1 + exp(-2 beta s)) - 1). These add up over variables.

        Parameters
        ----------
        beta : float
            Inverse temperature.

        Returns
        -------
        float
            Total variation of the decoded distribution from the source's is at most this; useless where it exceeds 1.
        """
        assert isinstance(self.source, Model)
        links = np.setdiff1d(np.arange(len(self.target.edges)), self.edge_places)
        bits = self.source.unit is Unit.BIT
        strengths = self.target.couplings[links] / (4 if bits else 1)
        couplings = np.repeat(np.abs(self.source.couplings), 2)
        pulls = np.bincount(self.source.edges.ravel(), couplings, self.source.size) + np.abs(self.source.biases)
        walls = np.log1p(np.exp(-2 * beta * strengths))
        growth = np.expm1(np.bincount(self.owners[self.target.edges[links, 0]], walls, self.source.size))
        gains = beta * pulls / (2 if bits else 1)
        return float((np.exp(np.minimum(gains, MOST_EXPONENT)) * growth).sum())


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
    if not 0 < strength < np.inf:
        raise ModelError(f"copy strength is {strength}; give a positive number, about {STRENGTH}")
    degrees = np.bincount(model.edges.ravel(), minlength=model.size)
    first = _starts(np.where(degrees > max_degree, -(-(degrees - 2) // (max_degree - 2)), 1))
    ends = _ends(model, first, max_degree)
    links = _links(first)
    owners = np.searchsorted(first, links[:, 0], side="right") - 1
    return _copies(model, first, ends, links, strength * _torques(model, owners))


def _starts(counts: npt.NDArray[np.int64]) -> Int32:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)


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


def _torques(model: Model, owners: npt.NDArray[Any]) -> Float:
    """Root of the summed squares of the couplings on either half of a chain, for each of the links."""
    squares = np.bincount(model.edges.ravel(), np.repeat(model.couplings**2, 2), minlength=model.size)
    torques = np.sqrt(squares[owners] / 2)
    return np.where(torques > 0, torques, 1.0)


def _copies(model: Model, first: Int32, ends: Int32, links: Int32, strengths: Float) -> Copies:
    n, owners = int(first[-1]), np.repeat(np.arange(model.size), np.diff(first))
    copy_biases = np.zeros(n)
    if model.unit is Unit.BIT:  # equal bits gain nothing, different ones lose what different spins do
        np.add.at(copy_biases, links.ravel(), np.repeat(-2 * strengths, 2))
        strengths = 4 * strengths
    edges, couplings = canonical_edges(n, np.concatenate([ends, links]), np.concatenate([model.couplings, strengths]))
    biases = copy_biases + (model.biases / np.diff(first))[owners]
    offset = model.offset + (0.0 if model.unit is Unit.BIT else float(strengths.sum()))
    target = Model(model.unit, tuple(range(n)), edges, couplings, biases, offset)
    keys = edges[:, 0].astype(np.int64) * n + edges[:, 1]
    places = np.searchsorted(keys, ends.min(axis=1).astype(np.int64) * n + ends.max(axis=1))
    copies = np.arange(n, dtype=np.int32)
    return Copies(model, target, first, copies, places.astype(np.int32), copy_biases)
