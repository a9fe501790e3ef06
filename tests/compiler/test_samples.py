"""Samples: energies, the best, and moments."""

from __future__ import annotations

import numpy as np
import pytest

from pbit_hw.compiler import RBM, Model, Samples
from pbit_hw.compiler.library import and_gate, lattice


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
