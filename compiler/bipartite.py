"""Components of a graph and their two sides: what needs two colours is found without a search."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .edges import Int32, Int64

Bool = npt.NDArray[np.bool_]


def bipartition(n: int, edges: Int32) -> tuple[Int64, Bool, Bool]:
    """Components, the side of each vertex in its component, and which components have odd cycles.

    Boruvka's contraction: every component takes the first edge that leaves it,
    and paths to the new roots are halved until they are flat, each step with
    the parity of the path. The number of components halves in each round,
    whatever the graph, so it takes O((n + m) log n) in a few numpy calls.

    Parameters
    ----------
    n : int
        Number of vertices.
    edges : ndarray of int32, shape (m, 2)
        No edge joins a vertex to itself.

    Returns
    -------
    component : ndarray of int64, shape (n,)
        The lowest vertex of each vertex's component.
    side : ndarray of bool, shape (n,)
        False for the lowest vertex; differs along every edge of a component without odd cycles.
    odd : ndarray of bool, shape (n,)
        Whether the vertex's component has an odd cycle.
    """
    root, side = np.arange(n), np.zeros(n, bool)
    first, second = edges.astype(np.int64).T
    differs = np.ones(len(edges), bool)
    closing = []
    while len(first):
        parent, parity = _flattened(*_hooks(n, first, second, differs))
        side ^= parity[root]
        root = parent[root]
        differs ^= parity[first] ^ parity[second]
        first, second = parent[first], parent[second]
        inside = first == second
        closing.append(first[inside & differs])
        first, second, differs = first[~inside], second[~inside], differs[~inside]
    odd = np.zeros(n, bool)
    odd[root[np.concatenate(closing)] if closing else []] = True
    lowest = np.empty(n, np.int64)
    lowest[root[::-1]] = np.arange(n)[::-1]  # of repeated indices, the last is kept
    component = lowest[root]
    return component, side ^ side[component], odd[root]


def _hooks(n: int, first: Int64, second: Int64, differs: Bool) -> tuple[Int64, Bool]:
    """The root that each root is hung under, and whether their sides differ along that edge."""
    m = len(first)
    parent, parity, edge = np.arange(n), np.zeros(n, bool), np.full(n, m)
    edge[np.stack([first, second], axis=1).ravel()[::-1]] = np.repeat(np.arange(m)[::-1], 2)
    roots = np.flatnonzero(edge < m)
    chosen = edge[roots]
    parent[roots] = first[chosen] + second[chosen] - roots
    parity[roots] = differs[chosen]
    # Both ends may choose the same edge, the only cycle there can be: the lower one stays a root.
    mutual = roots[(edge[parent[roots]] == chosen) & (roots < parent[roots])]
    parent[mutual], parity[mutual] = mutual, False
    return parent, parity


def _flattened(parent: Int64, parity: Bool) -> tuple[Int64, Bool]:
    """Hang every vertex directly under its root."""
    while True:
        above = parent[parent]
        if np.array_equal(above, parent):
            return parent, parity
        parity = parity ^ parity[parent]
        parent = above
