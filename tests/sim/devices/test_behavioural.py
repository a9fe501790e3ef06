"""P-bits behind slow synapses: against exact chains without delay, against Boltzmann and each other with little."""

from typing import Any

import numpy as np
import pytest

from pbit_hw.compiler.models import RBM, Ising
from pbit_hw.contract.errors import RequestError
from pbit_hw.sim.devices import autonomous
from pbit_hw.sim.devices.autonomous import sample
from pbit_hw.sim.devices.behavioural import Form
from pbit_hw.sim.exact import exact, states
from pbit_hw.sim.statistics import histogram, total_variation

BETA = 0.5
REFERENCE = {0.03: 0.025, 0.1: 0.065, 1.0: 0.19}
"""Total variation from exact of the full adder by tau_S / tau_N, measured with another program."""
SYMMETRIC = (Form.DWELL, Form.READ)


def run(model, form, synapse_over_tau=0.0, dt_over_tau=0.01, kept=600, **options):
    """Histograms of 64 replicas, shape (64, 2**n); states are kept every tau_N, after 50 of them."""
    every = round(1 / dt_over_tau)
    settings = dict(form=form, synapse_over_tau=synapse_over_tau, dt_over_tau=dt_over_tau, seed=3)
    settings |= dict(beta=BETA, replicas=64, keep_every=every, burn_in=50 * every) | options
    kept_states = sample(model, (50 + kept) * every, **settings)
    return np.stack([histogram(kept_states[:, replica], kept_states.shape[2]) for replica in range(64)])


def shares(counts):
    return counts.sum(axis=0) / counts.sum()


def worst_z(counts, probabilities):
    """Largest deviation of a state's frequency, in standard errors found from the spread of the replicas."""
    each = counts / counts.sum(axis=1, keepdims=True)
    return np.abs((each.mean(axis=0) - probabilities) / (each.std(axis=0, ddof=1) / np.sqrt(len(each)))).max()


def read_chain(model, dt_over_tau):
    """Stationary distribution of spins that are read at random times, all at once, without synapses."""
    values = states(model, 0, 2 ** len(model.biases)).astype(float)
    matrix = np.zeros((len(model.biases),) * 2)
    matrix[tuple(model.edges.T)] = model.couplings
    up = (1 + np.tanh(BETA * (values @ (matrix + matrix.T) + model.biases))) / 2
    share = -np.expm1(-dt_over_tau)
    up = (1 - share) * (values > 0) + share * up
    chances = np.where(values[None] > 0, up[:, None], 1 - up[:, None]).prod(axis=2)
    return autonomous.stationary(chances)


def test_without_delay_the_dwelling_form_is_the_autonomous_chain(adder):
    chain = autonomous.stationary(autonomous.transition_matrix(adder, dt_over_tau=0.1, beta=BETA))
    counts = run(adder, Form.DWELL, dt_over_tau=0.1, kept=2_000)
    assert worst_z(counts, chain) < 4.5
    assert worst_z(counts, exact(adder, BETA).probabilities) > 6


def test_without_delay_the_read_form_is_its_own_chain(adder):
    counts = run(adder, Form.READ, dt_over_tau=0.25, kept=2_000)
    assert worst_z(counts, read_chain(adder, 0.25)) < 4.5
    assert worst_z(counts, read_chain(adder, 0.125)) > 6


@pytest.mark.parametrize("form", Form)
def test_one_pbit_has_the_chance_of_its_drive(form):
    model = Ising(np.array([0.8]), np.zeros((1, 1)))
    assert worst_z(run(model, form, 0.1), exact(model, BETA).probabilities) < 4.5


@pytest.mark.parametrize("form", SYMMETRIC)
def test_with_little_delay_both_forms_sample_boltzmann_and_agree(adder, form):
    """At tau_S / tau_N = 0.01; the other form's samples stand within the same distance."""
    found = shares(run(adder, form, 0.01, 0.005, kept=1_000))
    other = shares(run(adder, SYMMETRIC[1 - form], 0.01, 0.005, kept=1_000))
    assert total_variation(found, exact(adder, BETA).probabilities) < 0.02
    assert total_variation(found, other) < 0.025


@pytest.mark.parametrize("synapse_over_tau", REFERENCE)
def test_adder_strays_from_boltzmann_as_its_synapses_slow_down(adder, synapse_over_tau):
    counts = run(adder, Form.DWELL, synapse_over_tau, min(0.01, synapse_over_tau / 6))
    distance = total_variation(shares(counts), exact(adder, BETA).probabilities)
    assert distance == pytest.approx(REFERENCE[synapse_over_tau], rel=0.35)


def test_the_read_form_strays_too_and_less(adder):
    boltzmann = exact(adder, BETA).probabilities
    distances = [total_variation(shares(run(adder, Form.READ, synapse)), boltzmann) for synapse in (0.03, 0.3, 1.0)]
    assert distances[0] < 0.03 < distances[1] < distances[2] < REFERENCE[1.0]


@pytest.mark.parametrize("form", Form)
def test_two_pbits_behind_fast_synapses(form):
    """Boltzmann's <m m'> = t = tanh(beta J) and, where both compare a held number with what they hear, 2 t - t^2.

    A held number within t of zero copies the neighbour; only if both are
    outside, of chance (1 - t)^2, are the p-bits independent.
    """
    model = Ising(np.zeros(2), np.array([[0.0, 1.0], [1.0, 0.0]]))
    t = np.tanh(BETA)
    expected = 2 * t - t**2 if form is Form.HELD else t
    up = run(model, form, 0.02, 0.01, kept=1_500)
    products = (up[:, 0] + up[:, 3] - up[:, 1] - up[:, 2]) / up.sum(axis=1)
    assert products.mean() == pytest.approx(expected, abs=0.02)


def test_negative_control_held_numbers_do_not_sample_boltzmann(adder):
    distance = total_variation(shares(run(adder, Form.HELD, 0.03, 0.005)), exact(adder, BETA).probabilities)
    assert distance > 0.1


def test_bits_feel_half_the_drive_of_spins():
    rng = np.random.default_rng(3)
    model = RBM(rng.normal(size=(2, 2)), rng.normal(size=2), rng.normal(size=2))
    counts = run(model, Form.READ, 0.01, 0.005, beta=1.0)
    assert total_variation(shares(counts), exact(model).probabilities) < 0.02


def test_every_replica_keeps_what_it_is_asked_for(adder):
    settings: Any = dict(form=Form.HELD, dt_over_tau=0.05, synapse_over_tau=0.2)
    whole = sample(adder, 100, **settings, seed=4)
    assert whole.shape == (100, 1, 5)
    assert whole.dtype == np.int8
    assert np.array_equal(whole[16::7], sample(adder, 100, **settings, keep_every=7, burn_in=10, seed=4))
    assert not np.array_equal(whole, sample(adder, 100, **settings, seed=5))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dt_over_tau": 0.0}, r"time step of 0\.0"),
        ({"synapse_over_tau": -0.1}, r"synapse time of -0\.1 tau_N"),
        ({"synapse_over_tau": float("nan")}, "synapse time of nan"),
        ({"synapse_over_tau": 0.1}, r"give one of at most 0\.05 tau_N"),
        ({"beta": float("inf")}, "beta is inf"),
        ({"burn_in": 10}, "keep no state"),
    ],
)
def test_impossible_runs_are_refused(adder, options, message):
    with pytest.raises(RequestError, match=message):
        sample(adder, 10, **({"form": Form.DWELL, "dt_over_tau": 0.1} | options))
