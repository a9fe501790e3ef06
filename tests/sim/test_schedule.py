"""Ranges of beta that follow a model's energies."""

from __future__ import annotations

import numpy as np
import pytest

from pbit_hw.compiler import BoltzmannMachine, Ising, compile, library
from pbit_hw.contract.errors import RequestError
from pbit_hw.contract.update import Unit
from pbit_hw.sim.schedule import beta_range, geometric


def test_hot_is_nearly_free_and_cold_nearly_frozen():
    program = compile(library.lattice((8, 8, 8), spin_glass_seed=0))
    hot, cold = beta_range(program)
    assert hot == pytest.approx(0.5 / np.sqrt(6))
    assert 1 / (1 + np.exp(2 * cold)) == pytest.approx(1 / 512, rel=0.01)


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_the_range_scales_with_the_couplings(scale):
    plain, scaled = (
        beta_range(compile(library.lattice((6, 6), coupling=strength), beta_format="u[5][9]"))
        for strength in (1, scale)
    )
    assert scaled == pytest.approx(tuple(beta / scale for beta in plain))


def test_bits_cost_half():
    couplings = np.array([[0, 1.0], [1.0, 0]])
    spins, bits = (
        beta_range(compile(BoltzmannMachine(2, 0, J=couplings, unit=unit))) for unit in (Unit.SPIN, Unit.BIT)
    )
    assert bits == pytest.approx(tuple(2 * beta for beta in spins))


def test_it_stays_within_the_format():
    program = compile(Ising([0.05, 0.05], np.array([[0, 0.8], [0.8, 0]])), beta_format="u[1][9]")
    hot, cold = beta_range(program)
    assert cold == program.image.largest_beta < 2.5
    assert 0 < hot < cold


def test_models_without_a_range():
    with pytest.raises(RequestError, match="neither couplings nor biases"):
        beta_range(compile(Ising(np.zeros(3), np.zeros((3, 3)))))
    tiny = compile(Ising(np.zeros(2), np.array([[0, 1e-3], [1e-3, 0]])))
    with pytest.raises(RequestError, match=r"begins at beta \d{3}.*u\[3\]\[9\] is 15\.62\d*; scale"):
        beta_range(tiny)


def test_geometric():
    np.testing.assert_allclose(geometric(0.1, 1.6, 5), [0.1, 0.2, 0.4, 0.8, 1.6])
    assert geometric(0.1, 1.6, 1) == [1.6]
