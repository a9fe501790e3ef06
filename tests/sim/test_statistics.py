"""Estimators, against processes whose answers are known."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from pbit_hw.sim.exact import state_index
from pbit_hw.sim.statistics import (
    autocorrelation_time,
    histogram,
    mean_with_error,
    noise_floor,
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


def test_autocorrelation_time_of_a_constant():
    assert autocorrelation_time(np.ones(100)) == 1
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
