"""Sweep mode: whole sweeps at a time, with the states of cycle mode at their ends, much faster.

P-bits lie in the order of their colours, and p-bits of one colour are not
coupled, so updating them one after another, or a block of one colour at once,
gives what the array gives in one clock. `lanes` makes many replicas the lanes
of a vector; `chains` takes replicas one after another and keeps their local
fields between updates, so that only a change costs.
"""

from __future__ import annotations

import numpy as np
from numba.extending import register_jitable

from ..contract import array, generator, update
from .jit import kernel

_field, _decide, _draw = update.field, update.decide, array.draw
_lfsr_next, _lfsr_word = generator.lfsr_next, generator.lfsr_word
_xoshiro_next, _xoshiro_word = generator.xoshiro_next, generator.xoshiro_word

BLOCK = 2048
"""P-bits times replicas that are drawn and decided at once: stays in the first-level cache."""


@kernel
def chains(states, registers, out, keep, betas, clamped, clamp_values, network, constants):
    """Sweep replicas one after another.

    Parameters
    ----------
    states, clamp_values : ndarray of uint8, shape (replicas, n)
        States, changed in place; those of clamped p-bits must be their clamp values.
    registers : ndarray of uint32, shape (replicas, n, generator words)
        Generator registers, changed in place.
    out : ndarray of uint8, shape (kept, replicas, n)
        Filled with the states after the sweeps in ``keep``.
    keep : ndarray of int64, shape (kept,)
        Ascending, counted from 1.
    betas : ndarray of int32, shape (sweeps,)
        Code of beta in each sweep.
    clamped : ndarray of uint8, shape (n,)
        Which p-bits are clamped.
    network : tuple of ndarray of int32
        Biases, weights, neighbours, slot_first and colour_first (see `pbit_hw.contract.image.Image`),
        and the slot at the other end of each slot's edge. The two may have been written differently.
    constants : tuple of int
        Argument shift, unit and kind of generator.
    """
    biases, weights, neighbours, slot_first, _, reverse = network
    shift, unit, kind = constants
    fields = np.empty(len(biases), np.int64)
    outgoing = np.empty(len(weights), np.int64)
    for slot in range(len(weights)):
        outgoing[slot] = weights[reverse[slot]] << unit
    for replica in range(len(states)):
        state, register = states[replica], registers[replica]
        for p in range(len(biases)):
            fields[p] = _field(biases[p], weights, neighbours, state, slot_first[p], slot_first[p + 1], unit)
        kept = 0
        for sweep in range(len(betas)):
            for p in range(len(biases)):
                new = np.uint8(_decide(fields[p], _draw(kind, register[p]), betas[sweep], shift))
                if new != state[p] and not clamped[p]:
                    state[p] = new
                    for slot in range(slot_first[p], slot_first[p + 1]):
                        fields[neighbours[slot]] += outgoing[slot] if new else -outgoing[slot]
            if kept < len(keep) and keep[kept] == sweep + 1:
                copy_into(state, out[kept, replica])
                kept += 1


@kernel
def lanes(states, registers, out, keep, betas, clamped, clamp_values, network, constants):
    """Sweep replicas side by side; the parameters of `chains` with replicas as the last axis.

    ``states`` and ``clamp_values`` have shape (n, replicas), ``registers``
    (generator words, n * replicas) and ``out`` (kept, n, replicas).
    """
    colour_first, (shift, _, kind) = network[4], constants
    replicas = states.shape[1]
    flat = states.reshape(-1)
    fields = np.empty((max(BLOCK // replicas, 1), replicas), np.int32)
    words = np.empty(fields.size, np.uint16)
    kept = 0
    for sweep in range(len(betas)):
        for colour in range(len(colour_first) - 1):
            for first in range(colour_first[colour], colour_first[colour + 1], len(fields)):
                last = min(first + len(fields), colour_first[colour + 1])
                _draw_block(kind, registers, first * replicas, last * replicas, words)
                _field_block(fields, first, last, states, network, constants)
                block = flat[first * replicas : last * replicas]
                _decide_block(block, fields.reshape(-1), words, betas[sweep], shift)
                for p in range(first, last):
                    if clamped[p]:
                        copy_into(clamp_values[p], states[p])
        if kept < len(keep) and keep[kept] == sweep + 1:
            copy_into(flat, out[kept].reshape(-1))
            kept += 1


@register_jitable
def _draw_block(kind, registers, start, stop, words):
    if kind == 0:
        s0 = registers[0][start:stop]
        for k in range(len(s0)):
            words[k] = _lfsr_word(s0[k])
        for k in range(len(s0)):
            s0[k] = _lfsr_next(s0[k])
        return
    s0, s1 = registers[0][start:stop], registers[1][start:stop]
    s2, s3 = registers[2][start:stop], registers[3][start:stop]
    for k in range(len(s0)):
        words[k] = _xoshiro_word(s0[k], s3[k])
    for k in range(len(s0)):
        s0[k], s1[k], s2[k], s3[k] = _xoshiro_next(s0[k], s1[k], s2[k], s3[k])


@register_jitable
def _field_block(fields, first_pbit, last_pbit, states, network, constants):
    """`update.field` of a block in all replicas; slots go in pairs, which halves the traffic of the sums."""
    biases, weights, neighbours, slot_first = network[:4]
    unit = constants[1]
    replicas = range(states.shape[1])
    for p in range(first_pbit, last_pbit):
        total, bias = fields[p - first_pbit], biases[p]
        for r in replicas:
            total[r] = bias
        slot, last = slot_first[p], slot_first[p + 1]
        while slot + 1 < last:
            weight0, weight1 = weights[slot] << unit, weights[slot + 1] << unit
            state0, state1 = states[neighbours[slot]], states[neighbours[slot + 1]]
            for r in replicas:
                total[r] += weight0 * state0[r] + weight1 * state1[r]
            slot += 2
        if slot < last:
            weight0, state0 = weights[slot] << unit, states[neighbours[slot]]
            for r in replicas:
                total[r] += weight0 * state0[r]


@register_jitable
def _decide_block(states, fields, words, beta, shift):
    for k in range(len(states)):
        states[k] = _decide(fields[k], words[k], beta, shift)


@register_jitable
def copy_into(source, target):
    """Element by element: numba takes seconds to compile an assignment of whole arrays."""
    for k in range(len(source)):
        target[k] = source[k]
