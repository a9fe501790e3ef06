"""Random-number generators of a p-bit, and how their streams are spaced.

A generator is a register of 32-bit words. `*_word` reads the 16 random bits
that one p-bit update consumes from the register as it stands; `*_next` is the
register after the update.

``XOSHIRO128`` is xoshiro128++ 1.0 (Blackman and Vigna, ACM TOMS 47, 2021), and
``XOSHIRO64`` the same construction on words of 16 bits, for half the logic: its
shift by 5 and rotation by 11 are the only pair that gives the full period.
``LFSR48`` is the Fibonacci register of x^48 + x^37 + x^29 + x^23 + 1, leapt 16
bits per update, so that each bit of the new word is the XOR of four old ones.
Its bits are linear, which batteries of statistical tests see; so the random word
is a sum of its two halves, without the lowest bits of the sum, which are linear
or nearly so. The taps are far apart because neighbouring bits of a sum are not:
with the well-known 48, 47, 21, 20 every word depends on the third one before.

``LINEAR64`` is one register for four p-bits of a colour, which take its four
words: every bit is new in every update, as the XOR of at most four old ones, so
that a random bit costs one 4-input LUT and one flip-flop.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from functools import cache, lru_cache, partial

import numpy as np
import numpy.typing as npt

from . import gf2

WORD_BITS = 16
"""Random bits that one p-bit update consumes."""

PERIOD64 = 2**64 - 1
SPACING64 = 11400714819323198483
"""Updates between neighbouring streams of ``XOSHIRO64`` and ``LINEAR64``: 2^64 over the golden ratio, coprime to
the period, so that any number of streams is spread almost evenly over it."""

LFSR48_LEAP = 16
"""Shifts of ``LFSR48`` per update. One shift, the textbook's, samples a wrong distribution."""

LINEAR64_TERMS = (27, 11, 28, 31)
"""``LINEAR64``: the register is rotated to the left by the first; to this are added its rotations to the left by the
second and the third, and its shift to the left by the fourth."""

LFSR48_PERIOD = 2**48 - 1
LFSR48_SPACING = 173961102589769
"""Shifts between the ``LFSR48`` streams of neighbouring p-bits, as `SPACING64` is chosen."""


class Generator(enum.IntEnum):
    """Kind of generator; the name stands in the image and in the digest."""

    XOSHIRO128 = 1
    XOSHIRO64 = 2
    LFSR48 = 3
    LINEAR64 = 4

    @property
    def bits(self) -> int:
        """Bits of its register; those of the last word that lie beyond are ignored when written and read as zero."""
        return {Generator.XOSHIRO128: 128, Generator.LFSR48: 48}.get(self, 64)

    @property
    def share(self) -> int:
        """Random words of one update, and so p-bits of a colour that share a register."""
        return 4 if self is Generator.LINEAR64 else 1

    @property
    def words(self) -> int:
        """32-bit words that hold its register."""
        return -(-self.bits // 32)


GENERATOR_NAMES = tuple(kind.name.lower() for kind in Generator)
"""What users call them."""

RETIRED = ("LFSR32",)
"""Generators of earlier contracts, whose values are not given again. Its 32 bits could pass no battery of tests."""


# The scalar functions below work alike on Python integers, numpy integers and arrays, and compiled.


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


def lfsr48_word(low, middle, high):
    """The upper 16 bits of the sum of the halves, of 24 bits each, of the register in words of 16 bits."""
    carry = ((low & 0xFF) + (middle >> 8)) >> 8
    return (high + (middle << 8 | low >> 8) + carry) & 0xFFFF


def lfsr48_next(low, middle, high):
    """The register in words of 16 bits after one update: 16 shifts to the left at once."""
    fresh = high ^ (high << 11 | middle >> 5) ^ (middle << 3 | low >> 13) ^ (middle << 9 | low >> 7)
    return fresh & 0xFFFF, low, middle


def _joined(high, low, shift):
    """16 of the 32 bits of two words, from ``16 - shift`` on."""
    return ((high << shift) | (low >> (16 - shift))) & 0xFFFF


def _word_at(words, place):
    """One of four words of 16 bits; zero beyond them."""
    return words[place] if 0 <= place < 4 else words[0] ^ words[0]


def rotated_word(words, by, place):
    """A word of the number of 64 bits in four words, lowest first, rotated to the left."""
    first = place - by // 16
    return _joined(words[first % 4], words[(first - 1) % 4], by % 16)


def shifted_word(words, by, place):
    """A word of the number of 64 bits in four words, lowest first, shifted to the left."""
    first = place - by // 16
    return _joined(_word_at(words, first), _word_at(words, first - 1), by % 16)


def linear64_word(rotated, place):
    """A word of the register after one update, from the words of what is added up."""
    _, first, second, up = LINEAR64_TERMS
    turned = rotated_word(rotated, first, place) ^ rotated_word(rotated, second, place)
    return rotated[place] ^ turned ^ shifted_word(rotated, up, place)


def linear64_next(words):
    """The register in four words of 16 bits, lowest first, after one update."""
    by = LINEAR64_TERMS[0]
    low = rotated_word(words, by, 0), rotated_word(words, by, 1)
    rotated = (*low, rotated_word(words, by, 2), rotated_word(words, by, 3))
    return linear64_word(rotated, 0), linear64_word(rotated, 1), linear64_word(rotated, 2), linear64_word(rotated, 3)


def halves(first, second):
    """The four words of 16 bits that two words of 32 hold, low halves first."""
    # all of them masked, so that they are of one type when compiled
    return first & 0xFFFF, first >> 16 & 0xFFFF, second & 0xFFFF, second >> 16 & 0xFFFF


XOSHIRO_JUMP = (0x8764000B, 0xF542D2D3, 0x6FA035C3, 0x77F2DB5B)
"""Published polynomial that jumps xoshiro128 by 2^64 updates."""


def _xoshiro128_next_rows(states: gf2.Words) -> gf2.Words:
    return np.stack(xoshiro_next(32, *(states[:, word] for word in range(4))), axis=1).astype(np.uint32)


def _xoshiro64_next_rows(states: gf2.Words) -> gf2.Words:
    s0, s1, s2, s3 = xoshiro_next(16, *halves(states[:, 0], states[:, 1]))
    return np.stack([s0 | s1 << 16, s2 | s3 << 16], axis=1).astype(np.uint32)


def _lfsr48_next_rows(states: gf2.Words) -> gf2.Words:
    low, middle, high, _ = halves(states[:, 0], states[:, 1])
    low, middle, high = lfsr48_next(low, middle, high)
    return np.stack([low | middle << 16, high], axis=1).astype(np.uint32)


def _linear64_next_rows(states: gf2.Words) -> gf2.Words:
    s0, s1, s2, s3 = linear64_next(halves(states[:, 0], states[:, 1]))
    return np.stack([s0 | s1 << 16, s2 | s3 << 16], axis=1).astype(np.uint32)


def _xoshiro_jump_rows(states: gf2.Words) -> gf2.Words:
    total = np.zeros_like(states)
    for word in XOSHIRO_JUMP:
        for bit in range(32):
            if word >> bit & 1:
                total ^= states
            states = _xoshiro128_next_rows(states)
    return total


_NEXT_ROWS = {
    Generator.XOSHIRO128: _xoshiro128_next_rows,
    Generator.XOSHIRO64: _xoshiro64_next_rows,
    Generator.LFSR48: _lfsr48_next_rows,
    Generator.LINEAR64: _linear64_next_rows,
}


def next_rows(kind: Generator) -> Callable[[gf2.Words], gf2.Words]:
    """The generator's next-state function on rows of words: what gateware and tests derive the XORs from."""
    return _NEXT_ROWS[kind]


SPLITMIX64_STEP = 0x9E3779B97F4A7C15
"""What SplitMix64 adds to its state with every word."""


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
        seed = (seed + SPLITMIX64_STEP) & mask
        z = (seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9 & mask
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & mask
        words.append(z ^ (z >> 31))
    return words


def streams(kind: Generator, seed: int, count: int) -> gf2.Words:
    """Registers of ``count`` streams, spaced by jump-ahead from one user seed.

    ``XOSHIRO128`` streams lie 2^64 updates apart. The others lie `SPACING64`
    updates or `LFSR48_SPACING` shifts apart on the one period that there is,
    starting at a place that the seed chooses.

    Parameters
    ----------
    kind : Generator
        The generator.
    seed : int
        User seed, taken modulo 2^64.
    count : int
        How many.

    Returns
    -------
    ndarray of uint32, shape (count, kind.words)
    """
    if kind is Generator.XOSHIRO128:
        low, high = splitmix64(seed, 2)
        first = np.array([[low & 0xFFFFFFFF, low >> 32, high & 0xFFFFFFFF, high >> 32]], np.uint32)
    else:
        first = np.array([[1, 0]], np.uint32)
        place = splitmix64(seed, 1)[0] % ((1 << kind.bits) - 1)
        for bit, leap in enumerate(_leaps(kind)):
            if place >> bit & 1:
                first = gf2.apply(leap, first)
    return gf2.orbit(partial(_spacing_images, kind), first[0], count)


def powered_up(kind: Generator, count: int) -> gf2.Words:
    """Registers of a device before a seed is written: the streams of seed 0, but 0, which has none, of ``LINEAR64``."""
    return np.zeros((count, kind.words), np.uint32) if kind is Generator.LINEAR64 else streams(kind, 0, count)


@cache
def _leaps(kind: Generator) -> tuple[gf2.Words, ...]:
    """The maps of 1, 2, 4, ... updates, up to half a period."""
    leaps = [gf2.matrix(next_rows(kind), kind.words)]
    for _ in range(kind.bits - 1):
        leaps.append(gf2.apply(leaps[-1], leaps[-1]))
    return tuple(leaps)


@cache
def _spacing_images(kind: Generator, level: int) -> gf2.Words:
    """`gf2.byte_images` of `_stream_spacing`."""
    return gf2.byte_images(_stream_spacing(kind, level))


@cache
def _stream_spacing(kind: Generator, level: int) -> gf2.Words:
    """The map from one stream's register to that of the 2^level-th after it."""
    if level:
        half = _stream_spacing(kind, level - 1)
        return gf2.apply(half, half)
    if kind is Generator.XOSHIRO128:
        return gf2.matrix(_xoshiro_jump_rows, 4)
    # the order of an update of the LFSR is odd, so any number of shifts is some number of updates
    shift = pow(LFSR48_LEAP, -1, LFSR48_PERIOD)
    spacing = LFSR48_SPACING * shift % LFSR48_PERIOD if kind is Generator.LFSR48 else SPACING64
    return gf2.power(_leaps(kind)[0], spacing)


def advanced(kind: Generator, registers: gf2.Words, updates: int) -> gf2.Words:
    """Registers after so many updates.

    Parameters
    ----------
    kind : Generator
        The generator.
    registers : ndarray of uint32, shape (..., kind.words)
        Where they stand.
    updates : int
        How many, of each.

    Returns
    -------
    ndarray of uint32, shape (..., kind.words)
    """
    return gf2.look_up(_update_images(kind, updates), registers.reshape(-1, kind.words)).reshape(registers.shape)


@lru_cache(maxsize=16)
def _update_images(kind: Generator, updates: int) -> gf2.Words:
    """`gf2.byte_images` of so many updates."""
    return gf2.byte_images(gf2.power(gf2.matrix(next_rows(kind), kind.words), updates))


def showing(kind: Generator, words: npt.NDArray[np.uint16]) -> gf2.Words:
    """Registers whose next random words are given ones: how words recorded elsewhere drive an array.

    Parameters
    ----------
    kind : Generator
        The generator.
    words : ndarray of uint16, shape (..., kind.share)
        Random words of each register.

    Returns
    -------
    ndarray of uint32, shape (..., kind.words)
        Where s0 = 0 the ++ output is s3, rotated; where the rest is 0 the LFSR's word is its highest.
    """
    registers = np.zeros((*words.shape[:-1], kind.words), np.uint32)
    wide = words.astype(np.uint32)
    first = wide[..., 0]
    if kind is Generator.XOSHIRO128:
        registers[..., 3] = rotate_left(first << 16, 25, 32)
    elif kind is Generator.XOSHIRO64:
        registers[..., 1] = rotate_left(first, 9, 16) << 16
    elif kind is Generator.LFSR48:
        registers[..., 1] = first
    else:
        registers[..., 0], registers[..., 1] = first | wide[..., 1] << 16, wide[..., 2] | wide[..., 3] << 16
    return registers


INJECTED_BIT = 0
"""Bit of a ``LINEAR64`` register into which a new one is shifted, one bit of it per update."""


def seeds(kind: Generator, registers: gf2.Words) -> gf2.Words:
    """What is written to a device so that its generators hold these registers.

    ``LINEAR64`` has no second input for every bit. While its register, cleared
    before, makes 64 updates, the 64 bits that are written, lowest first, are added to `INJECTED_BIT`;
    any register can be reached so. Others are written as they are.

    Parameters
    ----------
    kind : Generator
        The generator.
    registers : ndarray of uint32, shape (..., kind.words)
        Registers.

    Returns
    -------
    ndarray of uint32, shape (..., kind.words)
    """
    if kind is not Generator.LINEAR64:
        return registers
    return gf2.look_up(_seed_images()[1], registers.reshape(-1, kind.words)).reshape(registers.shape)


def seeded(kind: Generator, written: gf2.Words) -> gf2.Words:
    """Registers after a seed was written: the inverse of `seeds`."""
    if kind is not Generator.LINEAR64:
        return written
    return gf2.look_up(_seed_images()[0], written.reshape(-1, kind.words)).reshape(written.shape)


@cache
def _seed_images() -> tuple[gf2.Words, gf2.Words]:
    """`gf2.byte_images` of the map from seeds to registers, and of its inverse."""
    kind = Generator.LINEAR64
    injected = np.zeros((1, kind.words), np.uint32)
    injected[0, INJECTED_BIT // 32] = 1 << INJECTED_BIT % 32
    rows = [injected]
    for _ in range(kind.bits - 1):
        rows.append(next_rows(kind)(rows[-1]))
    reached = np.concatenate(rows[::-1])
    return gf2.byte_images(reached), gf2.byte_images(gf2.inverse(reached))
