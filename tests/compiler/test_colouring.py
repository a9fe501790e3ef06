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

from pbit_hw.compiler.colouring import adjacency, check_colouring, colour, dsatur
from pbit_hw.compiler.edges import Int32, canonical_edges
from pbit_hw.compiler.models import Ising
from pbit_hw.compiler.recolouring import balanced
from pbit_hw.compiler.topologies import topology
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


@settings(deadline=None, max_examples=100)
@given(st.data(), st.booleans(), st.booleans())
def test_colour_is_proper_and_deterministic(
    graphs: SearchStrategy[tuple[int, npt.NDArray[np.int64]]], data: st.DataObject, exact: bool, balance: bool
) -> None:
    n, pairs = data.draw(graphs)
    edges, _ = canonical_edges(n, pairs, np.zeros(len(pairs)))
    colours = colour(n, edges, exact=exact, balance=balance)
    check_colouring(edges, colours)
    assert colours.dtype == np.int32
    assert set(colours.tolist()) == set(range(colours.max() + 1))
    assert colours.max() <= dsatur(n, edges).max()
    assert colours.tolist() == colour(n, edges, exact=exact, balance=balance).tolist()


NETWORKX = {"G1": 15, "G14": 7, "G22": 8, "G43": 8, "pegasus:12": 4, "zephyr:8": 5}
"""Colours of networkx's DSATUR with vertices in the order of the edges, which takes it seconds; see the slow test."""


@pytest.mark.parametrize("name", NETWORKX)
def test_no_more_colours_than_networkx(request: pytest.FixtureRequest, name: str) -> None:
    n, edges = instance(request, name)
    colours = colour(n, edges)
    check_colouring(edges, colours)
    assert colours.max() + 1 <= NETWORKX[name]
    even = balanced(colours, edges)
    check_colouring(edges, even)
    assert even.max() == colours.max()
    assert np.ptp(np.bincount(even)) <= 2


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKX)
def test_networkx_takes_as_many_colours_as_noted(request: pytest.FixtureRequest, name: str) -> None:
    graph: nx.Graph[int] = nx.Graph(instance(request, name)[1].tolist())
    assert max(nx.greedy_color(graph, strategy="DSATUR").values()) + 1 == NETWORKX[name]


def instance(request: pytest.FixtureRequest, name: str) -> tuple[int, Int32]:
    family, _, size = name.partition(":")
    if not size:
        model = Ising.from_gset(request.getfixturevalue("gset") / f"{name}.txt")
        return model.size, model.edges
    graph = topology(family, int(size))
    return graph.size, graph.edges


def test_a_million_vertices_of_a_lattice() -> None:
    """Periodic, cubic, 100^3: measured at 0.1 s."""
    sites = np.arange(100**3).reshape(100, 100, 100)
    pairs = [np.stack([sites.ravel(), np.roll(sites, 1, axis).ravel()], axis=1) for axis in range(3)]
    edges = np.concatenate(pairs).astype(np.int32)
    start = time.process_time()
    colours = colour(sites.size, edges, balance=True)
    assert time.process_time() - start < 10
    assert np.bincount(colours).tolist() == [500_000, 500_000]
    check_colouring(edges, colours)


@pytest.mark.slow
def test_a_million_vertices_of_a_random_graph() -> None:
    n, rng = 1_000_000, np.random.default_rng(0)
    pairs = rng.integers(0, n, (3 * n, 2))
    edges, _ = canonical_edges(n, pairs[pairs[:, 0] != pairs[:, 1]], np.zeros(int((pairs[:, 0] != pairs[:, 1]).sum())))
    start = time.process_time()
    colours = colour(n, edges)
    assert time.process_time() - start < 20
    check_colouring(edges, colours)
    assert colours.max() < 4
