"""Pseudo-likelihood against enumeration and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neural_network import BernoulliRBM

from pbit_hw.compiler import RBM, BoltzmannMachine
from pbit_hw.compiler.library import full_adder
from pbit_hw.contract.errors import ModelError
from pbit_hw.contract.update import Unit
from pbit_hw.host.likelihood import pseudo_log_likelihood
from pbit_hw.sim.exact import exact


@pytest.fixture
def arrays():
    rng = np.random.default_rng(2)
    return rng.normal(0, 1, (4, 3)), rng.normal(0, 1, 4), rng.normal(0, 1, 3)


def enumerated(model, rows):
    """The definition, from exact probabilities of all states; variable 0 is the lowest bit of a state's index."""
    joint = exact(model).probabilities
    visible = np.bincount(np.arange(joint.size) & 15, joint)
    index = rows @ (1 << np.arange(4))
    return np.mean(sum(np.log(visible[index] / (visible[index] + visible[index ^ (1 << bit)])) for bit in range(4)))


def test_it_is_the_definition(arrays):
    model = RBM(*arrays)
    rows = np.random.default_rng(3).integers(0, 2, (20, 4))
    assert pseudo_log_likelihood(model, rows) == pytest.approx(enumerated(model, rows), abs=1e-12)


def test_missing_edges_are_zero_couplings(arrays):
    couplings, b, c = arrays
    edges = [(0, 4), (3, 6), (2, 5)]
    dense = np.zeros((7, 7))
    for i, j in edges:
        dense[i, j] = couplings[i, j - 4]
    sparse = BoltzmannMachine(4, 3, J=dense, h=np.concatenate([b, c]), unit=Unit.BIT)
    rows = np.random.default_rng(3).integers(0, 2, (20, 4))
    same = RBM(dense[:4, 4:], b, c)
    assert pseudo_log_likelihood(sparse, rows) == pytest.approx(pseudo_log_likelihood(same, rows), abs=1e-12)


def test_scikit_learn_estimates_it(arrays):
    """scikit-learn flips one bit at random per row and multiplies by the number of bits."""
    couplings, b, c = arrays
    rows = np.random.default_rng(4).integers(0, 2, (10, 4))
    reference = BernoulliRBM(n_components=3, random_state=np.random.RandomState(1))
    reference.components_, reference.intercept_visible_, reference.intercept_hidden_ = couplings.T, b, c
    reference.n_features_in_ = 4
    draws = np.array([reference.score_samples(rows).mean() for _ in range(2000)])
    error = draws.std() / len(draws) ** 0.5
    assert abs(pseudo_log_likelihood(RBM(*arrays), rows) - draws.mean()) < 4 * error


def test_large_fields_do_not_overflow():
    model = RBM(np.full((4, 3), 500.0), np.full(4, -800.0), np.zeros(3))
    assert np.isfinite(pseudo_log_likelihood(model, np.eye(4, dtype=int)))


def test_other_machines_are_refused(arrays):
    with pytest.raises(ModelError, match="RBM"):
        pseudo_log_likelihood(full_adder(), np.ones((1, 5)))
    with pytest.raises(ModelError, match="RBM"):
        pseudo_log_likelihood(BoltzmannMachine(4, 3, unit=Unit.BIT), np.ones((1, 4)))
    with pytest.raises(ModelError, match=r"shape \(2, 3\).*\(k, 4\)"):
        pseudo_log_likelihood(RBM(*arrays), np.ones((2, 3)))
