"""D-Wave's graphs: known counts, and edge by edge against their own package where it is installed."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from pbit_hw.compiler.topologies import GRID_12, grid, topology
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


def test_a_grid_is_joined_at_offsets_and_their_quarter_turns():
    model = grid(30, GRID_12)
    edges = {frozenset((model.labels[i], model.labels[j])) for i, j in model.edges.tolist()}
    middle = (15, 15)
    neighbours = {one for edge in edges if middle in edge for one in edge - {middle}}
    turned = [
        (0, 1),
        (-1, 0),
        (0, -1),
        (1, 0),
        (4, 1),
        (-1, 4),
        (-4, -1),
        (1, -4),
        (9, 10),
        (-10, 9),
        (-9, -10),
        (10, -9),
    ]
    assert neighbours == {(15 + a, 15 + b) for a, b in turned}
    degrees = np.bincount(model.edges.ravel())
    assert (degrees.max(), degrees.min()) == (12, 4)
    colour = np.array(model.labels).sum(axis=1) % 2
    assert (colour[model.edges[:, 0]] != colour[model.edges[:, 1]]).all()


def test_the_plain_grid_is_a_lattice():
    assert len(grid(5, [(0, 1)]).edges) == 2 * 5 * 4
    assert grid(1).size == 1


@pytest.mark.parametrize(
    ("side", "offsets"),
    [(0, [(0, 1)]), (3, [(0, 0)]), (3, [[0, 0]]), (1.5, [(0, 1)]), (3, [(1,)]), (3, [(0, 1.5)]), (3, 1)],
)
def test_no_grid(side, offsets):
    with pytest.raises(ModelError, match="no grid of side"):
        grid(side, offsets)
