"""The models by name: Ising models, max-cut problems, Boltzmann machines, Hopfield networks."""

from __future__ import annotations

import operator
from collections.abc import Hashable, Sequence
from typing import Any, Self, SupportsIndex

import numpy as np
import numpy.typing as npt

from ..contract.errors import ModelError
from ..contract.update import Unit
from .base import Model, fill
from .edges import canonical_edges, edges_of_matrix, real_array
from .hopfield import Hopfield
from .ising import Ising, MaxCut

__all__ = ["RBM", "BoltzmannMachine", "Hopfield", "Ising", "MaxCut", "Model"]


class BoltzmannMachine(Model):
    """A Boltzmann machine with visible and hidden units.

    Parameters
    ----------
    visible, hidden : int or sequence
        How many, or their labels; visible units come first.
    J : array_like or scipy sparse, shape (n, n), optional
        Couplings; zero on the edges by default.
    h : array_like of float, shape (n,), optional
        Biases, zero by default.
    unit : Unit
        Spins by default.
    edges : array_like of int, shape (m, 2), optional
        Where couplings may be, besides the nonzeros of J; with neither, all pairs.

    Raises
    ------
    ModelError
        As `Ising` does.
    """

    def __init__(
        self,
        visible: SupportsIndex | Sequence[Hashable],
        hidden: SupportsIndex | Sequence[Hashable] = 0,
        J: Any = None,  # noqa: N803
        h: npt.ArrayLike | None = None,
        unit: Unit = Unit.SPIN,
        edges: npt.ArrayLike | None = None,
    ) -> None:
        seen, unseen = _unit_labels(visible, "v"), _unit_labels(hidden, "h")
        n = len(seen) + len(unseen)
        if edges is None:
            edges = np.stack(np.triu_indices(n, 1), axis=1) if J is None else np.empty((0, 2), int)
        pairs, _ = canonical_edges(n, edges, np.zeros(len(np.asarray(edges))))
        couplings = np.zeros(len(pairs))
        if J is not None:
            size, own, strengths = edges_of_matrix(J)
            if size != n:
                raise ModelError(f"J is {size} x {size} for {n} units")
            pairs, couplings = np.concatenate([pairs, own]), np.concatenate([couplings, strengths])
        biases = np.zeros(n) if h is None else real_array(h, "h", (n,))
        fill(self, unit, n, *canonical_edges(n, pairs, couplings), biases, seen + unseen, visible=len(seen))

    @classmethod
    def on_graph(
        cls,
        graph: Model,
        visible: SupportsIndex | Sequence[Hashable],
        *,
        unit: Unit = Unit.SPIN,
        seed: int = 0,
    ) -> Self:
        """A machine with the edges of a graph, its visible units at random vertices, all couplings zero.

        At random, so that units that have to do with each other are not far apart in the graph more often than others:
        then hidden units lie between any of them.

        Parameters
        ----------
        graph : Model
            Its edges count: such as ``topology("pegasus", 14)`` or ``Ising.from_networkx(graph)``.
        visible : int or sequence of hashable
            How many, or their labels; every other vertex is a hidden unit.
        unit : Unit
            Spins by default.
        seed : int
            Of the places.

        Raises
        ------
        ModelError
            If the graph is no model, or has fewer vertices than there are visible units.
        """
        if not isinstance(graph, Model):
            raise ModelError(f"graph is {graph!r:.60}; give a model, such as Ising.from_networkx(graph)")
        seen = _unit_labels(visible, "v")
        if len(seen) > graph.size:
            raise ModelError(
                f"{len(seen)} visible units do not fit the graph's {graph.size} vertices; take a larger one"
            )
        unit_of = np.random.default_rng(seed).permutation(graph.size)
        return cls(seen, graph.size - len(seen), unit=unit, edges=unit_of[graph.edges])


def _unit_labels(units: SupportsIndex | Sequence[Hashable], prefix: str) -> list[Hashable]:
    try:
        count = operator.index(units)  # type: ignore[arg-type]
    except TypeError:
        return list(units)  # type: ignore[arg-type]
    if count < 0:
        raise ModelError(f"{count} units were asked for; give 0 or more")
    return [f"{prefix}{i}" for i in range(count)]


class RBM(Model):
    """A restricted Boltzmann machine of bits: P(v, s) ~ exp(v W s + b v + c s).

    Parameters
    ----------
    W : array_like of float, shape (n_visible, n_hidden)
        Couplings.
    b, c : array_like of float, shapes (n_visible,) and (n_hidden,)
        Visible and hidden biases.

    Raises
    ------
    ModelError
        If the shapes disagree or a value is not finite.
    """

    def __init__(self, W: npt.ArrayLike, b: npt.ArrayLike, c: npt.ArrayLike) -> None:  # noqa: N803
        seen, unseen = real_array(b, "b", (None,)), real_array(c, "c", (None,))
        weights = real_array(W, "W", (seen.size, unseen.size))
        v, s = np.divmod(np.arange(weights.size), max(unseen.size, 1))
        edges = np.stack([v, seen.size + s], axis=1).astype(np.int32)
        labels = [f"v{i}" for i in range(seen.size)] + [f"h{i}" for i in range(unseen.size)]
        biases = np.concatenate([seen, unseen])
        fill(self, Unit.BIT, len(labels), edges, weights.ravel(), biases, labels, visible=seen.size)
