"""Copies: degrees, what they mean, and that decoded samples are the source's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

import pbit_hw as pb
from pbit_hw.compiler import Ising, Model, compile, load
from pbit_hw.compiler.copies import STRENGTH, Copies
from pbit_hw.compiler.expansion import Expansion
from pbit_hw.compiler.polynomial import Polynomial
from pbit_hw.compiler.reduce import reduce
from pbit_hw.compiler.sparsify import sampling_strength, sparsify
from pbit_hw.contract.errors import FitError, ModelError
from pbit_hw.contract.update import Unit
from pbit_hw.sim.exact import exact, states
from pbit_hw.sim.simulator import Simulator
from pbit_hw.sim.statistics import total_variation


def dense(size: int, seed: int = 0, unit: Unit = Unit.SPIN, scale: float = 0.5) -> Model:
    rng = np.random.default_rng(seed)
    edges = np.stack(np.triu_indices(size, 1), axis=1).astype(np.int32)
    couplings, biases = rng.normal(0, scale, len(edges)), rng.normal(0, scale, size)
    return Model(unit, tuple(f"x{i}" for i in range(size)), edges, couplings, biases, offset=0.25)


def all_bits(model: Model) -> np.ndarray:
    return (states(model, 0, 2**model.size) > 0).astype(np.uint8)


def decoded_distribution(copies: Expansion, beta: float) -> tuple[np.ndarray, float]:
    """Distribution over the source's states, and the chance that some copies disagree."""
    bits = all_bits(copies.target)
    probabilities = exact(copies.target, beta).probabilities
    rows = copies.decode(bits) @ (1 << np.arange(copies.source.size))
    counts = np.add.reduceat(bits[:, copies.copies], copies.first[:-1], axis=1, dtype=int)
    intact = ((counts == 0) | (counts == np.diff(copies.first))).all(axis=1)
    return np.bincount(rows, probabilities, 2**copies.source.size), float(probabilities[~intact].sum())


def source_distribution(model: Model, beta: float) -> np.ndarray:
    rows = all_bits(model) @ (1 << np.arange(model.size))
    return np.bincount(rows, exact(model, beta).probabilities, 2**model.size)


@settings(deadline=None, max_examples=150)
@given(st.data(), st.integers(3, 12))
def test_degrees_are_bounded_and_no_copy_is_wasted(
    models: SearchStrategy[Model], data: st.DataObject, max_degree: int
) -> None:
    model = data.draw(models)
    copies = sparsify(model, max_degree)
    degrees = np.bincount(model.edges.ravel(), minlength=model.size)
    assert np.bincount(copies.target.edges.ravel(), minlength=1).max() <= max_degree
    wanted = [1 if d <= max_degree else -(-(d - 2) // (max_degree - 2)) for d in degrees.tolist()]
    assert np.diff(copies.first).tolist() == wanted
    assert len(copies.target.edges) == len(model.edges) + sum(wanted) - model.size


@settings(deadline=None, max_examples=150)
@given(st.data(), st.integers(3, 5))
def test_where_copies_agree_energies_are_the_sources(
    models: SearchStrategy[Model], data: st.DataObject, max_degree: int
) -> None:
    model = data.draw(models)
    copies = sparsify(model, max_degree)
    bits = np.random.default_rng(0).integers(0, 2, (40, model.size), np.uint8)
    low = model.allowed[0]
    values, spread = (np.where(rows, 1, low) for rows in (bits, copies.spread(bits)))
    assert np.array_equal(copies.decode(copies.spread(bits)), bits)
    assert not copies.broken(copies.spread(bits)).any()
    assert copies.target.energies(spread) == pytest.approx(model.energies(values), abs=1e-6)


@pytest.mark.parametrize("unit", Unit)
@pytest.mark.parametrize(("size", "strength"), [(5, 1.0), (5, 3.0), (6, 2.0)])
def test_total_variation_is_at_most_the_chance_of_disagreement(unit: Unit, size: int, strength: float) -> None:
    model = dense(size, seed=size, unit=unit)
    copies = sparsify(model, 3, strength)
    assert copies.target.size > size
    found, disagree = decoded_distribution(copies, 1.0)
    assert 1e-4 < disagree < 0.9
    assert total_variation(found, source_distribution(model, 1.0)) <= disagree + 1e-9


def test_strong_copies_give_the_sources_distribution_and_weak_ones_do_not() -> None:
    model = dense(5, seed=1)
    distances = [
        total_variation(decoded_distribution(sparsify(model, 3, strength), 1.0)[0], source_distribution(model, 1.0))
        for strength in (0.5, 2.0, 8.0)
    ]
    assert distances[0] > 0.05
    assert distances == sorted(distances, reverse=True)
    assert distances[2] < 0.005


def test_equal_bits_gain_nothing_and_different_ones_lose_as_spins_do() -> None:
    spins, bits = (sparsify(dense(5, seed=2, unit=unit), 3) for unit in (Unit.SPIN, Unit.BIT))
    for copies in (spins, bits):
        pair = np.zeros((3, copies.target.size), np.uint8)
        first = copies.copies[copies.first[0] : copies.first[1]]
        pair[1:, first] = 1
        pair[2, first[-1]] = 0
        low = copies.target.allowed[0]
        without = copies.target.with_values(
            np.where(copies.edge_sources < 0, copies.target.couplings, 0),
            copies.copy_biases,
        )
        energies = without.energies(np.where(pair, 1, low))
        assert energies[0] == pytest.approx(energies[1])
        assert energies[2] > energies[1]


def test_majority_and_ties() -> None:
    source, target = Ising([0.0], [[0.0]]), Ising(np.zeros(5), np.zeros((5, 5)))
    three, four = (Expansion(source, target, np.array([0, k], np.int32), np.arange(k, dtype=np.int32)) for k in (3, 4))
    rows = np.array([[1, 0, 0, 1, 0], [1, 1, 0, 0, 0], [0, 1, 1, 0, 0], [1, 1, 1, 1, 1]], np.uint8)
    assert three.decode(rows).ravel().tolist() == [0, 1, 1, 1]
    assert four.decode(rows).ravel().tolist() == [1, 1, 0, 1]
    assert four.broken(rows).tolist() == [0.75]
    assert four.auxiliaries.tolist() == [4]


@pytest.mark.parametrize(
    ("first", "copies", "message"),
    [([0, 0, 1], [0], "no copy"), ([0, 1, 2], [0, 0], "not different"), ([0, 1, 2], [0, 7], "not different")],
)
def test_expansions_that_are_none(first: list[int], copies: list[int], message: str) -> None:
    model = Ising(np.zeros(2), np.zeros((2, 2)))
    with pytest.raises(ModelError, match=message):
        Expansion(model, model, np.array(first, np.int32), np.array(copies, np.int32))


def test_samples_clamps_and_weights_are_those_of_the_source(tmp_path: Path) -> None:
    model = dense(8, seed=3)
    program = compile(sparsify(model, 4, 2.0), weight_bits=12)
    samples = Simulator(program, seed=1).sample(30, replicas=4, clamp={"x2": 1, "x5": [-1, 1, 1, -1]}, beta=0.5)
    assert samples.states.shape == (120, 8)
    assert samples.model is model
    assert (samples.states[:, 2] == 1).all()
    assert samples.energies == pytest.approx(model.energies(samples.states))
    assert samples.broken is not None
    assert 0 < samples.broken.max() <= 1
    assert samples.broken[2] == 0
    initial = np.ones((4, 8), int)
    assert (Simulator(program).sample(1, replicas=4, initial=initial, beta=8.0 - 1 / 512).broken == 0).mean() > 0.5

    program.save(tmp_path / "x.pbit")
    again = load(tmp_path / "x.pbit")
    assert isinstance(again.expansion, Copies)
    assert np.array_equal(Simulator(again, seed=1).sample(20).states, Simulator(program, seed=1).sample(20).states)

    couplings, biases = model.couplings[::-1], model.biases + 1
    moved = again.reweighted(couplings, biases)
    assert np.array_equal(moved.model.couplings, couplings)
    assert moved.image.digest == program.image.digest
    intact = np.where(again.expansion.spread(np.eye(8, dtype=np.uint8)), 1, -1)
    energies = moved.target.energies(intact) - model.with_values(couplings, biases).energies(
        2 * np.eye(8, dtype=int) - 1
    )
    assert energies == pytest.approx(np.full(8, energies[0]))


@pytest.mark.parametrize("unit", Unit)
@pytest.mark.parametrize("strength", [2.0, 4.0, 8.0])
def test_copies_disagree_no_more_than_the_bound_says(unit: Unit, strength: float) -> None:
    copies = sparsify(dense(5, seed=4, unit=unit), 3, strength)
    for beta in (0.5, 1.0, 2.0):
        assert decoded_distribution(copies, beta)[1] <= copies.broken_bound(beta)
    assert sparsify(dense(5, seed=4, unit=unit), 3, 12.0).broken_bound(1.0) < 1e-3


@pytest.mark.parametrize("unit", Unit)
@pytest.mark.parametrize("beta", [0.5, 2.0])
def test_chains_break_as_often_as_asked(unit: Unit, beta: float) -> None:
    """Within a factor of two, on a glass whose couplings are weak beside the chains."""
    model = dense(5, seed=4, unit=unit, scale=0.2)
    strength = sampling_strength(model, 3, beta, 0.02)
    copies = sparsify(model, 3, strength)
    probabilities, bits = exact(copies.target, beta).probabilities, all_bits(copies.target)
    counts = np.add.reduceat(bits[:, copies.copies], copies.first[:-1], axis=1, dtype=int)
    broken = probabilities @ ((counts > 0) & (counts < np.diff(copies.first)))
    assert 0.01 < broken.max() < 0.04
    assert sampling_strength(model, 4) == STRENGTH
    with pytest.raises(ModelError, match="the share 1 between 0 and 1"):
        sampling_strength(model, 3, 1.0, 1)


def test_copies_of_what_was_reduced() -> None:
    polynomial = Polynomial.of_terms({(0, 1, 2): 1.0, (0, 3, 4): -0.5, (0, 5): 0.7, (0,): 0.2}, Unit.SPIN)
    reduction = reduce(polynomial, beta=1.0, bound=0.01)
    both = sparsify(reduction, 3, 4.0)
    assert both.source is polynomial
    assert np.bincount(both.target.edges.ravel()).max() <= 3
    bits = (states(polynomial, 0, 64) > 0).astype(np.uint8)
    spread = reduction.then(sparsify(reduction.target, 3, 4.0)).spread(bits)
    assert np.array_equal(both.decode(spread), bits)
    assert pb.Simulator(pb.compile(both), seed=1).sample(10).states.shape == (10, 6)
    assert sparsify(polynomial, 3).source is polynomial
    with pytest.raises(ModelError, match="only be followed by one of its own target"):
        both.then(reduction)
    with pytest.raises(ModelError, match="give a model, not dict"):
        sparsify({}, 3)  # type: ignore[call-overload]


def test_refusals() -> None:
    with pytest.raises(FitError, match="copies of degree 2 can hold no neighbours; use at least 3"):
        sparsify(dense(5), 2)
    with pytest.raises(ModelError, match="copy strength is 0; give a positive number"):
        sparsify(dense(5), 3, 0)
