"""Zero-temperature descent: flips that lower the energy, until there are none.

The simplest reference for an optimiser: what annealing finds beyond the minima
that descent from random states ends in, it owes to its temperature. Energies are
those of the quantised model, in the integers of its codes, so that every state
that is returned is a local minimum for certain. Flips that cost nothing are not
made: a walk along a plateau would have no end, and neither would the certificate.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract.request import Batch
from .annealing import REPLICAS
from .jit import kernel
from .metropolis import generators, local_fields, low, to_values


def descend(
    program: Any,
    *,
    replicas: int = REPLICAS,
    initial: npt.ArrayLike | None = None,
    clamp: Mapping[Any, npt.ArrayLike] | None = None,
    seed: int = 0,
) -> Any:
    """Descend to local minima of the quantised model.

    Each replica goes through its free p-bits again and again, in an order of its own that is drawn once,
    and flips those whose flip lowers the energy. Every flip does so by one code at least, so this ends.

    Parameters
    ----------
    program : Program
        A compiled program.
    replicas : int
        Independent replicas; the first ones are the same for any number of them.
    initial : array_like, shape (replicas, n), optional
        Where they begin, in the model's order and units; random states by default.
    clamp : mapping, optional
        Label to value, or to one value per replica; by default the clamps given to `compile`.
    seed : int
        User seed, taken modulo 2^64.

    Returns
    -------
    Samples
        One row per replica: no flip of one free p-bit lowers its energy, and some may leave it as it is.
        ``sweep`` is how often the replica went through its p-bits, the last time in vain.

    Raises
    ------
    RequestError
        If there is no replica, or a shape, label or value is wrong.
    """
    request = program.request(1, replicas=replicas, initial=initial, clamp=clamp, seed=seed)
    image = program.image
    model = image.slot_first, image.neighbours, image.weights, image.unfold()
    free = np.flatnonzero(request.clamped == 0)
    values = to_values(image, request.start)
    sweeps = np.zeros(request.replicas, np.int64)
    _descend(values[0], low(image), *model, free[:0])  # compiles
    start = time.perf_counter_ns()
    for replica, rng in enumerate(generators(seed, request.replicas)):
        sweeps[replica] = _descend(values[replica], low(image), *model, rng.permutation(free))
    wall_ns = time.perf_counter_ns() - start
    states = (values > 0).astype(np.uint8)[None]
    samples = program.decode(Batch(states, int(sweeps.sum()) * len(free), wall_ns), request)
    return replace(samples, sweep=sweeps)


@kernel
def _descend(values, low, slot_first, neighbours, weights, biases, order):
    fields = local_fields(values, slot_first, neighbours, weights, biases)
    sweeps, lowered = 0, True
    while lowered:
        lowered = False
        sweeps += 1
        for p in order:
            change = low + 1 - 2 * values[p]
            if fields[p] * change > 0:
                lowered = True
                values[p] += change
                for slot in range(slot_first[p], slot_first[p + 1]):
                    fields[neighbours[slot]] += weights[slot] * change
    return sweeps
