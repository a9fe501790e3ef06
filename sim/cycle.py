"""Cycle mode: the array register by register, clock by clock, in the contract's own code."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba.extending import register_jitable

from ..contract import array
from ..contract.image import Image
from ..contract.request import shown
from .jit import kernel
from .registers import ArrayRegisters, Words

Int64 = npt.NDArray[np.int64]
Uint8 = npt.NDArray[np.uint8]

_clock, _start, _turn = array.clock, array.start, array.turn


@register_jitable
def copy_into(source, target):
    """Element by element: numba takes seconds to compile an assignment of whole arrays."""
    for k in range(len(source)):
        target[k] = source[k]


class Trace(NamedTuple):
    """Registers after each of a number of clocks.

    Parameters
    ----------
    states : ndarray of uint8, shape (clocks, interleave, n)
    registers : ndarray of uint32, shape (clocks, streams, generator words)
    phase, sweeps_left, under_way : ndarray of int64, shape (clocks,)
    """

    states: Uint8
    registers: Words
    phase: Int64
    sweeps_left: Int64
    under_way: Int64


@register_jitable
def stretch_end(betas, first):
    """The first sweep after ``first`` whose beta is another."""
    last = first + 1
    while last < len(betas) and betas[last] == betas[first]:
        last += 1
    return last


@kernel
def _swept_clocks(states, registers, betas, out, keep, clamped, network, constants):
    """Clock an array through sweeps and fill ``out`` with the states of each replica after those in ``keep``."""
    biases, weights, neighbours, slot_first, colour_first, stream, taken = network
    wiring = (neighbours, slot_first, colour_first, stream, taken)
    arrays = (states, registers, clamped, biases, weights, *wiring)
    colours, turns = len(colour_first) - 1, constants[-1]
    interleave, together = (1, len(states)) if turns else (len(states), 1)
    kept = np.zeros(interleave, np.int64)
    first = 0
    while first < len(betas):
        last = stretch_end(betas, first)
        started = _start(last - first, interleave)
        phase, sweeps_left, under_way = 0, started, 0
        while sweeps_left:
            replica = _turn(colours - 1, phase, sweeps_left, under_way, colours, interleave)
            done = first + started - sweeps_left + (1 if replica == 0 else 0)
            phase, sweeps_left, under_way = _clock(phase, sweeps_left, under_way, *arrays, betas[first], *constants)
            if replica >= 0 and kept[replica] < len(keep) and keep[kept[replica]] == done:
                for other in range(replica, replica + together):
                    copy_into(states[other], out[kept[replica], other])
                kept[replica] += 1
        first = last


@kernel
def _clocks(count, counters, array_registers):
    """Clock an array ``count`` times; returns the sweeps left before the last clock."""
    phase, sweeps_left, under_way = counters
    before = sweeps_left
    for _ in range(count):
        before = sweeps_left
        phase, sweeps_left, under_way = _clock(phase, sweeps_left, under_way, *array_registers)
    return phase, sweeps_left, under_way, before


@kernel
def _traced_clocks(states, registers, counts, counters, array_registers):
    """Clock an array once per row of the trace and fill in the rows."""
    phase, sweeps_left, under_way = counters
    before = sweeps_left
    for row in range(len(counts)):
        before = sweeps_left
        phase, sweeps_left, under_way = _clock(phase, sweeps_left, under_way, *array_registers)
        copy_into(array_registers[0].reshape(-1), states[row])
        copy_into(array_registers[1].reshape(-1), registers[row])
        counts[row, 0], counts[row, 1], counts[row, 2] = phase, sweeps_left, under_way
    return phase, sweeps_left, under_way, before


class CycleEnsemble:
    """What `ensemble.Ensemble` is, clock by clock: sets of replicas that follow one another through the array.

    Parameters
    ----------
    image : Image
        The array.
    """

    def __init__(self, image: Image) -> None:
        arrays = (image.biases, image.weights, image.neighbours, image.slot_first, image.colour_first)
        # writable copies, so that the kernel compiles once
        self._network = tuple(array.copy() for array in (*arrays, image.stream, image.taken))
        self._image, self._interleave = image, image.interleave
        self._constants = (image.argument_shift, int(image.unit), int(image.generator), int(image.lanes > 0))

    def load(self, states: Uint8, registers: Words, clamped: Uint8) -> None:
        """Set where the replicas stand; see `ensemble.Ensemble.load`. A set draws from the registers of its first."""
        self._states, self._registers, self._clamped = states.copy(), registers.copy(), clamped.copy()

    def set_words(self, words: Words) -> None:
        """Set the random words of the next sweep, shape (n, replicas): then every replica has an array of its own."""
        self._interleave = 1
        self._registers = shown(self._image, words.T.astype(np.uint16))

    def sweep(self, betas: npt.NDArray[np.int32], keep: Int64) -> Uint8:
        """Carry out sweeps; see `ensemble.Ensemble.sweep`."""
        replicas, size = self._states.shape
        out = np.empty((len(keep), replicas, size), np.uint8)
        for first in range(0, replicas, self._interleave):
            some = slice(first, first + self._interleave)
            states = np.zeros((self._interleave, size), np.uint8)
            count = len(self._states[some])
            states[:count] = self._states[some]
            rows = np.empty((len(keep), *states.shape), np.uint8)
            own = (states, self._registers[first], betas, rows, keep)
            _swept_clocks(*own, self._clamped, self._network, self._constants)
            self._states[some], out[:, some] = states[:count], rows[:, :count]
        return out


class CycleArray(ArrayRegisters):
    """One p-bit array, equal to the gateware in every register after every clock.

    A write belongs to the clock before it: in hardware the write strobe stands
    in that clock, whose update still sees the old value, and the register
    changes at its end. So all but a stop is ignored after the last clock of a run,
    as it is during the run, and taken one clock later.

    Parameters
    ----------
    image : Image
        The array.
    seed : int
        User seed of the generators; without one they are as at power-up.
    """

    def __init__(self, image: Image, seed: int | None = None) -> None:
        super().__init__(image, seed)
        self._ran = 0

    @property
    def running(self) -> bool:
        """Whether the array ran in the last clock."""
        return self._ran != 0

    def clock(self, count: int = 1) -> None:
        """Let ``count`` clocks pass."""
        *counters, self._ran = _clocks(count, self._counters(), self._arguments())
        self.phase, self.sweeps_left, self.under_way = counters

    def trace(self, count: int) -> Trace:
        """Let ``count`` clocks pass and return the registers after each of them."""
        states = np.empty((count, *self.states.shape), np.uint8)
        registers = np.empty((count, *self.registers.shape), np.uint32)
        counts = np.empty((count, 3), np.int64)
        *counters, self._ran = _traced_clocks(
            states.reshape(count, self.states.size),
            registers.reshape(count, self.registers.size),
            counts,
            self._counters(),
            self._arguments(),
        )
        self.phase, self.sweeps_left, self.under_way = counters
        return Trace(states, registers, *counts.T)

    def _counters(self) -> tuple[int, int, int]:
        return self.phase, self.sweeps_left, self.under_way

    def _arguments(self) -> tuple[Any, ...]:
        image = self.image
        return (
            self.states,
            self.registers,
            self.clamped,
            self.biases,
            self.weights,
            image.neighbours,
            image.slot_first,
            image.colour_first,
            image.stream,
            image.taken,
            self.beta,
            image.argument_shift,
            int(image.unit),
            int(image.generator),
            int(image.lanes > 0),
        )
