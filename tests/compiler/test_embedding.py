"""Embedding: chains lie in the topology, are connected and touch, and mean what the source does."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pbit_hw.compiler import Ising, Model, compile, load
from pbit_hw.compiler.cnf import Formula
from pbit_hw.compiler.copies import Copies, torques
from pbit_hw.compiler.embedding import embed
from pbit_hw.compiler.polynomial import Polynomial
from pbit_hw.compiler.sparsify import sparsify
from pbit_hw.compiler.topologies import topology
from pbit_hw.contract.errors import FitError, ModelError, ToolError
from pbit_hw.contract.update import Unit
from pbit_hw.sim.exact import exact, states
from pbit_hw.sim.simulator import Simulator
from pbit_hw.sim.statistics import total_variation

CHIMERA = topology("chimera", 4)


def dense(size: int, seed: int = 0, unit: Unit = Unit.SPIN, scale: float = 0.5) -> Model:
    rng = np.random.default_rng(seed)
    edges = np.stack(np.triu_indices(size, 1), axis=1).astype(np.int32)
    couplings, biases = rng.normal(0, scale, len(edges)), rng.normal(0, scale, size)
    return Model(unit, tuple(f"x{i}" for i in range(size)), edges, couplings, biases, offset=0.25)


def graph_of(model: Model) -> nx.Graph[Any]:
    graph: nx.Graph[Any] = nx.Graph()
    graph.add_nodes_from(model.labels)
    graph.add_edges_from((model.labels[i], model.labels[j]) for i, j in model.edges)
    return graph


def same(one: Copies, other: Copies) -> bool:
    names = ("first", "copies", "edge_sources", "copy_biases")
    parts = [(getattr(one, name), getattr(other, name)) for name in names]
    parts += [(getattr(one.target, name), getattr(other.target, name)) for name in ("edges", "couplings", "biases")]
    return one.target.labels == other.target.labels and all(np.array_equal(a, b) for a, b in parts)


def few(models: SearchStrategy[Model]) -> SearchStrategy[Model]:
    return models.filter(lambda model: model.size <= 10)


@settings(deadline=None, max_examples=100)
@given(st.data(), st.integers(-1, 2**70))
def test_chains_are_trees_of_the_topology_that_touch(
    models: SearchStrategy[Model], data: st.DataObject, seed: int
) -> None:
    model = data.draw(few(models))
    copies = embed(model, CHIMERA, seed=seed)
    whole, used = graph_of(CHIMERA), graph_of(copies.target)
    assert nx.compose(whole, used).edges == whole.edges
    chains = [set(pbits.tolist()) for pbits in np.split(copies.copies, copies.first[1:-1])]
    links: nx.Graph[int] = nx.Graph(copies.target.edges[copies.edge_sources < 0].tolist())
    links.add_nodes_from(range(copies.target.size))
    assert nx.is_forest(links)
    assert sorted(map(sorted, nx.connected_components(links))) == sorted(map(sorted, chains))

    ends = np.sort(copies.owners[np.argsort(copies.copies)][copies.target.edges], axis=1)
    carriers = copies.edge_sources >= 0
    assert np.array_equal(model.edges[copies.edge_sources[carriers]], ends[carriers])
    names = [{copies.target.labels[pbit] for pbit in chain} for chain in chains]
    touching = [sum(whole.has_edge(p, q) for p in names[i] for q in names[j]) for i, j in model.edges]
    assert np.bincount(copies.edge_sources[carriers], minlength=len(touching)).tolist() == touching
    assert all(touching)


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_where_chains_agree_energies_are_the_sources(models: SearchStrategy[Model], data: st.DataObject) -> None:
    model = data.draw(few(models))
    copies = embed(model, CHIMERA)
    bits = np.random.default_rng(0).integers(0, 2, (40, model.size), np.uint8)
    values, spread = (np.where(rows, 1, model.allowed[0]) for rows in (bits, copies.spread(bits)))
    assert np.array_equal(copies.decode(copies.spread(bits)), bits)
    assert copies.target.energies(spread) == pytest.approx(model.energies(values), abs=1e-6)
    assert same(embed(model, CHIMERA), copies)


def distributions(copies: Copies, beta: float) -> tuple[np.ndarray, np.ndarray, float]:
    """What is decoded, what the source has, and the chance that some chain is broken."""
    (bits, chances), (wanted, probabilities) = (
        ((states(model, 0, 2**model.size) > 0).astype(np.uint8), exact(model, beta).probabilities)
        for model in (copies.target, copies.source)
        if isinstance(model, Model)
    )
    powers = 1 << np.arange(copies.source.size)
    whole = (bits == copies.spread(copies.decode(bits))).all(axis=1)
    decoded = np.bincount(copies.decode(bits) @ powers, chances, 2**copies.source.size)
    return decoded, np.bincount(wanted @ powers, probabilities), float(chances[~whole].sum())


@pytest.mark.parametrize("unit", Unit)
@pytest.mark.parametrize(("size", "strength"), [(4, 1.0), (5, 2.0), (6, 4.0)])
def test_total_variation_is_at_most_the_chance_of_broken_chains(unit: Unit, size: int, strength: float) -> None:
    copies = embed(dense(size, seed=size, unit=unit), CHIMERA, strength)
    assert size < copies.target.size <= 16
    for beta in (0.5, 1.0, 2.0):
        decoded, wanted, broken = distributions(copies, beta)
        assert 1e-6 < broken < 0.9
        assert total_variation(decoded, wanted) <= broken + 1e-9
        assert broken <= copies.broken_bound(beta)


def test_strong_chains_give_the_sources_distribution_and_weak_ones_do_not() -> None:
    found = [distributions(embed(dense(5, seed=1), CHIMERA, strength), 1.0) for strength in (0.3, 2.0, 8.0)]
    distances = [total_variation(decoded, wanted) for decoded, wanted, _ in found]
    assert distances == sorted(distances, reverse=True)
    assert distances[0] > 0.05
    assert distances[2] < 0.005


def test_a_strength_means_what_it_does_in_sparsify() -> None:
    model = dense(6, seed=1)
    for copies in (embed(model, CHIMERA, 1.5), sparsify(model, 3, 1.5)):
        links = copies.edge_sources < 0
        owners = copies.owners[copies.target.edges[links, 0]]
        assert copies.target.couplings[links] == pytest.approx(1.5 * torques(model)[owners])


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_other_weights_take_the_same_chains(models: SearchStrategy[Model], data: st.DataObject) -> None:
    """As the search sees the graph alone, but for the strength of links, which stays."""
    model = data.draw(few(models))
    other = model.with_values(-model.couplings, model.biases + 1)
    assert same(embed(model, CHIMERA).reweighted(other.couplings, other.biases), embed(other, CHIMERA))


def test_files_and_programs(tmp_path: Path) -> None:
    model = dense(8, seed=3)
    program = compile(embed(model, topology("pegasus", 2), seed=1), weight_bits=12)
    program.save(tmp_path / "x.pbit")
    again = load(tmp_path / "x.pbit")
    assert isinstance(program.expansion, Copies)
    assert isinstance(again.expansion, Copies)
    assert same(again.expansion, program.expansion)
    moved, expected = (one.reweighted(model.couplings[::-1], model.biases) for one in (again, program))
    assert np.array_equal(moved.image.weights, expected.image.weights)
    samples = Simulator(again, seed=1).sample(30, replicas=4, clamp={"x2": 1}, beta=0.5)
    assert (samples.states[:, 2] == 1).all()
    assert samples.energies == pytest.approx(model.energies(samples.states))


def test_a_complete_glass_is_annealed_on_pegasus() -> None:
    model = dense(8, seed=5, scale=8**-0.5)
    samples = Simulator(compile(embed(model, topology("pegasus", 2))), seed=1).sample(
        1_000, replicas=64, beta=(0.2, 4.0)
    )
    ground = model.energies(states(model, 0, 2**8)).min()
    assert samples.best.energy == pytest.approx(ground)
    assert ground <= samples.energies.mean() <= 0.9 * ground
    assert samples.broken is not None
    assert samples.broken.max() < 0.1


def test_topologies_of_every_kind() -> None:
    triangle = Ising(np.zeros(3), np.triu(np.ones((3, 3)), 1))
    ring = [("a", "b"), ("b", "c"), ("c", "d"), ("d", "a")]
    for given_as in (ring, iter(ring), nx.Graph(ring), Ising.from_networkx(nx.Graph(ring)), [*ring, ("e", "f")]):
        assert set(embed(triangle, given_as).target.labels) == set("abcd")
    square = embed(triangle, np.array([[0, 1], [1, 2], [2, 3], [3, 0]]))
    assert set(square.target.labels) == {0, 1, 2, 3}
    alone = embed(Ising([1.0], [[0.0]]), Ising([0.0], [[0.0]], labels=["only"]))
    assert alone.target.labels == ("only",)


def test_what_is_no_model_of_pairs_becomes_one_first() -> None:
    polynomial = Polynomial.of_terms({(0, 1, 2): 1.0, (0, 3): -0.5}, Unit.SPIN)
    assert embed(polynomial, CHIMERA).source is polynomial
    formula = Formula.of_clauses([[1, 2, 3], [-1, -2]])
    embedded = embed(formula, CHIMERA, 4.0)
    assert embedded.source is formula
    samples = Simulator(compile(embedded), seed=1).sample(300, replicas=16, beta=(0.2, 6.0))
    assert samples.best.energy == 0


@pytest.mark.parametrize(
    ("size", "graph", "message"),
    [
        (10, topology("chimera", 2), "no embedding of 10 variables and 45 couplings into 32 p-bits found in 10 tries"),
        (9, topology("chimera", 1), "the model has 9 variables, the topology 8 connected p-bits; use a larger"),
        (3, [(0, 1), (2, 3)], "the model has 3 variables, the topology 2 connected p-bits"),
    ],
)
def test_models_that_do_not_fit(size: int, graph: Any, message: str) -> None:
    with pytest.raises(FitError, match=message):
        embed(dense(size), graph)


def test_a_search_without_time_finds_nothing() -> None:
    with pytest.raises(FitError, match="in 10 tries or 0 s; use a larger topology, another seed, or sparsify"):
        embed(dense(8), CHIMERA, timeout_s=0)


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (5, "not this int"),
        ([(0, 1, 2, 3)], "not this list"),
        ([1, 2], "not this list"),
        ("abc", "not this str"),
        ([], "no variables"),
        (nx.DiGraph([(0, 1)]), "have no direction"),
    ],
)
def test_topologies_that_are_none(graph: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        embed(dense(2), graph)


def test_refusals() -> None:
    with pytest.raises(ModelError, match="copy strength is 0; give a positive number"):
        embed(dense(3), CHIMERA, 0)
    with pytest.raises(ModelError, match="give a model, not dict"):
        embed({}, CHIMERA)  # type: ignore[call-overload]


def test_a_missing_minorminer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *rest: Any) -> Any:
        if name == "minorminer":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(ToolError, match=r"pip install pbit-hw\[embed\]"):
        embed(dense(3), CHIMERA)
