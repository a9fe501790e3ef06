"""Quantum annealing on either sampler."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pbit_hw.compiler import library
from pbit_hw.contract.errors import RequestError
from pbit_hw.host.device import Device
from pbit_hw.host.quantum import quantum_anneal
from pbit_hw.sim.exact import exact
from pbit_hw.sim.simulator import Simulator
from pbit_hw.sim.virtual import VirtualDevice

GLASS = library.lattice((4, 4), spin_glass_seed=3)


def test_finds_the_ground_state():
    run = quantum_anneal(GLASS, lambda program: Simulator(program, seed=1), steps=60, replicas=16)
    assert run.states.shape == (16 * 16, 16)
    np.testing.assert_allclose(run.energies, GLASS.energies(run.states))
    assert run.energies.min() == exact(GLASS).energies.min()


def test_the_field_freezes_what_it_leaves():
    """At the end the slices of a replica agree, at the beginning they do not."""

    def agreement(gamma):
        run = quantum_anneal(GLASS, lambda program: Simulator(program), gamma=gamma, steps=20, replicas=8)
        return np.abs(run.states.reshape(8, 16, 16).mean(axis=1)).mean()

    assert agreement((3.0, 0.02)) > 0.95
    assert agreement((8.0, 6.0)) < 0.5


def test_a_device_does_the_same():
    options: dict[str, Any] = {"steps": 3, "sweeps_per_step": 4, "slices": 4, "replicas": 2}
    simulated = quantum_anneal(GLASS, lambda program: Simulator(program, seed=5), **options)
    device = quantum_anneal(GLASS, lambda program: Device(program, VirtualDevice(program.image), seed=5), **options)
    assert np.array_equal(simulated.states, device.states)


def test_refusals():
    with pytest.raises(RequestError, match=r"from 1.0 to 2.0: it must fall"):
        quantum_anneal(GLASS, lambda program: Simulator(program), gamma=(1.0, 2.0))
