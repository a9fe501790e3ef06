"""One p-bit update, in integers.

Inside the array every p-bit is a bit s; a spin is m = 2 s - 1. With the bias
folded, b_i = h_i - sum_j J_ij, a spin's field is b_i + sum_j 2 J_ij s_j, so that
spins and bits share one adder: only ``weight_shift`` (1 for spins, 0 for bits)
differs.
"""

from __future__ import annotations

import enum

from .activation import TABLE, argument


class Unit(enum.IntEnum):
    """What a p-bit stands for; the value is also the weight shift of its adder."""

    BIT = 0
    SPIN = 1


def field(bias, weights, neighbours, states, first, last, weight_shift):
    """Exact field of one p-bit: bias plus the weights of its slots ``first`` to ``last`` whose neighbour is 1."""
    total = bias
    for slot in range(first, last):
        total += (weights[slot] << weight_shift) * states[neighbours[slot]]
    return total


def next_state(total, word, threshold):
    """The p-bit's next state for a field, a 16-bit random word and the table's threshold.

    It follows the sign of the field unless the word is below the threshold,
    which happens with probability sigmoid(-|x|).
    """
    return (word < threshold) != (total >= 0)


def decide(total, word, beta, shift):
    """The p-bit's next state for a field and a random word at an inverse temperature."""
    return next_state(total, word, TABLE[argument(abs(total), beta, shift)])


def entry(total, beta, shift):
    """16 bits that say all of a decision but its random word: what a table p-bit holds for every set of neighbours.

    The highest bit is the sign, the others the threshold; above a quarter they hold one less, which lets 15 bits reach
    2^15, since no threshold is exactly 2^14.
    """
    threshold = TABLE[argument(abs(total), beta, shift)]
    return (1 << 15 if total >= 0 else 0) | (threshold - 1 if threshold > 1 << 14 else threshold)


def state_of(held, word):
    """The next state for an `entry` and a random word."""
    threshold = (held & 0x7FFF) + (held >> 14 & 1)
    return (word < threshold) != (held >> 15 == 1)
