"""Likelihoods against enumeration and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neural_network import BernoulliRBM

from pbit_hw.compiler import RBM, BoltzmannMachine, compile
from pbit_hw.compiler.library import full_adder
from pbit_hw.contract.errors import ModelError, RequestError
from pbit_hw.contract.update import Unit
from pbit_hw.host.ais import AIS, Estimate
from pbit_hw.host.likelihood import (
    free_energies,
    log_likelihood,
    log_partition,
    pseudo_log_likelihood,
    reconstruction_error,
)
from pbit_hw.sim.exact import exact


@pytest.fixture
def arrays():
    rng = np.random.default_rng(2)
    return rng.normal(0, 1, (4, 3)), rng.normal(0, 1, 4), rng.normal(0, 1, 3)


def visible_probabilities(model):
    """From exact probabilities of all states; variable 0 is the lowest bit of a state's index."""
    joint = exact(model).probabilities
    return np.bincount(np.arange(joint.size) & ((1 << len(model.visible)) - 1), joint)


def enumerated(model, rows):
    """Pseudo-likelihood by its definition."""
    visible = visible_probabilities(model)
    index = rows @ (1 << np.arange(4))
    return np.mean(sum(np.log(visible[index] / (visible[index] + visible[index ^ (1 << bit)])) for bit in range(4)))


def scikit_learn(couplings, b, c):
    reference = BernoulliRBM(n_components=len(c), random_state=np.random.RandomState(1))
    reference.components_, reference.intercept_visible_, reference.intercept_hidden_ = couplings.T, b, c
    reference.n_features_in_ = len(b)
    return reference


def spin_machine(edges=None):
    rng = np.random.default_rng(5)
    draft = BoltzmannMachine(4, 3, edges=edges)
    return draft.with_values(rng.normal(0, 0.5, len(draft.edges)), rng.normal(0, 0.5, 7))


BETWEEN_LAYERS = [(v, s) for v in range(4) for s in range(4, 7)]


@pytest.mark.parametrize("unit", ["bits", "spins"])
def test_pseudo_likelihood_is_the_definition(arrays, unit):
    model = RBM(*arrays) if unit == "bits" else spin_machine(BETWEEN_LAYERS)
    rows = np.random.default_rng(3).integers(0, 2, (20, 4))
    own = rows if unit == "bits" else 2 * rows - 1
    assert pseudo_log_likelihood(model, own) == pytest.approx(enumerated(model, rows), abs=1e-12)


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


def test_scikit_learn_estimates_the_pseudo_likelihood(arrays):
    """scikit-learn flips one bit at random per row and multiplies by the number of bits."""
    rows = np.random.default_rng(4).integers(0, 2, (10, 4))
    reference = scikit_learn(*arrays)
    draws = np.array([reference.score_samples(rows).mean() for _ in range(2000)])
    error = draws.std() / len(draws) ** 0.5
    assert abs(pseudo_log_likelihood(RBM(*arrays), rows) - draws.mean()) < 4 * error


def test_free_energies_are_scikit_learn_s():
    rng = np.random.default_rng(6)
    arrays = rng.normal(0, 1, (30, 12)), rng.normal(0, 1, 30), rng.normal(0, 1, 12)
    rows = rng.integers(0, 2, (40, 30))
    np.testing.assert_allclose(free_energies(RBM(*arrays), rows), scikit_learn(*arrays)._free_energy(rows), rtol=1e-12)


def test_a_machine_that_scikit_learn_trained():
    """Both layers come over: the trained machine is likelier than one of independent bits."""
    rng = np.random.default_rng(7)
    rows = (rng.integers(0, 2, (400, 1)) ^ (rng.random((400, 12)) < 0.1)).astype(int)
    trained = BernoulliRBM(n_components=6, learning_rate=0.05, n_iter=30, random_state=0).fit(rows)
    model = RBM(trained.components_.T, trained.intercept_visible_, trained.intercept_hidden_)
    mean = rows.mean(axis=0)
    independent = float((mean * np.log(mean) + (1 - mean) * np.log(1 - mean)).sum())
    got = log_likelihood(model, rows)
    assert got.value > independent + 1
    assert got.value == pytest.approx(np.mean(-trained._free_energy(rows)) - exact(model).log_partition)


@pytest.mark.parametrize("model", [spin_machine(), spin_machine(BETWEEN_LAYERS)], ids=["any", "rbm"])
def test_exact_likelihood(model):
    rows = np.random.default_rng(8).integers(0, 2, (20, 4))
    expected = np.log(visible_probabilities(model))[rows @ (1 << np.arange(4))].mean()
    got = log_likelihood(model, 2 * rows - 1)
    assert got.value == pytest.approx(expected, abs=1e-12)
    assert got == Estimate(got.value, 0.0, "exact", np.inf)
    assert log_partition(model).value == pytest.approx(exact(model).log_partition, abs=1e-12)


def test_likelihoods_of_all_states_add_up_to_one():
    rows = (np.arange(1 << 5)[:, None] >> np.arange(5)) & 1
    rng = np.random.default_rng(9)
    model = RBM(rng.normal(0, 1, (5, 30)), rng.normal(0, 1, 5), rng.normal(0, 1, 30))
    assert sum(np.exp(log_likelihood(model, [row]).value) for row in rows) == pytest.approx(1)


def test_the_quantised_program_is_evaluated(arrays):
    program = compile(RBM(*arrays), weight_format="s[3][4]")
    rows = np.random.default_rng(3).integers(0, 2, (20, 4))
    expected = np.log(visible_probabilities(program.quantised))[rows @ (1 << np.arange(4))].mean()
    assert log_likelihood(program.quantised, rows).value == pytest.approx(expected)
    assert log_likelihood(program.quantised, rows).value != log_likelihood(program.model, rows).value


def test_large_machines_are_annealed():
    """21 x 21 units that fall into three independent machines, so that the truth is a sum."""
    rng = np.random.default_rng(10)
    weights, b, c = np.zeros((21, 21)), rng.normal(0, 1, 21), rng.normal(0, 1, 21)
    parts = [slice(0, 7), slice(7, 14), slice(14, 21)]
    for part in parts:
        weights[part, part] = rng.normal(0, 1, (7, 7))
    rows = rng.integers(0, 2, (30, 21))
    truth = sum(log_likelihood(RBM(weights[part, part], b[part], c[part]), rows[:, part]).value for part in parts)
    options = {"temperatures": 300, "runs": 100, "seed": 1}
    got = log_likelihood(RBM(weights, b, c), rows, **options)
    assert got.method == "AIS"
    assert abs(got.value - truth) < 3 * got.error < 0.3
    conservative = AIS(RBM(weights, b, c), rows, temperatures=300, runs=20).log_likelihood(rows)
    assert truth - 0.5 < conservative.value < truth + 3 * conservative.error
    assert conservative.method == "RAISE"


def test_reconstruction_error():
    """A machine that copies every bit into a hidden unit reconstructs; one without couplings gives the biases."""
    rows = np.random.default_rng(11).integers(0, 2, (20, 4))
    copies = RBM(40 * np.eye(4), np.full(4, -20.0), np.full(4, -20.0))
    assert reconstruction_error(copies, rows) < 1e-8
    assert reconstruction_error(RBM(np.zeros((4, 2)), np.zeros(4), np.zeros(2)), rows) == 0.25
    spins = BoltzmannMachine(4, 2, edges=[(0, 4)])
    assert reconstruction_error(spins, 2 * rows - 1) == 0.25


def test_large_fields_do_not_overflow():
    model = RBM(np.full((4, 3), 500.0), np.full(4, -800.0), np.zeros(3))
    rows = np.eye(4, dtype=int)
    assert np.isfinite([pseudo_log_likelihood(model, rows), log_likelihood(model, rows).value]).all()


def test_other_machines_are_refused(arrays):
    with pytest.raises(ModelError, match="RBM"):
        pseudo_log_likelihood(full_adder(), np.ones((1, 5)))
    with pytest.raises(ModelError, match="RBM"):
        pseudo_log_likelihood(BoltzmannMachine(4, 3, unit=Unit.BIT), np.ones((1, 4)))
    with pytest.raises(ModelError, match=r"shape \(2, 3\).*\(k, 4\)"):
        pseudo_log_likelihood(RBM(*arrays), np.ones((2, 3)))
    with pytest.raises(ModelError, match="21 variables"):
        log_likelihood(BoltzmannMachine(11, 10), np.ones((1, 11)))
    large = RBM(np.zeros((21, 21)), np.zeros(21), np.zeros(21))
    with pytest.raises(RequestError, match="0 temperatures"):
        log_partition(large, np.ones((1, 21)), temperatures=0)
    with pytest.raises(RequestError, match=r"21 x 21 units.*give rows"):
        log_partition(large)
