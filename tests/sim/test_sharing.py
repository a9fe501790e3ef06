"""P-bits that share a generator register, and replicas that draw from one in turn, are independent of one another."""

from __future__ import annotations

import numpy as np
import pytest

from pbit_hw.compiler import Ising, compile
from pbit_hw.sim.devices.lfsr import LfsrWords
from pbit_hw.sim.simulator import Simulator

LAGS = range(4)
SWEEPS, REPLICAS = 4_000, 240
MOST = 5.5
"""Standard errors: of some 300 correlations, one is as large by chance once in 10^5 tests."""

BIASES = [0.0, 0.0, 0.9, -0.9, 0.4, 0.0, 2.0, -1.5]
"""Of p-bits without couplings: chances of 1/2, and of a few per cent, where the highest bits of words count."""


def program(interleave=1, generator="linear64"):
    model = Ising(BIASES, np.zeros((len(BIASES), len(BIASES))))
    return compile(model, generator=generator, interleave=interleave)


def largest_correlation(states):
    """Of every two p-bits at every lag, but a p-bit with itself at once, in standard errors."""
    spins = (states > 0) * 2.0 - 1
    spins = (spins - spins.mean(axis=(0, 1))) / spins.std(axis=(0, 1))
    found = []
    for lag in LAGS:
        later, earlier = spins[lag:], spins[: len(spins) - lag]
        correlations = np.einsum("srp,srq->pq", later, earlier) / np.sqrt(later[..., 0].size)
        if lag == 0:
            np.fill_diagonal(correlations, 0)
        found.append(np.abs(correlations).max())
    return max(found)


def sampled(simulator):
    samples = simulator.sample(sweeps=SWEEPS, replicas=REPLICAS, beta=1.0)
    return samples.states.reshape(SWEEPS, REPLICAS, -1)


@pytest.mark.parametrize("interleave", [1, 2, 5])
def test_pbits_that_share_a_register(interleave):
    """Two registers serve these eight; in interleaved arrays they also serve two and five replicas."""
    made = program(interleave)
    assert made.image.streams == 2
    assert largest_correlation(sampled(Simulator(made, seed=1))) < MOST


def test_replicas_that_share_a_register():
    """Replicas of a set, taken for p-bits of one large array."""
    states = sampled(Simulator(program(6), seed=2)).reshape(SWEEPS, REPLICAS // 6, -1)
    assert largest_correlation(states[..., : 6 * len(BIASES)]) < MOST


def test_a_register_that_shifts_once_fails():
    """Negative control: the textbook's."""
    simulator = Simulator(program(), seed=1, source=LfsrWords(1, REPLICAS, len(BIASES), 1))
    assert largest_correlation(sampled(simulator)) > 10 * MOST
