"""Tabu search: proper, deterministic, and better than the greedy methods where they are known to fail."""

from __future__ import annotations

import networkx as nx
import numpy as np

from pbit_hw.compiler.colouring import adjacency, check_colouring
from pbit_hw.compiler.edges import Int32, canonical_edges
from pbit_hw.compiler.recolouring import iterated_greedy
from pbit_hw.compiler.tabu_colouring import fewer_by_tabu


def crown(n: int) -> tuple[Int32, Int32]:
    """A bipartite graph without a matching, and a colouring by that matching, which no greedy pass improves."""
    pairs = np.array([(i, j) for i in range(0, n, 2) for j in range(1, n, 2) if j != i + 1], np.int64)
    return canonical_edges(n, pairs, np.zeros(len(pairs)))[0], (np.arange(n) // 2).astype(np.int32)


def test_it_leaves_where_greedy_passes_stay() -> None:
    edges, colours = crown(12)
    rows = adjacency(12, edges)
    assert iterated_greedy(colours, *rows).max() == 5
    better = fewer_by_tabu(colours, *rows, enough=2)
    check_colouring(edges, better)
    assert better.max() < 5
    assert better.tolist() == fewer_by_tabu(colours, *rows, enough=2).tolist()


def test_it_stops_at_the_bound_and_where_there_is_none() -> None:
    graph = nx.complete_graph(5)
    edges, _ = canonical_edges(5, list(graph.edges), np.zeros(10))
    colours = np.arange(5, dtype=np.int32)
    assert fewer_by_tabu(colours, *adjacency(5, edges), enough=5) is colours
    assert fewer_by_tabu(colours, *adjacency(5, edges), enough=1) is colours
