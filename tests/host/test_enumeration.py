"""Sums over all states against the reference enumeration."""

from __future__ import annotations

import numpy as np
import pytest

from pbit_hw.compiler import RBM, BoltzmannMachine, Model
from pbit_hw.contract.errors import ModelError
from pbit_hw.contract.update import Unit
from pbit_hw.host import enumeration
from pbit_hw.host.enumeration import exact_samples, is_small, layer_log_partition, visible_index, visible_log_weights
from pbit_hw.host.layers import layers_of
from pbit_hw.sim.exact import exact, state_index


def rbm(visible, hidden, seed=1):
    rng = np.random.default_rng(seed)
    return RBM(rng.normal(0, 1, (visible, hidden)), rng.normal(0, 1, visible), rng.normal(0, 1, hidden))


@pytest.mark.parametrize("shape", [(3, 7), (7, 3), (5, 5), (4, 0)])
@pytest.mark.parametrize("block", [1 << 20, 40])
def test_log_partition_of_either_layer(monkeypatch, shape, block):
    monkeypatch.setattr(enumeration, "_BLOCK", block)
    model = rbm(*shape)
    assert layer_log_partition(layers_of(model)) == pytest.approx(exact(model).log_partition, abs=1e-12)


def test_a_large_layer_without_couplings_is_the_product():
    rng = np.random.default_rng(2)
    b, c = rng.normal(size=500), rng.normal(size=12)
    layers = layers_of(RBM(np.zeros((500, 12)), b, c))
    expected = np.log1p(np.exp(b)).sum() + np.log1p(np.exp(c)).sum()
    assert layer_log_partition(layers) == pytest.approx(expected, rel=1e-12)


def test_what_is_small():
    assert is_small(layers_of(rbm(20, 30)))
    assert not is_small(layers_of(rbm(21, 30)))


@pytest.mark.parametrize("shape", [(3, 4), (4, 3)])
def test_samples_have_the_exact_distribution(shape):
    model = rbm(*shape)
    samples = exact_samples(layers_of(model), 40_000, np.random.default_rng(3))
    counts = np.bincount(state_index(samples), minlength=1 << shape[0])
    joint = exact(model).probabilities
    expected = np.bincount(np.arange(joint.size) & ((1 << shape[0]) - 1), joint) * len(samples)
    chi_square = ((counts - expected) ** 2 / expected).sum()
    freedom = len(expected) - 1
    assert abs(chi_square - freedom) < 4 * (2 * freedom) ** 0.5


@pytest.mark.parametrize("unit", list(Unit))
@pytest.mark.parametrize("block", [1 << 20, 100])
def test_any_machine_with_its_hidden_variables_summed_out(monkeypatch, unit, block):
    monkeypatch.setattr(enumeration, "_BLOCK", block)
    rng = np.random.default_rng(4)
    draft = BoltzmannMachine(3, 4, unit=unit)
    model = draft.with_values(rng.normal(0, 1, len(draft.edges)), rng.normal(0, 1, 7))
    reference = exact(model)
    joint = np.log(reference.probabilities) + reference.log_partition
    expected = np.log(np.exp(joint).reshape(16, 8).sum(axis=0))
    np.testing.assert_allclose(visible_log_weights(model), expected, atol=1e-12)
    assert visible_index(np.array([[0.0, 1, 1]])).tolist() == [6]


def test_visible_variables_may_come_last():
    biases = np.array([0.5, -1.0, 2.0])
    last, first = np.array([2], np.int32), np.array([0, 1], np.int32)
    model = Model(
        Unit.BIT, ("a", "b", "c"), np.empty((0, 2), np.int32), np.empty(0), biases, visible=last, hidden=first
    )
    off, on = visible_log_weights(model)
    assert on - off == pytest.approx(2.0)


def test_limits_are_named():
    with pytest.raises(ModelError, match=r"21 variables.*limit is 20"):
        visible_log_weights(BoltzmannMachine(21))
    lone = Model(Unit.BIT, ("a", "b"), np.empty((0, 2), np.int32), np.empty(0), np.zeros(2))
    with pytest.raises(ModelError, match="2 variables are neither visible nor hidden"):
        visible_log_weights(lone)
