"""Colouring: p-bits of one colour share no edge, so that they may update in the same clock."""

from __future__ import annotations

import heapq

import numpy as np

from ..contract.errors import ModelError
from .edges import Int32


def adjacency(n: int, edges: Int32) -> tuple[Int32, Int32]:
    """Neighbour lists in compressed rows.

    Parameters
    ----------
    n : int
        Number of vertices.
    edges : ndarray of int32, shape (m, 2)

    Returns
    -------
    first : ndarray of int32, shape (n + 1,)
    neighbours : ndarray of int32, shape (2 m,)
        Neighbours of v, ascending, are ``neighbours[first[v]:first[v + 1]]``.
    """
    owners = np.concatenate([edges[:, 0], edges[:, 1]])
    others = np.concatenate([edges[:, 1], edges[:, 0]])
    order = np.lexsort((others, owners))
    first = np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=n))])
    return first.astype(np.int32), others[order].astype(np.int32)


def dsatur(n: int, edges: Int32) -> Int32:
    """Greedy DSATUR colouring (Brelaz, CACM 22, 251, 1979); exact on bipartite graphs.

    The vertex with the most differently coloured neighbours comes next, ties
    by degree, then by index; it takes the lowest free colour. A heap with
    stale entries makes it O((n + m) log n); networkx's version, which searches
    all vertices in each step, is quadratic. Equal arguments give equal colours.

    Parameters
    ----------
    n : int
        Number of vertices.
    edges : ndarray of int32, shape (m, 2)

    Returns
    -------
    ndarray of int32, shape (n,)
        Colours from 0, none left out.
    """
    first, flat = (array.tolist() for array in adjacency(n, edges))
    neighbours = [flat[first[v] : first[v + 1]] for v in range(n)]
    colour = [-1] * n
    seen = [0] * n  # the colours around each vertex, one bit for each
    heap = [(0, -len(neighbours[v]), v) for v in range(n)]
    heapq.heapify(heap)
    while heap:
        saturation, _, v = heapq.heappop(heap)
        if colour[v] >= 0 or -saturation != seen[v].bit_count():
            continue
        lowest_free = ~seen[v] & (seen[v] + 1)
        colour[v] = lowest_free.bit_length() - 1
        for u in neighbours[v]:
            if colour[u] < 0 and not seen[u] & lowest_free:
                seen[u] |= lowest_free
                heapq.heappush(heap, (-seen[u].bit_count(), -len(neighbours[u]), u))
    return np.array(colour, np.int32)


def check_colouring(edges: Int32, colours: Int32) -> None:
    """Raise `ModelError` if two neighbours have the same colour.

    Parameters
    ----------
    edges : ndarray of int32, shape (m, 2)
    colours : ndarray of int32, shape (n,)
    """
    clashes = edges[colours[edges[:, 0]] == colours[edges[:, 1]]]
    if len(clashes):
        i, j = clashes[0]
        raise ModelError(f"variables {i} and {j} are coupled and both have colour {colours[i]}")
