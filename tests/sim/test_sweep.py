"""Sweep mode against cycle mode, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbit_hw.compiler import BoltzmannMachine, Ising, Model, compile, library
from pbit_hw.contract.generator import streams
from pbit_hw.contract.update import Unit
from pbit_hw.sim import replicas as replicas_module
from pbit_hw.sim import simulator, sweep
from pbit_hw.sim.cycle import CycleArray
from pbit_hw.sim.simulator import Simulator


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


def check_random_run(random_program, seed, replicas, sweeps):
    rng = np.random.default_rng(seed)
    program = random_program(seed, degree=rng.uniform(0, 8), weight_bits=int(rng.integers(2, 12)))
    swept, clocked = both(program, random_request(program, rng, replicas, sweeps))
    assert np.array_equal(swept, clocked)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), replicas=st.integers(1, 9), sweeps=st.integers(1, 30))
def test_sweep_equals_cycle(random_program, seed, replicas, sweeps):
    check_random_run(random_program, seed, replicas, sweeps)


@pytest.mark.slow
@settings(max_examples=600, deadline=None)
@given(seed=st.integers(0, 2**32), replicas=st.integers(1, 70), sweeps=st.integers(1, 60))
def test_sweep_equals_cycle_often(random_program, seed, replicas, sweeps):
    check_random_run(random_program, seed, replicas, sweeps)


@pytest.mark.parametrize("replicas", [1, 3, 4, 64])
@pytest.mark.parametrize("generator", ["lfsr32", "xoshiro128"])
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
def test_wide_formats(replicas):
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


def test_blocks_do_not_show(random_program):
    """More replicas than a block has room for, and fewer."""
    program = random_program(5, size=12)
    initial = (
        np.ones((2 * sweep.BLOCK + 1, 12)) if program.model.unit is Unit.BIT else -np.ones((2 * sweep.BLOCK + 1, 12))
    )
    many = program.request(6, replicas=len(initial), initial=initial, keep_every=2, seed=2)
    few = program.request(6, replicas=6, initial=initial[:6], keep_every=2, seed=2)
    states = Simulator(program).run(many).states
    assert np.array_equal(states[:, :6], Simulator(program).run(few).states)


def test_cycle_mode_is_the_register_exact_array(random_program):
    """Replica by replica: the array of `CycleArray`, loaded over its bus, with the streams of its replica."""
    program = random_program(21, size=14)
    image = program.image
    rng = np.random.default_rng(3)
    request = random_request(program, rng, 3, 12)
    states = Simulator(program, mode="cycle").run(request).states
    registers = streams(image.generator, request.seed, 3 * image.size).reshape(3, image.size, -1)
    for replica in range(3):
        array = CycleArray(image)
        array.states[:] = request.start[replica]
        array.clamped[:], array.clamp_values[:] = request.clamped, request.clamp_values[replica]
        array.registers[:] = registers[replica]
        after = []
        for beta in request.betas:
            array.beta = int(beta)
            array.sweeps_left = 1
            array.clock(image.colours)
            after.append(array.states.copy())
        assert np.array_equal(states[:, replica], np.array(after)[request.keep - 1])


@pytest.mark.parametrize("victim", ["generator", "weights", "shift"])
def test_a_planted_error_shows(random_program, monkeypatch, victim):
    """The comparison's own control: one wrong number on one side makes the modes differ."""
    program = random_program(6, size=16, generator="lfsr32")
    request = program.request(2000, replicas=4, keep_every=1, seed=5)
    honest = Simulator(program, mode="cycle").run(request).states
    original = replicas_module.Replicas.__init__

    def sabotaged(self, *arguments):
        original(self, *arguments)
        if victim == "generator":
            self._registers[0, 7] ^= 1 << 31
        elif victim == "weights":
            self._network[1][2] += 1
        else:
            self._constants = (self._constants[0] + 1, *self._constants[1:])

    monkeypatch.setattr(replicas_module.Replicas, "__init__", sabotaged)
    assert not np.array_equal(Simulator(program).run(request).states, honest)
