"""Samples: energies, the best, and moments."""

from __future__ import annotations

import numpy as np
import pytest

from pbit_hw.compiler import RBM, Ising, Model, Samples
from pbit_hw.compiler.library import and_gate, lattice
from pbit_hw.contract.errors import RequestError


def samples_of(model: Model, count: int, seed: int = 0) -> Samples:
    dtype = np.int8 if -1 in model.allowed else np.uint8
    states = np.random.default_rng(seed).choice(model.allowed, size=(count, model.size)).astype(dtype)
    return Samples(model, states, np.arange(count), np.zeros(count, np.int64), 6_000, 2_000)


def test_energies_and_best() -> None:
    samples = samples_of(and_gate(), 200)
    assert np.array_equal(samples.energies, and_gate().energies(samples.states))
    assert samples.best.energy == samples.energies.min() == -3
    assert samples.best.index == int(np.flatnonzero(samples.energies == -3)[0])
    assert np.array_equal(samples.best.state, samples.states[samples.best.index])


@pytest.mark.parametrize(
    "model",
    [and_gate(), lattice((8, 9), spin_glass_seed=0), RBM(np.ones((4, 3)), np.zeros(4), np.zeros(3))],
    ids=["dense", "sparse", "bits"],
)
def test_moments(model: Model) -> None:
    samples = samples_of(model, 301)
    moments = samples.moments()
    states = samples.states.astype(float)
    i, j = model.edges.T
    assert moments.mean == pytest.approx(states.mean(axis=0))
    assert moments.correlation == pytest.approx((states[:, i] * states[:, j]).mean(axis=0))
    energy = model.offset - moments.correlation @ model.couplings - moments.mean @ model.biases
    assert energy == pytest.approx(samples.energies.mean())


def test_rate() -> None:
    assert samples_of(and_gate(), 2).flips_per_s == 3e9


def test_buses_are_unsigned_numbers_with_the_lowest_bit_first() -> None:
    labels = ["p[1]", "p[0]", "p[10]", *(f"p[{i}]" for i in range(2, 10)), "q[1]", "cin", 7]
    samples = samples_of(Ising.from_edges(len(labels), [(0, 1)], [1.0], labels=labels), 50)
    bits = {label: samples.states[:, k] > 0 for k, label in enumerate(labels)}
    assert samples["p"].dtype == np.int64
    assert np.array_equal(samples["p"], sum(bits[f"p[{i}]"].astype(int) << i for i in range(11)))
    assert np.array_equal(samples["cin"], bits["cin"])
    assert np.array_equal(samples[7], bits[7])
    assert np.array_equal(samples["p[10]"], bits["p[10]"])
    for name in ("q", "nosuch", 8):
        with pytest.raises(RequestError, match=f"no variable or bus {name!r} in this model"):
            samples[name]


def test_buses_of_bits_and_wide_ones() -> None:
    bits = samples_of(RBM(np.ones((2, 1)), np.zeros(2), np.zeros(1)), 9)
    assert np.array_equal(bits["v1"], bits.states[:, 1])
    wide = samples_of(Ising(np.zeros(70), np.zeros((70, 70)), labels=[f"w[{i}]" for i in range(70)]), 5)
    assert wide["w"].tolist() == [sum(1 << i for i in range(70) if row[i] > 0) for row in wide.states]
