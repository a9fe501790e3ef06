"""The activation: one table, read as tanh by spins and as sigmoid by bits.

P(m = +1) = (1 + tanh I) / 2 = sigmoid(2 I) for spins, sigmoid(x) for bits
(Camsari et al., PRX 7, 031014, 2017). The table holds 65536 sigmoid(-x) for
x >= 0 at multiples of 1/8 and is interpolated linearly to 1/64; the sign of x
is restored by the comparison in `update`.
"""

from __future__ import annotations

import math

import numpy as np

ARGUMENT_FRAC_BITS = 6
"""The argument u counts x in 1/64."""

SEGMENT_BITS = 3
"""A segment is 2^3 arguments, an eighth of x, wide."""

ARGUMENT_LIMIT = 16 * 64 - 1
"""Arguments saturate here; the table is zero from x = 11.8 on."""

NODES = np.array([round(65536 / (1 + math.exp(k / 8))) for k in range(129)], np.int32)
"""Threshold at x = k / 8, in 1/65536."""


def interpolate(node, next_node, fraction):
    """The threshold ``fraction`` eighths of the way from a node to the next."""
    return node - (((node - next_node) * fraction + 4) >> SEGMENT_BITS)


ARGUMENTS = np.arange(ARGUMENT_LIMIT + 1)
TABLE = interpolate(
    NODES[ARGUMENTS >> SEGMENT_BITS], NODES[(ARGUMENTS >> SEGMENT_BITS) + 1], ARGUMENTS & ((1 << SEGMENT_BITS) - 1)
).astype(np.int32)
"""Threshold of every argument: the chance, in 1/65536, that a p-bit goes against the sign of its field."""


def argument(magnitude, beta, shift):
    """The table's argument for a field, rounded half up, saturating.

    Parameters
    ----------
    magnitude : int
        Magnitude of the field, in units of the weight format's step.
    beta : int
        Code of the inverse temperature.
    shift : int
        Fraction bits to drop, `Image.argument_shift`; negative shifts left.
    """
    product = magnitude * beta
    scaled = (product + (1 << (shift - 1))) >> shift if shift > 0 else product << -shift
    return min(scaled, ARGUMENT_LIMIT)
