"""Enumeration, against sums written out and the reference values of the literature."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from pbit_hw.compiler import RBM, Ising, Model, library
from pbit_hw.contract.errors import RequestError
from pbit_hw.contract.update import Unit
from pbit_hw.sim.exact import MAX_SIZE, exact, state_index, states


@pytest.fixture(params=[Unit.SPIN, Unit.BIT])
def model(request):
    rng = np.random.default_rng(5)
    edges = np.array([(0, 1), (0, 3), (1, 2), (2, 3), (2, 4)], np.int32)
    return Model(request.param, tuple("abcde"), edges, rng.normal(size=5), rng.normal(size=5), offset=0.25)


def written_out(model, beta, allowed=lambda state: True):
    """Every state with its weight, by plain Python."""
    values = (-1, 1) if model.unit is Unit.SPIN else (0, 1)
    for state in itertools.product(values, repeat=model.size):
        if allowed(state):
            energy = model.offset - sum(h * m for h, m in zip(model.biases, state, strict=True))
            for (i, j), coupling in zip(model.edges, model.couplings, strict=True):
                energy -= coupling * state[i] * state[j]
            yield state, math.exp(-beta * energy)


def test_against_sums_written_out(model):
    result = exact(model, 0.7)
    weights = dict(written_out(model, 0.7))
    total = sum(weights.values())
    assert result.log_partition == pytest.approx(math.log(total))
    for state, weight in weights.items():
        assert result.probabilities[state_index([state])[0]] == pytest.approx(weight / total)
    for i in range(5):
        assert result.mean[i] == pytest.approx(sum(w * s[i] for s, w in weights.items()) / total)
    for edge, (i, j) in enumerate(model.edges):
        assert result.correlation[edge] == pytest.approx(sum(w * s[i] * s[j] for s, w in weights.items()) / total)
    energy = sum(-w * math.log(w) / 0.7 for w in weights.values()) / total
    assert result.mean_energy == pytest.approx(energy)


def test_clamps_condition(model):
    high, low = 1, -1 if model.unit is Unit.SPIN else 0
    result = exact(model, 1.3, clamp={"b": high, "e": low})
    weights = dict(written_out(model, 1.3, lambda state: state[1] == high and state[4] == low))
    total = sum(weights.values())
    assert result.log_partition == pytest.approx(math.log(total))
    assert (result.probabilities > 0).sum() == 8
    for state, weight in weights.items():
        assert result.probabilities[state_index([state])[0]] == pytest.approx(weight / total)
    assert result.mean[[1, 4]] == pytest.approx([high, low])


def test_states_and_index_are_inverse(model):
    rows = states(model, 3, 32)
    assert rows.dtype == np.int8
    assert state_index(rows).tolist() == list(range(3, 32))
    assert set(np.unique(rows)) == ({-1, 1} if model.unit is Unit.SPIN else {0, 1})


@pytest.mark.parametrize(("beta", "wanted"), [(0.5, 0.60164), (1.0, 0.80829), (1.5, 0.91985), (2.0, 0.96894)])
def test_full_adder(beta, wanted):
    rows = state_index(library.full_adder_truth_table())
    assert exact(library.full_adder(), beta).probabilities[rows].sum() == pytest.approx(wanted, abs=5e-6)


def test_and_gate():
    rows = state_index([(0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 1, 1)])
    assert exact(library.and_gate()).probabilities[rows] == pytest.approx([0.24661] * 4, abs=5e-6)


def test_chain_has_its_closed_form():
    """Z of an open Ising chain is 2 (2 cosh K)^(n - 1); 17 spins span several blocks."""
    n, coupling = 17, 0.6
    chain = Ising.from_edges(n, [(i, i + 1) for i in range(n - 1)], np.full(n - 1, coupling))
    result = exact(chain)
    assert result.log_partition == pytest.approx(math.log(2) + (n - 1) * math.log(2 * math.cosh(coupling)))
    assert result.correlation == pytest.approx(np.full(n - 1, math.tanh(coupling)))
    assert result.mean == pytest.approx(np.zeros(n), abs=1e-12)


def test_rbm_has_its_free_energy():
    rng = np.random.default_rng(1)
    weights, b, c = rng.normal(size=(4, 3)), rng.normal(size=4), rng.normal(size=3)
    visible = np.array(list(itertools.product((0, 1), repeat=4)))
    logs = visible @ b + np.logaddexp(0, visible @ weights + c).sum(axis=1)
    assert exact(RBM(weights, b, c)).log_partition == pytest.approx(np.logaddexp.reduce(logs))


def test_free_spins_and_large_energies():
    assert exact(Ising(np.zeros(10), np.zeros((10, 10)))).log_partition == pytest.approx(10 * math.log(2))
    assert exact(Ising([2000.0], np.zeros((1, 1)))).log_partition == pytest.approx(2000)


def test_too_large_is_refused():
    n = MAX_SIZE + 1
    with pytest.raises(RequestError, match=f"{n} variables .* limit is {MAX_SIZE}"):
        exact(Ising(np.zeros(n), np.zeros((n, n))))
