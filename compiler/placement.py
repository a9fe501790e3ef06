"""Placement: logical variables to physical p-bits, sorted by colour, and slots in hardware order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .edges import Int32


@dataclass(frozen=True, eq=False)
class Placement:
    """Where variables and edges of a model lie in the array.

    Parameters
    ----------
    order : ndarray of int32, shape (n,)
        Logical variable of each physical p-bit.
    colour_first, slot_first, neighbours : ndarray of int32
        As in `pbit_hw.contract.image.Image`.
    slot_edges : ndarray of int32, shape (2 m,)
        Edge of the model whose coupling each slot holds.
    """

    order: Int32
    colour_first: Int32
    slot_first: Int32
    neighbours: Int32
    slot_edges: Int32


def place(edges: Int32, colours: Int32, *, by_degree: bool = False) -> Placement:
    """Sort variables by colour and write the edges as slots.

    Parameters
    ----------
    edges : ndarray of int32, shape (m, 2)
    colours : ndarray of int32, shape (n,)
    by_degree : bool
        Within a colour, put p-bits of many neighbours first: those that update together on lanes, one neighbour per
        clock, then have nearly the same number of them.
    """
    n = len(colours)
    degrees = np.bincount(edges.ravel(), minlength=n) if by_degree else np.zeros(n, np.int64)
    order = np.lexsort((-degrees, colours)).astype(np.int32)
    physical = np.empty(n, np.int32)
    physical[order] = np.arange(n, dtype=np.int32)
    ends = physical[edges]
    owners = np.concatenate([ends[:, 0], ends[:, 1]])
    others = np.concatenate([ends[:, 1], ends[:, 0]])
    slots = np.lexsort((others, owners))
    return Placement(
        order,
        _starts(np.bincount(colours)),
        _starts(np.bincount(owners, minlength=n)),
        others[slots].astype(np.int32),
        (slots % max(len(edges), 1)).astype(np.int32),
    )


def _starts(counts: npt.NDArray[np.int64]) -> Int32:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
