"""Sliced models: their energies, their limits, and their estimates against exact diagonalisation."""

from __future__ import annotations

import numpy as np
import pytest

from pbit_hw.compiler import RBM, Ising, compile
from pbit_hw.compiler.trotter import Trotter, extrapolate
from pbit_hw.contract.errors import ModelError
from pbit_hw.sim.simulator import Simulator


def chain(size):
    couplings = np.diag(np.ones(size - 1), 1)
    return Ising(np.zeros(size), couplings)


def diagonalised(model, gamma, beta):
    """Thermal means of sx of each spin and sz sz of each edge, from the matrix of H."""
    states = np.arange(2**model.size)
    spins = 1 - 2 * (states[:, None] >> np.arange(model.size) & 1)
    hamiltonian = np.diag(model.energies(spins))
    flips = [states ^ 1 << place for place in range(model.size)]
    for flip in flips:
        hamiltonian[states, flip] -= gamma
    levels, vectors = np.linalg.eigh(hamiltonian)
    weights = np.exp(-beta * (levels - levels[0]))
    density = (vectors * weights / weights.sum()) @ vectors.T
    i, j = model.edges.T
    sx = np.array([density[states, flip].sum() for flip in flips])
    return sx, np.diag(density) @ (spins[:, i] * spins[:, j])


def test_energies_are_those_of_slices_and_bonds_between_them():
    model = Ising([0.3, -0.2, 0.0], np.array([[0, 1, 0], [0, 0, -2], [0, 0, 0]]))
    trotter = Trotter(model, gamma=0.7, beta=1.5, slices=5)
    states = np.random.default_rng(0).choice([-1, 1], (20, 15))
    slices = trotter.slices_of(states)
    within = model.energies(slices.reshape(-1, 3)).reshape(20, 5).mean(axis=1)
    bonds = (slices * np.roll(slices, -1, axis=1)).sum(axis=(1, 2))
    np.testing.assert_allclose(trotter.sliced.energies(states), within - trotter.between * bonds)
    assert trotter.sliced.labels[3] == (0, 1)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_a_chain_in_a_transverse_field(gamma):
    """<sx> and <sz sz> of eight spins, extrapolated in the slices, within 2 % of exact diagonalisation."""
    model, beta, counts = chain(8), 2.0, (8, 12, 16)
    estimates = []
    for slices in counts:
        trotter = Trotter(model, gamma, beta, slices)
        program = compile(trotter.sliced, weight_bits=14)
        states = (
            Simulator(program, seed=slices).sample(12_000, replicas=64, beta=beta, burn_in=2_000, keep_every=20).states
        )
        means = trotter.transverse_magnetisation(states).mean(), trotter.correlations(states).mean()
        estimates.append(means)
    found = extrapolate(counts, estimates)
    wanted = [mean.mean() for mean in diagonalised(model, gamma, beta)]
    np.testing.assert_allclose(found, wanted, rtol=0.02)
    if gamma == 2.0:
        assert abs(estimates[0][1] / wanted[1] - 1) > 0.05  # eight slices alone are not enough


def test_extrapolation():
    slices = np.array([4, 8, 16])
    values = np.array([[1.0], [2.0]]) + np.array([[3.0], [-1.0]]) / slices**2
    np.testing.assert_allclose(extrapolate(slices, values.T), [1, 2])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"slices": 2}, "at least 3"),
        ({"gamma": 0.0}, "positive"),
        ({"beta": np.inf}, "positive and finite"),
        ({"model": RBM(np.ones((2, 2)), np.zeros(2), np.zeros(2))}, "bits"),
    ],
)
def test_refusals(options, message):
    with pytest.raises(ModelError, match=message):
        Trotter(**{"model": chain(3), "gamma": 1.0, "beta": 1.0, "slices": 4} | options)
