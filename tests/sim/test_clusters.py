"""Cluster moves: pairs, clusters, and what they leave alone."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from pbit_hw.compiler import compile, library
from pbit_hw.sim.clusters import exchange_clusters, partners
from pbit_hw.sim.codegen import LANES
from pbit_hw.sim.ensemble import Ensemble
from pbit_hw.sim.lanes import ReplicaLanes, to_bits
from pbit_hw.sim.network import Network

PROGRAM = compile(library.lattice((6, 6), spin_glass_seed=0))
IMAGE = PROGRAM.image


@pytest.mark.parametrize("distance", [1, 2, 5, 63])
def test_partners(distance):
    words = np.random.default_rng(0).integers(0, 2**64, 20, np.uint64)
    bits, moved = to_bits(words), to_bits(partners(words, distance))
    np.testing.assert_array_equal(moved, bits[:, np.arange(LANES) ^ distance])


def moved(seed, frozen=0):
    rng = np.random.default_rng(seed)
    before = rng.integers(0, 2**64, IMAGE.size, np.uint64)
    after = before.copy()
    hold = np.zeros(IMAGE.size, np.uint64)
    hold[:frozen] = ~np.uint64(0)
    exchange_clusters(after, hold, IMAGE.neighbours, IMAGE.slot_first, rng)
    return to_bits(before).T, to_bits(after).T


@pytest.mark.parametrize("seed", range(5))
def test_one_connected_cluster_is_exchanged_in_each_pair(seed):
    before, after = moved(seed)
    changed = before != after
    graph = nx.Graph(zip(IMAGE.owners.tolist(), IMAGE.neighbours.tolist(), strict=True))
    (distance,) = [
        d
        for d in range(1, LANES)
        if (changed == changed[np.arange(LANES) ^ d]).all()
        and (before + before[np.arange(LANES) ^ d])[changed].max() == 1
    ]
    other = np.arange(LANES) ^ distance
    np.testing.assert_array_equal(np.where(changed, before[other], before), after)
    assert changed.any(axis=1).mean() > 0.9
    for lane in range(LANES):
        cluster = np.flatnonzero(changed[lane]).tolist()
        differ = np.flatnonzero(before[lane] != before[other[lane]]).tolist()
        if cluster:
            assert set(cluster) in list(map(set, nx.connected_components(graph.subgraph(differ))))


def test_the_energy_of_a_pair_is_kept():
    ensemble = Ensemble(Network(IMAGE), LANES, layout=ReplicaLanes)
    request = PROGRAM.request(1, replicas=LANES, seed=1)
    ensemble.load(request.start, np.ones((LANES, IMAGE.size, 1), np.uint32), request.clamped)
    before = ensemble.energies()[0]
    hold = np.zeros(IMAGE.size, np.uint64)
    exchange_clusters(ensemble.state_words[0], hold, IMAGE.neighbours, IMAGE.slot_first, np.random.default_rng(1))
    after = ensemble.energies()[0]
    assert (before != after).mean() > 0.5
    assert before.sum() == pytest.approx(after.sum())


def test_clamped_pbits_stay():
    before, after = moved(3, frozen=12)
    np.testing.assert_array_equal(before[:, :12], after[:, :12])
    assert (before[:, 12:] != after[:, 12:]).any()
