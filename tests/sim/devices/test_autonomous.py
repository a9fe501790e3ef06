"""Autonomous p-bits against the exact stationary distribution of their parallel chain, and against Boltzmann's."""

import numpy as np
import pytest

from pbit_hw.compiler.library import lattice
from pbit_hw.compiler.models import RBM, Ising
from pbit_hw.contract.errors import ModelError, RequestError
from pbit_hw.sim.devices import autonomous
from pbit_hw.sim.exact import exact
from pbit_hw.sim.statistics import histogram, mean_with_error, total_variation

BETA = 0.5
REFERENCE = {0.2: 0.21, 0.05: 0.03, 0.01: 0.009}
"""Total variation from exact of the full adder's autonomous p-bits by dt / tau_N, measured with another program."""


def stationary(model, dt_over_tau, beta=BETA):
    return autonomous.stationary(autonomous.transition_matrix(model, dt_over_tau=dt_over_tau, beta=beta))


def run(model, dt_over_tau, beta=BETA, kept=4_000, seed=7):
    """Histograms of 64 replicas, shape (64, 2**n); states are kept every quarter of tau_N, after 25 tau_N."""
    every = max(1, round(0.25 / dt_over_tau))
    burn_in = 100 * every
    states = autonomous.sample(
        model,
        burn_in + kept * every,
        dt_over_tau=dt_over_tau,
        beta=beta,
        replicas=64,
        keep_every=every,
        burn_in=burn_in,
        seed=seed,
    )
    return np.stack([histogram(states[:, replica], states.shape[2]) for replica in range(64)])


def worst_z(counts, probabilities):
    """Largest deviation of a state's frequency, in standard errors found from the spread of the replicas."""
    shares = counts / counts.sum(axis=1, keepdims=True)
    return np.abs((shares.mean(axis=0) - probabilities) / (shares.std(axis=0, ddof=1) / np.sqrt(len(shares)))).max()


@pytest.mark.parametrize("dt_over_tau", REFERENCE)
def test_adder_strays_from_boltzmann_as_the_time_step_grows(adder, dt_over_tau):
    boltzmann = exact(adder, BETA).probabilities
    chain = stationary(adder, dt_over_tau)
    counts = run(adder, dt_over_tau)
    assert worst_z(counts, chain) < 4.5
    for distribution in (chain, counts.sum(axis=0) / counts.sum()):
        assert 0.5 < total_variation(distribution, boltzmann) / REFERENCE[dt_over_tau] < 2


def test_negative_control_the_samples_tell_chains_apart(adder):
    counts = run(adder, 0.05)
    assert worst_z(counts, stationary(adder, 0.1)) > 6
    assert worst_z(counts, exact(adder, BETA).probabilities) > 6


def test_stronger_drives_need_a_smaller_step(adder):
    """At beta = 1 the adder is lost at the step that costs 3 % at beta = 0.5, and right again at a fifth of it."""
    boltzmann = exact(adder, 1.0).probabilities
    assert total_variation(stationary(adder, 0.05, beta=1.0), boltzmann) > 0.5
    assert total_variation(stationary(adder, 0.01, beta=1.0), boltzmann) < 0.01


def test_error_of_the_stationary_distribution_is_first_order_in_the_step(adder):
    boltzmann = exact(adder, 1.0).probabilities
    errors = [total_variation(stationary(adder, step, beta=1.0), boltzmann) for step in (4e-4, 2e-4, 1e-4)]
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.02)
    assert errors[1] / errors[2] == pytest.approx(2, rel=0.02)
    assert errors[2] < 1e-4


def test_transition_matrix_of_one_pbit_is_the_formula():
    model = Ising(np.array([0.8]), np.zeros((1, 1)))
    matrix = autonomous.transition_matrix(model, dt_over_tau=0.3, beta=1.5)
    keep = np.exp(-0.3 / np.exp(1.2 * np.array([-1, 1])))
    assert matrix == pytest.approx(np.array([[keep[0], 1 - keep[0]], [1 - keep[1], keep[1]]]))


def test_rows_of_the_transition_matrix_sum_to_one(adder):
    matrix = autonomous.transition_matrix(adder, dt_over_tau=0.2)
    assert matrix.min() >= 0
    assert matrix.sum(axis=1) == pytest.approx(np.ones(32))


def test_bits_feel_half_the_drive_of_spins():
    rng = np.random.default_rng(3)
    model = RBM(rng.normal(size=(3, 2)), rng.normal(size=3), rng.normal(size=2))
    assert total_variation(stationary(model, 1e-4, beta=1.0), exact(model).probabilities) < 1e-3
    assert worst_z(run(model, 0.05, beta=1.0), stationary(model, 0.05, beta=1.0)) < 4.5
    states = autonomous.sample(model, 50, dt_over_tau=0.1)
    assert set(np.unique(states)) == {0, 1}


@pytest.mark.parametrize(("dt_over_tau", "right"), [(0.002, True), (0.05, False)])
def test_ising_lattice_has_the_energy_of_kaufman_at_a_small_step(dt_over_tau, right):
    """4x4 periodic Ising model at K = 0.3: energy per spin -0.844054 (Kaufman, Phys. Rev. 76, 1232, 1949)."""
    model, every = lattice((4, 4)), round(0.5 / dt_over_tau)
    states = autonomous.sample(
        model,
        2_050 * every,
        dt_over_tau=dt_over_tau,
        beta=0.3,
        replicas=64,
        keep_every=every,
        burn_in=50 * every,
        seed=1,
    )
    energies = model.energies(states.reshape(-1, 16)).reshape(states.shape[:2]) / 16
    mean = mean_with_error(energies)
    assert mean.error < 0.003
    z = abs(mean.value + 0.844054) / mean.error
    assert z < 4 if right else z > 10


def test_every_replica_keeps_what_it_is_asked_for(adder):
    whole = autonomous.sample(adder, 100, dt_over_tau=0.1, replicas=1, seed=4)
    thin = autonomous.sample(adder, 100, dt_over_tau=0.1, replicas=1, keep_every=7, burn_in=10, seed=4)
    assert whole.shape == (100, 1, 5)
    assert whole.dtype == np.int8
    assert set(np.unique(whole)) == {-1, 1}
    assert np.array_equal(thin, whole[16::7])
    assert not np.array_equal(whole, autonomous.sample(adder, 100, dt_over_tau=0.1, replicas=1, seed=5))
    many = autonomous.sample(adder, 100, dt_over_tau=0.1, replicas=3, seed=4)
    assert len(np.unique(many, axis=1)[0]) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dt_over_tau": 0.0}, r"time step of 0\.0"),
        ({"dt_over_tau": float("nan")}, "time step of nan"),
        ({"dt_over_tau": 0.1, "beta": float("nan")}, "beta is nan"),
        ({"dt_over_tau": 0.1, "burn_in": 10}, "keep no state"),
        ({"dt_over_tau": 0.1, "keep_every": 0}, "keep no state"),
    ],
)
def test_impossible_runs_are_refused(adder, options, message):
    with pytest.raises(RequestError, match=message):
        autonomous.sample(adder, 10, **options)


def test_a_transition_matrix_that_is_too_large_is_refused():
    with pytest.raises(ModelError, match=r"16 p-bits have 2\^16 states"):
        autonomous.transition_matrix(lattice((4, 4)), dt_over_tau=0.1)
