"""One colour fewer by tabu search, where greedy methods do not find it."""

from __future__ import annotations

import numpy as np

from .bipartite import Bool
from .edges import Int32

MOVES = 20_000
"""Most moves of all searches together: one or two seconds."""

MOVES_PER_VERTEX = 20
"""Most moves for each vertex: small graphs take no time."""

LARGEST = 1 << 20
"""Entries of the table of vertices and colours up to which it is tried."""

TENURE = 10
"""Moves for which a vertex does not return to a colour are drawn below this, and more for more clashes."""

_NEVER = 1 << 30


def fewer_by_tabu(colours: Int32, first: Int32, neighbours: Int32, enough: int) -> Int32:
    """Take colours away one by one while a tabu search finds a proper colouring (Hertz, de Werra, Computing 39, 1987).

    Parameters
    ----------
    colours : ndarray of int32, shape (n,)
        A proper colouring, none left out.
    first, neighbours : ndarray of int32
        As from `colouring.adjacency`.
    enough : int
        A bound from below.

    Returns
    -------
    ndarray of int32, shape (n,)
        Equal arguments give equal colours.
    """
    moves = min(MOVES, MOVES_PER_VERTEX * len(colours))
    while moves > 0 and (count := int(colours.max())) >= enough and len(colours) * count <= LARGEST:
        fewer, used = _search(colours, first, neighbours, count, moves)
        moves -= used
        if fewer is None:
            break
        colours = fewer
    return colours


def _search(colours: Int32, first: Int32, neighbours: Int32, count: int, moves: int) -> tuple[Int32 | None, int]:
    """A proper colouring with ``count`` colours, or None, and the moves that it took."""
    n, rng = len(colours), np.random.default_rng(0)
    colours = np.where(colours == count, rng.integers(0, count, n), colours).astype(np.int32)
    around = np.zeros((n, count), np.int32)  # neighbours of each colour
    np.add.at(around, (np.repeat(np.arange(n), np.diff(first)), colours[neighbours]), 1)
    banned = np.zeros((n, count), np.int32)
    clashing = around[np.arange(n), colours]  # neighbours of each vertex that have its colour
    clashes = best = int(clashing.sum()) // 2
    for move, drawn in enumerate(rng.integers(0, 1 << 30, moves).tolist()):
        if clashes == 0:
            return colours, move
        troubled = np.flatnonzero(clashing)
        k, new = _best_move(around[troubled], colours[troubled], banned[troubled] > move, best - clashes, drawn)
        v, old = int(troubled[k]), int(colours[troubled[k]])
        clashes += int(around[v, new] - around[v, old])
        near = neighbours[first[v] : first[v + 1]]
        around[near, old] -= 1
        around[near, new] += 1
        clashing[near] += (colours[near] == new).astype(np.int32) - (colours[near] == old)
        colours[v], clashing[v] = new, around[v, new]
        banned[v, old] = move + drawn % TENURE + 3 * len(troubled) // 5
        best = min(best, clashes)
    return (colours if clashes == 0 else None), moves


def _best_move(around: Int32, own: Int32, banned: Bool, aspired: int, drawn: int) -> tuple[int, int]:
    """Row and new colour of the move with the fewest clashes, ties by draw; a banned one must beat all before."""
    rows = np.arange(len(own))
    change = around - around[rows, own][:, None]
    change[banned & (change >= aspired)] = _NEVER
    change[rows, own] = _NEVER + 1
    ties = np.flatnonzero(change == change.min())
    return divmod(int(ties[drawn % len(ties)]), around.shape[1])
