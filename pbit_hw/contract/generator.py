"""Random-number generators of a p-bit, and how their streams are spaced.

A generator is a register of 32-bit words. `*_word` reads the 16 random bits
that one p-bit update consumes from the register as it stands; `*_next` is the
register after the update.

``LFSR32`` is the Fibonacci register of x^32 + x^31 + x^30 + x^10 + 1 (the
reciprocal of the textbook's x^32 + x^22 + x^2 + x + 1, so primitive too),
leapt 16 bits per update so that every word is fresh. ``XOSHIRO128`` is
xoshiro128++ 1.0 (Blackman and Vigna, ACM TOMS 47, 2021), and ``XOSHIRO64`` the
same construction on words of 16 bits, for half the logic: its shift by 5 and
rotation by 11 are the only pair that gives the full period.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt

from . import gf2

WORD_BITS = 16
"""Random bits that one p-bit update consumes."""

LFSR_LEAP = 16
"""Shifts of the LFSR per update. One shift, the textbook's, samples a wrong distribution."""

LFSR_PERIOD = 2**32 - 1
LFSR_SPACING = 2654435761
"""Shifts between the LFSR streams of neighbouring p-bits: 2^32 over the golden ratio, prime, so
that any number of streams is spread almost evenly over the period."""

XOSHIRO64_PERIOD = 2**64 - 1
XOSHIRO64_SPACING = 11400714819323198483
"""Updates between the ``XOSHIRO64`` streams of neighbouring p-bits: 2^64 over the golden ratio, coprime to
the period."""


class Generator(enum.IntEnum):
    """Kind of generator; the value stands in the image and in the digest."""

    LFSR32 = 0
    XOSHIRO128 = 1
    XOSHIRO64 = 2

    @property
    def words(self) -> int:
        """32-bit words of its register."""
        return {Generator.LFSR32: 1, Generator.XOSHIRO128: 4, Generator.XOSHIRO64: 2}[self]


GENERATOR_NAMES = tuple(kind.name.lower() for kind in Generator)
"""What users call them."""


# The scalar functions below work alike on Python integers, numpy integers and arrays, and compiled.


def lfsr_shift(state, count):
    """Shift the register left by ``count`` (1 to 10) new bits."""
    new = (state >> (32 - count)) ^ (state >> (31 - count)) ^ (state >> (30 - count)) ^ (state >> (10 - count))
    return ((state << count) | (new & ((1 << count) - 1))) & 0xFFFFFFFF


def lfsr_fresh(high, low):
    """The 16 bits that 16 shifts bring in, from the register's halves: all but the last six come straight from it."""
    straight = (high ^ (high << 1 | low >> 15) ^ (high << 2 | low >> 14) ^ low << 6) & 0xFFFF
    return straight ^ straight >> 10


def lfsr_next(state):
    """The register after one update: 16 shifts at once."""
    low = state & 0xFFFF
    return low << 16 | lfsr_fresh(state >> 16, low)


def lfsr_word(state):
    """The 16 bits shifted in last."""
    return state & 0xFFFF


def rotate_left(value, count, bits):
    """Rotate a word of so many bits."""
    return ((value << count) | (value >> (bits - count))) & ((1 << bits) - 1)


def xoshiro_word(bits, s0, s3):
    """The high 16 bits of the ++ output for the register (s0, s1, s2, s3) of words of 32 or 16 bits."""
    mask = (1 << bits) - 1
    return ((rotate_left((s0 + s3) & mask, 7, bits) + s0) & mask) >> (bits - WORD_BITS)


def xoshiro_next(bits, s0, s1, s2, s3):
    """The register (s0, s1, s2, s3) of words of 32 or 16 bits after one update."""
    t = (s1 << (9 if bits == 32 else 5)) & ((1 << bits) - 1)
    s2 = s2 ^ s0
    s3 = s3 ^ s1
    s1 = s1 ^ s2
    s0 = s0 ^ s3
    return s0, s1, s2 ^ t, rotate_left(s3, 11, bits)


def halves(first, second):
    """The four words of 16 bits that two words of 32 hold, low halves first."""
    return first & 0xFFFF, first >> 16, second & 0xFFFF, second >> 16


XOSHIRO_JUMP = (0x8764000B, 0xF542D2D3, 0x6FA035C3, 0x77F2DB5B)
"""Published polynomial that jumps xoshiro128 by 2^64 updates."""


def _xoshiro128_next_rows(states: gf2.Words) -> gf2.Words:
    return np.stack(xoshiro_next(32, *(states[:, word] for word in range(4))), axis=1).astype(np.uint32)


def _xoshiro64_next_rows(states: gf2.Words) -> gf2.Words:
    s0, s1, s2, s3 = xoshiro_next(16, *halves(states[:, 0], states[:, 1]))
    return np.stack([s0 | s1 << 16, s2 | s3 << 16], axis=1).astype(np.uint32)


def _xoshiro_jump_rows(states: gf2.Words) -> gf2.Words:
    total = np.zeros_like(states)
    for word in XOSHIRO_JUMP:
        for bit in range(32):
            if word >> bit & 1:
                total ^= states
            states = _xoshiro128_next_rows(states)
    return total


def next_rows(kind: Generator) -> Callable[[gf2.Words], gf2.Words]:
    """The generator's next-state function on rows of words: what gateware and tests derive the XORs from."""
    if kind is Generator.LFSR32:
        return lfsr_next
    return _xoshiro128_next_rows if kind is Generator.XOSHIRO128 else _xoshiro64_next_rows


def splitmix64(seed: int, count: int) -> list[int]:
    """Expand a seed to 64-bit words (Steele, Lea and Flood, OOPSLA 2014).

    Parameters
    ----------
    seed : int
        Taken modulo 2^64.
    count : int
        Number of words.
    """
    mask = 2**64 - 1
    words = []
    for _ in range(count):
        seed = (seed + 0x9E3779B97F4A7C15) & mask
        z = (seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9 & mask
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & mask
        words.append(z ^ (z >> 31))
    return words


def streams(kind: Generator, seed: int, count: int) -> gf2.Words:
    """Registers of ``count`` streams, spaced by jump-ahead from one user seed.

    ``XOSHIRO128`` streams lie 2^64 updates apart. The others lie `LFSR_SPACING`
    shifts or `XOSHIRO64_SPACING` updates apart on the one period that there is,
    starting at a place that the seed chooses.

    Parameters
    ----------
    kind : Generator
        The generator.
    seed : int
        User seed, taken modulo 2^64.
    count : int
        Streams: replica r of p-bit p of an n-p-bit array is stream ``r * n + p``.

    Returns
    -------
    ndarray of uint32, shape (count, kind.words)
    """
    if kind is Generator.XOSHIRO128:
        low, high = splitmix64(seed, 2)
        first = np.array([[low & 0xFFFFFFFF, low >> 32, high & 0xFFFFFFFF, high >> 32]], np.uint32)
    else:
        first = np.array([[1] + [0] * (kind.words - 1)], np.uint32)
        place = splitmix64(seed, 1)[0] % (LFSR_PERIOD if kind is Generator.LFSR32 else XOSHIRO64_PERIOD)
        for bit, leap in enumerate(_leaps(kind)):
            if place >> bit & 1:
                first = gf2.apply(leap, first)
    return gf2.orbit(_stream_spacing(kind), first[0], count)


@cache
def _leaps(kind: Generator) -> tuple[gf2.Words, ...]:
    """The maps of 1, 2, 4, ... shifts of the LFSR or updates of xoshiro, up to half a period."""
    step = (lambda states: lfsr_shift(states, 1)) if kind is Generator.LFSR32 else next_rows(kind)
    leaps = [gf2.matrix(step, kind.words)]
    for _ in range(32 * kind.words - 1):
        leaps.append(gf2.apply(leaps[-1], leaps[-1]))
    return tuple(leaps)


@cache
def _stream_spacing(kind: Generator) -> gf2.Words:
    """The map from one stream's register to the next stream's."""
    if kind is Generator.XOSHIRO128:
        return gf2.matrix(_xoshiro_jump_rows, 4)
    return gf2.power(_leaps(kind)[0], LFSR_SPACING if kind is Generator.LFSR32 else XOSHIRO64_SPACING)


def showing(kind: Generator, words: npt.NDArray[np.uint16]) -> gf2.Words:
    """Registers whose next random words are given ones: how words recorded elsewhere drive an array.

    Parameters
    ----------
    kind : Generator
        The generator.
    words : ndarray of uint16, shape (...)
        Random words.

    Returns
    -------
    ndarray of uint32, shape (..., kind.words)
        Where s0 = 0 the ++ output is s3, rotated.
    """
    registers = np.zeros((*words.shape, kind.words), np.uint32)
    wide = words.astype(np.uint32)
    if kind is Generator.LFSR32:
        registers[..., 0] = wide
    elif kind is Generator.XOSHIRO128:
        registers[..., 3] = rotate_left(wide << 16, 25, 32)
    else:
        registers[..., 1] = rotate_left(wide, 9, 16) << 16
    return registers
