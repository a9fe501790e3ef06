"""The array of emulated devices, as a sampler: against exact distributions, its requests, and learning in situ."""

from typing import Any

import numpy as np
import pytest

from pbit_hw.compiler import compile
from pbit_hw.compiler.library import full_adder_truth_table, lattice
from pbit_hw.contract.errors import ModelError, RequestError
from pbit_hw.contract.update import Unit
from pbit_hw.host.training import train
from pbit_hw.sim.certificate import certify
from pbit_hw.sim.devices import array as module
from pbit_hw.sim.devices import autonomous
from pbit_hw.sim.devices.array import DeviceArray
from pbit_hw.sim.devices.behavioural import Form
from pbit_hw.sim.devices.dac import Dac
from pbit_hw.sim.devices.variation import Variation
from pbit_hw.sim.exact import exact, state_index
from pbit_hw.sim.statistics import histogram, noise_floor, total_variation

BETA = 0.5
TRUTH = full_adder_truth_table().astype(np.int8) * 2 - 1
VARIED = Variation.draw(5, sensitivity=0.3, offset=0.3, time_scale=0.3, seed=2)
DAC = Dac(6, 8.0)


@pytest.fixture(scope="module")
def program(adder):
    return compile(adder, weight_format="s[4][6]")


@pytest.fixture(scope="module")
def unequal(random_program):
    """Bits of quantised weights, whose physical order is not the model's, nor its own inverse."""
    program = random_program(2, size=5, unit=Unit.BIT, degree=3.0, scale=1.0, weight_bits=4)
    assert not np.array_equal(np.argsort(program.order), program.order)
    assert not np.array_equal(program.quantised.couplings, program.model.couplings)
    return program


def shares(samples):
    counts = histogram(samples.states, samples.model.size)
    return counts / counts.sum()


def chain(program, beta, dt_over_tau, variation=None, **options):
    """Stationary distribution of devices given in physical order."""
    if variation is not None:
        variation = variation.take(np.argsort(program.order))
    settings = dict(dt_over_tau=dt_over_tau, beta=beta, variation=variation) | options
    return autonomous.stationary(autonomous.transition_matrix(program.quantised, **settings))


@pytest.mark.parametrize("form", [Form.DWELL, Form.READ])
def test_nominal_devices_sample_boltzmann_at_a_small_step(program, form):
    """Kept every fifth tau_N, within three noise floors of as many independent samples, and certified."""
    sampler = DeviceArray(program, form=form, dt_over_tau=0.002, seed=1)
    samples = sampler.sample(1_550, replicas=50, beta=BETA, burn_in=50, keep_every=5)
    wanted = exact(program.quantised, BETA).probabilities
    assert total_variation(shares(samples), wanted) < 3 * noise_floor(wanted, len(samples.states))
    assert certify(samples, program, beta=BETA).warnings == ()


@pytest.mark.parametrize(("variation", "dac"), [(None, None), (VARIED, None), (VARIED, DAC)])
def test_bits_sample_the_exact_chain_of_the_devices_in_physical_order(unequal, variation, dac):
    sampler = DeviceArray(unequal, variation=variation, dac=dac, dt_over_tau=0.05, seed=1)
    samples = sampler.sample(2_000, replicas=100, beta=1.5, burn_in=20, keep_every=4)
    wanted = chain(unequal, 1.5, 0.05, variation, dac=dac)
    floor = noise_floor(wanted, len(samples.states))
    assert total_variation(shares(samples), wanted) < 3 * floor
    if variation is not None:
        in_model_order = chain(unequal, 1.5, 0.05, variation.take(unequal.order), dac=dac)
        assert total_variation(shares(samples), in_model_order) > 6 * floor


@pytest.mark.parametrize(("form", "rate"), [(Form.DWELL, 2), (Form.READ, 1), (Form.HELD, 1)])
def test_a_sweep_is_one_tau_n(program, form, rate):
    """A free p-bit forgets at 2 / tau if it hops, at 1 / tau if it is read or redrawn; one is four times slower."""
    free = program.reweighted(np.zeros(10), np.zeros(5))
    times = Variation(np.ones(5), np.zeros(5), np.array([1.0, 1.0, 1.0, 1.0, 4.0]))
    sampler = DeviceArray(free, variation=times, form=form, dt_over_tau=0.01, seed=1)
    states = sampler.sample(400, replicas=200).states.reshape(400, 200, 5)
    memory = (states[1:].astype(float) * states[:-1]).mean(axis=(0, 1))[free.order]
    assert memory == pytest.approx(np.exp(-rate / times.time_scale), abs=0.02)


def test_clamped_pbits_never_hop_and_condition_the_others(program):
    sampler = DeviceArray(program, dt_over_tau=0.005, seed=1)
    clamp: Any = {"S": 1, "Cout": -1}
    samples = sampler.sample(500, replicas=50, beta=BETA, burn_in=20, keep_every=4, clamp=clamp)
    assert (samples.states[:, 3:] == (1, -1)).all()
    wanted = exact(program.quantised, BETA, clamp).probabilities
    assert total_variation(shares(samples), wanted) < 3 * noise_floor(wanted, len(samples.states))


@pytest.mark.parametrize("form", Form)
def test_a_replica_may_be_clamped_to_its_own_value_in_every_form(program, form):
    values = np.array([1, -1, 1, -1])
    samples = DeviceArray(program, form=form).sample(20, replicas=4, clamp={"A": values})
    assert np.array_equal(samples.states[:, 0], np.tile(values, 20))


def test_runs_start_from_the_initial_states(program):
    """Devices that hardly move in a sweep are where they were put."""
    slow = Variation(np.ones(5), np.zeros(5), np.full(5, 1e9))
    samples = DeviceArray(program, variation=slow).sample(1, replicas=8, initial=TRUTH, beta=0.1)
    assert np.array_equal(samples.states, TRUTH)


def test_beta_is_that_of_every_sweep(program):
    """An annealed run ends in the truth table; at beta = 0 it is lost again, but for chance."""
    sampler = DeviceArray(program, dt_over_tau=0.002, seed=1)
    cold = sampler.sample(40, replicas=200, beta=(0.1, 2.0)).states
    assert np.isin(state_index(cold), state_index(TRUTH)).mean() > 0.95
    hot = sampler.sample(8, replicas=200, beta=[0.0] * 8, initial=cold, keep_every=8).states
    assert np.isin(state_index(hot), state_index(TRUTH)).mean() == pytest.approx(0.25, abs=0.15)


@pytest.mark.parametrize("form", Form)
def test_a_run_is_the_same_in_any_number_of_pieces(program, form, monkeypatch):
    def run():
        sampler = DeviceArray(program, variation=VARIED, form=form, synapse_over_tau=0.1, seed=3)
        return sampler.sample(60, replicas=3, burn_in=7, keep_every=5).states

    whole = run()
    monkeypatch.setattr(module, "PIECE", 3_000)
    assert np.array_equal(run(), whole)


def test_every_run_is_another_and_a_seed_gives_them_all_again(program):
    def runs(seed):
        sampler = DeviceArray(program, variation=VARIED, seed=seed)
        return [sampler.sample(50, replicas=2).states for _ in range(2)]

    first, second = runs(1)
    assert not np.array_equal(first, second)
    assert all(map(np.array_equal, runs(1), (first, second)))
    assert not np.array_equal(runs(-2)[0], first)


def test_offsets_drift_on_from_run_to_run(program):
    """Over 100 sweeps by ten times what they do in one, and only the offsets."""
    drifts = []
    for seed in range(60):
        sampler = DeviceArray(program, variation=Variation.draw(5, drift=0.05), dt_over_tau=0.5, seed=seed)
        sampler.sample(40, replicas=2)
        before = sampler.variation
        sampler.sample(60, replicas=1)
        drifts.append(sampler.variation.offset)
        assert (sampler.variation.offset != before.offset).all()
    assert np.std(drifts) == pytest.approx(0.5, rel=0.12)
    assert np.array_equal(sampler.variation.sensitivity, np.ones(5))
    assert np.array_equal(before.time_scale, np.ones(5))


def test_drift_moves_what_is_sampled(program):
    """A drift that ends far away: devices without field lean to the sign of where their offset went."""
    free = program.reweighted(np.zeros(10), np.zeros(5))
    sampler = DeviceArray(free, variation=Variation.draw(5, drift=1.0), dt_over_tau=0.01, seed=4)
    states = sampler.sample(100, replicas=100).states.reshape(100, 100, 5)
    ended = sampler.variation.take(np.argsort(free.order)).offset
    far = np.abs(ended) > 3
    assert far.any()
    assert (np.sign(states[-1].mean(axis=0)) == np.sign(ended))[far].all()


def divergence(program, variation):
    true = chain(program, 1.0, 0.01, variation)[state_index(TRUTH)]
    return -np.log(8) - np.log(true).mean()


def test_learning_in_situ_makes_up_for_the_devices_and_elsewhere_it_does_not(program):
    def learned(variation):
        sampler = DeviceArray(program, variation=variation, dt_over_tau=0.01, seed=1)
        settings: Any = dict(batch_size=8, learning_rate=(1.0, 0.02), sweeps=5, chains=256, seed=1)
        history = train(sampler, TRUTH, epochs=40, **settings)
        assert np.mean(history.moment_error[-20:]) < np.mean(history.moment_error[:5])
        return sampler.program

    before = divergence(program, VARIED)
    here, elsewhere = divergence(learned(VARIED), VARIED), divergence(learned(None), VARIED)
    assert here < 0.75 * elsewhere
    assert here < 0.5 * before


def test_new_programs_have_the_same_devices(program, adder):
    sampler = DeviceArray(program, variation=VARIED)
    sampler.load(compile(adder))
    assert sampler.variation is VARIED
    with pytest.raises(ModelError, match="5 devices cannot stand for 9 p-bits"):
        sampler.load(compile(lattice((3, 3))))
    assert sampler.program.model.size == 5
    nominal = DeviceArray(program)
    nominal.load(compile(lattice((3, 3))))
    assert nominal.sample(3).states.shape == (3, 9)
    assert nominal.variation.size == 9


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"dt_over_tau": 0.0}, RequestError, r"time step of 0\.0"),
        ({"dt_over_tau": 1.5}, RequestError, "longer than a sweep; give one of at most 1 tau_N"),
        ({"synapse_over_tau": 0.01}, RequestError, r"at most 0\.005 tau_N"),
        ({"variation": Variation.draw(4)}, ModelError, "4 devices cannot stand for 5 p-bits"),
    ],
)
def test_impossible_arrays_are_refused(program, options, error, message):
    with pytest.raises(error, match=message):
        DeviceArray(program, **options)
