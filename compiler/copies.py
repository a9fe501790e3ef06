"""Copies: variables of a model of pairs that are held by several p-bits each, coupled so that they agree."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..contract.errors import ModelError
from ..contract.update import Unit
from .base import Model
from .edges import Float, Int32
from .expansion import Expansion

STRENGTH = 2.0
"""Default strength of copy couplings, in units of the torque that they must stand: see `torques`."""

MOST_EXPONENT = 700.0
"""Larger ones overflow; a bound of e^700 says as little as one of more."""


@dataclass(frozen=True, eq=False)
class Copies(Expansion):
    """A model of pairs, some variables of which have several p-bits.

    Parameters
    ----------
    source, target, first, copies
        See `Expansion`.
    edge_sources : ndarray of int32, shape (m_target,)
        Edge of the source whose coupling each edge of the target has an equal share of. Edges of -1 are links: they
        couple the copies of a variable, as a tree.
    copy_biases : ndarray of float64, shape (n_target,)
        What the links add to the biases: something for bits, nothing for spins.
    """

    edge_sources: Int32
    copy_biases: Float

    def reweighted(self, couplings: npt.ArrayLike, biases: npt.ArrayLike) -> Copies:
        """The same copies, coupled as strongly as before, of the source with other values."""
        assert isinstance(self.source, Model)
        return self._holding(self.source.with_values(couplings, biases))

    def _holding(self, source: Model) -> Copies:
        """The same copies of another model of the same graph."""
        carriers = np.flatnonzero(self.edge_sources >= 0)
        carried = self.edge_sources[carriers]
        strengths = self.target.couplings.copy()
        strengths[carriers] = (source.couplings / np.bincount(carried, minlength=len(source.edges)))[carried]
        fields = self.copy_biases + (source.biases / np.diff(self.first))[self.owners]
        return replace(self, source=source, target=self.target.with_values(strengths, fields))

    def broken_bound(self, beta: float) -> float:
        """What the chance that some copies disagree cannot exceed, whatever the model's other couplings do.

        Let a variable's neighbours and bias pull with A = sum |J| + |h|, for bits with half of that, and let its links
        have strengths s. As they form a tree, states of its copies are sets of broken links, but for turning all
        copies over. Whatever the other variables are, such a set costs 2 s for each link and gains A at most, so that
        the chance of any is at most exp(beta A) (prod(1 + exp(-2 beta s)) - 1). These add up over variables.

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
        links = np.flatnonzero(self.edge_sources < 0)
        bits = self.source.unit is Unit.BIT
        strengths = self.target.couplings[links] / (4 if bits else 1)
        couplings = np.repeat(np.abs(self.source.couplings), 2)
        pulls = np.bincount(self.source.edges.ravel(), couplings, self.source.size) + np.abs(self.source.biases)
        walls = np.log1p(np.exp(-2 * beta * strengths))
        growth = np.expm1(np.bincount(self.owners[self.target.edges[links, 0]], walls, self.source.size))
        gains = beta * pulls / (2 if bits else 1)
        return float((np.exp(np.minimum(gains, MOST_EXPONENT)) * growth).sum())


def make_copies(
    model: Model,
    first: Int32,
    carriers: Int32,
    carried: Int32,
    links: Int32,
    strength: float,
    labels: tuple[Hashable, ...],
) -> Copies:
    """Hold each variable of a model by a tree of p-bits.

    Parameters
    ----------
    model : Model
    first : ndarray of int32, shape (n + 1,)
        P-bits ``first[v]`` to ``first[v + 1] - 1`` hold variable v.
    carriers : ndarray of int32, shape (k, 2)
        Pairs of p-bits that carry the model's couplings.
    carried : ndarray of int32, shape (k,)
        Edge of the model whose coupling each of them has a share of; every edge at least once.
    links : ndarray of int32, shape (l, 2)
        Pairs that keep the p-bits of a variable together: a spanning tree of them. No pair of either kind repeats.
    strength : float
        Of the links, in units of `torques`.
    labels : tuple
        Of the p-bits.

    Raises
    ------
    ModelError
        If the strength is not positive and finite.
    """
    if not 0 < strength < np.inf:
        raise ModelError(f"copy strength is {strength}; give a positive number, about {STRENGTH}")
    owners = np.repeat(np.arange(model.size), np.diff(first))
    couplings, copy_biases = strength * torques(model)[owners[links[:, 0]]], np.zeros(len(labels))
    offset = model.offset + (0.0 if model.unit is Unit.BIT else float(couplings.sum()))
    if model.unit is Unit.BIT:  # equal bits gain nothing, different ones lose what different spins do
        np.add.at(copy_biases, links.ravel(), np.repeat(-2 * couplings, 2))
        couplings = 4 * couplings
    edges = np.sort(np.concatenate([carriers, links]), axis=1)
    order = np.lexsort((edges[:, 1], edges[:, 0]))
    strengths = np.concatenate([np.zeros(len(carriers)), couplings])[order]
    sources = np.concatenate([carried, np.full(len(links), -1)])[order].astype(np.int32)
    empty = Model(model.unit, labels, edges[order], strengths, copy_biases, offset)
    copies = np.arange(len(labels), dtype=np.int32)
    return Copies(model, empty, first, copies, sources, copy_biases)._holding(model)


def torques(model: Model) -> Float:
    """What pulls the copies of each variable apart, shape (n,): the unit of the strength of links.

    The root of half the summed squares of the variable's couplings, which is the pull of neighbours of random signs on
    either half of its copies; 1 where there are none.
    """
    squares = np.bincount(model.edges.ravel(), np.repeat(model.couplings**2, 2), minlength=model.size)
    pulls = np.sqrt(squares / 2)
    return np.where(pulls > 0, pulls, 1.0)


def starts(counts: npt.ArrayLike) -> Int32:
    """Where rows of these lengths begin, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
