import numpy as np
import pytest

from pbit_hw.compiler.library import full_adder
from pbit_hw.sim.devices import autonomous
from pbit_hw.sim.statistics import histogram


@pytest.fixture(scope="session")
def adder():
    """The invertible full adder, five spins."""
    return full_adder()


@pytest.fixture(scope="session")
def run_histograms():
    """Maker of histograms of 64 replicas, shape (64, 2**n); states are kept every tau_N / 4, after 25 tau_N."""

    def run(model, dt_over_tau, kept=2_000, **options):
        every = max(1, round(0.25 / dt_over_tau))
        settings = dict(dt_over_tau=dt_over_tau, replicas=64, keep_every=every, burn_in=100 * every, seed=7)
        states = autonomous.sample(model, (100 + kept) * every, **(settings | options))
        return np.stack([histogram(states[:, replica], model.size) for replica in range(64)])

    return run


@pytest.fixture(scope="session")
def worst_z():
    """Largest deviation of a state's frequency, in standard errors found from the spread of the replicas."""

    def worst(counts, probabilities):
        shares = counts / counts.sum(axis=1, keepdims=True)
        errors = shares.std(axis=0, ddof=1) / np.sqrt(len(shares))
        return np.abs((shares.mean(axis=0) - probabilities) / errors).max()

    return worst
