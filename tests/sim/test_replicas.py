"""Replicas in lanes against replicas that are run anew each time, bit for bit."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbit_hw.contract.errors import RequestError
from pbit_hw.contract.generator import GENERATOR_NAMES
from pbit_hw.contract.replicas import Pairs, Replicas
from pbit_hw.sim.replicas import SweptReplicas
from pbit_hw.sim.simulator import Simulator


def pair(program, count, seed):
    simulator = Simulator(program)
    return simulator, (Replicas(simulator, count, seed), SweptReplicas(simulator, count, seed))


def agree(replicas, pairs, first):
    plain, swept = replicas
    assert np.array_equal(plain.read(), swept.read())
    for one, other in zip(plain.counts(pairs, first), swept.counts(pairs, first), strict=True):
        assert np.array_equal(one, other)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 150))
def test_any_history_is_the_same(random_program, seed, count):
    """Runs, clamps, writes and new weights in a random order."""
    rng = np.random.default_rng(seed)
    program = random_program(seed, degree=rng.uniform(0, 8), weight_bits=int(rng.integers(2, 12)))
    size, model = program.image.size, program.model
    simulator, replicas = pair(program, count, seed)
    pairs = Pairs(*rng.integers(0, size, (2, 9), np.int32))
    if rng.random() < 0.5 and size > 3:  # with stretches
        pairs = Pairs(np.repeat(np.arange(2, dtype=np.int32), size - 2), np.tile(np.arange(2, size, dtype=np.int32), 2))
    for _ in range(4):
        if rng.random() < 0.5:
            clamped = rng.integers(0, 2, size, np.uint8)
            places = np.flatnonzero(clamped)
            bits = rng.integers(0, 2, (count, len(places)), np.uint8)
            for one in replicas:
                one.write(bits, places)
                one.clamp(clamped)
        if rng.random() < 0.5:
            largest = program.image.grid.largest
            simulator.set_weights(
                rng.uniform(-largest, largest, len(model.edges)), rng.uniform(-largest, largest, size)
            )
        betas = rng.integers(0, program.image.beta_format.limit + 1, rng.integers(1, 6)).astype(np.int32)
        for one in replicas:
            one.run(betas)
        agree(replicas, pairs, int(rng.integers(0, count + 1)))


@pytest.mark.parametrize("generator", GENERATOR_NAMES)
def test_a_snapshot_is_gone_on_from(random_program, generator):
    program = random_program(3, generator=generator)
    _, replicas = pair(program, 70, 5)
    betas = np.full(3, 512, np.int32)
    for one in replicas:
        one.run(betas)
    for origin in replicas:
        snapshot = origin.snapshot()
        origin.run(betas)
        for other in pair(program, 70, 99)[1]:
            other.restore(snapshot)
            other.run(betas)
            assert np.array_equal(other.read(), origin.read())


def test_replicas_differ_from_each_other_and_from_run_to_run(random_program):
    """A control of the tests above."""
    _, (plain, swept) = pair(random_program(3), 70, 5)
    first = swept.read()
    swept.run(np.full(1, 512, np.int32))
    assert (swept.read() != first).any()
    assert len(np.unique(swept.read(), axis=0)) > 60
    assert not np.array_equal(SweptReplicas(Simulator(random_program(3)), 70, 6).read(), first)
    assert np.array_equal(plain.read(), first)


def test_simulators_choose(random_program):
    program = random_program(3)
    assert isinstance(Simulator(program).replicas(2), SweptReplicas)
    assert type(Simulator(program, mode="cycle").replicas(2)) is Replicas


def test_another_array_is_noticed(random_program):
    """One that is loaded anew is still the same."""
    program = random_program(3)
    betas = np.full(1, 512, np.int32)
    for place in range(2):
        simulator, replicas = pair(program, 5, 1)
        simulator.load(pickle.loads(pickle.dumps(program)))
        replicas[place].run(betas)
        simulator.load(random_program(4))
        with pytest.raises(RequestError, match="another array of"):
            replicas[place].run(betas)


@pytest.mark.parametrize("generator", GENERATOR_NAMES)
@pytest.mark.parametrize("count", [5, 64, 70])
def test_a_snapshot_does_not_move_on(random_program, generator, count):
    for replicas in pair(random_program(3, generator=generator), count, 5)[1]:
        snapshot = replicas.snapshot()
        before = {name: array.copy() for name, array in snapshot.items()}
        replicas.run(np.full(3, 512, np.int32))
        assert all(np.array_equal(snapshot[name], array) for name, array in before.items())


def test_a_snapshot_of_other_replicas_is_refused(random_program):
    program = random_program(3)
    for few, many in zip(pair(program, 5, 1)[1], pair(program, 7, 1)[1], strict=True):
        with pytest.raises(RequestError, match="the snapshot has states of shape"):
            few.restore(many.snapshot())


def test_no_replicas_are_refused(random_program):
    with pytest.raises(RequestError, match="0 replicas were asked for"):
        Simulator(random_program(3)).replicas(0)


def test_long_runs_are_cut(random_program, monkeypatch):
    program = random_program(3)
    _, (plain, swept) = pair(program, 70, 5)
    monkeypatch.setattr("pbit_hw.sim.replicas.PIECE", 1)
    for one in (plain, swept):
        one.run(np.full(7, 512, np.int32))
    assert np.array_equal(plain.read(), swept.read())
