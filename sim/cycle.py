"""Cycle mode: the array register by register, clock by clock, in the contract's own code."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba.extending import register_jitable

from ..contract import array
from ..contract.generator import showing
from ..contract.image import Image
from .jit import kernel
from .registers import ArrayRegisters, Words

Uint8 = npt.NDArray[np.uint8]

_clock = array.clock


@register_jitable
def copy_into(source, target):
    """Element by element: numba takes seconds to compile an assignment of whole arrays."""
    for k in range(len(source)):
        target[k] = source[k]


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
def _swept_clocks(states, registers, betas, out, keep, clamps, network, constants):
    """Clock an array through sweeps and fill ``out`` with the states after those in ``keep``."""
    clamped, clamp_values = clamps
    biases, weights, neighbours, slot_first, colour_first = network
    arrays = (states, registers, clamped, clamp_values, biases, weights, neighbours, slot_first, colour_first)
    kept, phase, sweeps_left = 0, 0, len(betas)
    while sweeps_left:
        phase, sweeps_left = _clock(phase, sweeps_left, *arrays, betas[len(betas) - sweeps_left], *constants)
        if phase == 0 and kept < len(keep) and keep[kept] == len(betas) - sweeps_left:
            copy_into(states, out[kept])
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


class CycleEnsemble:
    """What `ensemble.Ensemble` is, clock by clock.

    Parameters
    ----------
    image : Image
        The array.
    """

    def __init__(self, image: Image) -> None:
        arrays = (image.biases, image.weights, image.neighbours, image.slot_first, image.colour_first)
        # writable copies, so that the kernel compiles once
        self._network = tuple(array.copy() for array in arrays)
        self._generator = image.generator
        self._constants = (image.argument_shift, int(image.unit), int(image.generator))

    def load(self, states: Uint8, registers: Words, clamped: Uint8) -> None:
        """Set where the replicas stand; see `ensemble.Ensemble.load`."""
        self._states, self._clamp_values = states.copy(), states.copy()
        self._registers, self._clamped = registers.copy(), clamped.copy()

    def set_words(self, words: Words) -> None:
        """Set the random words of the next sweep, shape (n, replicas)."""
        self._registers = showing(self._generator, words.T.astype(np.uint16))

    def sweep(self, betas: npt.NDArray[np.int32], keep: npt.NDArray[np.int64]) -> Uint8:
        """Carry out sweeps; see `ensemble.Ensemble.sweep`."""
        out = np.empty((len(self._states), len(keep), self._states.shape[1]), np.uint8)
        for replica, rows in enumerate(out):
            clamps = (self._clamped, self._clamp_values[replica])
            own = (self._states[replica], self._registers[replica])
            _swept_clocks(*own, betas, rows, keep, clamps, self._network, self._constants)
        return out.swapaxes(0, 1)


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
