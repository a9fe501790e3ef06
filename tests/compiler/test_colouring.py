"""DSATUR: proper on every graph, exact where theory says so, and the checker finds what is not."""

from __future__ import annotations

import time
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pbit_hw.compiler.colouring import adjacency, check_colouring, dsatur
from pbit_hw.compiler.edges import Int32, canonical_edges
from pbit_hw.contract.errors import ModelError


def edges_of(graph: nx.Graph[Any]) -> tuple[int, Int32]:
    numbered = nx.convert_node_labels_to_integers(graph)
    edges, _ = canonical_edges(len(numbered), list(numbered.edges), np.zeros(numbered.number_of_edges()))
    return len(numbered), edges


def naive_dsatur(n: int, edges: Int32) -> list[int]:
    """The definition, without a heap."""
    around: list[set[int]] = [set() for _ in range(n)]
    for i, j in edges.tolist():
        around[i].add(j)
        around[j].add(i)
    colour: dict[int, int] = {}
    while len(colour) < n:
        seen = {v: {colour[u] for u in around[v] if u in colour} for v in range(n) if v not in colour}
        v = min(seen, key=lambda v: (-len(seen[v]), -len(around[v]), v))
        colour[v] = next(c for c in range(n) if c not in seen[v])
    return [colour[v] for v in range(n)]


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_colouring_is_proper_and_as_defined(
    graphs: SearchStrategy[tuple[int, npt.NDArray[np.int64]]], data: st.DataObject
) -> None:
    n, pairs = data.draw(graphs)
    edges, _ = canonical_edges(n, pairs, np.zeros(len(pairs)))
    colours = dsatur(n, edges)
    check_colouring(edges, colours)
    assert all(colours[i] != colours[j] for i, j in edges)
    assert colours.tolist() == naive_dsatur(n, edges)
    assert set(colours.tolist()) == set(range(colours.max() + 1))
    degrees = np.bincount(edges.ravel(), minlength=n)
    assert colours.max() <= degrees.max()
    assert colours.dtype == np.int32


@pytest.mark.parametrize(
    ("graph", "chromatic"),
    [
        (nx.empty_graph(4), 1),
        (nx.path_graph(9), 2),
        (nx.cycle_graph(10), 2),
        (nx.cycle_graph(11), 3),
        (nx.wheel_graph(8), 4),
        (nx.complete_graph(9), 9),
        (nx.complete_bipartite_graph(20, 31), 2),
        (nx.grid_graph([6, 6, 6], periodic=True), 2),
        (nx.random_labeled_tree(200, seed=1), 2),
        (nx.disjoint_union(nx.cycle_graph(5), nx.grid_2d_graph(5, 5)), 3),
    ],
)
def test_number_of_colours_where_it_is_known(graph: nx.Graph[Any], chromatic: int) -> None:
    n, edges = edges_of(graph)
    assert dsatur(n, edges).max() + 1 == chromatic


def test_many_colours() -> None:
    """More than a machine word of them."""
    n, edges = edges_of(nx.complete_graph(150))
    assert sorted(dsatur(n, edges).tolist()) == list(range(150))


def test_the_checker_finds_a_clash() -> None:
    n, edges = edges_of(nx.petersen_graph())
    colours = dsatur(n, edges)
    i, j = edges[7]
    colours[i] = colours[j]
    with pytest.raises(ModelError, match=f"are coupled and both have colour {colours[j]}"):
        check_colouring(edges, colours)


def test_adjacency() -> None:
    first, neighbours = adjacency(4, np.array([[0, 1], [0, 3], [1, 3]], np.int32))
    assert first.tolist() == [0, 2, 4, 4, 6]
    assert neighbours.tolist() == [1, 3, 0, 3, 0, 1]


def test_time_grows_about_linearly() -> None:
    """Sixteen times the graph takes nowhere near 256 times as long, as a quadratic one does."""
    times = []
    for side in (32, 128):
        n, edges = edges_of(nx.grid_2d_graph(side, side, periodic=True))
        runs = []
        for _ in range(3):
            start = time.process_time()
            dsatur(n, edges)
            runs.append(time.process_time() - start)
        times.append(min(runs))
    assert times[1] < 80 * times[0]
