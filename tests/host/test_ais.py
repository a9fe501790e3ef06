"""Annealed importance sampling against exact sums: unbiased weights, honest errors, and a sandwich."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from pbit_hw.compiler import RBM, BoltzmannMachine
from pbit_hw.contract.errors import ModelError, RequestError
from pbit_hw.host.ais import AIS, log_mean_exp
from pbit_hw.host.enumeration import exact_samples, layer_log_partition
from pbit_hw.host.layers import layers_of
from pbit_hw.sim.exact import exact

UNIFORM = np.array([[0] * 12, [1] * 12])
"""Rows that make the base of 12 visible units uniform."""


def rbm(visible, hidden, seed, scale=1.0):
    rng = np.random.default_rng(seed)
    return RBM(rng.normal(0, scale, (visible, hidden)), rng.normal(0, 1, visible), rng.normal(0, 1, hidden))


def data(model, count, seed=0):
    return exact_samples(layers_of(model), count, np.random.default_rng(seed)).astype(int)


def sigmoid(fields):
    return 1 / (1 + np.exp(-fields))


def last_state_probabilities(model, base, temperatures):
    """Distribution of the visible units after the last transition, by matrices over all states."""
    layers = layers_of(model)
    v, s = ((np.arange(1 << n)[:, None] >> np.arange(n) & 1).astype(float) for n in layers.weights.shape)

    def chances(fields, states):
        """P(state) of independent bits, shape (fields, states)."""
        on = sigmoid(np.atleast_2d(fields))[:, None, :]
        return np.where(states == 1, on, 1 - on).prod(axis=2)

    now = chances(base, v)[0]
    for beta in np.linspace(0, 1, temperatures + 1)[1:]:
        up = chances(beta * (layers.hidden_biases + v @ layers.weights), s)
        down = chances((1 - beta) * base + beta * (layers.visible_biases + s @ layers.weights.T), v)
        now = now @ up @ down
    return now


def test_weights_are_unbiased_with_any_number_of_temperatures():
    """The mean of Z itself, not of its logarithm, is exact even where the annealing is far too fast."""
    model = rbm(4, 3, seed=1)
    for temperatures in (1, 3):
        estimate = AIS(model, data(model, 20), temperatures=temperatures, runs=100_000, seed=2).log_partition()
        assert 0 < estimate.error < 0.02
        assert abs(estimate.value - exact(model).log_partition) < 4 * estimate.error


def test_reverse_weights_are_unbiased():
    model = rbm(4, 3, seed=1, scale=0.7)
    for temperatures in (1, 3):
        estimate = AIS(model, data(model, 20), temperatures=temperatures, runs=100_000, seed=2).reverse_log_partition()
        assert 0 < estimate.error < 0.02
        assert abs(estimate.value - exact(model).log_partition) < 4 * estimate.error


def test_conservative_likelihoods_are_unbiased_for_the_last_state():
    """RAISE gives the likelihood under the annealing itself, which is not yet the model's here."""
    model = rbm(4, 3, seed=1)
    rows = data(model, 20)
    ones = rows.sum(axis=0) + 1
    annealed = np.log(last_state_probabilities(model, np.log(ones / (len(rows) + 2 - ones)), temperatures=3))
    joint = exact(model).probabilities
    true = np.log(np.bincount(np.arange(joint.size) & 15, joint))
    distances = []
    for row in np.unique(rows, axis=0):
        state = row @ (1 << np.arange(4))
        estimate = AIS(model, rows, temperatures=3, runs=50_000).log_likelihood([row])
        assert abs(estimate.value - annealed[state]) < 4 * estimate.error
        distances.append(abs(annealed[state] - true[state]) / estimate.error)
    assert max(distances) > 10  # negative control: the two distributions can be told apart


def test_the_error_of_a_mean_over_rows():
    """Estimates of several rows scatter over seeds as their errors say."""
    model = rbm(8, 6, seed=9)
    rows = data(model, 25)
    estimates = [AIS(model, rows, temperatures=30, runs=20, seed=seed).log_likelihood(rows) for seed in range(40)]
    scatter = np.std([estimate.value for estimate in estimates])
    assert 0.7 < scatter / np.mean([estimate.error for estimate in estimates]) < 1.4


@pytest.mark.parametrize(("visible", "hidden"), [(12, 10), (8, 12), (10, 4)])
def test_the_truth_is_within_three_errors(visible, hidden):
    """Strong weights; 20 seeds, each with its own machine."""
    scores = []
    for seed in range(20):
        model = rbm(visible, hidden, seed, scale=1.5)
        estimate = AIS(model, data(model, 50), temperatures=300, runs=100, seed=seed).log_partition()
        scores.append((estimate.value - layer_log_partition(layers_of(model))) / estimate.error)
        assert estimate.effective_runs > 20
    assert np.abs(scores).max() < 3
    assert 0.5 < np.std(scores) < 1.6  # the errors are neither too small nor too large


def test_the_sandwich_holds_and_closes():
    """Means over seeds from below and from above, of so few runs that the bias shows above the noise."""
    model = rbm(12, 10, seed=3, scale=2)
    truth = layer_log_partition(layers_of(model))
    gaps = []
    for temperatures in (3, 30, 300):
        both = [AIS(model, UNIFORM, temperatures=temperatures, runs=2, seed=seed) for seed in range(100)]
        below = truth - np.array([ais.log_partition().value for ais in both])
        above = np.array([ais.reverse_log_partition().value for ais in both]) - truth
        for distance in (below, above):
            noise = distance.std() / 10
            assert distance.mean() > -2 * noise
            assert temperatures > 3 or distance.mean() > 5 * noise
        gaps.append(below.mean() + above.mean())
    assert gaps[0] > 3 * gaps[1] > 9 * gaps[2]


def test_too_few_temperatures_show():
    """Negative control: the effective runs collapse, and the estimate from above is far off."""
    model = rbm(12, 10, seed=3, scale=2)
    hasty = AIS(model, UNIFORM, temperatures=2, runs=100)
    careful = AIS(model, UNIFORM, temperatures=1000, runs=100)
    assert hasty.log_partition().effective_runs < 10 < 50 < careful.log_partition().effective_runs
    assert hasty.log_partition().error > 5 * careful.log_partition().error
    gap = hasty.reverse_log_partition().value - hasty.log_partition().value
    assert gap > 10 * careful.log_partition().error


def test_data_make_a_better_base():
    """Strong biases: from the data's means the same effort leaves a smaller error."""
    rng = np.random.default_rng(4)
    model = RBM(rng.normal(0, 0.5, (12, 10)), rng.normal(0, 4, 12), rng.normal(0, 1, 10))
    informed = AIS(model, data(model, 200), temperatures=10, seed=1).log_partition()
    assert informed.error < 0.5 * AIS(model, UNIFORM, temperatures=10, seed=1).log_partition().error


def test_a_mode_that_all_runs_miss_shows_from_above():
    """Nearly all weight is at ones everywhere, with a barrier that runs from a base of zeros do not cross."""
    model = RBM(np.full((12, 10), 4.0), np.full(12, -18.0), np.full(10, -22.0))
    truth = layer_log_partition(layers_of(model))
    zeros, ones = np.zeros((50, 12), int), np.ones((50, 12), int)
    missed = AIS(model, zeros, temperatures=300).log_partition()
    assert missed.value < truth - 10  # although nothing looks wrong:
    assert missed.error < 0.1
    assert missed.effective_runs > 90
    assert AIS(model, zeros, temperatures=300).reverse_log_partition().value > truth - 0.1
    assert abs(AIS(model, ones, temperatures=300).log_partition().value - truth) < 0.1


def test_spins_are_as_good_as_bits():
    rng = np.random.default_rng(5)
    couplings = np.zeros((9, 9))
    couplings[:5, 5:] = rng.normal(0, 0.5, (5, 4))
    model = BoltzmannMachine(5, 4, J=couplings, h=rng.normal(0, 0.5, 9))
    rows = 2 * data(model, 50) - 1
    estimate = AIS(model, rows, temperatures=100, runs=1000).log_partition()
    assert abs(estimate.value - exact(model).log_partition) < 3 * estimate.error


def test_seeds_repeat_and_differ():
    model = rbm(5, 4, seed=6)
    first, again, other = (AIS(model, data(model, 9), temperatures=5, seed=seed) for seed in (1, 1, 2))
    assert first.log_partition() == again.log_partition() == first.log_partition() != other.log_partition()


def test_progress_counts_temperatures():
    calls: list[tuple[int, int]] = []
    AIS(rbm(3, 2, seed=1), [[0, 1, 1]], temperatures=4, progress=lambda *call: calls.append(call)).log_partition()
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize("options", [{"temperatures": 0}, {"runs": 1}])
def test_too_little_is_refused(options):
    with pytest.raises(RequestError, match="at least 1 and 2"):
        AIS(rbm(3, 2, seed=1), [[0, 1, 1]], **options)


def test_large_machines_have_no_exact_samples():
    with pytest.raises(ModelError, match=r"21 x 22 units.*20"):
        AIS(rbm(21, 22, seed=1), np.ones((1, 21))).reverse_log_partition()


def test_the_jackknife_is_the_definition():
    logs = np.random.default_rng(7).normal(0, 2, (3, 12))
    value, error, effective = log_mean_exp(logs)
    weights = np.exp(logs)
    left_out = np.stack([np.log(np.delete(weights, i, axis=1).mean(axis=1)) for i in range(12)])
    np.testing.assert_allclose(value, np.log(weights.mean(axis=1)))
    np.testing.assert_allclose(error**2, 11 / 12 * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0))
    np.testing.assert_allclose(effective, weights.sum(axis=1) ** 2 / (weights**2).sum(axis=1))


def test_one_dominating_weight_is_no_small_error():
    """Beyond the range of exp: all of the mean hangs on one run, and the error says by how much."""
    value, error, effective = log_mean_exp(np.array([0.0, 5000.0, 0.0, 0.0]))
    assert value == pytest.approx(5000 - np.log(4))
    assert effective == pytest.approx(1)
    assert error > 3000


def test_two_runs_are_enough_for_an_error():
    value, error, _ = log_mean_exp(np.log([1.0, 3.0]))
    assert value == pytest.approx(np.log(2))
    assert error == pytest.approx(np.log(3) / 2)


def test_errors_shrink_with_the_runs():
    model = rbm(8, 6, seed=8)
    errors = [
        AIS(model, data(model, 50), temperatures=50, runs=runs).log_partition().error for runs in (100, 400, 1600)
    ]
    assert all(1.4 < first / second < 2.9 for first, second in pairwise(errors))
