"""Free energies and gradients of layers against enumeration, whatever the units."""

from __future__ import annotations

import numpy as np
import pytest

from pbit_hw.compiler import RBM, BoltzmannMachine, Ising
from pbit_hw.compiler.library import full_adder
from pbit_hw.contract.errors import ModelError
from pbit_hw.contract.update import Unit
from pbit_hw.host.layers import draw_bits, is_rbm, layers_of, sigmoid, softplus, visible_bits


@pytest.fixture
def spins():
    """A machine of spins with an edge missing."""
    rng = np.random.default_rng(1)
    couplings = np.zeros((7, 7))
    couplings[:4, 4:] = rng.normal(0, 1, (4, 3))
    couplings[1, 5] = 0
    return BoltzmannMachine(4, 3, J=couplings, h=rng.normal(0, 1, 7))


def test_bits_have_the_energies_of_the_spins(spins):
    states = np.random.default_rng(2).integers(0, 2, (50, 7))
    layers = layers_of(spins)
    v, s = states[:, :4].astype(float), states[:, 4:].astype(float)
    energies = layers.offset - ((v @ layers.weights) * s).sum(axis=1)
    energies -= v @ layers.visible_biases + s @ layers.hidden_biases
    np.testing.assert_allclose(energies, spins.energies(2 * states - 1), atol=1e-12)


def test_either_layer_is_summed_out(spins):
    layers = layers_of(spins)
    front, back = (((np.arange(1 << n)[:, None] >> np.arange(n)) & 1) * 2 - 1 for n in (4, 3))
    pairs = [[spins.energies(np.concatenate([v, s]))[0] for s in back] for v in front]
    weights = np.exp(-np.array(pairs))
    np.testing.assert_allclose(layers.log_weights((front + 1) / 2), np.log(weights.sum(axis=1)))
    np.testing.assert_allclose(layers.swapped.log_weights((back + 1) / 2), np.log(weights.sum(axis=0)))


def test_an_rbm_s_arrays_come_back():
    rng = np.random.default_rng(3)
    weights, b, c = rng.normal(size=(5, 2)), rng.normal(size=5), rng.normal(size=2)
    layers = layers_of(RBM(weights, b, c))
    np.testing.assert_array_equal(layers.weights, weights)
    np.testing.assert_array_equal(layers.visible_biases, b)
    np.testing.assert_array_equal(layers.hidden_biases, c)
    assert layers.offset == 0


def test_large_fields_do_not_overflow():
    np.testing.assert_array_equal(softplus(np.array([-1e4, 0, 1e4])), [0, np.log(2), 1e4])
    np.testing.assert_array_equal(sigmoid(np.array([-1e4, 0, 1e4])), [0, 0.5, 1])


def test_bits_are_drawn_with_their_probabilities():
    fields = np.linspace(-3, 3, 7)
    means = draw_bits(np.tile(fields, (40_000, 1)), np.random.default_rng(4)).mean(axis=0)
    expected = 1 / (1 + np.exp(-fields))
    assert (np.abs(means - expected) < 4 * np.sqrt(expected * (1 - expected) / 40_000)).all()


@pytest.mark.parametrize(
    "other", [full_adder(), BoltzmannMachine(4, 3, unit=Unit.BIT), Ising([1.0, 1.0], [[0, 1], [1, 0]])]
)
def test_other_machines_are_no_rbm(other):
    assert not is_rbm(other)
    with pytest.raises(ModelError, match=r"RBM\(W, b, c\)"):
        layers_of(other)


def test_rows_are_checked(spins):
    assert visible_bits(spins, [[1, -1, -1, 1]]).tolist() == [[1, 0, 0, 1]]
    with pytest.raises(ModelError, match=r"shape \(1, 3\).*\(k, 4\)"):
        visible_bits(spins, [[1, -1, 1]])
    with pytest.raises(ModelError, match=r"shape \(0, 4\)"):
        visible_bits(spins, np.empty((0, 4)))
    with pytest.raises(ModelError, match="-1 or 1"):
        visible_bits(spins, [[1, 0, 1, 1]])
