"""Better colourings from a colouring: fewer colours, or classes of more equal size."""

from __future__ import annotations

import numpy as np

from .bipartite import bipartition
from .edges import Int32, Int64

PASSES = 300
"""Most passes of iterated greedy; a small graph has as many as vertices."""

WORK = 20_000_000
"""Neighbours that all passes may look at: a few seconds on the largest graphs."""

_BLOCK = 1 << 22
"""Entries of a table of colours that is held at once."""

EXCHANGES = 1000
"""Most exchanges between two classes when they are balanced."""


def iterated_greedy(colours: Int32, first: Int32, neighbours: Int32, enough: int = 1) -> Int32:
    """Recolour class by class in new orders (Culberson, Iterated greedy graph coloring, TR 92-07, Alberta, 1992).

    A class's vertices share no edge, so a pass that takes the lowest free
    colours never needs more classes than there were; it may need fewer.
    Orders alternate between reversed, largest first and drawn ones.

    Parameters
    ----------
    colours : ndarray of int32, shape (n,)
        A proper colouring, none left out.
    first, neighbours : ndarray of int32
        As from `colouring.adjacency`.
    enough : int
        A bound from below; no pass is made once it is reached.

    Returns
    -------
    ndarray of int32, shape (n,)
    """
    rng = np.random.default_rng(0)
    passes = min(PASSES, len(colours), max(1, WORK // (len(neighbours) + len(colours))))
    for number in range(passes):
        count = int(colours.max()) + 1
        if count <= enough:
            break
        if number % 3 == 0:
            order = np.arange(count)[::-1]
        elif number % 3 == 1:
            order = np.argsort(-np.bincount(colours), kind="stable")
        else:
            order = rng.permutation(count)
        colours = _greedy_by_class(colours, order, first, neighbours)
    return colours


def _greedy_by_class(colours: Int32, order: Int64, first: Int32, neighbours: Int32) -> Int32:
    members = np.split(np.argsort(colours, kind="stable"), np.cumsum(np.bincount(colours))[:-1])
    new = np.full(len(colours), -1, np.int32)
    degrees = np.diff(first)
    for place, old in enumerate(order.tolist()):
        rows = max(1, _BLOCK // (place + 2))
        for block in range(0, len(members[old]), rows):
            vertices = members[old][block : block + rows]
            new[vertices] = _lowest_free(vertices, new, first, neighbours, degrees, place)
    return new


def _lowest_free(vertices: Int64, colours: Int32, first: Int32, neighbours: Int32, degrees: Int32, most: int) -> Int64:
    """Lowest colour that no neighbour has, for vertices that share no edge; colours go up to ``most``."""
    counts = degrees[vertices]
    starts = np.cumsum(counts) - counts
    owners = np.repeat(np.arange(len(vertices)), counts)
    slots = np.arange(len(owners)) + np.repeat(first[vertices] - starts, counts)
    taken = np.zeros((len(vertices), most + 2), bool)
    taken[owners, colours[neighbours[slots]]] = True  # a neighbour without a colour, -1, marks the last column
    return taken[:, :-1].argmin(axis=1)


def balanced(colours: Int32, edges: Int32) -> Int32:
    """Make classes more equal in size without more colours, by exchanges between two of them.

    The subgraph of two colours falls into components, each of which may
    exchange its two colours (Kempe). The components of a large and a small class
    are turned so that what they add to either class about cancels, the
    largest difference first; that is done while it brings some two classes closer.

    Parameters
    ----------
    colours : ndarray of int32, shape (n,)
        A proper colouring, none left out.
    edges : ndarray of int32, shape (m, 2)

    Returns
    -------
    ndarray of int32, shape (n,)
        As many colours; the sum of the squared sizes is no larger.
    """
    colours = colours.copy()
    fixed: set[tuple[int, int]] = set()  # pairs that no exchange brings closer as they are
    for _ in range(EXCHANGES):
        sizes = np.bincount(colours)
        pair = _widest_pair(sizes, fixed)
        if pair is None:
            break
        if _exchange(colours, edges, *pair):
            fixed = {other for other in fixed if not set(other) & set(pair)}
        fixed.add(pair)
        fixed.add(pair[::-1])
    return colours


def _widest_pair(sizes: Int64, fixed: set[tuple[int, int]]) -> tuple[int, int] | None:
    """The large and the small class that differ most and are still to be tried, if any differ by two."""
    ascending = np.argsort(sizes, kind="stable").tolist()
    best, widest = None, 1
    for large in reversed(ascending):
        for small in ascending:
            gap = int(sizes[large] - sizes[small])
            if gap <= widest:
                break
            if (large, small) not in fixed:
                best, widest = (large, small), gap
                break
    return best


def _exchange(colours: Int32, edges: Int32, large: int, small: int) -> bool:
    """Exchange the colours of components of two classes, in place; False where that brings them no closer."""
    chosen = np.flatnonzero((colours == large) | (colours == small))
    inner = np.full(len(colours), -1, np.int64)
    inner[chosen] = np.arange(len(chosen))
    ends = inner[edges]
    component, _, _ = bipartition(len(chosen), ends[(ends >= 0).all(axis=1)].astype(np.int32))
    surplus = np.bincount(component, np.where(colours[chosen] == large, 1, -1), len(chosen)).astype(np.int64)
    turned = np.zeros(len(chosen), bool)
    total = 0
    for k in np.argsort(-np.abs(surplus), kind="stable")[: np.count_nonzero(surplus)].tolist():
        turned[k] = total * surplus[k] > 0 or (total == 0 and surplus[k] < 0)
        total += -surplus[k] if turned[k] else surplus[k]
    if abs(total) >= surplus.sum():
        return False
    where = turned[component]
    colours[chosen[where]] = large + small - colours[chosen[where]]
    return True
