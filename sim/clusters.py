"""Houdayer's cluster move between replicas at one beta (Eur. Phys. J. B 22, 479, 2001).

Two replicas differ on some p-bits. A connected cluster of those is exchanged between them, which keeps the sum of
their energies, so the move is always accepted; with parallel tempering it is known as isoenergetic cluster moves
(Zhu, Ochoa and Katzgraber, Phys. Rev. Lett. 115, 077201, 2015). Replicas are lanes, so that 32 pairs move at once.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from .codegen import LANES, Function
from .native import Machine, Processor, host

Words = npt.NDArray[np.uint64]
Int32 = npt.NDArray[np.int32]

SEED_TRIES = 8
"""P-bits that are drawn to find one that differs; a pair for which all are equal stays as it is."""

_MASKS = [sum(1 << bit for bit in range(LANES) if not bit >> place & 1) for place in range(LANES.bit_length() - 1)]


def exchange_clusters(
    states: Words, frozen: Words, neighbours: Int32, slot_first: Int32, rng: np.random.Generator
) -> None:
    """Pair the 64 replicas at random and exchange one cluster in each pair, in place.

    Parameters
    ----------
    states, frozen : ndarray of uint64, shape (n,)
        States, and where they may not change; one lane per replica.
    neighbours, slot_first : ndarray of int32
        See `pbit_hw.contract.image.Image`.
    rng : numpy.random.Generator
        Draws pairs and p-bits.
    """
    distance = int(rng.integers(1, LANES))
    differ = (states ^ partners(states, distance)) & ~frozen
    clusters = _seeds(differ, distance, rng)
    _growth(host())(clusters, differ, neighbours, slot_first, len(states))
    states ^= clusters


def partners(words: Words, distance: int) -> Words:
    """Words whose bit ``lane`` is bit ``lane ^ distance``."""
    for place, mask in enumerate(_MASKS):
        if distance >> place & 1:
            shift, low = np.uint64(1 << place), np.uint64(mask)
            words = (words & low) << shift | words >> shift & low
    return words


def _seeds(differ: Words, distance: int, rng: np.random.Generator) -> Words:
    """For each pair one p-bit that differs, if some were found, in both lanes."""
    lanes = np.arange(LANES)
    tried = rng.integers(len(differ), size=(SEED_TRIES, LANES))[:, np.minimum(lanes, lanes ^ distance)]
    hits = (differ[tried] >> lanes.astype(np.uint64) & np.uint64(1)).astype(bool)
    found = hits.any(axis=0)
    chosen = tried[hits.argmax(axis=0), lanes]
    seeds = np.zeros_like(differ)
    np.bitwise_or.at(seeds, chosen[found], np.uint64(1) << lanes[found].astype(np.uint64))
    return seeds


@cache
def _growth(processor: Processor) -> Machine:
    """Code that grows clusters along edges until they fill the connected parts of ``within`` that they touch."""
    arrays = {"clusters": (64, False), "within": (64, False), "neighbours": (32, True), "slot_first": (32, True)}
    function = Function("grow", arrays, ("rows",))
    clusters, within, neighbours, slot_first = function.arrays.values()
    zero = function.constant(0)
    changed = function.variable(function.constant(1))
    with function.repeat_while() as go_on:
        go_on(changed.value != 0)
        changed.value = zero
        with function.loop(zero, function.integers["rows"]) as row:
            before = clusters[row]
            reached = function.variable(before)
            with function.loop(slot_first[row].resized(64), slot_first[row + 1].resized(64)) as slot:
                reached.value = reached.value | clusters[neighbours[slot].resized(64)]
            after = reached.value & within[row]
            clusters[row] = after
            changed.value = changed.value | (after ^ before)
    return Machine(function, processor)
