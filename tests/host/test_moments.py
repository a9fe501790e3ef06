"""Moments and mean-field hidden units against sums written out."""

from __future__ import annotations

import numpy as np
import pytest

from pbit_hw.compiler import RBM, BoltzmannMachine, Ising, compile
from pbit_hw.contract.errors import ModelError
from pbit_hw.contract.update import Unit
from pbit_hw.host.moments import MeanField, Moments
from pbit_hw.sim.exact import exact


def ring(size):
    first = np.arange(size)
    return Ising.from_edges(size, np.stack([first, (first + 1) % size], axis=1), np.ones(size))


@pytest.mark.parametrize(
    "model",
    [RBM(np.ones((5, 3)), np.zeros(5), np.zeros(3)), BoltzmannMachine(4, 2), ring(200)],
    ids=["layers", "all pairs", "few edges"],
)
def test_moments_are_means_of_products(model):
    low, high = model.allowed
    states = np.random.default_rng(1).choice([low, high], (50, model.size)).astype(np.int8)
    correlations, means = Moments(model)(states)
    i, j = model.edges.T
    assert correlations == pytest.approx((states[:, i] * states[:, j]).mean(axis=0), abs=1e-6)
    assert means == pytest.approx(states.mean(axis=0), abs=1e-6)


def sparse_machine(unit):
    """Layers with gaps, hidden unit 5 without a coupling."""
    edges = np.array([[0, 3], [1, 3], [1, 4], [2, 4]])
    draft = compile(BoltzmannMachine(3, 3, unit=unit, edges=edges), weight_format="s[2][3]")
    rng = np.random.default_rng(2)
    return draft.reweighted(rng.normal(0, 1, 4), rng.normal(0, 1, 6))


@pytest.mark.parametrize("unit", Unit)
def test_mean_field_is_exact_and_of_the_quantised_weights(unit):
    program = sparse_machine(unit)
    model = program.quantised
    row = np.array([1, model.allowed[0], 1])
    held = exact(model, clamp={model.labels[i]: value for i, value in enumerate(row)})
    values = MeanField(program)(program, [row])
    assert values[0] == pytest.approx(held.mean, abs=1e-6)
    assert not np.allclose(model.biases, program.model.biases)


def test_mean_field_needs_layers():
    with pytest.raises(ModelError, match=r"as made by RBM\(W, b, c\)"):
        MeanField(compile(BoltzmannMachine(2, 2)))
