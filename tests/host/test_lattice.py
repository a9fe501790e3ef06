"""Lattices on a lattice engine: compiled, simulated, and loaded into the RTL by the real host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pbit_hw.compiler import Ising, Program, compile, library
from pbit_hw.contract.errors import FitError
from pbit_hw.contract.generator import Generator
from pbit_hw.contract.lattice import LatticeShape
from pbit_hw.gateware.engine_device import LinkedEngine
from pbit_hw.host import Device
from pbit_hw.sim.simulator import Simulator

Same = Callable[..., bool]
CLOCK_HZ = 10_000
SHAPE = LatticeShape(8, 2, 4, 7, 16, 3, Generator.LINEAR64)
SIDES = (SHAPE.rows, SHAPE.columns)


def on_lattice(model: Ising, **options: Any) -> Program:
    return compile(model, **{"lanes": SHAPE.lanes, "generator": "linear64", **options})


@pytest.fixture(scope="module")
def program() -> Program:
    return on_lattice(library.lattice(SIDES, spin_glass_seed=3))


@pytest.fixture(scope="module")
def transport(rtl: Any) -> Any:
    """One engine for all tests: what is loaded must not depend on what was."""
    return rtl(LinkedEngine(SHAPE, CLOCK_HZ), CLOCK_HZ)


@pytest.mark.parametrize(
    "run",
    [
        {"sweeps": 6, "beta": 0.4, "replicas": 2},
        {"sweeps": 6, "beta": (0.2, 2.0), "clamp": {3: 1, 70: -1}},
        {"sweeps": 6, "beta": 0.4, "keep_every": 3, "burn_in": 2},
    ],
)
def test_the_device_gives_what_the_simulator_gives(
    program: Program, transport: Any, run: dict[str, Any], same_samples: Same
) -> None:
    assert same_samples(program, transport, **run)


@pytest.mark.parametrize(
    "model",
    [
        library.lattice(SIDES),
        library.lattice(SIDES, coupling=-0.1),
        library.lattice(SIDES, periodic=False, spin_glass_seed=2),
    ],
    ids=["ferromagnet", "fraction", "open"],
)
def test_couplings_of_any_magnitude_run_on_the_same_engine(model: Ising, transport: Any, same_samples: Same) -> None:
    assert same_samples(on_lattice(model), transport, sweeps=3, beta=0.7)


def test_weights_are_rewritten_alone(program: Program, transport: Any) -> None:
    device, simulator = Device(program, transport, seed=2), Simulator(program, seed=2)
    for sampler in (device, simulator):
        sampler.set_weights(-program.model.couplings, program.model.biases)
    states = device.sample(4, beta=0.6).states
    assert np.array_equal(states, simulator.sample(4, beta=0.6).states)


def test_another_seed_gives_other_samples(program: Program, transport: Any) -> None:
    """Negative control of the comparisons above."""
    device, simulator = Device(program, transport, seed=1), Simulator(program, seed=2)
    assert not np.array_equal(device.sample(4).states, simulator.sample(4).states)


def test_what_does_not_fit_is_refused(program: Program, transport: Any) -> None:
    with pytest.raises(FitError, match="192 p-bits in 2 colours, the engine is for a lattice of 4 rows and 32 columns"):
        Device(on_lattice(library.lattice((6, 32))), transport)
    with pytest.raises(FitError, match="for no lanes, the engine has 8; compile it with lanes=8"):
        Device(compile(program.model, generator="linear64"), transport)
    device = Device(program, transport)
    with pytest.raises(FitError, match=r"program has biases at 128 p-bits, .* use a tiled engine"):
        device.set_weights(program.model.couplings, program.model.biases + 1)
