"""D-Wave's graphs: known counts, and edge by edge against their own package where it is installed."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from pbit_hw.compiler.topologies import topology
from pbit_hw.contract.errors import ModelError


@pytest.mark.parametrize(
    ("name", "size", "vertices", "edges", "degree"),
    [
        ("chimera", 16, 2048, 6016, 6),
        ("pegasus", 16, 5640, 40484, 15),
        ("pegasus", 12, 3080, 21764, 15),
        ("zephyr", 12, 4800, 45864, 20),
        ("zephyr", 8, 2176, 20328, 20),
    ],
)
def test_counts(name: str, size: int, vertices: int, edges: int, degree: int) -> None:
    model = topology(name, size)
    assert (model.size, len(model.edges)) == (vertices, edges)
    assert np.bincount(model.edges.ravel()).max() == degree
    assert set(model.couplings.tolist()) == {-1.0, 1.0}
    assert not model.biases.any()


@pytest.mark.parametrize("name", ["chimera", "pegasus", "zephyr"])
@pytest.mark.parametrize("size", [2, 3, 6])
def test_edges_are_the_makers(name: str, size: int) -> None:
    for package in ("dwave.graphs", "dwave_networkx"):
        try:
            graph = getattr(importlib.import_module(package), f"{name}_graph")(size)
        except ImportError:
            continue
        model = topology(name, size)
        ends = np.array(model.labels)[model.edges].tolist()
        assert sorted(ends) == sorted(sorted(edge) for edge in graph.edges)
        return
    pytest.skip("neither dwave-graphs nor dwave-networkx is installed")


def test_the_seed_draws_the_signs() -> None:
    first, again, other = topology("zephyr", 2, 1), topology("zephyr", 2, 1), topology("zephyr", 2, 2)
    assert np.array_equal(first.couplings, again.couplings)
    assert not np.array_equal(first.couplings, other.couplings)


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("torus", 4, "there is no topology 'torus'; there are chimera, pegasus, zephyr"),
        ("pegasus", 1, "pegasus has size 1; use 2 to 128"),
        ("zephyr", 10**9, "zephyr has size 1000000000; use 1 to 128"),
    ],
)
def test_others_are_refused(name: str, size: int, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        topology(name, size)
