"""Clocks of the array against the model's own conditional probabilities, p-bit by p-bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from pbit_hw.contract import activation, array
from pbit_hw.contract.generator import Generator, advanced, halves, lfsr48_word, next_rows, streams, xoshiro_word
from pbit_hw.contract.image import Image
from pbit_hw.contract.update import Unit, decide, field

BETA = 700


class Machine:
    """The registers of an array and `array.clock` on them."""

    def __init__(self, image: Image, seed: int = 1) -> None:
        self.image = image
        self.phase = self.sweeps_left = self.under_way = 0
        self.states = np.random.default_rng(seed).integers(0, 2, (image.interleave, image.size), np.uint8)
        self.registers = streams(image.generator, seed, image.streams)
        self.clamped = image.clamped.copy()

    def start(self, sweeps: int) -> None:
        self.sweeps_left = array.start(sweeps, self.image.following)

    def stop(self) -> None:
        self.sweeps_left = array.stop(self.phase, self.sweeps_left, self.image.following)

    def clock(self) -> None:
        image = self.image
        self.phase, self.sweeps_left, self.under_way = array.clock(
            self.phase,
            self.sweeps_left,
            self.under_way,
            self.states,
            self.registers,
            self.clamped,
            image.biases,
            image.weights,
            image.neighbours,
            image.slot_first,
            image.colour_first,
            image.stream,
            image.taken,
            BETA,
            image.argument_shift,
            int(image.unit),
            int(image.generator),
            int(image.lanes > 0),
        )

    def run(self) -> int:
        """Clock until the array is idle; returns how often."""
        clocks = 0
        while self.sweeps_left:
            self.clock()
            clocks += 1
        return clocks


def word_of(image: Image, registers: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
    """Random words of a register file, shape (n,)."""
    low, middle, high, top = halves(registers[:, 0], registers[:, 1])
    if image.generator is Generator.LINEAR64:
        return np.stack([low, middle, high, top], axis=1)[image.stream, image.taken].astype(np.int64)
    if image.generator is Generator.LFSR48:
        return lfsr48_word(low, middle, high).astype(np.int64)
    if image.generator is Generator.XOSHIRO128:
        return xoshiro_word(32, registers[:, 0], registers[:, 3]).astype(np.int64)
    return xoshiro_word(16, low, top).astype(np.int64)


def expected_states(machine: Machine) -> npt.NDArray[np.uint8]:
    """States after the clock, from the unfolded model: a dense matrix, biases and m = 2s - 1 or s."""
    image = machine.image
    matrix = np.zeros((image.size, image.size), np.int64)
    matrix[image.owners, image.neighbours] = image.weights
    before = machine.states[0]
    spins = before.astype(np.int64) * 2 - 1 if image.unit is Unit.SPIN else before.astype(np.int64)
    fields = image.unfold() + matrix @ spins
    arguments = [activation.argument(abs(int(f)), BETA, image.argument_shift) for f in fields]
    up = word_of(image, machine.registers) >= activation.TABLE[arguments]
    updated = np.where(fields >= 0, up, ~up)
    moves = (image.colour == machine.phase) & (machine.sweeps_left > 0) & ~machine.clamped.view(bool)
    return np.where(moves, updated, before).astype(np.uint8)


@pytest.mark.parametrize("unit", list(Unit))
@pytest.mark.parametrize("generator", list(Generator))
@pytest.mark.parametrize("sizes", [(4, 3, 2), (1,), (2, 9), (3, 1, 1, 1, 1, 1)])
def test_every_clock_of_a_run(
    make_image: Callable[..., Image], unit: Unit, generator: Generator, sizes: tuple[int, ...]
) -> None:
    machine = Machine(make_image(sizes, unit=unit, generator=generator, weight_format="s[0][5]"))
    step = next_rows(generator)
    machine.sweeps_left = 40
    for clock in range(40 * len(sizes)):
        assert machine.phase == clock % len(sizes)
        states = expected_states(machine)
        moves = (machine.image.colour[machine.image.taken == 0] == machine.phase)[:, None]
        registers = np.where(moves, step(machine.registers), machine.registers)
        machine.clock()
        assert np.array_equal(machine.states[0], states)
        assert np.array_equal(machine.registers, registers)
    assert (machine.phase, machine.sweeps_left) == (0, 0)


def test_a_run_changes_states(make_image: Callable[..., Image]) -> None:
    """Negative control of the test above: its states are not constant."""
    machine = Machine(make_image((4, 3, 2), weight_format="s[0][5]"))
    machine.sweeps_left = 400
    seen = set()
    while machine.sweeps_left:
        machine.clock()
        seen.add(machine.states.tobytes())
    assert len(seen) > 5


def test_an_idle_array_holds_all(image: Image) -> None:
    machine = Machine(image)
    registers, states = machine.registers.copy(), machine.states.copy()
    machine.clock()
    assert np.array_equal(machine.states, states)
    assert np.array_equal(machine.registers, registers)
    assert (machine.phase, machine.sweeps_left, machine.under_way) == (0, 0, 0)


def test_clamped_pbits_keep_their_states_and_the_others_change(make_image: Callable[..., Image]) -> None:
    machine = Machine(make_image(weight_format="s[-1][6]").interleaved(6))
    machine.clamped[:] = [1, 0, 0, 1, 0, 0, 1]
    before = machine.states.copy()
    changed = np.zeros(before.shape, bool)
    machine.start(100)
    while machine.sweeps_left:
        machine.clock()
        changed |= machine.states != before
    assert not changed[:, machine.clamped == 1].any()
    assert changed[:, machine.clamped == 0].all()


def alone(
    image: Image, states: npt.NDArray[np.uint8], registers: npt.NDArray[np.uint32], moves: int, sweeps: int
) -> None:
    """Sweep an array of one replica whose generators move so many updates per draw, in place."""
    for _ in range(sweeps):
        for pbit in range(image.size):
            first, last = image.slot_first[pbit : pbit + 2]
            total = field(image.biases[pbit], image.weights, image.neighbours, states, first, last, int(image.unit))
            turn = image.colour[pbit], image.stream[pbit]
            final = pbit + 1 == image.size or (image.colour[pbit + 1], image.stream[pbit + 1]) != turn
            register = registers[image.stream[pbit]]
            word = array.word(int(image.generator), register, image.taken[pbit])
            for _ in range(moves if final else 0):
                array.move(int(image.generator), register)
            if not image.clamped[pbit]:
                states[pbit] = decide(total, word, BETA, image.argument_shift)


@pytest.mark.parametrize("generator", list(Generator))
@pytest.mark.parametrize(
    ("sizes", "interleave", "lanes"),
    [
        ((4, 3, 2), 3, 0),
        ((4, 3, 2), 9, 0),
        ((6, 5), 4, 0),
        ((3,), 2, 0),
        ((2, 2), 1, 0),
        ((21, 3, 8), 2, 8),
        ((14, 3), 3, 5),
    ],
)
def test_interleaved_replicas_are_arrays_of_one(
    make_image: Callable[..., Image], generator: Generator, sizes: tuple[int, ...], interleave: int, lanes: int
) -> None:
    """Run after run: their generators begin r updates further on and move R updates per draw."""
    image = replace(make_image(sizes, generator=generator, weight_format="s[0][5]"), lanes=lanes)
    image = image.interleaved(interleave)
    machine = Machine(image)
    states = machine.states.copy()
    registers = [advanced(generator, machine.registers, replica) for replica in range(interleave)]
    for sweeps in (1, 0, 7):
        machine.start(sweeps)
        clocks = machine.run()
        assert clocks == (sweeps * image.period + image.home_slots if sweeps else 0)
        for replica in range(interleave):
            alone(image, states[replica], registers[replica], interleave, sweeps)
        assert np.array_equal(machine.states, states)
        assert np.array_equal(machine.registers, registers[0])
        assert (machine.phase, machine.under_way) == (0, 0)


def test_replicas_of_an_interleaved_array_differ(make_image: Callable[..., Image]) -> None:
    """Negative control of the test above: with the generators of another place they do not come out."""
    image = make_image((4, 3, 2), weight_format="s[-1][6]").interleaved(3)
    machine = Machine(image)
    states = machine.states.copy()
    machine.start(7)
    for replica, row in enumerate(states):
        alone(image, row, advanced(image.generator, machine.registers, replica + 1), 3, 7)
    machine.run()
    assert not np.array_equal(machine.states, states)


@pytest.mark.parametrize("interleave", [1, 3, 6])
def test_a_stopped_run_is_a_run_of_fewer_sweeps(make_image: Callable[..., Image], interleave: int) -> None:
    """Wherever it is stopped: the sweep under way is finished, and replicas come home."""
    image = make_image((4, 3, 2), weight_format="s[0][5]").interleaved(interleave)
    for clocks in range(1, 5 * image.period + image.home_slots + 1):
        stopped, shorter = Machine(image), Machine(image)
        stopped.start(5)
        for _ in range(clocks):
            stopped.clock()
        stopped.stop()
        stopped.run()
        shorter.start(min(-(-clocks // image.period), 5))
        shorter.run()
        assert np.array_equal(stopped.states, shorter.states)
        assert np.array_equal(stopped.registers, shorter.registers)
        assert (stopped.phase, stopped.sweeps_left, stopped.under_way) == (0, 0, 0)


def test_a_stop_when_idle_or_at_once_does_nothing_more(make_image: Callable[..., Image]) -> None:
    for interleave in (1, 3):
        machine = Machine(make_image((4, 3, 2)).interleaved(interleave))
        states, registers = machine.states.copy(), machine.registers.copy()
        machine.stop()
        assert machine.sweeps_left == 0
        machine.start(5)
        machine.stop()
        machine.run()
        assert np.array_equal(machine.states, states)
        assert np.array_equal(machine.registers, registers)


@pytest.mark.parametrize(("phase", "left", "after"), [(0, 0, 0), (0, 5, 0), (1, 5, 1), (2, 1, 1)])
def test_a_stop_finishes_the_sweep_under_way(phase: int, left: int, after: int) -> None:
    assert array.stop(phase, left, 1) == after


@pytest.mark.parametrize(("phase", "left", "after"), [(0, 0, 0), (0, 5, 1), (1, 5, 2), (2, 1, 1), (0, 1, 1)])
def test_a_stop_of_an_interleaved_array_leaves_the_way_home(phase: int, left: int, after: int) -> None:
    assert array.stop(phase, left, 3) == after


def test_phases_and_sweeps_count() -> None:
    assert array.advance(0, 5, 0, 3, 1) == (1, 5, 0)
    assert array.advance(2, 5, 0, 3, 1) == (0, 4, 0)
    assert array.advance(0, 1, 0, 1, 1) == (0, 0, 0)


def test_an_interleaved_sweep_takes_as_many_clocks_as_replicas() -> None:
    assert array.advance(2, 5, 0, 3, 6) == (3, 5, 0)
    assert array.advance(5, 5, 0, 3, 6) == (0, 4, 1)
    assert array.advance(5, 1, 1, 3, 6) == (0, 0, 0)
    assert [array.start(sweeps, 6) for sweeps in (0, 1, 9)] == [0, 2, 10]
    assert [array.start(sweeps, 1) for sweeps in (0, 1, 9)] == [0, 1, 9]


def test_a_colour_updates_the_replicas_one_after_the_other() -> None:
    """Three colours and a latency of two clocks, by hand: colour c is 2 c + 1 clocks behind."""
    first = [[array.turn(colour, phase, 3, 0, 3, 6) for phase in range(6)] for colour in range(3)]
    assert first == [[-1, 0, 1, 2, 3, 4], [-1, -1, -1, 0, 1, 2], [-1, -1, -1, -1, -1, 0]]
    last = [[array.turn(colour, phase, 1, 1, 3, 6) for phase in range(6)] for colour in range(3)]
    assert last == [[5, -1, -1, -1, -1, -1], [3, 4, 5, -1, -1, -1], [1, 2, 3, 4, 5, -1]]
