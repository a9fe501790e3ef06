"""Placement: colours in ranges, and every slot beside its neighbour."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pbit_hw.compiler.colouring import dsatur
from pbit_hw.compiler.edges import canonical_edges
from pbit_hw.compiler.placement import place


@settings(deadline=None)
@given(st.data())
def test_placement(graphs: SearchStrategy[tuple[int, npt.NDArray[np.int64]]], data: st.DataObject) -> None:
    n, pairs = data.draw(graphs)
    edges, _ = canonical_edges(n, pairs, np.zeros(len(pairs)))
    colours = dsatur(n, edges)
    placement = place(edges, colours)
    assert sorted(placement.order.tolist()) == list(range(n))
    # By colour, and within a colour in the model's order.
    assert placement.order.tolist() == sorted(range(n), key=lambda v: (colours[v], v))
    for colour in range(colours.max() + 1):
        members = placement.order[placement.colour_first[colour] : placement.colour_first[colour + 1]]
        assert (colours[members] == colour).all()
    around: list[dict[int, int]] = [{} for _ in range(n)]
    for edge, (i, j) in enumerate(edges.tolist()):
        around[i][j] = around[j][i] = edge
    for pbit, variable in enumerate(placement.order.tolist()):
        slots = slice(placement.slot_first[pbit], placement.slot_first[pbit + 1])
        neighbours = placement.neighbours[slots]
        assert (np.diff(neighbours) > 0).all()
        found = zip(placement.order[neighbours].tolist(), placement.slot_edges[slots].tolist(), strict=True)
        assert dict(found) == around[variable]
    for array in (placement.order, placement.colour_first, placement.slot_first, placement.neighbours):
        assert array.dtype == np.int32


def test_without_edges() -> None:
    placement = place(np.empty((0, 2), np.int32), np.zeros(3, np.int32))
    assert placement.colour_first.tolist() == [0, 3]
    assert placement.slot_first.tolist() == [0, 0, 0, 0]
    assert len(placement.neighbours) == len(placement.slot_edges) == 0
