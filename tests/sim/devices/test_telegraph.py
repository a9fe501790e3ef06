"""Junctions against the theory of a two-state process: exponential dwells, exact transition chances, random words."""

import numpy as np
import pytest
from scipy import linalg, stats

from pbit_hw.contract.errors import ModelError
from pbit_hw.sim.devices.telegraph import (
    IN_PLANE,
    PERPENDICULAR,
    Telegraph,
    TelegraphWords,
    bernoulli_words,
    states_at,
)
from pbit_hw.sim.exact import exact, states
from pbit_hw.sim.statistics import total_variation

ACCEPT = 1e-3
"""Least p-value of a match: some thirty are looked at here."""

DEVICES = [
    Telegraph(barrier_kt=0.0),
    Telegraph(barrier_kt=2.0, drive=0.7),
    Telegraph(barrier_kt=4.6, attempt_ns=0.05, drive=-1.2),
    Telegraph(barrier_kt=12.0, attempt_ns=0.01, drive=0.1),
    Telegraph(barrier_kt=3.0, attempt_ns=0.2, drive=0.9, offset=-0.4, skew=-0.8),
]


def dwell_p_values(device, states, dwells):
    """Kolmogorov-Smirnov p-value of the dwells in each state against the programmed exponential."""
    return [
        stats.kstest(dwells[states == state], stats.expon(scale=device.mean_dwell_ns[state]).cdf).pvalue
        for state in (0, 1)
    ]


def transition_p_value(expected, series):
    """Chi-squared p-value of the transitions counted in a series of readings, shape (count, devices)."""
    counts = np.bincount((2 * series[:-1] + series[1:]).ravel(), minlength=4).reshape(2, 2)
    wanted = counts.sum(axis=1, keepdims=True) * expected
    return stats.chi2.sf(((counts - wanted) ** 2 / wanted).sum(), df=2)


def test_mean_dwells_are_arrhenius_times_drive():
    device = Telegraph(barrier_kt=3.0, attempt_ns=0.5, drive=0.4)
    tau_n = 0.5 * np.exp(3.0)
    assert device.mean_dwell_ns == pytest.approx([tau_n * np.exp(-0.4), tau_n * np.exp(0.4)])
    assert device.probability_up == pytest.approx((1 + np.tanh(0.4)) / 2)
    assert device.correlation_ns == pytest.approx(tau_n / (2 * np.cosh(0.4)))


def test_mean_dwells_of_an_asymmetric_junction():
    device = Telegraph(barrier_kt=3.0, attempt_ns=0.5, drive=0.4, offset=-0.1, skew=0.5)
    tau_n = 0.5 * np.exp(3.0) * np.exp(0.5 * 0.4)
    assert device.mean_dwell_ns == pytest.approx([tau_n * np.exp(-0.3), tau_n * np.exp(0.3)])
    assert device.probability_up == pytest.approx((1 + np.tanh(0.3)) / 2)
    assert device.correlation_ns == pytest.approx(tau_n / (2 * np.cosh(0.3)))


@pytest.mark.parametrize("skew", [-1.5, -0.3, 0.0, 0.3])
def test_dwell_times_respond_by_skew_minus_and_plus_one(skew):
    """d ln tau_m / dI = k + m: opposite slopes without skew, both of one sign with much of it."""
    drives = np.linspace(-1, 1, 5)
    logs = np.log([Telegraph(4.4, 0.1, drive, offset=0.2, skew=skew).mean_dwell_ns for drive in drives])
    assert np.diff(logs, axis=0) / np.diff(drives)[:, None] == pytest.approx(np.tile([skew - 1, skew + 1], (4, 1)))


def test_an_offset_is_a_drive_and_a_skew_does_nothing_without_one():
    assert np.array_equal(Telegraph(2.0, offset=0.7).mean_dwell_ns, Telegraph(2.0, drive=0.7).mean_dwell_ns)
    assert np.array_equal(Telegraph(2.0, offset=0.7, skew=0.5).mean_dwell_ns, Telegraph(2.0, drive=0.7).mean_dwell_ns)


def boltzmann_of_junctions(model, **asymmetry):
    """Stationary distribution of junctions that each have the drive of the others, hop by hop in continuous time."""
    values = states(model, 0, 2**model.size).astype(float)
    matrix = np.zeros((model.size, model.size))
    matrix[tuple(model.edges.T)] = model.couplings
    rates = np.zeros((len(values), len(values)))
    for state, drives in enumerate(values @ (matrix + matrix.T) + model.biases):
        for i, drive in enumerate(drives):
            turned = np.where(np.arange(model.size) == i, -values[state], values[state])
            end = int(np.flatnonzero((values == turned).all(axis=1))[0])
            rates[state, end] = 1 / Telegraph(1.0, drive=drive, **asymmetry).mean_dwell_ns[int(values[state, i] > 0)]
    generator = rates - np.diag(rates.sum(axis=1))
    found = linalg.null_space(generator.T)[:, 0]
    return found / found.sum()


def test_coupled_junctions_sample_boltzmann_with_any_skew_and_without_offset(adder):
    wanted = exact(adder, 1.0).probabilities
    for skew in (0.0, 0.5):
        assert boltzmann_of_junctions(adder, skew=skew) == pytest.approx(wanted, abs=1e-9)
    assert total_variation(boltzmann_of_junctions(adder, offset=0.1), wanted) > 0.05


def test_presets_are_as_fast_as_the_literature_says():
    assert IN_PLANE.mean_dwell_ns == pytest.approx([8.0, 8.0], rel=0.03)
    assert PERPENDICULAR.mean_dwell_ns == pytest.approx([1e6, 1e6], rel=0.03)
    for device in (IN_PLANE, PERPENDICULAR):
        assert 0.01 <= device.attempt_ns <= 1.0
        assert device.probability_up == 0.5


@pytest.mark.parametrize("device", DEVICES)
def test_dwells_are_exponential_with_the_programmed_means(device):
    states, dwells = device.dwells(100_000, seed=DEVICES.index(device))
    assert min(dwell_p_values(device, states, dwells)) > ACCEPT
    for state in (0, 1):
        chosen = dwells[states == state]
        assert chosen.mean() == pytest.approx(device.mean_dwell_ns[state], rel=4 / np.sqrt(len(chosen)))


def test_negative_control_dwells_of_a_coarse_time_step_are_rejected():
    """Geometric dwells have the right mean and the wrong shape."""
    device = Telegraph(barrier_kt=2.0, drive=0.7)
    states, _ = device.dwells(100_000)
    step = 0.2 * device.mean_dwell_ns.min()
    leave = step / device.mean_dwell_ns
    dwells = step * np.random.default_rng(1).geometric(leave[states])
    assert dwells[states == 1].mean() == pytest.approx(device.mean_dwell_ns[1], rel=0.03)
    assert max(dwell_p_values(device, states, dwells)) < 1e-12


def test_negative_control_a_drive_that_is_off_by_a_twentieth_is_rejected():
    device = Telegraph(barrier_kt=2.0, drive=0.7)
    for other in (Telegraph(barrier_kt=2.0, drive=0.75), Telegraph(barrier_kt=2.0, drive=0.7, skew=0.07)):
        assert max(dwell_p_values(device, *other.dwells(100_000, seed=3))) < 1e-6


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("ratio", [0.05, 1.0, 7.0])
def test_transition_is_the_exponential_of_the_rate_matrix(device, ratio):
    down, up = 1 / device.mean_dwell_ns
    interval = ratio * device.correlation_ns
    expected = linalg.expm(interval * np.array([[-down, down], [up, -up]]))
    assert device.transition(interval) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("ratio", [0.1, 1.0, 5.0])
def test_readings_and_dwells_both_follow_the_exact_transition(ratio):
    device = Telegraph(barrier_kt=2.0, drive=0.7)
    interval = ratio * device.correlation_ns
    exact = device.transition(interval)
    states, dwells = device.dwells(60_000, seed=5)
    times = np.arange(0, dwells.sum() - interval, interval)
    assert transition_p_value(exact, states_at(states, dwells, times)[:, None]) > ACCEPT
    assert transition_p_value(exact, device.readings(2_000, interval, devices=50, seed=5)) > ACCEPT


def test_negative_control_a_transition_without_return_hops_is_rejected():
    """Seen at intervals of a dwell time, a junction has often hopped there and back."""
    device = Telegraph(barrier_kt=2.0, drive=0.7)
    interval = device.correlation_ns
    keep = np.exp(-interval / device.mean_dwell_ns)
    naive = np.array([[keep[0], 1 - keep[0]], [1 - keep[1], keep[1]]])
    assert transition_p_value(naive, device.readings(2_000, interval, devices=50, seed=5)) < 1e-12


def test_readings_start_in_equilibrium_and_devices_are_independent():
    device = Telegraph(barrier_kt=1.0, drive=-0.3)
    series = device.readings(3, device.correlation_ns / 10, devices=200_000, seed=2)
    error = np.sqrt(device.probability_up * (1 - device.probability_up) / 200_000)
    assert series.mean(axis=1) == pytest.approx(np.full(3, device.probability_up), abs=4 * error)
    first = series[0].astype(float)
    assert abs(np.corrcoef(first[:-1], first[1:])[0, 1]) < 4 / np.sqrt(200_000)


def test_states_at_reads_the_trace_between_its_hops():
    states, dwells = np.array([0, 1, 0], np.uint8), np.array([2.0, 1.0, 4.0])
    assert states_at(states, dwells, [0, 1.9, 2.0, 2.9, 3.0, 6.9]).tolist() == [0, 0, 1, 1, 0, 0]
    with pytest.raises(ModelError, match=r"leave the trace of 7\.0 ns"):
        states_at(states, dwells, [7.0])


@pytest.mark.parametrize("chance", [0.0, 2.0**-32, 0.003, 0.25, 0.5, 1 / 3, 0.999, 1.0])
def test_bernoulli_words_have_the_chance_in_every_bit(chance):
    words = bernoulli_words(chance, (40_000,), np.random.default_rng(4))
    bits = words[:, None] >> np.arange(16) & 1
    assert bits.shape == (40_000, 16)
    assert bits.mean(axis=0) == pytest.approx(np.full(16, chance), abs=4.5 * np.sqrt(chance * (1 - chance) / 40_000))


def word_bits(source, count, replicas=64, n=8):
    """Bits of successive words, shape (count, n * replicas, 16)."""
    words = np.stack([source.words(replicas, n) for _ in range(count)])
    assert words.shape == (count, n, replicas)
    assert words.dtype == np.uint32
    assert words.max() < 2**16
    return (words.reshape(count, -1)[..., None] >> np.arange(16) & 1).astype(float)


def bit_memory(bits, device):
    """Correlation of each bit with itself one word later, and its error."""
    up = device.probability_up
    products = (bits[:-1] - up) * (bits[1:] - up) / (up * (1 - up))
    return products.mean(), 1 / np.sqrt(products.size)


def test_words_read_seldom_are_uniform_and_independent():
    device = Telegraph(barrier_kt=2.0)
    source = TelegraphWords(device, period_ns=20 * device.correlation_ns, seed=1)
    words = np.stack([source.words(64, 8) for _ in range(400)])
    for byte in (words >> 8, words & 255):
        assert stats.chisquare(np.bincount(byte.ravel(), minlength=256)).pvalue > ACCEPT
    bits = word_bits(TelegraphWords(device, 20 * device.correlation_ns, seed=2), 100)
    memory, error = bit_memory(bits, device)
    assert abs(memory) < 4 * error
    across = np.corrcoef(bits.reshape(-1, 16), rowvar=False) - np.eye(16)
    assert np.abs(across).max() < 5 / np.sqrt(bits.size / 16)


@pytest.mark.parametrize("ratio", [0.2, 1.0, 3.0])
def test_words_read_often_remember_as_much_as_the_junctions(ratio):
    device = Telegraph(barrier_kt=2.0, drive=0.2)
    period = ratio * device.correlation_ns
    memory, error = bit_memory(word_bits(TelegraphWords(device, period, seed=1), 200), device)
    assert memory == pytest.approx(np.exp(-ratio), abs=8 * error)


def test_driven_junctions_give_biased_bits():
    device = Telegraph(barrier_kt=2.0, drive=0.06, offset=0.04)
    bits = word_bits(TelegraphWords(device, 30 * device.correlation_ns, seed=1), 200)
    assert bits.mean(axis=(0, 1)) == pytest.approx(np.full(16, device.probability_up), abs=4 / np.sqrt(bits.size / 16))


def test_words_depend_on_the_seed_alone_and_a_new_array_starts_afresh():
    device = Telegraph(barrier_kt=2.0)
    slow = device.correlation_ns / 1000
    one, two, other = (TelegraphWords(device, slow, seed) for seed in (1, 1, 2))
    first = one.words(4, 3)
    assert np.array_equal(first, two.words(4, 3))
    assert not np.array_equal(first, other.words(4, 3))
    again = one.words(4, 3)
    assert np.bitwise_count(first ^ again).sum() <= 3
    assert one.words(5, 3).shape == (3, 5)


@pytest.mark.parametrize(
    "parameters",
    [
        {"barrier_kt": 1e4},
        {"barrier_kt": float("nan")},
        {"barrier_kt": 1.0, "attempt_ns": 0.0},
        {"barrier_kt": 1.0, "offset": float("inf")},
        {"barrier_kt": 1.0, "drive": 2.0, "skew": 1e3},
    ],
)
def test_impossible_junctions_are_refused(parameters):
    with pytest.raises(ModelError, match="positive and finite"):
        Telegraph(**parameters)


@pytest.mark.parametrize("interval", [0.0, -1.0, float("nan")])
def test_impossible_intervals_are_refused(interval):
    with pytest.raises(ModelError, match="give a positive one"):
        TelegraphWords(Telegraph(barrier_kt=1.0), period_ns=interval)
