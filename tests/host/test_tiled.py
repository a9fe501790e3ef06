"""Programs on a tiled engine: compiled for lanes, simulated, and loaded into the RTL by the real host."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt
import pytest

from pbit_hw.compiler import Ising, Program, compile, library
from pbit_hw.contract.errors import FitError, ImageError, RequestError
from pbit_hw.contract.generator import GENERATOR_NAMES, Generator
from pbit_hw.contract.registers import Control, Region, address
from pbit_hw.contract.tiled import Shape
from pbit_hw.contract.tiling import tile
from pbit_hw.gateware.engine_device import LinkedEngine
from pbit_hw.host import Device
from pbit_hw.host.client import Client
from pbit_hw.sim.simulator import Simulator
from pbit_hw.sim.virtual import VirtualDevice

Same = Callable[..., bool]
CLOCK_HZ = 10_000
LANES = 8
SHAPE = Shape(LANES, 10, 64, 6, 10, 16, 3, Generator.LINEAR64)


def glass(degree: int = 4, size: int = 24, seed: int = 1, weights: tuple[float, ...] = (-1, 1)) -> Ising:
    """A random regular graph with random couplings."""
    graph = nx.random_regular_graph(degree, size, seed=seed)
    rng = np.random.default_rng(seed)
    couplings = np.zeros((size, size))
    for i, j in graph.edges:
        couplings[i, j] = couplings[j, i] = rng.choice(weights)
    return Ising(rng.integers(-1, 2, size).astype(float), couplings)


def tiled(model: Ising, **options: Any) -> Program:
    return compile(model, **{"lanes": LANES, "generator": "linear64", **options})


@pytest.fixture(scope="module")
def program() -> Program:
    return tiled(glass())


@pytest.fixture(scope="module")
def transport(rtl: Any) -> Any:
    """One engine for all tests: what is loaded must not depend on what was."""
    return rtl(LinkedEngine(SHAPE, CLOCK_HZ), CLOCK_HZ)


@pytest.mark.parametrize("generator", GENERATOR_NAMES)
@pytest.mark.parametrize(("replicas", "interleave"), [(1, 1), (3, 1), (70, 1), (5, 2)])
def test_sweep_and_cycle_mode_agree(generator: str, replicas: int, interleave: int) -> None:
    program = tiled(glass(size=60), lanes=9, generator=generator, interleave=interleave)
    sweep, cycle = (Simulator(program, seed=5, mode=mode) for mode in ("sweep", "cycle"))
    for run in ({"beta": 0.5}, {"beta": (0.1, 2.0), "keep_every": 3}):
        states = sweep.sample(12, replicas=replicas, **run).states
        assert np.array_equal(states, cycle.sample(12, replicas=replicas, **run).states)


@pytest.mark.parametrize("generator", GENERATOR_NAMES)
def test_replicas_go_on_where_their_generators_stopped(generator: str) -> None:
    """Lanes of few p-bits move their generators less often than others."""
    program = tiled(glass(3, 22), generator=generator)
    chains = [Simulator(program, seed=5, mode=mode).replicas(3) for mode in ("sweep", "cycle")]
    for sweeps in (3, 1, 4):
        for each in chains:
            each.run(np.full(sweeps, 300, np.int32))
        states = [each.read() for each in chains]
        assert np.array_equal(states[0], states[1])


def test_turns_are_not_those_of_an_array_of_its_own(program: Program) -> None:
    alone = compile(program.model, generator="linear64")
    states = [Simulator(each, seed=5).sample(12).states for each in (program, alone)]
    assert not np.array_equal(*states)


def test_pbits_of_many_neighbours_come_first_in_their_colour() -> None:
    rng = np.random.default_rng(4)
    graph = nx.gnp_random_graph(60, 0.1, seed=4)
    couplings = nx.to_numpy_array(graph) * rng.choice([-1, 1])
    program = tiled(Ising(np.zeros(60), couplings))
    image = program.image
    for first, last in zip(image.colour_first[:-1], image.colour_first[1:], strict=True):
        assert (np.diff(image.degrees[first:last]) <= 0).all()


def test_a_program_keeps_its_lanes(program: Program, tmp_path: Path) -> None:
    program.save(tmp_path / "glass.pbit")
    loaded = Program.load(tmp_path / "glass.pbit")
    assert loaded.image.lanes == LANES
    assert loaded.image.digest == program.image.digest
    assert program.reweighted(program.model.couplings, program.model.biases).image.lanes == LANES


def test_too_few_lanes_are_refused() -> None:
    with pytest.raises(ImageError, match="use more than 4 lanes"):
        tiled(glass(), lanes=4)


@pytest.mark.parametrize(
    "run",
    [
        {"sweeps": 5, "beta": 0.4, "replicas": 2},
        {"sweeps": 5, "beta": (0.2, 2.0), "clamp": {3: 1, 7: -1}},
        {"sweeps": 8, "beta": 0.4, "keep_every": 3, "burn_in": 2},
    ],
)
def test_the_device_gives_what_the_simulator_gives(
    program: Program, transport: Any, run: dict[str, Any], same_samples: Same
) -> None:
    assert same_samples(program, transport, **run)


@pytest.mark.parametrize(
    "model",
    [glass(3, 24, 2), glass(6, 20, 3, (-0.5, 0.25, 1.5)), library.full_adder(), glass(9, 20, 5)],
    ids=["cubic", "fractions", "adder", "degree 9"],
)
def test_any_graph_runs_on_the_same_engine(model: Ising, transport: Any, same_samples: Same) -> None:
    assert same_samples(tiled(model, weight_bits=5), transport, sweeps=4, beta=0.7)


@pytest.mark.parametrize(
    "run",
    [
        {"sweeps": 3, "beta": 0.4, "replicas": 3},
        {"sweeps": 6, "beta": (0.2, 2.0), "replicas": 2, "clamp": {3: [1, -1], 7: -1}, "keep_every": 3},
    ],
)
def test_an_engine_holds_replicas(rtl: Any, run: dict[str, Any], same_samples: Same) -> None:
    transport = rtl(LinkedEngine(replace(SHAPE, group=3, interleave=2), CLOCK_HZ), CLOCK_HZ)
    # a host that was killed has left the second one at hand
    Client(transport).write(address(Region.CONTROL, Control.ROTATE), np.ones(1, np.uint32))
    assert same_samples(tiled(glass(), interleave=2), transport, **run)


def test_weights_are_rewritten_alone(program: Program, transport: Any) -> None:
    device, simulator = Device(program, transport, seed=2), Simulator(program, seed=2)
    for sampler in (device, simulator):
        sampler.set_weights(-program.model.couplings, 1 - program.model.biases**2)
    states = device.sample(5, beta=0.6).states
    assert np.array_equal(states, simulator.sample(5, beta=0.6).states)


def test_another_seed_gives_other_samples(program: Program, transport: Any) -> None:
    """Negative control of the comparisons above."""
    device, simulator = Device(program, transport, seed=1), Simulator(program, seed=2)
    assert not np.array_equal(device.sample(5).states, simulator.sample(5).states)


def test_what_does_not_fit_is_refused(transport: Any) -> None:
    with pytest.raises(FitError, match=r"needs \d+ slots per lane, the engine has 64: use an engine of more lanes"):
        Device(tiled(glass(12, 40)), transport)
    with pytest.raises(FitError, match="for no lanes, the engine has 8; compile it with lanes=8"):
        Device(compile(glass(), generator="linear64"), transport)


@pytest.mark.parametrize("interleave", [1, 2])
def test_a_virtual_device_of_the_program_alone_samples_it(interleave: int, same_samples: Same) -> None:
    program = tiled(glass(), interleave=interleave)
    assert same_samples(program, VirtualDevice(program.image), sweeps=10, replicas=2)


def test_a_source_is_refused(program: Program) -> None:
    class Source:
        def words(self, replicas: int, n: int) -> npt.NDArray[np.uint32]:
            return np.zeros((n, replicas), np.uint32)

    with pytest.raises(RequestError, match="compile the program without lanes"):
        Simulator(program, source=Source()).sample(2)


def test_lanes_are_used_well() -> None:
    """A random regular graph of degree 6: all but the drained pipeline and the last rounds."""
    program = tiled(glass(6, 1600), lanes=16)
    shape = Shape(16, 128, 1024, 3, 5, 14, 0, Generator.LINEAR64)
    tiling = tile(program.image, shape)
    assert tiling.utilisation > 0.8
