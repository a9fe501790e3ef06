"""Generators against published vectors, their theory, and a bit-by-bit register."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbit_hw.contract import generator as rng
from pbit_hw.contract import gf2
from pbit_hw.contract.generator import Generator

words32 = st.integers(0, 2**32 - 1)
registers = st.tuples(words32, words32, words32, words32)

XOSHIRO_OUTPUT = (
    641,
    1573767,
    3222811527,
    3517856514,
    836907274,
    4247214768,
    3867114732,
    1355841295,
    495546011,
    621204420,
)
"""xoshiro128++ 1.0 from the state 1, 2, 3, 4, as published with the rand_xoshiro reference tests."""

SPLITMIX_OUTPUT = (6457827717110365317, 3203168211198807973, 9817491932198370423)
"""splitmix64 from the seed 1234567, as published with the reference implementation."""


def shift_once(state: int) -> int:
    """One shift of x^32 + x^31 + x^30 + x^10 + 1, tap by tap: the textbook register."""
    new = (state >> 31 ^ state >> 30 ^ state >> 29 ^ state >> 9) & 1
    return (state << 1 | new) & 0xFFFFFFFF


def lfsr_matrix() -> gf2.Words:
    return gf2.matrix(lambda states: rng.lfsr_shift(states, 1), 1)


def test_xoshiro_gives_the_published_sequence() -> None:
    state = (1, 2, 3, 4)
    for expected in XOSHIRO_OUTPUT:
        assert rng.xoshiro_word(32, state[0], state[3]) == expected >> 16
        state = rng.xoshiro_next(32, *state)


def test_xoshiro_jump_is_two_to_the_64_updates() -> None:
    step = gf2.matrix(rng.next_rows(Generator.XOSHIRO128), 4)
    streams = rng.streams(Generator.XOSHIRO128, 7, 3)
    jump = gf2.power(step, 2**64)
    assert np.array_equal(gf2.apply(jump, streams[:2]), streams[1:])
    assert rng.XOSHIRO_JUMP == (0x8764000B, 0xF542D2D3, 0x6FA035C3, 0x77F2DB5B)


def xoshiro64_matrix() -> gf2.Words:
    return gf2.matrix(rng.next_rows(Generator.XOSHIRO64), 2)


def test_xoshiro64_step_by_hand() -> None:
    """s0..s3 = 1, 2, 3, 4: t = 2 << 5; s2 = 3^1, s3 = 4^2, s1 = 2^2, s0 = 1^6, s2 ^= 64, s3 = 6 << 11."""
    assert rng.xoshiro_next(16, 1, 2, 3, 4) == (7, 0, 66, 6 << 11)
    assert rng.xoshiro_word(16, 1, 4) == (5 << 7) + 1


def test_xoshiro64_has_the_longest_period() -> None:
    identity = gf2.unit_vectors(2)
    step, period = xoshiro64_matrix(), rng.XOSHIRO64_PERIOD
    assert np.array_equal(gf2.power(step, period), identity)
    factors = (3, 5, 17, 257, 641, 65537, 6700417)
    assert math.prod(factors) == period
    for factor in factors:
        assert not np.array_equal(gf2.power(step, period // factor), identity)


def test_xoshiro64_streams_lie_one_spacing_apart() -> None:
    assert math.gcd(rng.XOSHIRO64_SPACING, rng.XOSHIRO64_PERIOD) == 1
    streams = rng.streams(Generator.XOSHIRO64, 42, 5)
    spacing = gf2.power(xoshiro64_matrix(), rng.XOSHIRO64_SPACING)
    assert np.array_equal(gf2.apply(spacing, streams[:-1]), streams[1:])


def test_splitmix_gives_the_published_sequence() -> None:
    assert tuple(rng.splitmix64(1234567, 3)) == SPLITMIX_OUTPUT
    assert rng.splitmix64(1234567 + 2**64, 3) == rng.splitmix64(1234567, 3)
    assert rng.splitmix64(1, 0) == []


@given(words32)
def test_lfsr_shifts_are_single_shifts(state: int) -> None:
    stepped = state
    for count in range(1, 17):
        stepped = shift_once(stepped)
        if count <= 10:
            assert rng.lfsr_shift(state, count) == stepped
    assert rng.lfsr_next(state) == stepped
    assert rng.lfsr_word(rng.lfsr_next(state)) == stepped & 0xFFFF


def test_lfsr_has_the_longest_period() -> None:
    """Primitive: the shift's order divides 2^32 - 1 and none of its maximal proper divisors."""
    identity = gf2.unit_vectors(1)
    assert np.array_equal(gf2.power(lfsr_matrix(), rng.LFSR_PERIOD), identity)
    factors = (3, 5, 17, 257, 65537)
    assert np.prod(factors) == rng.LFSR_PERIOD
    for factor in factors:
        assert not np.array_equal(gf2.power(lfsr_matrix(), rng.LFSR_PERIOD // factor), identity)


def test_an_lfsr_that_is_not_primitive_is_caught() -> None:
    """Negative control: x^32 + x^31 + 1 fails the test above."""
    bad = gf2.matrix(lambda s: ((s << 1) | ((s >> 31 ^ s >> 30) & 1)).astype(np.uint32), 1)
    assert not np.array_equal(gf2.power(bad, rng.LFSR_PERIOD), gf2.unit_vectors(1))


@given(st.integers(0, 3000))
def test_lfsr_jump_ahead_is_stepping(count: int) -> None:
    state = 0xDEADBEEF
    for _ in range(count):
        state = shift_once(state)
    start = np.array([[0xDEADBEEF]], np.uint32)
    assert gf2.apply(gf2.power(lfsr_matrix(), count), start)[0, 0] == state


@given(registers)
def test_generators_work_alike_on_integers_and_arrays(register: tuple[int, int, int, int]) -> None:
    row = np.array([register], np.uint32)
    assert rng.next_rows(Generator.LFSR32)(row[:, :1])[0, 0] == rng.lfsr_next(register[0])
    assert tuple(rng.next_rows(Generator.XOSHIRO128)(row)[0]) == rng.xoshiro_next(32, *register)
    first, second = rng.next_rows(Generator.XOSHIRO64)(row[:, :2])[0]
    assert rng.halves(int(first), int(second)) == rng.xoshiro_next(16, *rng.halves(*register[:2]))


SPACINGS = {"lfsr": (rng.LFSR_SPACING, rng.LFSR_PERIOD), "xoshiro64": (rng.XOSHIRO64_SPACING, rng.XOSHIRO64_PERIOD)}


@pytest.mark.parametrize("kind", SPACINGS)
@pytest.mark.parametrize("count", [2, 64, 4096, 100_000])
def test_streams_are_spread_over_the_period(count: int, kind: str) -> None:
    """No two streams of an array come closer than a third of an even spacing."""
    spacing, period = SPACINGS[kind]
    places = sorted(place * spacing % period for place in range(count))
    gaps = [after - before for before, after in pairwise([*places, places[0] + period])]
    assert min(gaps) > period / count / 3


def test_lfsr_streams_lie_one_spacing_apart() -> None:
    streams = rng.streams(Generator.LFSR32, 42, 5)
    spacing = gf2.power(lfsr_matrix(), rng.LFSR_SPACING)
    assert np.array_equal(gf2.apply(spacing, streams[:-1]), streams[1:])


@pytest.mark.parametrize("kind", list(Generator))
def test_streams_are_reproducible_distinct_and_never_zero(kind: Generator) -> None:
    streams = rng.streams(kind, 3, 1000)
    assert streams.shape == (1000, kind.words)
    assert streams.dtype == np.uint32
    assert streams.any(axis=1).all()
    assert len(np.unique(streams, axis=0)) == 1000
    assert np.array_equal(rng.streams(kind, 3 + 2**64, 10), streams[:10])
    assert not np.isin(rng.streams(kind, 4, 10)[:, 0], streams[:, 0]).any()


@pytest.mark.parametrize("kind", list(Generator))
def test_words_are_uniform(kind: Generator) -> None:
    """Mean and bit means of 2^18 words lie within five standard errors."""
    state = rng.streams(kind, 5, 4096)
    step = rng.next_rows(kind)
    words = []
    for _ in range(64):
        words.append(words_of(kind, state))
        state = step(state)
    bits = np.stack(words).reshape(-1, 1) >> np.arange(16, dtype=np.uint32) & 1
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 5 * 0.5 / np.sqrt(len(bits))


def words_of(kind: Generator, registers: gf2.Words) -> Any:
    """Next random words of rows of registers."""
    if kind is Generator.LFSR32:
        return rng.lfsr_word(registers[:, 0])
    if kind is Generator.XOSHIRO128:
        return rng.xoshiro_word(32, registers[:, 0], registers[:, 3])
    return rng.xoshiro_word(16, registers[:, 0] & 0xFFFF, registers[:, 1] >> 16)


@pytest.mark.parametrize("kind", list(Generator))
def test_every_word_can_be_shown(kind: Generator) -> None:
    words = np.arange(2**16, dtype=np.uint16)
    assert np.array_equal(words_of(kind, rng.showing(kind, words)), words)
