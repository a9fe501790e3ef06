"""Restricted Boltzmann machines on a dense engine: compiled, simulated, and loaded into the RTL by the real host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pbit_hw.compiler import RBM, BoltzmannMachine, Program, compile
from pbit_hw.contract.dense import DenseShape
from pbit_hw.contract.errors import FitError
from pbit_hw.contract.generator import Generator
from pbit_hw.contract.update import Unit
from pbit_hw.gateware.engine_device import LinkedEngine
from pbit_hw.host import ContrastiveDivergence, Device
from pbit_hw.sim.simulator import Simulator

Same = Callable[..., bool]
CLOCK_HZ = 10_000
SHAPE = DenseShape(20, 10, 6, 8, 14, 16, 4, Generator.LINEAR64)


def machine(visible: int, hidden: int) -> RBM:
    rng = np.random.default_rng(visible)
    return RBM(rng.normal(0, 1, (visible, hidden)), rng.normal(0, 1, visible), rng.normal(0, 1, hidden))


def dense(model: Any, **options: Any) -> Program:
    return compile(model, **{"lanes": SHAPE.lanes, "generator": "linear64", "weight_bits": 7, **options})


@pytest.fixture(scope="module")
def transport(rtl: Any) -> Any:
    """One engine for all tests: what is loaded must not depend on what was."""
    return rtl(LinkedEngine(SHAPE, CLOCK_HZ), CLOCK_HZ)


@pytest.mark.parametrize(
    "run",
    [
        {"sweeps": 6, "beta": 0.4, "replicas": 2},
        {"sweeps": 6, "beta": (0.2, 2.0), "clamp": {"v3": 1, "h1": 0}},
        {"sweeps": 6, "keep_every": 3, "burn_in": 2},
    ],
)
def test_the_device_gives_what_the_simulator_gives(transport: Any, run: dict[str, Any], same_samples: Same) -> None:
    assert same_samples(dense(machine(20, 10)), transport, **run)


@pytest.mark.parametrize(("visible", "hidden"), [(7, 5), (12, 10), (20, 1), (2, 3)])
def test_any_smaller_machine_runs_on_the_same_engine(
    transport: Any, visible: int, hidden: int, same_samples: Same
) -> None:
    assert same_samples(dense(machine(visible, hidden)), transport, sweeps=4)


def test_spins_with_missing_edges_run_on_it(transport: Any, same_samples: Same) -> None:
    """Couplings that there are not weigh nothing, and a sparse machine of two layers is one, too."""
    rng = np.random.default_rng(3)
    couplings = np.zeros((16, 16))
    couplings[:9, 9:] = rng.normal(0, 0.5, (9, 7)) * (rng.random((9, 7)) < 0.6)
    model = BoltzmannMachine(9, 7, couplings + couplings.T, rng.normal(0, 0.3, 16), unit=Unit.SPIN)
    program = dense(model, weight_bits=6)
    assert program.image.slots < 2 * 9 * 7
    assert same_samples(program, transport, sweeps=6)


def test_another_seed_gives_other_samples(transport: Any) -> None:
    """Negative control of the comparisons above."""
    program = dense(machine(7, 5))
    device, simulator = Device(program, transport, seed=1), Simulator(program, seed=2)
    assert not np.array_equal(device.sample(5).states, simulator.sample(5).states)


@pytest.mark.parametrize("options", [{}, {"chains": 2}, {"mean_field": True, "momentum": 0.5}])
def test_training_on_the_engine_gives_what_the_simulator_gives(transport: Any, options: dict[str, Any]) -> None:
    """Steps of contrastive divergence: clamped visible units, free sweeps, and weights that are streamed."""
    program = dense(machine(8, 4), weight_format="s[2][4]")
    rows = np.random.default_rng(5).integers(0, 2, (3, 8)).astype(np.int8)
    learners = [
        ContrastiveDivergence(sampler, **options)
        for sampler in (Device(program, transport, seed=3), Simulator(program, seed=3))
    ]
    start = learners[0].couplings.copy()
    for _ in range(2):
        steps = [learner.step(rows, rate=0.5) for learner in learners]
        assert steps[0] == steps[1]
    assert np.array_equal(learners[0].couplings, learners[1].couplings)
    assert np.array_equal(learners[0].biases, learners[1].biases)
    assert not np.array_equal(learners[0].couplings, start)


def test_what_does_not_fit_is_refused(transport: Any) -> None:
    with pytest.raises(FitError, match=r"needs 21 rows, the engine has 20: use a larger engine"):
        Device(dense(machine(21, 2)), transport)
    with pytest.raises(FitError, match=r"graph has 3 colours, a dense engine holds two layers"):
        Device(dense(BoltzmannMachine(3, 0, np.ones((3, 3)) - np.eye(3))), transport)
    with pytest.raises(FitError, match="for no lanes, the engine has 6; compile it with lanes=6"):
        Device(dense(machine(3, 2), lanes=0), transport)
