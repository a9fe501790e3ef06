"""Estimators, against processes whose answers are known."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from pbit_hw.contract.errors import RequestError
from pbit_hw.sim.exact import state_index
from pbit_hw.sim.statistics import (
    autocorrelation,
    autocorrelation_time,
    binned,
    histogram,
    kl_divergence,
    kl_noise_floor,
    mean_with_error,
    noise_floor,
    split_rhat,
    total_variation,
)


def test_histogram():
    states = np.array([[1, -1, -1], [1, 1, -1], [1, -1, -1]])
    assert histogram(states, 3).tolist() == [0, 2, 0, 1, 0, 0, 0, 0]
    assert np.array_equal(histogram((states + 1) // 2, 3), histogram(states, 3))
    rows = np.array(list(itertools.product((0, 1), repeat=4)))
    assert (histogram(rows, 4) == 1).all()
    assert sorted(state_index(rows)) == list(range(16))


def test_total_variation():
    assert total_variation([1, 0], [0, 1]) == 1
    assert total_variation([0.5, 0.5, 0], [0.25, 0.5, 0.25]) == 0.25


@pytest.mark.parametrize("samples", [1, 7, 100, 10_000, 1_000_000])
@pytest.mark.parametrize("size", [1, 3, 8])
def test_noise_floor_is_that_of_multinomial_samples(samples, size):
    rng = np.random.default_rng(size)
    probabilities = rng.dirichlet(np.full(2**size, 0.3))
    drawn = rng.multinomial(samples, probabilities, 400) / samples
    distances = [total_variation(row, probabilities) for row in drawn]
    error = float(np.std(distances)) / math.sqrt(len(distances))
    assert noise_floor(probabilities, samples) == pytest.approx(np.mean(distances), abs=5 * error + 1e-9)


def test_noise_floor_of_one_fair_coin():
    """E|k - N/2| / N by the binomial sum itself."""
    wanted = sum(math.comb(10, k) / 2**10 * abs(k - 5) for k in range(11)) / 10
    assert noise_floor([0.5, 0.5], 10) == pytest.approx(wanted)
    assert noise_floor([1.0, 0.0], 10) == 0


def test_kl_divergence():
    assert kl_divergence([3, 1], np.log([0.75, 0.25])) == pytest.approx(0)
    assert kl_divergence([1, 0], np.log([0.25, 0.75])) == pytest.approx(math.log(4))
    assert kl_divergence([0, 1], [0.0, -1000.0]) == 1000


@pytest.mark.parametrize("samples", [10, 1000, 100_000])
@pytest.mark.parametrize("size", [1, 3, 8, 12])
def test_kl_noise_floor_is_that_of_multinomial_samples(samples, size):
    """Poisson counts are not quite multinomial ones: right to 10 % for ten samples, to 3 % for many."""
    rng = np.random.default_rng(size)
    probabilities = rng.dirichlet(np.full(2**size, 0.3))
    with np.errstate(divide="ignore"):
        logs = np.log(probabilities)
    distances = [kl_divergence(row, logs) for row in rng.multinomial(samples, probabilities, 200)]
    error = float(np.std(distances)) / math.sqrt(len(distances))
    floor = kl_noise_floor(probabilities, samples)
    assert floor == pytest.approx(np.mean(distances), abs=4 * error + (0.1 if samples == 10 else 0.03) * floor)


def test_kl_noise_floor_of_states_seen_often():
    """Miller's (k - 1) / 2N."""
    assert kl_noise_floor(np.full(16, 1 / 16), 1_000_000) == pytest.approx(15 / 2e6, rel=1e-4)


def test_bins_respect_the_levels():
    """Without respect, levels four apart would fall three into one bin and two into the next."""
    levels = np.arange(-512, 513, 4)
    centres, counts = binned(np.repeat(levels, 10), bins=52)
    assert set(counts[:-1]) == {50}
    assert counts.sum() == 10 * len(levels)
    assert centres[0] == -504
    assert set(np.diff(centres)) == {20}
    centres, counts = binned([-4.0, -2.0, 4.0, -4.0])
    assert centres.tolist() == [-4, -2, 0, 2, 4]
    assert counts.tolist() == [2, 1, 0, 0, 1]
    assert [part.tolist() for part in binned([0.1 + 0.2, 0.3])] == [[0.3], [2]]


def test_bins_of_a_continuous_energy():
    values = np.random.default_rng(1).normal(size=10_000)
    centres, counts = binned(values)
    assert len(centres) <= 65
    assert counts.sum() == 10_000
    assert float(centres @ counts) / 10_000 == pytest.approx(values.mean(), abs=0.01)


def autoregressive(memory, shape, seed):
    """Stationary x' = memory x + noise with variance 1; its integrated time is (1 + memory) / (1 - memory)."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=shape) * math.sqrt(1 - memory**2)
    series = np.empty(shape)
    series[0] = rng.normal(size=shape[1:])
    for step in range(1, shape[0]):
        series[step] = memory * series[step - 1] + noise[step]
    return series


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9, 0.97])
def test_autocorrelation_time(memory):
    wanted = (1 + memory) / (1 - memory)
    assert autocorrelation_time(autoregressive(memory, (4000, 64), 1)) == pytest.approx(wanted, rel=0.06)
    assert autocorrelation_time(autoregressive(memory, (100_000,), 2)) == pytest.approx(wanted, rel=0.15)


def test_autocorrelation_is_memory_to_the_lag():
    rho = autocorrelation(autoregressive(0.8, (10_000, 32), 3))
    assert rho[:20] == pytest.approx(0.8 ** np.arange(20), abs=0.02)


@pytest.mark.parametrize("value", [1.0, 0.1, -3.7e5])
def test_autocorrelation_time_of_a_constant(value):
    assert autocorrelation_time(np.full((101, 3), value)) == 1
    assert split_rhat(np.full((101, 3), value)) == 1
    assert mean_with_error(np.ones(100)).error == 0


@pytest.mark.parametrize("memory", [0.0, 0.8])
def test_error_bars_are_calibrated(memory):
    """Over many repetitions the mean strays by its error bar, neither less nor more."""
    means = [mean_with_error(autoregressive(memory, (500, 8), seed)) for seed in range(300)]
    assert np.mean([mean.effective_samples for mean in means]) == pytest.approx(
        4000 * (1 - memory) / (1 + memory), rel=0.1
    )
    assert np.std([mean.value / mean.error for mean in means]) == pytest.approx(1, abs=0.13)


def test_ignoring_the_autocorrelation_would_show():
    """The control: error bars as if the samples were independent are three times too small."""
    strays = [(x := autoregressive(0.8, (500, 8), seed)).mean() / (x.std() / math.sqrt(x.size)) for seed in range(100)]
    assert np.std(strays) > 2


def rhat_by_hand(halves):
    """The definition, one loop at a time."""
    length = len(halves[0])
    means = [sum(half) / length for half in halves]
    grand = sum(means) / len(means)
    between = length * sum((mean - grand) ** 2 for mean in means) / (len(means) - 1)
    within = sum(
        sum((value - mean) ** 2 for value in half) / (length - 1) for half, mean in zip(halves, means, strict=True)
    ) / len(halves)
    return math.sqrt(((length - 1) / length * within + between / length) / within)


def test_plain_split_rhat_is_its_definition():
    """The middle sample of an odd length belongs to neither half."""
    series = np.random.default_rng(1).normal((0, 1, 5), size=(9, 3))
    halves = [*series[:4].T.tolist(), *series[5:].T.tolist()]
    assert split_rhat(series, ranked=False) == pytest.approx(rhat_by_hand(halves))


def test_ranked_split_rhat_is_its_definition():
    """Ranks with ties by scipy; the larger one of the values and of their distances from the median."""
    stats = pytest.importorskip("scipy.stats")
    series = np.random.default_rng(2).integers(0, 6, (10, 2)).astype(float)
    halves = np.array([*series[:5].T, *series[5:].T])

    def ranked(values):
        ranks = stats.rankdata(values).reshape(values.shape)
        return rhat_by_hand(stats.norm.ppf((ranks - 3 / 8) / (values.size + 1 / 4)).tolist())

    assert split_rhat(series) == pytest.approx(max(ranked(halves), ranked(abs(halves - np.median(halves)))))


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("ranked", [False, True])
def test_rhat_of_chains_that_agree(memory, ranked):
    """Means of n samples scatter by tau / n: R-hat^2 is 1 + (tau - 1) / n on average."""
    values = [split_rhat(autoregressive(memory, (1000, 8), seed), ranked=ranked) for seed in range(30)]
    expected = 2 * memory / (1 - memory) / 500
    slack = 0.3 * expected + 0.003
    assert np.mean(np.square(values)) - 1 == pytest.approx(expected, abs=slack)


@pytest.mark.parametrize(("change", "folded"), [("shift", False), ("drift", False), ("width", True)])
def test_rhat_of_chains_that_disagree(change, folded):
    """A replica elsewhere, a trend that all share, a replica that is wider: the last needs the folded ranks."""
    series = autoregressive(0.5, (2000, 4), 1)
    if change == "shift":
        series[:, 0] += 1
    elif change == "drift":
        series += np.linspace(0, 1, len(series))[:, None]
    else:
        series[:, 0] *= 3
    assert split_rhat(series) > 1.03
    assert (split_rhat(series, ranked=False) < 1.01) == folded


def test_ranks_change_nothing_for_two_values():
    states = np.where(autoregressive(0.9, (500, 4), 1) > 0.5, 1, -1)
    folded = np.abs(states - np.median(states))
    assert split_rhat(states) == pytest.approx(split_rhat(states, ranked=False))
    assert split_rhat(folded, ranked=False) == pytest.approx(split_rhat(states, ranked=False))


def test_rhat_of_frozen_chains():
    assert split_rhat(np.tile([1, -1], (10, 1)), ranked=False) == math.inf
    assert split_rhat(np.tile([1, -1], (10, 1))) == math.inf
    assert split_rhat(np.tile([1, 1], (10, 1))) == 1


def test_rhat_needs_four_samples():
    with pytest.raises(RequestError, match="R-hat of 3 kept sweeps"):
        split_rhat(np.ones((3, 2)))
