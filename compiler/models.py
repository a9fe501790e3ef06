"""Models: what is to be sampled, in the user's own order, units and labels, in float.

E(m) = - sum_{i<j} J_ij m_i m_j - sum_i h_i m_i for spins m = +1 or -1, the same
with bits s = 0 or 1 for models of bits; P ~ exp(-beta E).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract.errors import ModelError
from ..contract.update import Unit

Float = npt.NDArray[np.float64]
Int32 = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Model:
    """An energy over binary variables with pair couplings.

    Parameters
    ----------
    unit : Unit
        Spins or bits.
    labels : tuple
        One hashable label per variable.
    edges : ndarray of int32, shape (m, 2)
        Pairs i < j, sorted, each once.
    couplings : ndarray of float64, shape (m,)
        J of each edge.
    biases : ndarray of float64, shape (n,)
        h of each variable.
    offset : float
        Constant that is added to every energy.
    visible, hidden : ndarray of int32
        Indices of the visible and of the hidden variables.
    """

    unit: Unit
    labels: tuple[Hashable, ...]
    edges: Int32
    couplings: Float
    biases: Float
    offset: float = 0.0
    visible: Int32 = field(default_factory=lambda: np.empty(0, np.int32))
    hidden: Int32 = field(default_factory=lambda: np.empty(0, np.int32))

    def __post_init__(self) -> None:
        if not np.isfinite(self.couplings).all() or not np.isfinite(self.biases).all():
            raise ModelError("a coupling or bias is NaN or infinite; every one must be a finite number")

    @property
    def size(self) -> int:
        """Number of variables n."""
        return len(self.biases)

    @cached_property
    def index(self) -> dict[Hashable, int]:
        """Index of each label."""
        return {label: i for i, label in enumerate(self.labels)}

    def values(self, states: npt.ArrayLike) -> Float:
        """Check states in the model's units and return them as float, shape (k, n)."""
        array = np.atleast_2d(np.asarray(states))
        allowed = (-1, 1) if self.unit is Unit.SPIN else (0, 1)
        if array.ndim != 2 or array.shape[1] != self.size:
            raise ModelError(f"states have shape {np.shape(states)}, the model needs (k, {self.size})")
        if not np.isin(array, allowed).all():
            raise ModelError(f"states of this model are {allowed[0]} or {allowed[1]}")
        return array.astype(np.float64)

    def energies(self, states: npt.ArrayLike) -> Float:
        """Energy of each state.

        Parameters
        ----------
        states : array_like, shape (k, n)
            Rows in the model's own order and units.

        Returns
        -------
        ndarray of float64, shape (k,)
        """
        values = self.values(states)
        energies = -values @ self.biases + self.offset
        for start in range(0, len(self.edges), _EDGE_BLOCK):
            i, j = self.edges[start : start + _EDGE_BLOCK].T
            energies -= (values[:, i] * values[:, j]) @ self.couplings[start : start + _EDGE_BLOCK]
        return energies


_EDGE_BLOCK = 4096
"""Edges taken at once in an energy: bounds the memory of the products."""


def canonical_edges(n: int, edges: npt.ArrayLike, couplings: npt.ArrayLike) -> tuple[Int32, Float]:
    """Edges as i < j, sorted, with the couplings of repeated edges summed.

    Parameters
    ----------
    n : int
        Number of variables.
    edges : array_like of int, shape (m, 2)
    couplings : array_like of float, shape (m,)

    Raises
    ------
    ModelError
        If an edge leads nowhere or to itself, or the shapes disagree.
    """
    pairs = np.asarray(edges, np.int64).reshape(-1, 2)
    strengths = np.asarray(couplings, np.float64).reshape(-1)
    if len(pairs) != len(strengths):
        raise ModelError(f"{len(strengths)} couplings for {len(pairs)} edges")
    if len(pairs) and not 0 <= pairs.min() <= pairs.max() < n:
        raise ModelError(f"an edge names variable {pairs.min() if pairs.min() < 0 else pairs.max()} of {n}")
    loops = pairs[pairs[:, 0] == pairs[:, 1]]
    if len(loops):
        raise ModelError(f"variable {loops[0, 0]} is coupled to itself; put a linear term into its bias")
    pairs.sort(axis=1)
    keys, places = np.unique(pairs[:, 0] * n + pairs[:, 1], return_inverse=True)
    summed = np.bincount(places, strengths, len(keys)) if len(keys) else np.empty(0)
    return np.stack([keys // n, keys % n], axis=1).astype(np.int32) if len(keys) else np.empty((0, 2), np.int32), summed


def edges_of_matrix(matrix: Any) -> tuple[int, Int32, Float]:
    """Size, edges and couplings of a symmetric or triangular matrix.

    Parameters
    ----------
    matrix : array_like or scipy sparse, shape (n, n)
        Symmetric with a zero diagonal, or strictly triangular.

    Raises
    ------
    ModelError
        If it is not square, not symmetric or has a diagonal.
    """
    if hasattr(matrix, "tocoo"):
        sparse = matrix.tocoo()
        shape, rows, columns, entries = sparse.shape, sparse.row, sparse.col, np.asarray(sparse.data, np.float64)
    else:
        dense = np.asarray(matrix, np.float64)
        shape = dense.shape
        rows, columns = np.nonzero(dense) if dense.ndim == 2 else (np.empty(0, int),) * 2
        entries = dense[rows, columns] if dense.ndim == 2 else np.empty(0)
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ModelError(f"J has shape {tuple(shape)}; it must be square")
    if not np.isfinite(entries).all():
        raise ModelError("J holds NaN or infinity; every coupling must be a finite number")
    n = shape[0]
    pairs = np.stack([rows, columns], axis=1)
    upper, lower = rows < columns, rows > columns
    if (entries[rows == columns] != 0).any():
        raise ModelError("J has a diagonal; put linear terms into h")
    up = canonical_edges(n, pairs[upper], entries[upper])
    low = canonical_edges(n, pairs[lower], entries[lower])
    if len(up[1]) and len(low[1]):
        if not np.array_equal(up[0], low[0]) or not np.allclose(up[1], low[1], rtol=1e-12, atol=0):
            raise ModelError("J is neither symmetric nor triangular; use (J + J.T) / 2")
        return n, *up
    return (n, *up) if len(up[1]) else (n, *low)


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
    """

    def __init__(self, h: npt.ArrayLike, J: Any, labels: Sequence[Hashable] | None = None) -> None:  # noqa: N803
        n, edges, couplings = edges_of_matrix(J)
        _init(self, Unit.SPIN, n, edges, couplings, h, labels)

    @classmethod
    def from_edges(
        cls,
        n: int,
        edges: npt.ArrayLike,
        couplings: npt.ArrayLike,
        biases: npt.ArrayLike | None = None,
        labels: Sequence[Hashable] | None = None,
        offset: float = 0.0,
    ) -> Ising:
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
        """
        model = cls.__new__(cls)
        h = np.zeros(n) if biases is None else biases
        _init(model, Unit.SPIN, n, *canonical_edges(n, edges, couplings), h, labels, offset=offset)
        return model

    @classmethod
    def from_networkx(cls, graph: Any, coupling: float | None = None) -> Ising:
        """An Ising model on a networkx graph.

        Parameters
        ----------
        graph : networkx.Graph
            Node attribute ``bias`` (default 0) and edge attribute ``weight``
            (default 1) are h and J.
        coupling : float, optional
            The same J for every edge instead.
        """
        labels = list(graph.nodes)
        index = {label: i for i, label in enumerate(labels)}
        edges = [(index[u], index[v]) for u, v in graph.edges()]
        if coupling is None:
            couplings: Iterable[float] = [float(w) for _, _, w in graph.edges(data="weight", default=1.0)]
        else:
            couplings = [coupling] * len(edges)
        biases = [float(b) for _, b in graph.nodes(data="bias", default=0.0)]
        return cls.from_edges(len(labels), edges, np.array(list(couplings)), biases, labels)

    @classmethod
    def from_bqm(cls, bqm: Any) -> Ising:
        """The Ising model of a dimod binary quadratic model, with the same energies.

        Parameters
        ----------
        bqm : dimod.BinaryQuadraticModel
            dimod's sign (E = +h s + J s s) is turned round here and nowhere else.
        """
        spin = bqm.spin
        labels = list(bqm.variables)
        index = {label: i for i, label in enumerate(labels)}
        edges = [(index[u], index[v]) for u, v in spin.quadratic]
        couplings = [-float(value) for value in spin.quadratic.values()]
        biases = [-float(spin.linear[label]) for label in labels]
        return cls.from_edges(len(labels), edges, couplings, biases, labels, offset=float(spin.offset))

    @classmethod
    def from_gset(cls, path: Any) -> Ising:
        """The max-cut problem of a G-set file, as `readers.MaxCut`."""
        from .readers import MaxCut, read_gset

        n, edges, weights = read_gset(path)
        return MaxCut.from_edges(n, edges, -weights)


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
        Where couplings may be; all pairs by default (those of J where J is given).
    """

    def __init__(
        self,
        visible: int | Sequence[Hashable],
        hidden: int | Sequence[Hashable] = 0,
        J: Any = None,  # noqa: N803
        h: npt.ArrayLike | None = None,
        unit: Unit = Unit.SPIN,
        edges: npt.ArrayLike | None = None,
    ) -> None:
        seen = [f"v{i}" for i in range(visible)] if isinstance(visible, int) else list(visible)
        unseen = [f"h{i}" for i in range(hidden)] if isinstance(hidden, int) else list(hidden)
        n = len(seen) + len(unseen)
        if edges is None:
            edges = np.stack(np.triu_indices(n, 1), axis=1) if J is None else np.empty((0, 2), int)
        pairs = np.asarray(edges, int).reshape(-1, 2)
        couplings = np.zeros(len(pairs))
        if J is not None:
            size, own, strengths = edges_of_matrix(J)
            if size != n:
                raise ModelError(f"J is {size} x {size} for {n} units")
            pairs, couplings = np.concatenate([pairs, own]), np.concatenate([couplings, strengths])
        biases = np.zeros(n) if h is None else h
        _init(self, unit, n, *canonical_edges(n, pairs, couplings), biases, seen + unseen, visible=len(seen))


class RBM(Model):
    """A restricted Boltzmann machine of bits: P(v, s) ~ exp(v W s + b v + c s).

    Parameters
    ----------
    W : array_like of float, shape (n_visible, n_hidden)
        Couplings.
    b, c : array_like of float, shapes (n_visible,) and (n_hidden,)
        Visible and hidden biases.
    """

    def __init__(self, W: npt.ArrayLike, b: npt.ArrayLike, c: npt.ArrayLike) -> None:  # noqa: N803
        weights = np.asarray(W, np.float64)
        seen, unseen = np.asarray(b, np.float64), np.asarray(c, np.float64)
        if weights.shape != (seen.size, unseen.size) or seen.ndim != 1 or unseen.ndim != 1:
            raise ModelError(f"W has shape {weights.shape} for biases b {seen.shape} and c {unseen.shape}")
        v, s = np.divmod(np.arange(weights.size), unseen.size)
        edges = np.stack([v, seen.size + s], axis=1).astype(np.int32)
        labels = [f"v{i}" for i in range(seen.size)] + [f"h{i}" for i in range(unseen.size)]
        biases = np.concatenate([seen, unseen])
        _init(self, Unit.BIT, len(labels), edges, weights.ravel(), biases, labels, visible=seen.size)


class Hopfield(Ising):
    """A Hopfield network that remembers patterns by Hebb's rule: J = sum_p x_p x_p^T / n.

    Parameters
    ----------
    patterns : array_like of int, shape (p, n)
        Patterns of +1 and -1 (Hopfield, PNAS 79, 2554, 1982).
    """

    def __init__(self, patterns: npt.ArrayLike) -> None:
        rows = np.atleast_2d(np.asarray(patterns, np.float64))
        if rows.ndim != 2 or not np.isin(rows, (-1, 1)).all():
            raise ModelError("patterns are rows of +1 and -1")
        couplings = rows.T @ rows / rows.shape[1]
        np.fill_diagonal(couplings, 0)
        super().__init__(np.zeros(rows.shape[1]), couplings)


def _init(
    model: Model,
    unit: Unit,
    n: int,
    edges: Int32,
    couplings: Float,
    biases: npt.ArrayLike,
    labels: Sequence[Hashable] | None,
    *,
    offset: float = 0.0,
    visible: int | None = None,
) -> None:
    """Fill in a model; all units are visible unless told otherwise."""
    h = np.asarray(biases, np.float64)
    names = tuple(range(n) if labels is None else labels)
    if n == 0:
        raise ModelError("the model has no variables")
    if h.shape != (n,):
        raise ModelError(f"h has shape {h.shape} for {n} variables")
    if len(names) != n or len(set(names)) != n:
        raise ModelError(f"{len(names)} labels, {len(set(names))} of them different, for {n} variables")
    seen = n if visible is None else visible
    Model.__init__(
        model,
        Unit(unit),
        names,
        edges,
        couplings,
        h,
        offset,
        np.arange(seen, dtype=np.int32),
        np.arange(seen, n, dtype=np.int32),
    )
