"""Devices that differ: against their own exact chains, against what undoes them, and against their stated spreads."""

from dataclasses import replace

import numpy as np
import pytest

from pbit_hw.compiler.models import RBM, Ising
from pbit_hw.contract.errors import ModelError
from pbit_hw.sim.devices import autonomous
from pbit_hw.sim.devices.behavioural import Form
from pbit_hw.sim.devices.variation import Variation
from pbit_hw.sim.exact import exact
from pbit_hw.sim.statistics import total_variation

BETA = 0.5
STEP = 0.1
VARIED = Variation.draw(5, sensitivity=0.3, offset=0.3, time_scale=0.3, seed=2)
MANY = 200_000


def stationary(model, dt_over_tau=STEP, beta=BETA, **options):
    return autonomous.stationary(autonomous.transition_matrix(model, dt_over_tau=dt_over_tau, beta=beta, **options))


@pytest.mark.parametrize("form", Form)
def test_nominal_devices_are_the_plain_model_number_for_number(adder, form):
    settings = dict(dt_over_tau=0.02, synapse_over_tau=0.1, form=form, replicas=3, seed=4)
    plain = autonomous.sample(adder, 2_000, **settings)
    assert np.array_equal(plain, autonomous.sample(adder, 2_000, variation=Variation.draw(5, seed=9), **settings))
    assert not np.array_equal(plain, autonomous.sample(adder, 2_000, variation=VARIED, **settings))


def test_varied_pbits_sample_their_own_chain(adder, run_histograms, worst_z):
    counts = run_histograms(adder, STEP, beta=BETA, variation=VARIED)
    assert worst_z(counts, stationary(adder, variation=VARIED)) < 4.5


@pytest.mark.parametrize("part", ["sensitivity", "offset", "time_scale"])
def test_negative_control_every_part_of_the_variation_shows(adder, run_histograms, worst_z, part):
    counts = run_histograms(adder, STEP, beta=BETA, variation=VARIED)
    without = replace(VARIED, **{part: getattr(Variation.draw(5), part)})
    assert worst_z(counts, stationary(adder, variation=without)) > 6


def test_varied_bits_sample_their_own_chain(run_histograms, worst_z):
    rng = np.random.default_rng(3)
    model = RBM(rng.normal(size=(3, 2)), rng.normal(size=3), rng.normal(size=2))
    counts = run_histograms(model, STEP, beta=1.0, variation=VARIED)
    assert worst_z(counts, stationary(model, beta=1.0, variation=VARIED)) < 4.5


@pytest.mark.parametrize("form", Form)
def test_one_pbit_of_any_form_has_the_chance_of_what_it_feels(form):
    """<m> = tanh(g (beta h + o)), whatever the time scale."""
    device = Variation(np.array([1.4]), np.array([-0.7]), np.array([0.6]))
    model = Ising(np.array([0.9]), np.zeros((1, 1)))
    settings = dict(form=form, dt_over_tau=0.01, replicas=64, keep_every=200, seed=1)
    means = autonomous.sample(model, 400_000, variation=device, **settings).mean(axis=(0, 2))
    error = means.std(ddof=1) / 8
    assert means.mean() == pytest.approx(np.tanh(1.4 * 0.2), abs=4 * error)
    assert error < 0.005


def test_a_bias_undoes_an_offset(adder):
    offset = Variation.draw(5, offset=0.3, seed=3)
    corrected = adder.with_values(adder.couplings, adder.biases - offset.offset / BETA)
    assert stationary(corrected, variation=offset) == pytest.approx(stationary(adder), abs=1e-12)
    assert total_variation(stationary(adder, variation=offset), stationary(adder)) > 0.05


def test_beta_undoes_a_sensitivity_that_all_share(adder):
    keen = replace(Variation.draw(5), sensitivity=np.full(5, 1.25))
    assert stationary(adder, beta=BETA / 1.25, variation=keen) == pytest.approx(stationary(adder), abs=1e-12)


def test_time_scales_alone_leave_boltzmann_alone_as_the_step_goes_to_zero(adder):
    boltzmann = exact(adder, BETA).probabilities
    times = Variation.draw(5, time_scale=0.5, seed=1)
    errors = [total_variation(stationary(adder, step, variation=times), boltzmann) for step in (2e-3, 1e-3, 5e-4)]
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.05)
    assert errors[1] / errors[2] == pytest.approx(2, rel=0.05)
    assert errors[2] < 1e-3


def test_negative_control_time_scales_matter_once_sensitivities_differ(adder):
    """Unequal sensitivities make couplings that are not symmetric: what then is sampled depends on who is fast."""
    uneven = Variation.draw(5, sensitivity=0.5, seed=1)
    both = replace(uneven, time_scale=Variation.draw(5, time_scale=0.5, seed=2).time_scale)
    assert total_variation(stationary(adder, 5e-4, variation=uneven), stationary(adder, 5e-4, variation=both)) > 3e-3


def test_spreads_are_those_asked_for():
    drawn = Variation.draw(MANY, sensitivity=0.3, offset=0.2, time_scale=0.5, seed=1)
    for factors, spread in ((drawn.sensitivity, 0.3), (drawn.time_scale, 0.5)):
        assert factors.min() > 0
        assert factors.mean() == pytest.approx(1, abs=5 * spread / MANY**0.5)
        assert factors.std() == pytest.approx(spread, rel=0.02)
        logs = np.log(factors)
        assert ((logs - logs.mean()) ** 3).mean() / logs.std() ** 3 == pytest.approx(0, abs=5 * (6 / MANY) ** 0.5)
    assert drawn.offset.mean() == pytest.approx(0, abs=5 * 0.2 / MANY**0.5)
    assert drawn.offset.std() == pytest.approx(0.2, rel=0.02)
    parts = np.log(drawn.sensitivity), drawn.offset, np.log(drawn.time_scale)
    assert np.abs(np.corrcoef(parts) - np.eye(3)).max() < 5 / MANY**0.5


def test_a_seed_gives_the_same_devices_with_more_or_less_of_it():
    little, much = (Variation.draw(9, offset=spread, sensitivity=0.1, seed=5) for spread in (0.1, 0.4))
    assert much.offset == pytest.approx(4 * little.offset)
    assert np.array_equal(much.sensitivity, little.sensitivity)
    assert not np.array_equal(little.offset, Variation.draw(9, offset=0.1, seed=6).offset)


def test_offsets_walk_with_the_square_root_of_time_in_any_number_of_pieces():
    for pieces in (1, 16):
        device, rng = Variation.draw(MANY, sensitivity=0.1, drift=0.05, seed=1), np.random.default_rng(3)
        start = device.sensitivity
        for _ in range(pieces):
            device = device.drifted(16 / pieces, rng)
        assert device.offset.std() == pytest.approx(0.05 * 4, rel=0.02)
        assert device.offset.mean() == pytest.approx(0, abs=5 * 0.2 / MANY**0.5)
        assert np.array_equal(device.sensitivity, start)
    assert VARIED.drifted(100.0, rng) is VARIED


def test_devices_are_taken_in_any_order():
    taken = VARIED.take([3, 0])
    assert taken.size == 2
    assert taken.offset.tolist() == VARIED.offset[[3, 0]].tolist()
    assert taken.sensitivity.tolist() == VARIED.sensitivity[[3, 0]].tolist()
    assert taken.time_scale.tolist() == VARIED.time_scale[[3, 0]].tolist()


ONES = np.ones(3)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((ONES, np.zeros(2), ONES), r"offset has shape \(2,\)"),
        ((np.ones((3, 1)), ONES, ONES), r"sensitivity has shape \(3, 1\)"),
        ((np.array([1.0, 0.0, 1.0]), ONES, ONES), r"sensitivity of 0\.0 is impossible; give positive"),
        ((ONES, ONES, -ONES), r"time_scale of -1\.0"),
        ((ONES, ONES * np.nan, ONES), "offset of nan is impossible; give finite"),
        ((ONES, ONES, ONES, -0.1), r"drift of -0\.1"),
    ],
)
def test_impossible_devices_are_refused(parts, message):
    with pytest.raises(ModelError, match=message):
        Variation(*parts)


def test_impossible_spreads_and_too_few_devices_are_refused(adder):
    with pytest.raises(ModelError, match=r"spread of time_scale of -0\.1"):
        Variation.draw(3, time_scale=-0.1)
    for use in (autonomous.transition_matrix, lambda model, **options: autonomous.sample(model, 10, **options)):
        with pytest.raises(ModelError, match="4 devices cannot stand for 5 p-bits"):
            use(adder, dt_over_tau=0.1, variation=Variation.draw(4))
