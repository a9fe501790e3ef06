"""The compiled clock against the contract's own clock in the interpreter, and the bus between clocks."""

from __future__ import annotations

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
        self.counters = array.phase, array.sweeps_left
        self.states, self.registers = array.states.tolist(), array.registers.tolist()
        names = (array.clamped, array.clamp_values, array.biases, array.weights)
        wiring = (image.neighbours, image.slot_first, image.colour_first)
        self.rest = [values.tolist() for values in (*names, *wiring)]
        self.rest += [array.beta, image.argument_shift, int(image.unit), int(image.generator)]

    def clock(self):
        self.counters = contract_array.clock(*self.counters, self.states, self.registers, *self.rest)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), beta=st.integers(0, 4095), clamped=st.floats(0, 1), sweeps=st.integers(0, 8))
def test_compiled_equals_interpreted(random_program, seed, beta, clamped, sweeps):
    rng = np.random.default_rng(seed)
    array = CycleArray(random_program(seed).image, seed)
    array.clamped[:] = rng.random(array.image.size) < clamped
    array.clamp_values[:] = rng.integers(0, 2, array.image.size)
    array.states[:] = rng.integers(0, 2, array.image.size)
    array.beta = beta
    array.write(SWEEPS, sweeps)
    interpreted = Interpreted(array)
    trace = array.trace(sweeps * array.image.colours + 2)
    for row in range(len(trace.phase)):
        interpreted.clock()
        assert trace.states[row].tolist() == interpreted.states
        assert trace.registers[row].tolist() == interpreted.registers
        assert (trace.phase[row], trace.sweeps_left[row]) == interpreted.counters
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
    assert np.array_equal(moved, array.image.colour == np.arange(array.image.colours)[:, None])


def test_clamps_act_when_idle_and_when_running(array):
    array.write(address(Region.VALUE), 0b0110)
    array.write(address(Region.CLAMP), 0b0011)
    assert not array.states.any(), "a write alone changes its register, not the states"
    array.clock()
    assert array.states[:4].tolist() == [0, 1, 0, 0]
    array.write(SWEEPS, 50)
    trace = array.trace(50 * array.image.colours)
    assert (trace.states[:, :2] == [0, 1]).all()
    assert trace.states[:, 2:].any()
    array.write(address(Region.CLAMP), 0)
    held = array.states.copy()
    array.clock()
    assert np.array_equal(array.states, held)
