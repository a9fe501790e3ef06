"""Exact colouring: the chromatic number by inclusion and exclusion, on random graphs and on known ones."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pytest

from pbit_hw.compiler import exact_colouring
from pbit_hw.compiler.colouring import adjacency, check_colouring, colour, dsatur
from pbit_hw.compiler.edges import canonical_edges
from pbit_hw.compiler.exact_colouring import greedy_clique
from pbit_hw.contract.errors import ModelError


def chromatic_number(n: int, edges: np.ndarray) -> int:
    """The least k with sum over sets S of (-1)^(n - |S|) i(S)^k > 0, where i counts the independent subsets of S.

    Bjorklund, Husfeldt, Koivisto, SIAM J. Comput. 39, 546 (2009). The sum counts covers by k independent sets, so it
    is exact in integers; here it is taken modulo a large prime, and a count of 0 by accident is out of the question.
    """
    prime = (1 << 31) - 1
    closed = np.left_shift(1, np.arange(n))
    for i, j in edges.tolist():
        closed[i] |= 1 << j
        closed[j] |= 1 << i
    independent = np.ones(1 << n, np.int64)
    for v in range(n):  # subsets of S with v: those of S without v's neighbours below v, and those without v
        low = 1 << v
        rest = np.arange(low) & ~closed[v]
        independent[low : 2 * low] = (independent[:low] + independent[rest]) % prime
    ones = np.zeros(1 << n, np.int64)
    for v in range(n):
        ones[1 << v : 2 << v] = ones[: 1 << v] + 1
    signs, power = np.where((n - ones) % 2, -1, 1), np.ones(1 << n, np.int64)
    for k in range(1, n + 1):
        power = power * independent % prime
        if int((signs * power).sum()) % prime:
            return k
    raise AssertionError


def random_graph(seed: int) -> tuple[int, np.ndarray]:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 17)) if seed % 10 else 20
    pairs = np.stack(np.triu_indices(n, 1), axis=1)[rng.random(n * (n - 1) // 2) < rng.uniform(0.1, 0.9)]
    return n, canonical_edges(n, pairs, np.zeros(len(pairs)))[0]


def test_200_random_graphs() -> None:
    better = 0
    for seed in range(200):
        n, edges = random_graph(seed)
        colours = colour(n, edges, exact=True)
        check_colouring(edges, colours)
        assert set(colours.tolist()) == set(range(colours.max() + 1))
        assert colours.max() + 1 == chromatic_number(n, edges)
        better += dsatur(n, edges).max() > colours.max()
    assert better  # dsatur alone would fail


@pytest.mark.parametrize(
    ("graph", "chromatic"),
    [
        (nx.petersen_graph(), 3),
        (nx.mycielski_graph(4), 4),
        (nx.mycielski_graph(5), 5),
        (nx.disjoint_union(nx.mycielski_graph(4), nx.cycle_graph(7)), 4),
        (nx.complete_multipartite_graph(3, 3, 3, 3), 4),
        (nx.kneser_graph(6, 2), 4),
    ],
)
def test_known_graphs(graph: nx.Graph[Any], chromatic: int) -> None:
    graph = nx.convert_node_labels_to_integers(graph)
    edges, _ = canonical_edges(len(graph), list(graph.edges), np.zeros(graph.number_of_edges()))
    assert colour(len(graph), edges, exact=True).max() + 1 == chromatic
    assert chromatic >= len(greedy_clique(*adjacency(len(graph), edges)))


def test_a_search_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact_colouring, "STEPS", 50)
    graph = nx.mycielski_graph(6)
    edges, _ = canonical_edges(len(graph), list(graph.edges), np.zeros(graph.number_of_edges()))
    with pytest.raises(ModelError, match="47 connected variables: 50 steps do not tell whether 5 colours are enough"):
        colour(len(graph), edges, exact=True)
