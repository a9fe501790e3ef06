"""Cycle mode: the array register by register, clock by clock, in the contract's own code."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..contract import array
from ..contract.image import Image
from .jit import kernel
from .registers import ArrayRegisters, Words
from .sweep import copy_into

_clock = array.clock


class Trace(NamedTuple):
    """Registers after each of a number of clocks.

    Parameters
    ----------
    states : ndarray of uint8, shape (clocks, n)
    registers : ndarray of uint32, shape (clocks, n, generator words)
    phase, sweeps_left : ndarray of int64, shape (clocks,)
    """

    states: npt.NDArray[np.uint8]
    registers: Words
    phase: npt.NDArray[np.int64]
    sweeps_left: npt.NDArray[np.int64]


@kernel
def chains(states, registers, out, keep, betas, clamped, clamp_values, network, constants):
    """Sweep replicas one after another, clock by clock; the parameters are those of `sweep.chains`."""
    biases, weights, neighbours, slot_first, colour_first = network[:5]
    for replica in range(len(states)):
        state, register, values = states[replica], registers[replica], clamp_values[replica]
        arrays = (state, register, clamped, values, biases, weights, neighbours, slot_first, colour_first)
        kept, phase, sweeps_left = 0, 0, len(betas)
        while sweeps_left:
            beta = betas[len(betas) - sweeps_left]
            phase, sweeps_left = _clock(phase, sweeps_left, *arrays, beta, *constants)
            if phase == 0 and kept < len(keep) and keep[kept] == len(betas) - sweeps_left:
                copy_into(state, out[kept, replica])
                kept += 1


@kernel
def _clocks(count, counters, array_registers):
    """Clock an array ``count`` times; returns the sweeps left before the last clock."""
    phase, sweeps_left = counters
    before = sweeps_left
    for _ in range(count):
        before = sweeps_left
        phase, sweeps_left = _clock(phase, sweeps_left, *array_registers)
    return phase, sweeps_left, before


@kernel
def _traced_clocks(states, registers, phases, sweeps, counters, array_registers):
    """Clock an array once per row of the trace and fill in the rows."""
    phase, sweeps_left = counters
    before = sweeps_left
    for row in range(len(phases)):
        before = sweeps_left
        phase, sweeps_left = _clock(phase, sweeps_left, *array_registers)
        copy_into(array_registers[0], states[row])
        copy_into(array_registers[1].reshape(-1), registers[row])
        phases[row] = phase
        sweeps[row] = sweeps_left
    return phase, sweeps_left, before


class CycleArray(ArrayRegisters):
    """One p-bit array, equal to the gateware in every register after every clock.

    A write belongs to the clock before it: in hardware the write strobe stands
    in that clock, whose update still sees the old value, and the register
    changes at its end. So a start is ignored after the last clock of a run,
    as it is during the run, and taken one clock later.

    Parameters
    ----------
    image : Image
        The array.
    seed : int
        User seed of the generators.
    """

    def __init__(self, image: Image, seed: int = 0) -> None:
        super().__init__(image, seed)
        self._ran = 0

    @property
    def running(self) -> bool:
        """Whether the array ran in the last clock."""
        return self._ran != 0

    def clock(self, count: int = 1) -> None:
        """Let ``count`` clocks pass."""
        self.phase, self.sweeps_left, self._ran = _clocks(count, (self.phase, self.sweeps_left), self._arguments())

    def trace(self, count: int) -> Trace:
        """Let ``count`` clocks pass and return the registers after each of them."""
        rows = Trace(
            np.empty((count, *self.states.shape), np.uint8),
            np.empty((count, *self.registers.shape), np.uint32),
            np.empty(count, np.int64),
            np.empty(count, np.int64),
        )
        self.phase, self.sweeps_left, self._ran = _traced_clocks(
            rows.states,
            rows.registers.reshape(count, -1),
            rows.phase,
            rows.sweeps_left,
            (self.phase, self.sweeps_left),
            self._arguments(),
        )
        return rows

    def _arguments(self) -> tuple[Any, ...]:
        image = self.image
        return (
            self.states,
            self.registers,
            self.clamped,
            self.clamp_values,
            self.biases,
            self.weights,
            image.neighbours,
            image.slot_first,
            image.colour_first,
            self.beta,
            image.argument_shift,
            int(image.unit),
            int(image.generator),
        )
