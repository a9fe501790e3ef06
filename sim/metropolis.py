"""Single-spin-flip Metropolis: the reference that shares nothing with the array but the model.

A free p-bit is picked at random and its flip, which costs dE, accepted with
probability min(1, exp(-beta dE)) (Metropolis, Rosenbluth, Rosenbluth, Teller and
Teller, J. Chem. Phys. 21, 1087, 1953), in floats and with numpy's generators:
no colours, no fixed-point fields, no table, no LFSR. What the array and this
sampler agree on is a property of the model.

P-bits are picked at random, not in order: in order, flips that cost nothing are
all accepted, so that p-bits without a field flip in step for ever. One pick in
n + 1 is of none, or n flips that cost nothing would always be n flips, and a
chain at beta 0 would see the states of one parity alone.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ..contract.image import Image
from ..contract.request import Batch, Request
from ..contract.sampler import Sampler
from ..contract.update import Unit
from .jit import kernel

PIECE = 1 << 24
"""P-bits and slots that the kernel handles before it returns, about half a second: then Ctrl-C works."""


class Metropolis(Sampler):
    """Samples a program's quantised model by single-spin-flip Metropolis in float64.

    It takes what the simulator takes (`Sampler.sample`): schedules of beta, clamps,
    initial states, ``keep_every`` and ``burn_in``; beta is the value that the program's
    format has for it. A sweep is as many picks as there are free p-bits. Replica r
    draws from a generator of its own, whatever the number of replicas, on one thread.

    Parameters
    ----------
    program : Program
        A compiled program.
    seed : int
        User seed, taken modulo 2^64.
    """

    def _load_image(self, image: Image) -> None:
        self._image = image

    def _load_weights(self, image: Image) -> None:
        self._image = image

    def run(self, request: Request) -> Batch:
        """Carry out a request; see `Sampler.run`."""
        image, step = self._image, self._image.grid.step
        model = image.slot_first, image.neighbours, image.weights * step, image.unfold() * step
        free = np.flatnonzero(request.clamped == 0)
        values = to_values(image, request.start).astype(np.float64)
        betas = request.betas * image.beta_step
        rows = np.empty((len(request.keep), image.size), np.uint8)
        out = np.empty((len(rows), request.replicas, image.size), np.uint8)
        pieces = list(_pieces(len(betas), image.size + image.slots))
        _run(values[0], low(image), *model, free, betas[:0], request.keep, np.random.default_rng(), rows)  # compiles
        start = time.perf_counter_ns()
        for replica, rng in enumerate(generators(request.seed, request.replicas)):
            for first, last in pieces:
                kept = slice(*np.searchsorted(request.keep, (first, last), "right"))
                keep = request.keep[kept] - first
                _run(values[replica], low(image), *model, free, betas[first:last], keep, rng, rows[kept])
            out[:, replica] = rows
        return Batch(out, len(betas) * len(free) * request.replicas, time.perf_counter_ns() - start)


def generators(seed: int, replicas: int) -> Iterator[np.random.Generator]:
    """Independent generators, one per replica; the first ones are the same for any number of replicas.

    Parameters
    ----------
    seed : int
        Taken modulo 2^64.
    replicas : int
        How many.
    """
    for replica in range(replicas):
        yield np.random.default_rng(np.random.SeedSequence(seed % 2**64, spawn_key=(replica,)))


def low(image: Image) -> int:
    """Value of a p-bit that is down: -1 for spins, 0 for bits."""
    return -1 if image.unit is Unit.SPIN else 0


def to_values(image: Image, bits: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Values that bits have in the energy, of the same shape."""
    return np.where(bits, 1, low(image)).astype(np.int64)


def _pieces(sweeps: int, work: int) -> Iterator[tuple[int, int]]:
    """First and last sweep of each piece of a chain whose sweep is so much work."""
    step = max(PIECE // work, 1)
    for first in range(0, sweeps, step):
        yield first, min(first + step, sweeps)


@kernel
def local_fields(values, slot_first, neighbours, weights, biases):
    """Field of each p-bit, in the type of the values."""
    fields = np.empty_like(values)
    for p in range(len(values)):
        fields[p] = biases[p]
        for slot in range(slot_first[p], slot_first[p + 1]):
            fields[p] += weights[slot] * values[neighbours[slot]]
    return fields


@kernel
def _run(values, low, slot_first, neighbours, weights, biases, free, betas, keep, rng, out):
    fields = local_fields(values, slot_first, neighbours, weights, biases)
    kept = 0
    for sweep in range(len(betas)):
        for _ in range(len(free)):
            pick = int(rng.random() * (len(free) + 1))
            if pick == len(free):
                continue
            p = free[pick]
            change = low + 1 - 2 * values[p]
            log_chance = betas[sweep] * fields[p] * change
            if log_chance >= 0 or rng.random() < math.exp(log_chance):
                values[p] += change
                for slot in range(slot_first[p], slot_first[p + 1]):  # exact: weights are multiples of a power of 2
                    fields[neighbours[slot]] += weights[slot] * change
        if kept < len(keep) and keep[kept] == sweep + 1:
            out[kept] = values > 0
            kept += 1
