"""Sweep mode against cycle mode, bit for bit, on every path of the code."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pbit_hw.compiler import BoltzmannMachine, Ising, Model, compile, library
from pbit_hw.contract.generator import GENERATOR_NAMES
from pbit_hw.contract.registers import Control, Region, address
from pbit_hw.contract.update import Unit
from pbit_hw.sim import ensemble, simulator
from pbit_hw.sim.cycle import CycleArray
from pbit_hw.sim.ensemble import Ensemble
from pbit_hw.sim.lanes import PbitLanes, ReplicaLanes
from pbit_hw.sim.native import PERMUTE_FEATURES, Processor, host
from pbit_hw.sim.network import Network
from pbit_hw.sim.simulator import Simulator

PROCESSORS = {
    "host": host(),
    "no AVX-512": Processor(host().name, f"{host().features},-avx512f"),
    "oldest": Processor("", ""),
}
"""Paths of the code: lookups in registers where the host has them, and lookups in memory."""


def random_request(program, rng, replicas, sweeps):
    """A run with a random schedule of beta, random clamps, and random kept sweeps."""
    model = program.model
    values = (-1, 1) if model.unit is Unit.SPIN else (0, 1)
    labels = rng.choice(model.size, rng.integers(0, model.size + 1), replace=False).tolist()
    keep_every = int(rng.integers(1, sweeps + 1))
    return program.request(
        sweeps,
        replicas=replicas,
        beta=rng.uniform(0, 3, sweeps),
        keep_every=keep_every,
        burn_in=int(rng.integers(0, sweeps - keep_every + 1)),
        clamp={label: rng.choice(values, replicas) for label in labels} if rng.random() < 0.7 else None,
        seed=int(rng.integers(2**63)),
    )


def both(program, request):
    batches = [Simulator(program, mode=mode).run(request) for mode in ("sweep", "cycle")]
    assert batches[0].states.shape == (len(request.keep), request.replicas, program.image.size)
    assert batches[0].flips == batches[1].flips == len(request.betas) * request.replicas * program.image.size
    return [batch.states for batch in batches]


def check_random_run(random_program, seed, replicas, sweeps, latency=0):
    rng = np.random.default_rng(seed)
    program = random_program(seed, degree=rng.uniform(0, 8), weight_bits=int(rng.integers(2, 12)))
    program = program.interleaved(max(latency * program.image.colours, 1))
    swept, clocked = both(program, random_request(program, rng, replicas, sweeps))
    assert np.array_equal(swept, clocked)


LAYOUTS = {"p-bit lanes": PbitLanes, "replica lanes": ReplicaLanes}


@pytest.fixture(params=PROCESSORS)
def processor(request, monkeypatch):
    """Makes the code for another processor."""
    chosen = PROCESSORS[request.param]
    monkeypatch.setattr(ensemble, "host", lambda: chosen)
    return chosen


@pytest.fixture(params=LAYOUTS)
def layout(request, monkeypatch):
    """Takes one layout, whichever is faster."""
    chosen = LAYOUTS[request.param]
    monkeypatch.setattr(ensemble, "_layout", lambda replicas, network: chosen(replicas, network.image))
    return chosen


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), replicas=st.integers(1, 9), sweeps=st.integers(1, 30))
def test_sweep_equals_cycle(random_program, processor, layout, seed, replicas, sweeps):
    check_random_run(random_program, seed, replicas, sweeps)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32),
    replicas=st.integers(1, 20),
    sweeps=st.integers(1, 20),
    latency=st.sampled_from([1, 2, 3]),
)
def test_sweep_equals_cycle_of_interleaved_replicas(random_program, layout, seed, replicas, sweeps, latency):
    check_random_run(random_program, seed, replicas, sweeps, latency)


@pytest.mark.parametrize("generator", GENERATOR_NAMES)
@pytest.mark.parametrize("latency", [1, 2, 3])
def test_replicas_that_fill_no_set(layout, generator, latency):
    program = compile(library.lattice((3, 3, 3), spin_glass_seed=1), generator=generator)
    program = program.interleaved(latency * program.image.colours)
    swept, clocked = both(
        program, program.request(15, replicas=2 * program.image.interleave + 1, beta=(0.2, 2), seed=3)
    )
    assert np.array_equal(swept, clocked)


@pytest.mark.parametrize("generator", GENERATOR_NAMES)
def test_an_interleaved_array_draws_what_no_array_of_one_does(generator):
    """Negative control: interleaving shows in the samples."""
    program = compile(library.lattice((3, 3, 3), spin_glass_seed=1), generator=generator)
    states = [Simulator(p).sample(20, replicas=3).states for p in (program, program.interleaved(6))]
    assert not np.array_equal(*states)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), replicas=st.integers(1, 150), sweeps=st.integers(1, 60), latency=st.integers(0, 3))
def test_sweep_equals_cycle_often(random_program, processor, layout, seed, replicas, sweeps, latency):
    check_random_run(random_program, seed, replicas, sweeps, latency)


def test_paths_differ():
    """The control of ``processor``: with and without lookups in registers, where this processor has them."""
    assert PROCESSORS["host"].permutes == all(f"+{name}" in host().features.split(",") for name in PERMUTE_FEATURES)
    assert not PROCESSORS["no AVX-512"].permutes
    assert not PROCESSORS["oldest"].permutes


@pytest.mark.parametrize("replicas", [1, 3, 4, 64])
@pytest.mark.parametrize("generator", GENERATOR_NAMES)
@pytest.mark.parametrize(
    "model",
    [
        Ising([0.5], np.zeros((1, 1))),
        Ising(np.linspace(-1, 1, 7), np.zeros((7, 7))),
        BoltzmannMachine(1, 1, J=np.array([[0, 0.7], [0.7, 0]]), unit=Unit.BIT),
        library.lattice((3, 3, 3), spin_glass_seed=1),
        library.full_adder(),
    ],
    ids=["one", "edgeless", "pair", "odd lattice", "complete"],
)
def test_small_and_regular_arrays(model, generator, replicas):
    program = compile(model, generator=generator)
    swept, clocked = both(program, program.request(25, replicas=replicas, beta=0.8, keep_every=1, seed=3))
    assert np.array_equal(swept, clocked)
    assert 0 < swept.mean() < 1


def test_lattice_of_the_benchmark():
    """The 16^3 glass with 64 replicas, through annealing."""
    program = compile(library.lattice((16, 16, 16), spin_glass_seed=0))
    swept, clocked = both(program, program.request(12, replicas=64, beta=(0.1, 2.0), keep_every=4, seed=1))
    assert np.array_equal(swept, clocked)


@pytest.mark.parametrize("replicas", [1, 8])
def test_wide_formats(replicas, processor, layout):
    """Fields as wide as registers, and products with beta far beyond them."""
    star = np.stack([np.zeros(120, int), np.arange(1, 121)], axis=1).astype(np.int32)
    rng = np.random.default_rng(0)
    model = Model(Unit.SPIN, tuple(range(121)), star, np.full(120, 1.99), rng.normal(0, 0.1, 121))
    program = compile(model, weight_format="s[1][23]", beta_format="u[2][22]")
    assert program.image.bias_bits == 32
    swept, clocked = both(program, program.request(20, replicas=replicas, beta=(0.0, 0.3), keep_every=1))
    assert np.array_equal(swept, clocked)
    assert len(np.unique(swept)) == 2


def test_pieces_do_not_show(random_program, monkeypatch):
    """A run cut into many kernel calls equals one in a single call."""
    program = random_program(11, size=20)
    request = program.request(50, replicas=5, beta=(0.1, 2.0), keep_every=7, burn_in=3, seed=1)
    whole = Simulator(program).run(request).states
    for work in (1, 2000):
        monkeypatch.setattr(simulator, "PIECE", work)
        assert np.array_equal(Simulator(program).run(request).states, whole)


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_do_not_show(random_program, layout, threads, monkeypatch):
    monkeypatch.setattr(ensemble, "THREADED_ROWS", 0)
    program = random_program(5, size=12)
    request = program.request(40, replicas=200, beta=(0.1, 2.0), keep_every=7, seed=2)
    threaded = Simulator(program, threads=threads).run(request).states
    assert np.array_equal(threaded, Simulator(program, mode="cycle").run(request).states)


def test_registers_and_states_can_be_read_back(random_program, layout):
    for generator in GENERATOR_NAMES:
        program = random_program(8, size=70, generator=generator)
        image = program.image
        request = program.request(5, replicas=3, seed=4)
        registers = request.generators(image)
        swept = Ensemble(Network(image), 3)
        swept.load(request.start, registers, request.clamped)
        assert np.array_equal(swept.states, request.start)
        assert np.array_equal(swept.registers, registers)
        last = swept.sweep(request.betas, request.keep)[-1]
        assert np.array_equal(swept.states, last)
        array = CycleArray(image)
        array.states[:], array.registers[:] = request.start[1], registers[1]
        array.beta, array.sweeps_left = int(request.betas[0]), 5
        array.clock(5 * image.colours)
        assert np.array_equal(swept.states[1], array.states[0])
        assert np.array_equal(swept.registers[1], array.registers)


@pytest.mark.parametrize(("replicas", "kind"), [(1, PbitLanes), (3, PbitLanes), (64, ReplicaLanes)])
def test_the_layout_follows_the_work(replicas, kind):
    network = Network(compile(library.lattice((16, 16), spin_glass_seed=0)).image)
    assert type(ensemble._layout(replicas, network)) is kind


def test_complete_graphs_have_no_blocks_to_gain_from():
    network = Network(compile(Ising(np.zeros(40), np.triu(np.ones((40, 40)), 1))).image)
    assert type(ensemble._layout(1, network)) is PbitLanes
    assert type(ensemble._layout(2, network)) is ReplicaLanes


def test_cycle_mode_is_the_register_exact_array(random_program):
    """Replica by replica: the array of `CycleArray`, loaded over its bus, with the streams of its replica."""
    program = random_program(21, size=14)
    image = program.image
    rng = np.random.default_rng(3)
    request = random_request(program, rng, 3, 12)
    states = Simulator(program, mode="cycle").run(request).states
    registers = request.generators(image)
    for replica in range(3):
        array = CycleArray(image)
        array.states[:] = request.start[replica]
        array.clamped[:] = request.clamped
        array.registers[:] = registers[replica]
        after = []
        for beta in request.betas:
            array.beta = int(beta)
            array.sweeps_left = 1
            array.clock(image.colours)
            after.append(array.states[0].copy())
        assert np.array_equal(states[:, replica], np.array(after)[request.keep - 1])


@pytest.mark.parametrize("generator", GENERATOR_NAMES)
def test_cycle_mode_is_the_interleaved_array(random_program, generator):
    """A set of replicas is what stands in one array; its registers end where the first replica's do."""
    program = random_program(21, size=14, generator=generator)
    image = program.interleaved(2 * program.image.colours).image
    request = program.request(12, replicas=image.interleave, beta=0.7, seed=3)
    array = CycleArray(image, request.seed)
    array.states[:], array.clamped[:], array.beta = request.start, request.clamped, int(request.betas[0])
    array.write(address(Region.CONTROL, Control.SWEEPS), 12)
    array.clock(13 * image.interleave)
    for layout in (PbitLanes, ReplicaLanes):
        swept = Ensemble(Network(image), image.interleave, layout=layout)
        swept.load(request.start, request.generators(image), request.clamped)
        assert np.array_equal(swept.sweep(request.betas, np.array([12]))[0], array.states)
        assert np.array_equal(swept.registers[0], array.registers)
    assert array.sweeps_left == 0


@pytest.mark.parametrize("victim", ["generator", "weights", "thresholds"])
def test_a_planted_error_shows(random_program, layout, monkeypatch, victim):
    """The comparison's own control: one wrong number on one side makes the modes differ."""
    program = random_program(6, size=16, generator="lfsr48", weight_bits=4)
    request = program.request(2000, replicas=4, keep_every=1, seed=5)
    honest = Simulator(program, mode="cycle").run(request).states
    original = Ensemble.load

    def sabotaged(self, *arguments):
        original(self, *arguments)
        if victim == "generator":
            self._registers[0, 0, 0, 0] ^= 1 << 15
        elif victim == "weights":
            self._weights[2] += 1
        else:
            thresholds = self._network.thresholds
            monkeypatch.setattr(self._network, "thresholds", lambda betas: thresholds(betas + 1))

    monkeypatch.setattr(Ensemble, "load", sabotaged)
    assert not np.array_equal(Simulator(program).run(request).states, honest)
