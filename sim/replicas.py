"""The replicas of a run, with the kernel and in the memory layout that suit their number."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..contract.generator import Generator, streams
from ..contract.image import Image
from ..contract.request import Request
from . import cycle, sweep

Int32 = npt.NDArray[np.int32]
Uint8 = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint32]

LANES = 4
"""From this many replicas on, sweep mode makes them the lanes of a vector."""


class Replicas:
    """All replicas of one run.

    Parameters
    ----------
    image : Image
        The array.
    request : Request
        What is to be run.
    cycles : bool
        Whether to go clock by clock.
    external : bool
        Whether random words are set from outside before every sweep.
    """

    def __init__(self, image: Image, request: Request, cycles: bool, external: bool) -> None:
        replicas, n = request.initial.shape
        self._lanes = not cycles and replicas >= LANES
        self._kernel = sweep.lanes if self._lanes else cycle.chains if cycles else sweep.chains
        # an LFSR's word is the low half of its register, so a word from outside is set by writing the register
        kind = Generator.LFSR32 if external else image.generator
        count = replicas * n
        rows = np.zeros((count, 1), np.uint32) if external else streams(kind, request.seed, count)
        self._registers = self._arrange_registers(rows.reshape(replicas, n, kind.words))
        self._states = self._arrange(request.start)
        self._clamp_values = self._states.copy()
        self._clamped = np.array(request.clamped, np.uint8)
        self._out = np.empty((len(request.keep), *self._states.shape), np.uint8)
        self._network = network(image)
        self._constants = (image.argument_shift, int(image.unit), int(kind))

    @property
    def samples(self) -> Uint8:
        """States after the kept sweeps, shape (kept, replicas, n)."""
        return self._out.transpose(0, 2, 1) if self._lanes else self._out

    def set_words(self, words: Words) -> None:
        """Set the random words of the next sweep, shape (n, replicas)."""
        self._registers = self._arrange_registers(np.asarray(words, np.uint32).T[:, :, None])

    def sweep(self, betas: Int32, keep: npt.NDArray[np.int64], first_kept: int) -> None:
        """Carry out sweeps.

        Parameters
        ----------
        betas : ndarray of int32, shape (sweeps,)
            Code of beta in each of them.
        keep : ndarray of int64
            Which of them to keep, counted from 1.
        first_kept : int
            Place of the first kept one in `samples`.
        """
        out = self._out[first_kept : first_kept + len(keep)]
        self._kernel(
            self._states,
            self._registers,
            out,
            keep,
            betas,
            self._clamped,
            self._clamp_values,
            self._network,
            self._constants,
        )

    def _arrange(self, states: Uint8) -> Uint8:
        return np.array(states.T if self._lanes else states, np.uint8, order="C")

    def _arrange_registers(self, registers: Words) -> Words:
        if not self._lanes:
            return np.ascontiguousarray(registers)
        return np.ascontiguousarray(registers.transpose(2, 1, 0)).reshape(registers.shape[2], -1)


def network(image: Image) -> tuple[Int32, ...]:
    """The arrays of an image that `sweep.chains` takes, writable and contiguous so that kernels compile once."""
    reverse = np.lexsort((image.owners, image.neighbours))
    arrays = (image.biases, image.weights, image.neighbours, image.slot_first, image.colour_first, reverse)
    return tuple(np.array(array, np.int32) for array in arrays)
