"""Colouring: p-bits of one colour share no edge, so that they may update in the same clock."""

from __future__ import annotations

import heapq

import numpy as np

from ..contract.errors import ModelError
from .bipartite import bipartition
from .edges import Int32, Int64
from .exact_colouring import greedy_clique, improve_exactly
from .recolouring import balanced, iterated_greedy
from .tabu_colouring import fewer_by_tabu


def colour(n: int, edges: Int32, *, improve: bool = True, exact: bool = False, balance: bool = False) -> Int32:
    """Colour a graph with few colours.

    Components without odd cycles get two colours at once. The others are
    coloured by `dsatur` and improved by iterated greedy recolouring and a tabu
    search, which stop where a clique shows that no fewer colours do. Equal
    arguments give equal colours.

    Parameters
    ----------
    n : int
        Number of vertices.
    edges : ndarray of int32, shape (m, 2)
        Pairs of different vertices, each once.
    improve : bool
        Whether to spend up to some seconds on fewer colours than `dsatur` finds.
    exact : bool
        Use as few colours as there can be, by branch and bound; for small graphs.
    balance : bool
        Make the classes of colours as equal in size as exchanges between two of them do.

    Returns
    -------
    ndarray of int32, shape (n,)
        Colours from 0, none left out.

    Raises
    ------
    ModelError
        If `exact` takes more steps than it is given.
    """
    component, side, odd = bipartition(n, edges)
    colours = side.astype(np.int32)
    if odd.any():
        inner = np.cumsum(odd) - 1
        part = inner[edges[odd[edges[:, 0]]]].astype(np.int32)
        count = int(odd.sum())
        if improve or exact:
            colours[odd] = _colour_odd(count, part, inner[component[odd]] if exact else None)
        else:
            colours[odd] = dsatur(count, part)
    return balanced(colours, edges) if balance else colours


def _colour_odd(n: int, edges: Int32, component: Int64 | None) -> Int32:
    """Colours of a graph whose components all have odd cycles; exact where the components are given."""
    first, neighbours = adjacency(n, edges)
    enough = max(3, len(greedy_clique(first, neighbours)))
    colours = iterated_greedy(dsatur(n, edges), first, neighbours, enough)
    colours = fewer_by_tabu(colours, first, neighbours, enough)
    if component is not None:
        colours = improve_exactly(colours, first, neighbours, component)
    return colours


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
    order = np.argsort(owners.astype(np.int64) * n + others)
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
    order = np.argsort(-np.bincount(edges.ravel(), minlength=n), kind="stable")
    rank = np.empty(n, np.int32)
    rank[order] = np.arange(n)
    first, flat = (array.tolist() for array in adjacency(n, rank[edges]))
    colour = [-1] * n
    seen = [0] * n  # the colours around each vertex, one bit for each
    heap = list(range(n))  # rank - n * saturation: one integer compares faster than a tuple
    while heap:
        saturation, v = divmod(heapq.heappop(heap), n)
        if colour[v] >= 0 or -saturation != seen[v].bit_count():
            continue
        lowest_free = ~seen[v] & (seen[v] + 1)
        colour[v] = lowest_free.bit_length() - 1
        for u in flat[first[v] : first[v + 1]]:
            if colour[u] < 0 and not seen[u] & lowest_free:
                seen[u] |= lowest_free
                heapq.heappush(heap, u - n * seen[u].bit_count())
    return np.array(colour, np.int32)[rank]


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
