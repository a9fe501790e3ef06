"""The fewest colours of a small graph, by branch and bound."""

from __future__ import annotations

import numpy as np

from ..contract.errors import ModelError
from .edges import Int32, Int64

STEPS = 300_000
"""Vertices that a search may colour before it gives up: some seconds."""

CLIQUE_STARTS = 32
"""Vertices from which a clique is grown."""


def greedy_clique(first: Int32, neighbours: Int32) -> list[int]:
    """A large clique: it grows from each of the vertices of highest degree by the candidate of highest degree.

    Parameters
    ----------
    first, neighbours : ndarray of int32
        As from `colouring.adjacency`.

    Returns
    -------
    list of int
        Vertices that are all joined; a graph needs at least as many colours.
    """
    degrees = np.diff(first)
    best: list[int] = []
    for start in np.argsort(-degrees, kind="stable")[:CLIQUE_STARTS].tolist():
        clique, candidates = [start], neighbours[first[start] : first[start + 1]]
        while len(candidates):
            v = int(candidates[np.argmax(degrees[candidates])])
            clique.append(v)
            candidates = np.intersect1d(candidates, neighbours[first[v] : first[v + 1]], assume_unique=True)
        best = max(best, clique, key=len)
    return best


def improve_exactly(colours: Int32, first: Int32, neighbours: Int32, component: Int64) -> Int32:
    """Colour every component with as few colours as there can be.

    Parameters
    ----------
    colours : ndarray of int32, shape (n,)
        A proper colouring.
    first, neighbours : ndarray of int32
        As from `colouring.adjacency`.
    component : ndarray of int, shape (n,)
        The same number for the vertices of a component.

    Returns
    -------
    ndarray of int32, shape (n,)

    Raises
    ------
    ModelError
        If a search takes more than `STEPS` steps.
    """
    colours = colours.copy()
    for name in np.unique(component):
        vertices = np.flatnonzero(component == name).astype(np.int64)
        _, own = np.unique(colours[vertices], return_inverse=True)
        masks = _masks(vertices, first, neighbours)
        colours[vertices] = _fewest(masks, own.tolist())
    return colours


def _masks(vertices: Int64, first: Int32, neighbours: Int32) -> list[int]:
    """Neighbours of each vertex of a component, numbered within it, one bit for each."""
    masks = []
    for v in vertices.tolist():
        around = np.searchsorted(vertices, neighbours[first[v] : first[v + 1]])
        masks.append(sum(1 << u for u in around.tolist()))
    return masks


def _fewest(masks: list[int], colours: list[int]) -> list[int]:
    clique = _clique(masks)
    while max(colours) + 1 > len(clique):
        fewer = _Search(masks, max(colours), clique).run()
        if fewer is None:
            break
        colours = fewer
    return colours


def _clique(masks: list[int]) -> list[int]:
    best: list[int] = []
    for start in range(len(masks)):
        clique, candidates = [start], masks[start]
        while candidates:
            v = max(_bits(candidates), key=lambda v: (masks[v] & candidates).bit_count())
            clique.append(v)
            candidates &= masks[v]
        best = max(best, clique, key=len)
    return best


def _bits(mask: int) -> list[int]:
    places = []
    while mask:
        low = mask & -mask
        places.append(low.bit_length() - 1)
        mask ^= low
    return places


class _Search:
    """A backtracking search for a colouring with k colours that branches as DSATUR does (Brelaz 1979).

    The clique's colours are given, and of the colours not in use yet only the
    first is tried: colourings that differ in the names of colours are one.
    """

    def __init__(self, masks: list[int], k: int, clique: list[int]) -> None:
        self.masks, self.k = masks, k
        self.colour = [0] * len(masks)  # one bit; 0 is none yet
        self.seen = [0] * len(masks)
        self.left = set(range(len(masks)))
        for number, v in enumerate(clique):
            self._assign(v, 1 << number)

    def run(self) -> list[int] | None:
        """The colours, or None if there is no such colouring."""
        stack = [self._branch()]
        for _ in range(STEPS):
            v, options, changed = stack[-1]
            if self.colour[v]:
                self._undo(v, changed)
            if options:
                low = options & -options
                stack[-1] = (v, options ^ low, self._assign(v, low))
                if not self.left:
                    return [bit.bit_length() - 1 for bit in self.colour]
                stack.append(self._branch())
            else:
                stack.pop()
                if not stack:
                    return None
        raise ModelError(
            f"{len(self.masks)} connected variables: {STEPS} steps do not tell whether {self.k} colours are enough; "
            "leave out exact"
        )

    def _branch(self) -> tuple[int, int, list[int]]:
        """The vertex with the fewest colours left, and those colours."""
        v = max(self.left, key=lambda v: (self.seen[v].bit_count(), self.masks[v].bit_count(), -v))
        used = max(self.colour).bit_length()
        return v, ~self.seen[v] & ((1 << min(self.k, used + 1)) - 1), []

    def _assign(self, v: int, bit: int) -> list[int]:
        """Colour a vertex; the neighbours that had not seen the colour."""
        self.colour[v] = bit
        self.left.remove(v)
        changed = [u for u in _bits(self.masks[v]) if not self.seen[u] & bit]
        for u in changed:
            self.seen[u] |= bit
        return changed

    def _undo(self, v: int, changed: list[int]) -> None:
        for u in changed:
            self.seen[u] ^= self.colour[v]
        self.colour[v] = 0
        self.left.add(v)
