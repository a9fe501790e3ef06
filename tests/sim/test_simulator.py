"""The simulator as a sampler."""

from __future__ import annotations

import numpy as np
import pytest

from pbit_hw.compiler import Ising, compile, library
from pbit_hw.contract.array import move, word
from pbit_hw.contract.errors import RequestError
from pbit_hw.contract.generator import GENERATOR_NAMES, Generator, streams
from pbit_hw.contract.request import call_seed
from pbit_hw.sim import simulator
from pbit_hw.sim.exact import exact
from pbit_hw.sim.simulator import Simulator

MODES = ("sweep", "cycle")


@pytest.fixture(scope="module")
def program():
    return compile(library.lattice((4, 4), spin_glass_seed=2))


def test_unknown_mode(program):
    with pytest.raises(RequestError, match="'sweep' or 'cycle'"):
        Simulator(program, mode="fast")  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", MODES)
def test_runs_differ_and_repeat(program, mode):
    one, other = Simulator(program, seed=4, mode=mode), Simulator(program, seed=4, mode=mode)
    first, second = one.sample(20, replicas=6), one.sample(20, replicas=6)
    assert not np.array_equal(first.states, second.states)
    assert np.array_equal(other.sample(20, replicas=6).states, first.states)
    assert np.array_equal(other.sample(20, replicas=6).states, second.states)
    assert not np.array_equal(Simulator(program, seed=5, mode=mode).sample(20, replicas=6).states, first.states)


def test_a_replica_does_not_depend_on_the_others(program):
    initial = np.ones((70, 16), int)
    many = Simulator(program).run(program.request(30, replicas=70, initial=initial, seed=3)).states
    for replicas in (1, 2, 5):
        few = Simulator(program).run(program.request(30, replicas=replicas, initial=initial[:replicas], seed=3)).states
        assert np.array_equal(few, many[:, :replicas])


@pytest.mark.parametrize("mode", MODES)
def test_reweighting_is_like_compiling_anew(program, mode):
    rng = np.random.default_rng(0)
    couplings, biases = rng.choice([-1.0, 1.0], len(program.model.edges)), np.zeros(16)
    sampler = Simulator(program, seed=1, mode=mode)
    before = sampler.sample(50, replicas=5)
    sampler.set_weights(couplings, biases)
    after = sampler.sample(50, replicas=5)
    fresh = Simulator(program.reweighted(couplings, biases), mode=mode)
    request = program.request(50, replicas=5, seed=call_seed(1, 1))
    assert np.array_equal(fresh.program.decode(fresh.run(request), request).states, after.states)
    assert np.array_equal(after.model.couplings, couplings)
    assert not np.array_equal(before.states, after.states)


def test_loading_another_program(program):
    sampler = Simulator(program)
    sampler.load(compile(library.full_adder()))
    assert sampler.sample(5, replicas=2).states.shape == (10, 5)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("replicas", [2, 6])
def test_clamps(program, mode, replicas):
    values = np.resize([1, -1], replicas)
    samples = Simulator(program, mode=mode).sample(40, replicas=replicas, clamp={3: values, 7: -1})
    assert np.array_equal(samples.states[:, 3], values[samples.replica])
    assert (samples.states[:, 7] == -1).all()
    assert len(np.unique(samples.states[:, 0])) == 2


class DrawnWords:
    """The words that a generator gives, as a source."""

    def __init__(self, kind, seed, count):
        self.kind, self.registers = kind, streams(kind, seed, count)

    def words(self, replicas, n):
        drawn = []
        for register in self.registers:
            drawn.append(word(int(self.kind), register, 0))
            move(int(self.kind), register)
        return np.array(drawn, np.uint32).reshape(replicas, n).T


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("replicas", [2, 8])
@pytest.mark.parametrize("generator", GENERATOR_NAMES)
def test_a_source_replaces_the_generator(mode, replicas, generator):
    """Fed the words of one generator, an array of any does what an array of that one does."""
    model = library.lattice((4, 4), spin_glass_seed=2)
    reference = compile(model, generator="lfsr48")
    wanted = Simulator(reference).run(reference.request(25, replicas=replicas, keep_every=1, seed=9))
    program = compile(model, generator=generator)
    sampler = Simulator(program, mode=mode, source=DrawnWords(Generator.LFSR48, 9, replicas * 16))
    assert np.array_equal(
        sampler.run(program.request(25, replicas=replicas, keep_every=1, seed=9)).states, wanted.states
    )


@pytest.mark.parametrize("generator", GENERATOR_NAMES)
def test_a_source_gives_every_replica_of_an_interleaved_array_its_own_words(generator):
    """As if each had an array of its own."""
    model = library.lattice((4, 4), spin_glass_seed=2)
    alone, together = compile(model, generator=generator), compile(model, generator=generator, interleave=6)
    states = []
    for sampler in (Simulator(alone), Simulator(together), Simulator(together, mode="cycle")):
        sampler.source = DrawnWords(Generator.LFSR48, 9, 8 * 16)
        states.append(sampler.run(sampler.program.request(25, replicas=8, keep_every=1, seed=9)).states)
    assert np.array_equal(states[0], states[1])
    assert np.array_equal(states[0], states[2])


class ConstantSource:
    def __init__(self, word):
        self.word = word

    def words(self, replicas, n):
        return np.full((n, replicas), self.word, np.uint32)


@pytest.mark.parametrize(("word", "bit"), [(0, 0), (0xFFFF, 1)])
def test_a_source_decides(word, bit):
    """At beta = 0 a word below one half goes against the field's sign, which counts as positive."""
    program = compile(Ising(np.zeros(5), np.zeros((5, 5))))
    states = Simulator(program, source=ConstantSource(word)).run(program.request(3, replicas=4, beta=0.0)).states
    assert (states == bit).all()


def test_progress(program, monkeypatch):
    calls = []
    sampler = Simulator(program, progress=lambda *numbers: calls.append(numbers))
    sampler.sample(100, replicas=2)
    assert calls == [(100, 100)]
    calls.clear()
    monkeypatch.setattr(simulator, "PIECE", 40 * 2 * (program.image.size + program.image.slots))
    sampler.sample(100, replicas=2)
    assert calls == [(40, 100), (80, 100), (100, 100)]


def test_memory_guard(program):
    sampler = Simulator(program, max_bytes=16 * 8 * 50)
    assert len(sampler.sample(50, replicas=8).states) == 400
    with pytest.raises(
        RequestError, match=r"100 kept sweeps of 8 .* 12,800 bytes, the limit is 6,400; .*keep_every=2 "
    ):
        sampler.sample(100, replicas=8)
    sampler.sample(100, replicas=8, keep_every=2)
    with pytest.raises(RequestError, match="fewer replicas"):
        sampler.sample(10, replicas=1000)


def test_memory_guard_names_a_way_out_that_works(program):
    """Burn-in and rounding included."""
    for sweeps in range(90, 140, 7):
        sampler = Simulator(program, max_bytes=16 * 8 * 11)
        with pytest.raises(RequestError) as refused:
            sampler.sample(sweeps, replicas=8, burn_in=5)
        keep_every = int(str(refused.value).split("keep_every=")[1].split()[0])
        sampler.sample(sweeps, replicas=8, burn_in=5, keep_every=keep_every)


@pytest.mark.parametrize("generator", GENERATOR_NAMES)
def test_a_free_bit_is_fair(generator):
    program = compile(Ising(np.zeros(64), np.zeros((64, 64))), generator=generator)
    states = Simulator(program, seed=2).sample(1000, replicas=16).states
    assert abs(states.mean()) < 5 / np.sqrt(states.size)
    assert abs((states[:-16] * states[16:]).mean()) < 5 / np.sqrt(states.size)


def test_schedule_finds_the_ground_state(program):
    ground = exact(program.model, 1.0).energies.min()
    assert Simulator(program, seed=1).sample(300, replicas=32, beta=(0.1, 4.0)).best.energy == ground
