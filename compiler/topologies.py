"""The graphs of D-Wave's annealers, with the makers' numbers for their qubits, and grids with longer bonds."""

from __future__ import annotations

import operator
from collections.abc import Sequence

import numpy as np

from ..contract.errors import ModelError
from .bipartite import bipartition
from .edges import Int64
from .models import Ising

LARGEST = 128
"""Largest size of a topology: 526,336 vertices of Zephyr."""

GRID_8 = ((0, 1), (4, 1))
GRID_12 = (*GRID_8, (9, 10))
"""Offsets of a grid of degree 8, and of degree 12."""

_VERTICAL = np.repeat([2, 10, 6], 4)
"""Where the vertical qubits of a Pegasus tile begin, by track."""

_HORIZONTAL = np.repeat([6, 2, 10], 4)
"""Where its horizontal qubits begin."""


def topology(name: str, size: int, seed: int = 0) -> Ising:
    """A spin glass of couplings +1 and -1 on one of D-Wave's graphs.

    Parameters
    ----------
    name : str
        ``chimera``, ``pegasus`` or ``zephyr``: with cells of 4 + 4, 12 tracks
        without the corners that lie apart, and 4 tracks, as the machines have.
    size : int
        Parameter m of the graph: 16 for the 2000Q, 16 for the Advantage, 12 for the Advantage2.
    seed : int
        Of the signs.

    Returns
    -------
    Ising
        Labels are the makers' linear indices.

    Raises
    ------
    ModelError
        If there is no such graph, or it is larger than `LARGEST`.

    References
    ----------
    Boothby, Bunyk, Raymond, Roy, Next-generation topology of D-Wave quantum
    processors, arXiv:2003.00133; Boothby, King, Raymond, Zephyr topology of
    D-Wave quantum processors, D-Wave technical report 14-1056A-A, 2021.
    """
    graphs = {"chimera": _chimera, "pegasus": _pegasus, "zephyr": _zephyr}
    if name not in graphs:
        raise ModelError(f"there is no topology {name!r}; there are {', '.join(graphs)}")
    least = 2 if name == "pegasus" else 1
    if not least <= size <= LARGEST:
        raise ModelError(f"{name} has size {size}; use {least} to {LARGEST}")
    edges = graphs[name](size)
    labels, ends = np.unique(edges, return_inverse=True)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], len(edges))
    return Ising.from_edges(len(labels), ends.reshape(-1, 2), signs, labels=labels.tolist())


def grid(side: int, offsets: Sequence[tuple[int, int]] = GRID_12) -> Ising:
    """A square grid in which every vertex is joined to those at some offsets and at their quarter turns.

    Where the parts of each offset add up to an odd number two colours do, as on the sparse chips that were proposed
    for energy-based models (Jelincic et al., arXiv:2510.23972, 2025).

    Parameters
    ----------
    side : int
        Vertices along a side; the grid ends there.
    offsets : sequence of (int, int)
        Four neighbours each, such as ``GRID_8`` and ``GRID_12``.

    Returns
    -------
    Ising
        Couplings are 1; labels are (row, column).

    Raises
    ------
    ModelError
        If there is no vertex, an offset leads nowhere, or these are no whole numbers and pairs of them.
    """
    try:
        side = operator.index(side)
        pairs = [(operator.index(a), operator.index(b)) for a, b in offsets]
    except (TypeError, ValueError):
        raise ModelError(
            f"no grid of side {side!r} with offsets {offsets!r}; give a whole number, and pairs of them"
        ) from None
    if side < 1 or (0, 0) in pairs:
        raise ModelError(f"no grid of side {side} with offsets {pairs}; give at least 1, and offsets but (0, 0)")
    row, column = np.divmod(np.arange(side * side), side)
    parts = [np.empty((0, 2), np.int64)]
    for down, right in {turned for a, b in pairs for turned in ((a, b), (-b, a))}:
        other_row, other_column = row + down, column + right
        inside = (other_row >= 0) & (other_row < side) & (other_column >= 0) & (other_column < side)
        parts.append(_pairs(np.flatnonzero(inside), (other_row * side + other_column)[inside]))
    edges = np.unique(np.sort(np.concatenate(parts), axis=1), axis=0)
    labels = list(zip(row.tolist(), column.tolist(), strict=True))
    return Ising.from_edges(side * side, edges, np.ones(len(edges)), labels=labels)


def _pairs(first: Int64, second: Int64) -> Int64:
    return np.stack([part.ravel() for part in np.broadcast_arrays(first, second)], axis=1)


def _chimera(m: int) -> Int64:
    """Cells of K(4,4) in a square; vertical qubits are joined down, horizontal ones across."""
    qubits = np.arange(8 * m * m).reshape(m, m, 2, 4)
    return np.concatenate(
        [
            _pairs(qubits[:, :, 0, :, None], qubits[:, :, 1, None, :]),
            _pairs(qubits[:-1, :, 0], qubits[1:, :, 0]),
            _pairs(qubits[:, :-1, 1], qubits[:, 1:, 1]),
        ]
    )


def _pegasus(m: int) -> Int64:
    """Qubits are segments of 12 on a grid of 12 m lines each way, joined where they cross."""
    qubits = np.arange(24 * m * (m - 1)).reshape(2, 12 * m, m - 1)
    line = np.arange(12 * m)
    x, y = line[:, None], line[None, :]
    down, across = (y - _VERTICAL[x % 12]) // 12, (x - _HORIZONTAL[y % 12]) // 12
    x, y = np.nonzero((down >= 0) & (down < m - 1) & (across >= 0) & (across < m - 1))
    edges = np.concatenate(
        [
            _pairs(qubits[0, x, down[x, y]], qubits[1, y, across[x, y]]),
            _pairs(qubits[:, :, :-1], qubits[:, :, 1:]),
            _pairs(qubits[:, 0::2], qubits[:, 1::2]),
        ]
    )
    component, _, _ = bipartition(qubits.size, edges.astype(np.int32))
    return edges[component[edges[:, 0]] == np.argmax(np.bincount(component))]


def _zephyr(m: int) -> Int64:
    """Qubits are segments that span two lines of 2 m + 1 each way; odd ones lie half a segment further."""
    qubits = np.arange(16 * m * (2 * m + 1)).reshape(2, 2 * m + 1, 4, 2, m)
    shifted = np.moveaxis(qubits, 3, 4).reshape(2, 2 * m + 1, 4, 2 * m)  # the last axis is 2 z + j
    edges = [
        _pairs(qubits[..., :-1], qubits[..., 1:]),
        _pairs(shifted[..., :-1], shifted[..., 1:]),
    ]
    step = np.arange(2 * m)
    for w_of_second, w_of_first in ((0, 0), (0, 1), (1, 0), (1, 1)):
        # A vertical segment spans the lines step and step + 1, and so does a horizontal one.
        vertical = shifted[0][step + w_of_first].transpose(0, 2, 1)  # line, step, track
        horizontal = shifted[1][step + w_of_second].transpose(2, 0, 1)  # step, line, track
        edges.append(_pairs(vertical[..., :, None], horizontal[..., None, :]))
    return np.concatenate(edges)
