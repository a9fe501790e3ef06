"""P(label | image) against enumeration."""

from __future__ import annotations

import numpy as np
import pytest

from pbit_hw.compiler import RBM, BoltzmannMachine
from pbit_hw.contract.errors import ModelError
from pbit_hw.host.classification import label_log_probabilities
from pbit_hw.sim.exact import exact

LABELS = ["v1", "v5", "v3"]


def bits():
    rng = np.random.default_rng(1)
    return RBM(rng.normal(0, 1, (6, 4)), rng.normal(0, 1, 6), rng.normal(0, 1, 4))


def spins():
    rng = np.random.default_rng(2)
    draft = BoltzmannMachine(6, 4, edges=[(v, s) for v in range(6) for s in range(6, 10)])
    return draft.with_values(rng.normal(0, 0.7, 24), rng.normal(0, 0.7, 10))


@pytest.mark.parametrize("model", [bits(), spins()], ids=["bits", "spins"])
def test_it_is_the_conditional_distribution(model):
    joint = exact(model).probabilities
    visible = np.bincount(np.arange(joint.size) & 63, joint)
    for image in np.ndindex(2, 2, 2):
        rows = np.zeros((3, 6), int)
        rows[:, [0, 2, 4]] = image
        rows[[0, 1, 2], [1, 5, 3]] = 1
        expected = visible[rows @ (1 << np.arange(6))]
        own = np.where(np.array([image]) == 1, *reversed(model.allowed))
        got = label_log_probabilities(model, own, LABELS)
        np.testing.assert_allclose(np.exp(got[0]), expected / expected.sum())


def test_a_machine_that_was_made_to_tell():
    """Hidden unit k sees pixel k and label k alone."""
    weights = np.concatenate([8 * np.eye(3), 8 * np.eye(3)])
    model = RBM(weights, np.zeros(6), np.full(3, -12.0))
    found = label_log_probabilities(model, np.eye(3, dtype=int), ["v3", "v4", "v5"])
    assert found.argmax(axis=1).tolist() == [0, 1, 2]


def test_wrong_units_are_named():
    images = np.zeros((1, 5), int)
    with pytest.raises(ModelError, match="'h0' is no visible unit"):
        label_log_probabilities(bits(), images, ["v0", "h0"])
    with pytest.raises(ModelError, match="2 label units, 1 of them different"):
        label_log_probabilities(bits(), images, ["v0", "v0"])
    with pytest.raises(ModelError, match="0 label units"):
        label_log_probabilities(bits(), images, [])
    with pytest.raises(ModelError, match=r"shape \(1, 5\).*\(k, 3\)"):
        label_log_probabilities(bits(), images, LABELS)
