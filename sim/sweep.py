"""Sweep mode: whole sweeps at a time, with the same states at their ends as cycle mode, much faster.

P-bits lie in the order of their colours, and p-bits of one colour are not
coupled, so that updating p-bit after p-bit gives what the array gives colour
after colour. Two kernels do it: many replicas are the lanes of a vector; few
replicas run one after the other and keep the local fields between updates.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba.extending import register_jitable

from ..contract import array, generator, update
from ..contract.generator import Generator
from ..contract.image import Image
from .jit import kernel

Bits = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint32]

_field, _decide, _draw = update.field, update.decide, array.draw
_lfsr_next, _lfsr_word = generator.lfsr_next, generator.lfsr_word
_xoshiro_next, _xoshiro_word = generator.xoshiro_next, generator.xoshiro_word

LANES = 4
"""From this many replicas on, they are the lanes of a vector."""


@register_jitable
def _draw_lanes(kind, register, words):
    """Read the random words of one p-bit in all replicas; ``register`` has shape (generator words, replicas)."""
    if kind == 0:
        for r in range(len(words)):
            words[r] = _lfsr_word(register[0, r])
        for r in range(len(words)):
            register[0, r] = _lfsr_next(register[0, r])
    else:
        s0, s1, s2, s3 = register[0], register[1], register[2], register[3]
        for r in range(len(words)):
            words[r] = _xoshiro_word(s0[r], s3[r])
        for r in range(len(words)):
            s0[r], s1[r], s2[r], s3[r] = _xoshiro_next(s0[r], s1[r], s2[r], s3[r])


@register_jitable
def _field_lanes(fields, bias, weights, neighbours, states, first, last, weight_shift):
    """`update.field` in all replicas, two slots at a time to halve the traffic of the sums."""
    for r in range(len(fields)):
        fields[r] = bias
    if (last - first) & 1:
        last -= 1
        weight, state = weights[last] << weight_shift, states[neighbours[last]]
        for r in range(len(fields)):
            fields[r] += weight * state[r]
    for slot in range(first, last, 2):
        weight0, state0 = weights[slot] << weight_shift, states[neighbours[slot]]
        weight1, state1 = weights[slot + 1] << weight_shift, states[neighbours[slot + 1]]
        for r in range(len(fields)):
            fields[r] += weight0 * state0[r] + weight1 * state1[r]


@kernel
def _sweep_lanes(
    states, registers, out, keep, betas, fields, clamped, biases, weights, neighbours, slot_first, shift, unit, kind
):
    """Sweep replicas that are the last axis of ``states`` (n, R), ``registers`` (n, words, R) and ``out`` (kept, n, R)."""
    words = np.empty(len(fields), np.uint16)
    kept = 0
    for sweep in range(len(betas)):
        for p in range(len(biases)):
            _draw_lanes(kind, registers[p], words)
            if not clamped[p]:
                _field_lanes(fields, biases[p], weights, neighbours, states, slot_first[p], slot_first[p + 1], unit)
                state = states[p]
                for r in range(len(fields)):
                    state[r] = _decide(fields[r], words[r], betas[sweep], shift)
        if kept < len(keep) and keep[kept] == sweep + 1:
            _copy(states, out[kept])
            kept += 1


@register_jitable
def _copy(source, target):
    for row in range(len(source)):
        for column in range(source.shape[1]):
            target[row, column] = source[row, column]
