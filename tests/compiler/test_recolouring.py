"""Recolouring: proper, never more colours, and classes as equal as they can be where that is known."""

from __future__ import annotations

import networkx as nx
import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pbit_hw.compiler.colouring import adjacency, check_colouring, dsatur
from pbit_hw.compiler.edges import canonical_edges
from pbit_hw.compiler.recolouring import _greedy_by_class, balanced, iterated_greedy


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_recolouring_is_proper_and_no_worse(
    graphs: SearchStrategy[tuple[int, npt.NDArray[np.int64]]], data: st.DataObject
) -> None:
    n, pairs = data.draw(graphs)
    edges, _ = canonical_edges(n, pairs, np.zeros(len(pairs)))
    colours = np.unique(data.draw(st.permutations(range(n))), return_inverse=True)[1].astype(np.int32)
    fewer = iterated_greedy(colours, *adjacency(n, edges))
    check_colouring(edges, fewer)
    assert set(fewer.tolist()) == set(range(fewer.max() + 1))
    assert fewer.max() <= np.bincount(edges.ravel(), minlength=n).max()  # as greedy as any
    evened = balanced(fewer, edges)
    check_colouring(edges, evened)
    assert evened.max() == fewer.max()
    before, after = np.bincount(fewer), np.bincount(evened)
    assert (after**2).sum() <= (before**2).sum()
    assert np.ptp(after) <= np.ptp(before)


def test_iterated_greedy_repairs_a_bad_colouring() -> None:
    """From one colour for each vertex to fewer than the first greedy pass."""
    graph = nx.gnp_random_graph(200, 0.1, seed=1)
    edges, _ = canonical_edges(200, list(graph.edges), np.zeros(graph.number_of_edges()))
    rows = adjacency(200, edges)
    worst = np.arange(200, dtype=np.int32)
    once = _greedy_by_class(worst, np.arange(200), *rows)
    better = iterated_greedy(worst, *rows)
    check_colouring(edges, better)
    assert better.max() < once.max()


def test_it_stops_where_no_fewer_do() -> None:
    edges, _ = canonical_edges(3, [(0, 1), (1, 2), (0, 2)], np.zeros(3))
    colours = np.array([2, 0, 1], np.int32)
    assert iterated_greedy(colours, *adjacency(3, edges), 3) is colours


def test_balance_where_it_is_known() -> None:
    """Isolated vertices, stars that must be turned, and a random graph."""
    lone = balanced(np.array([0] * 9 + [1, 2], np.int32), np.array([[0, 9], [0, 10], [9, 10]], np.int32))
    assert np.ptp(np.bincount(lone)) <= 1
    star = np.array([(0, leaf) for leaf in range(1, 6)], np.int32)
    stars = np.concatenate([star, star + 6])
    colours = np.array([0, 1, 1, 1, 1, 1] * 2, np.int32)
    assert np.bincount(balanced(colours, stars)).tolist() == [6, 6]
    graph = nx.gnm_random_graph(300, 900, seed=2)
    edges, _ = canonical_edges(300, list(graph.edges), np.zeros(900))
    colours = dsatur(300, edges)
    assert np.ptp(np.bincount(colours)) > 10
    assert np.ptp(np.bincount(balanced(colours, edges))) <= 1
