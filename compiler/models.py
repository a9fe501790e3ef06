"""The models by name: Ising models, max-cut problems, Boltzmann machines, Hopfield networks."""

from __future__ import annotations

import operator
import os
from collections.abc import Hashable, Sequence
from typing import Any, Self, SupportsIndex

import numpy as np
import numpy.typing as npt

from ..contract.errors import ModelError
from ..contract.update import Unit
from .base import Model, fill
from .edges import Float, canonical_edges, edges_of_matrix, quadratic_form, real_array
from .files import gset_graph, read_file
from .readers import Graph, read_bqm, read_networkx

__all__ = ["RBM", "BoltzmannMachine", "Hopfield", "Ising", "MaxCut", "Model"]


class Ising(Model):
    """An Ising model of spins.

    Parameters
    ----------
    h : array_like of float, shape (n,)
        Biases.
    J : array_like or scipy sparse, shape (n, n)
        Couplings, symmetric or triangular; positive is ferromagnetic.
    labels : sequence, optional
        Labels of the variables, 0 to n - 1 by default.

    Raises
    ------
    ModelError
        If J is not square, symmetric or triangular, and free of a diagonal, if
        a shape is wrong or a value is not finite.
    """

    def __init__(self, h: npt.ArrayLike, J: Any, labels: Sequence[Hashable] | None = None) -> None:  # noqa: N803
        n, edges, couplings = edges_of_matrix(J)
        fill(self, Unit.SPIN, n, edges, couplings, real_array(h, "h", (n,)), labels)

    @classmethod
    def from_edges(
        cls,
        n: int,
        edges: npt.ArrayLike,
        couplings: npt.ArrayLike,
        biases: npt.ArrayLike | None = None,
        labels: Sequence[Hashable] | None = None,
        offset: float = 0.0,
    ) -> Self:
        """An Ising model from a list of edges; repeated edges add up.

        Parameters
        ----------
        n : int
            Number of spins.
        edges : array_like of int, shape (m, 2)
        couplings : array_like of float, shape (m,)
        biases : array_like of float, shape (n,), optional
        labels : sequence, optional
        offset : float
            Constant added to every energy.

        Raises
        ------
        ModelError
            If an edge leads nowhere or to itself, a shape is wrong or a value is not finite.
        """
        model = cls.__new__(cls)
        h = np.zeros(n) if biases is None else real_array(biases, "biases", (n,))
        fill(model, Unit.SPIN, n, *canonical_edges(n, edges, couplings), h, labels, offset=offset)
        return model

    @classmethod
    def from_networkx(cls, graph: Any, coupling: float | None = None) -> Self:
        """An Ising model on a networkx graph.

        Parameters
        ----------
        graph : networkx.Graph
            Node attribute ``bias`` (default 0) and edge attribute ``weight``
            (default 1) are h and J.
        coupling : float, optional
            The same J for every edge instead.

        Raises
        ------
        ModelError
            If it is no undirected graph, or a coupling or bias is no finite number.
        """
        return cls._from_graph(read_networkx(graph, coupling))

    @classmethod
    def from_bqm(cls, bqm: Any) -> Self:
        """The Ising model of a dimod binary quadratic model, with the same energies.

        Parameters
        ----------
        bqm : dimod.BinaryQuadraticModel
            dimod's sign (E = +h s + J s s) is turned round. Binary variables x
            become spins m = 2 x - 1.

        Raises
        ------
        ModelError
            If it is no binary quadratic model.
        """
        return cls._from_graph(read_bqm(bqm))

    @classmethod
    def _from_graph(cls, graph: Graph) -> Self:
        return cls.from_edges(len(graph.labels), graph.edges, graph.couplings, graph.biases, graph.labels, graph.offset)

    @staticmethod
    def from_gset(path: str | os.PathLike[str]) -> MaxCut:
        """The max-cut problem of a G-set file.

        Parameters
        ----------
        path : path-like
            A file of ``n m`` and then ``i j w`` lines, vertices from 1.

        Raises
        ------
        ModelError
            If the file is missing, not of this format, or ends early.
        """
        return MaxCut._from_graph(gset_graph(path))

    @staticmethod
    def from_file(path: str | os.PathLike[str]) -> Ising:
        """The model of a file, whose format is told from its contents.

        Parameters
        ----------
        path : path-like
            A G-set file, an edge list, dimod's COO or JSON, a MatrixMarket or
            .npy matrix, or an .npz; ``docs/inputs.md`` says what each means.

        Returns
        -------
        Ising
            A `MaxCut` for a G-set file.

        Raises
        ------
        ModelError
            If the file is missing, damaged, of no known format or too large.
        """
        graph = read_file(path)
        try:
            return (MaxCut if graph.max_cut else Ising)._from_graph(graph)
        except ModelError as error:
            raise ModelError(f"{path}: {error}") from None


class MaxCut(Ising):
    """A max-cut problem as an Ising model: J = -w, no biases."""

    def cut(self, states: npt.ArrayLike) -> Float:
        """Weight of the cut of each state: (sum w - sum w m m) / 2.

        Parameters
        ----------
        states : array_like of int, shape (k, n)
            Spins.

        Returns
        -------
        ndarray of float64, shape (k,)
        """
        uncut = quadratic_form(self.values(states), self.edges, self.couplings, np.zeros(self.size))
        return (uncut - self.couplings.sum()) / 2


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


class Hopfield(Ising):
    """A Hopfield network that remembers patterns by Hebb's rule: J = sum_p x_p x_p^T / n.

    Parameters
    ----------
    patterns : array_like of int, shape (p, n)
        Patterns of +1 and -1 (Hopfield, PNAS 79, 2554, 1982).

    Raises
    ------
    ModelError
        If they are no such rows.
    """

    def __init__(self, patterns: npt.ArrayLike) -> None:
        rows = real_array(patterns, "patterns", (None, None))
        if not np.isin(rows, (-1, 1)).all():
            raise ModelError("patterns hold something else than +1 and -1; for bits give 2 * bits - 1")
        couplings = rows.T @ rows / rows.shape[1]
        np.fill_diagonal(couplings, 0)
        super().__init__(np.zeros(rows.shape[1]), couplings)
