"""The compiled clock against the contract's own clock in the interpreter, and the bus between clocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbit_hw.contract import array as contract_array
from pbit_hw.contract.registers import Control, Region, address
from pbit_hw.sim.cycle import CycleArray

SWEEPS = address(Region.CONTROL, Control.SWEEPS)
STOP = address(Region.CONTROL, Control.STOP)


class Interpreted:
    """The contract's clock on Python integers; nothing of numba or numpy in it."""

    def __init__(self, array):
        image = array.image
        self.counters = array.phase, array.sweeps_left, array.under_way
        self.states, self.registers = array.states.tolist(), array.registers.tolist()
        names = (array.clamped, array.biases, array.weights)
        wiring = (image.neighbours, image.slot_first, image.colour_first, image.stream, image.taken)
        self.rest = [values.tolist() for values in (*names, *wiring)]
        self.rest += [array.beta, image.argument_shift, int(image.unit), int(image.generator), int(image.lanes > 0)]

    def clock(self):
        self.counters = contract_array.clock(*self.counters, self.states, self.registers, *self.rest)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    beta=st.integers(0, 4095),
    clamped=st.floats(0, 1),
    sweeps=st.integers(0, 8),
    latency=st.integers(0, 3),
)
def test_compiled_equals_interpreted(random_program, seed, beta, clamped, sweeps, latency):
    rng = np.random.default_rng(seed)
    image = random_program(seed).image
    array = CycleArray(image.interleaved(max(latency * image.colours, 1)), seed)
    array.clamped[:] = rng.random(array.image.size) < clamped
    array.states[:] = rng.integers(0, 2, array.states.shape)
    array.beta = beta
    array.write(SWEEPS, sweeps)
    interpreted = Interpreted(array)
    trace = array.trace(sweeps * array.image.period + array.image.home_slots + 2)
    for row in range(len(trace.phase)):
        interpreted.clock()
        assert trace.states[row].tolist() == interpreted.states
        assert trace.registers[row].tolist() == interpreted.registers
        assert (trace.phase[row], trace.sweeps_left[row], trace.under_way[row]) == interpreted.counters
    assert array.sweeps_left == 0


def test_trace_is_clock_by_clock(random_program):
    image = random_program(3, size=12).image
    one, other = CycleArray(image, 5), CycleArray(image, 5)
    one.write(SWEEPS, 20)
    other.write(SWEEPS, 20)
    trace = one.trace(31)
    for row in range(31):
        other.clock()
        assert np.array_equal(trace.states[row], other.states)
        assert np.array_equal(trace.registers[row], other.registers)
    third = CycleArray(image, 5)
    third.write(SWEEPS, 20)
    third.clock(31)
    assert np.array_equal(third.registers, other.registers)
    assert (third.phase, third.sweeps_left) == (one.phase, one.sweeps_left) == (other.phase, other.sweeps_left)


@pytest.fixture
def array(random_program):
    """An array of three colours or more."""
    array = CycleArray(random_program(8, size=16, degree=6).image)
    assert array.image.colours >= 3
    return array


def test_a_start_is_ignored_while_running(array):
    colours = array.image.colours
    array.write(SWEEPS, 2)
    array.clock()
    array.write(SWEEPS, 9)
    assert array.sweeps_left == 2
    array.clock(2 * colours - 1)
    assert array.sweeps_left == 0
    array.write(SWEEPS, 9)
    assert array.sweeps_left == 0, "in the last clock of a run the array still runs"
    array.clock()
    array.write(SWEEPS, 9)
    assert array.sweeps_left == 9


def test_a_stop_finishes_the_sweep_under_way(array):
    colours = array.image.colours
    array.write(SWEEPS, 5)
    array.clock(colours + 1)
    array.write(STOP, 0)
    assert (array.phase, array.sweeps_left) == (1, 1)
    array.clock(colours - 1)
    assert (array.phase, array.sweeps_left) == (0, 0)
    array.clock()
    array.write(SWEEPS, 5)
    array.clock(colours)
    array.write(STOP, 0)
    assert (array.phase, array.sweeps_left) == (0, 0)


def test_generators_move_only_with_their_colour(array):
    before = array.registers.copy()
    array.clock(3)
    assert np.array_equal(array.registers, before)
    array.write(SWEEPS, 1)
    trace = array.trace(array.image.colours)
    moved = np.diff(np.concatenate([before[None], trace.registers]), axis=0).any(axis=2)
    colours = array.image.colour[array.image.taken == 0]
    assert np.array_equal(moved, colours == np.arange(array.image.colours)[:, None])


def test_clamped_pbits_keep_what_is_written(array):
    array.write(address(Region.STATE), 0b0110)
    array.write(address(Region.CLAMP), 0b0011)
    assert array.states[0, :4].tolist() == [0, 1, 1, 0]
    array.write(SWEEPS, 50)
    trace = array.trace(50 * array.image.colours)
    assert (trace.states[:, 0, :2] == [0, 1]).all()
    assert (trace.states[:, 0, 2:] != trace.states[0, 0, 2:]).any()


WRITES: dict[str, tuple[int, Any]] = {
    "state": (address(Region.STATE), 0b101),
    "clamp": (address(Region.CLAMP), 0b101),
    "bias": (address(Region.BIAS), 3),
    "weight": (address(Region.WEIGHT), 3),
    "generator": (address(Region.GENERATOR), [3, 4]),
    "beta": (address(Region.CONTROL, Control.BETA), 3),
    "rotate": (address(Region.CONTROL, Control.ROTATE), 1),
    "sweeps": (SWEEPS, 9),
}


def everything(array):
    arrays = (array.states, array.clamped, array.biases, array.weights, array.registers)
    return [values.tolist() for values in arrays], array.beta, array.at_hand, array.phase, array.sweeps_left


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("interleave", [1, 2])
def test_writes_are_ignored_while_running(random_program, name, interleave):
    """Until the clock after the last one of a run, in which they are taken."""
    program = random_program(8, size=16, degree=6)
    array = CycleArray(program.interleaved(1 if interleave == 1 else 2 * program.image.colours).image)
    array.write(SWEEPS, 2)
    for _ in range(2 * array.image.period + array.image.home_slots):
        array.clock()
        before = everything(array)
        array.write(*WRITES[name])
        assert everything(array) == before
    assert array.sweeps_left == 0
    array.clock()
    array.write(*WRITES[name])
    assert (everything(array) == before) == (name == "rotate" and interleave == 1)


def test_states_of_replicas_are_written_in_turn_and_a_run_starts_at_the_first(random_program):
    program = random_program(8, size=16, degree=6)
    image = program.interleaved(2 * program.image.colours).image
    array = CycleArray(image)
    for replica in range(image.interleave):
        assert array.at_hand == replica
        array.write(address(Region.STATE), replica + 1)
        array.write(SWEEPS, 5)
        assert array.sweeps_left == (6 if replica == 0 else 0)
        array.write(STOP, 0)
        while array.sweeps_left or array.running:
            array.clock()
        array.write(address(Region.CONTROL, Control.ROTATE), 77)
    assert array.at_hand == 0
    assert (array.states @ (1 << np.arange(image.size))).tolist() == list(range(1, image.interleave + 1))
    array.write(SWEEPS, 5)
    assert array.sweeps_left == 6
