"""Clocks of the array against the model's own conditional probabilities, p-bit by p-bit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from pbit_hw.contract import activation, array
from pbit_hw.contract.generator import Generator, halves, lfsr48_word, next_rows, streams, xoshiro_word
from pbit_hw.contract.image import Image
from pbit_hw.contract.update import Unit

BETA = 700


class Machine:
    """The registers of an array and `array.clock` on them."""

    def __init__(self, image: Image, seed: int = 1) -> None:
        self.image = image
        self.phase = self.sweeps_left = 0
        self.states = np.random.default_rng(seed).integers(0, 2, image.size, np.uint8)
        self.registers = streams(image.generator, seed, image.size)
        self.clamped = image.clamped.copy()
        self.clamp_values = image.clamp_values.copy()

    def clock(self) -> None:
        image = self.image
        self.phase, self.sweeps_left = array.clock(
            self.phase,
            self.sweeps_left,
            self.states,
            self.registers,
            self.clamped,
            self.clamp_values,
            image.biases,
            image.weights,
            image.neighbours,
            image.slot_first,
            image.colour_first,
            BETA,
            image.argument_shift,
            int(image.unit),
            int(image.generator),
        )


def word_of(image: Image, registers: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
    """Random words of a register file, shape (n,)."""
    low, middle, high, top = halves(registers[:, 0], registers[:, 1])
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
    spins = machine.states.astype(np.int64) * 2 - 1 if image.unit is Unit.SPIN else machine.states.astype(np.int64)
    fields = image.unfold() + matrix @ spins
    arguments = [activation.argument(abs(int(f)), BETA, image.argument_shift) for f in fields]
    up = word_of(image, machine.registers) >= activation.TABLE[arguments]
    updated = np.where(fields >= 0, up, ~up)
    states = np.where(image.colour == machine.phase, updated, machine.states) if machine.sweeps_left else machine.states
    return np.where(machine.clamped, machine.clamp_values, states).astype(np.uint8)


@pytest.mark.parametrize("unit", list(Unit))
@pytest.mark.parametrize("generator", list(Generator))
@pytest.mark.parametrize("sizes", [(4, 3, 2), (1,), (2, 2), (3, 1, 1, 1, 1, 1)])
def test_every_clock_of_a_run(
    make_image: Callable[..., Image], unit: Unit, generator: Generator, sizes: tuple[int, ...]
) -> None:
    machine = Machine(make_image(sizes, unit=unit, generator=generator, weight_format="s[0][5]"))
    step = next_rows(generator)
    machine.sweeps_left = 40
    for clock in range(40 * len(sizes)):
        assert machine.phase == clock % len(sizes)
        states = expected_states(machine)
        moves = (machine.image.colour == machine.phase)[:, None]
        registers = np.where(moves, step(machine.registers), machine.registers)
        machine.clock()
        assert np.array_equal(machine.states, states)
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


def test_an_idle_array_holds_all_but_its_clamps(image: Image) -> None:
    machine = Machine(image)
    registers = machine.registers.copy()
    machine.clamped[:] = 0
    machine.clamped[1] = 1
    machine.clamp_values[1] = 1 - machine.states[1]
    expected = machine.states.copy()
    expected[1] ^= 1
    machine.clock()
    assert np.array_equal(machine.states, expected)
    assert np.array_equal(machine.registers, registers)
    assert (machine.phase, machine.sweeps_left) == (0, 0)


@pytest.mark.parametrize(("phase", "left"), [(0, 0), (1, 1), (2, 1)])
def test_a_stop_finishes_the_sweep_under_way(phase: int, left: int) -> None:
    assert array.stop(phase) == left


def test_phases_and_sweeps_count() -> None:
    assert array.advance(0, 5, 3) == (1, 5)
    assert array.advance(2, 5, 3) == (0, 4)
    assert array.advance(0, 1, 1) == (0, 0)
