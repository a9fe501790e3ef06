"""Two sides of a graph: against networkx on random graphs, and the time on a million vertices."""

from __future__ import annotations

import time

import networkx as nx
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pbit_hw.compiler.bipartite import bipartition
from pbit_hw.compiler.edges import canonical_edges


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_components_and_sides_are_networkxs(
    graphs: SearchStrategy[tuple[int, npt.NDArray[np.int64]]], data: st.DataObject
) -> None:
    n, pairs = data.draw(graphs)
    edges, _ = canonical_edges(n, pairs, np.zeros(len(pairs)))
    graph: nx.Graph[int] = nx.Graph(edges.tolist())
    graph.add_nodes_from(range(n))
    component, side, odd = bipartition(n, edges)
    for vertices in nx.connected_components(graph):
        part = graph.subgraph(vertices)
        assert {int(component[v]) for v in vertices} == {min(vertices)}
        assert not side[min(vertices)]
        assert {bool(odd[v]) for v in vertices} == {not nx.is_bipartite(part)}
        if nx.is_bipartite(part):
            assert all(side[i] != side[j] for i, j in part.edges)


@pytest.mark.parametrize("shuffled", [False, True])
def test_a_path_of_a_million_vertices_takes_no_million_steps(shuffled: bool) -> None:
    """A search level by level would."""
    n = 1_000_000
    order = np.random.default_rng(0).permutation(n) if shuffled else np.arange(n)
    start = time.process_time()
    component, side, odd = bipartition(n, np.stack([order[:-1], order[1:]], axis=1).astype(np.int32))
    assert time.process_time() - start < 10
    assert not component.any()
    assert not odd.any()
    assert (side[order[:-1]] != side[order[1:]]).all()
