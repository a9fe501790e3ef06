"""Ising models and max-cut problems, from arrays, edges, graphs and files."""

from __future__ import annotations

import os
from collections.abc import Hashable, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ..contract.errors import ModelError
from ..contract.update import Unit
from .base import Model, fill
from .edges import Float, canonical_edges, edges_of_matrix, quadratic_form, real_array
from .files import gset_graph, read_file
from .readers import Graph, read_bqm, read_networkx


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
