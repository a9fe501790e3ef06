"""Readers of other people's objects: networkx graphs and dimod models. Neither library is imported."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract.errors import ModelError
from .edges import Float


@dataclass(frozen=True, eq=False)
class Graph:
    """What was read, in the project's sign of J and h.

    Parameters
    ----------
    labels : list, length n
        Labels of the variables.
    edges : ndarray of int64, shape (m, 2)
        Indices; not sorted, perhaps repeated.
    couplings, biases : array_like of float, shapes (m,) and (n,)
        J and h.
    offset : float
        Constant part of the energy.
    max_cut : bool
        Whether it is a max-cut problem.
    """

    labels: list[Hashable]
    edges: npt.NDArray[np.int64]
    couplings: npt.ArrayLike
    biases: npt.ArrayLike
    offset: float = 0.0
    max_cut: bool = False


def spins_of_bits(
    labels: list[Hashable], edges: npt.NDArray[np.int64], quadratic: Float, linear: Float, offset: float = 0.0
) -> Graph:
    """Spins m = 2 x - 1 in place of bits x, with the same energies.

    Parameters
    ----------
    labels : list, length n
    edges : ndarray of int64, shape (m, 2)
        Pairs of different indices.
    quadratic, linear : ndarray of float64, shapes (m,) and (n,)
        E = offset + sum of linear x + sum of quadratic x x, dimod's sign.
    offset : float

    Raises
    ------
    ModelError
        If the offset of the spins is too large for a float.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        around = np.bincount(edges.ravel(), np.repeat(quadratic, 2), len(labels))
        biases = -(linear / 2 + around / 4)
        constant = float(offset + linear.sum() / 2 + quadratic.sum() / 4)
    if not np.isfinite(constant):
        raise ModelError(f"the values add up to {constant}; divide all of them by a constant")
    return Graph(labels, edges, -quadratic / 4, biases, constant)


def read_networkx(graph: Any, coupling: float | None) -> Graph:
    """Take a networkx graph apart, see `Ising.from_networkx`."""
    if not hasattr(graph, "is_directed") or not hasattr(graph, "edges"):
        raise ModelError(f"from_networkx takes a networkx graph, not {type(graph).__name__}")
    if graph.is_directed():
        raise ModelError("couplings have no direction, but the graph has; use graph.to_undirected()")
    labels = list(graph.nodes)
    ends = _indices(labels, graph.edges())
    if coupling is None:
        couplings = [weight for _, _, weight in graph.edges(data="weight", default=1.0)]
    else:
        couplings = [coupling] * len(ends)
    return Graph(labels, ends, couplings, [bias for _, bias in graph.nodes(data="bias", default=0.0)])


def read_bqm(bqm: Any) -> Graph:
    """Take a dimod binary quadratic model apart, see `Ising.from_bqm`."""
    if not hasattr(bqm, "spin") or not hasattr(bqm, "quadratic"):
        raise ModelError(f"from_bqm takes a dimod BinaryQuadraticModel, not {type(bqm).__name__}")
    spin = bqm.spin
    labels = list(spin.variables)
    couplings = [-float(value) for value in spin.quadratic.values()]
    biases = [-float(spin.linear[label]) for label in labels]
    return Graph(labels, _indices(labels, spin.quadratic), couplings, biases, float(spin.offset))


def _indices(labels: list[Hashable], pairs: Any) -> npt.NDArray[np.int64]:
    index = {label: i for i, label in enumerate(labels)}
    return np.array([(index[u], index[v]) for u, v in pairs], np.int64).reshape(-1, 2)
