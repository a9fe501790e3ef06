"""Generators against published vectors, their theory, and a bit-by-bit register."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations, pairwise
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


LFSR48_FACTORS = (3, 5, 7, 13, 17, 97, 241, 257, 673)
"""Of 2^48 - 1, which has the factor 3 twice."""


def shift_once(state: int, taps: tuple[int, ...] = (48, 37, 29, 23)) -> int:
    """One shift of x^48 + x^37 + x^29 + x^23 + 1, tap by tap: the textbook register."""
    new = sum(state >> tap - 1 for tap in taps) & 1
    return (state << 1 | new) & (1 << 48) - 1


def thirds(state: int) -> tuple[int, int, int]:
    """A register of 48 bits in words of 16 bits, the low one first."""
    return state & 0xFFFF, state >> 16 & 0xFFFF, state >> 32


def shift_matrix(taps: tuple[int, ...] = (48, 37, 29, 23)) -> gf2.Words:
    """One shift as a map; bits 48 to 63 of the two words stay 0."""
    images = [shift_once(1 << bit, taps) if bit < 48 else 0 for bit in range(64)]
    return np.array([[image & 0xFFFFFFFF, image >> 32] for image in images], np.uint32)


def lfsr48_matrix() -> gf2.Words:
    return gf2.matrix(rng.next_rows(Generator.LFSR48), 2)


def is_identity(linear: gf2.Words) -> bool:
    """Whether a map leaves the 48 bits as they are."""
    return np.array_equal(linear[:48], gf2.unit_vectors(2)[:48])


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
    step, period = xoshiro64_matrix(), rng.PERIOD64
    assert np.array_equal(gf2.power(step, period), identity)
    factors = (3, 5, 17, 257, 641, 65537, 6700417)
    assert math.prod(factors) == period
    for factor in factors:
        assert not np.array_equal(gf2.power(step, period // factor), identity)


def test_xoshiro64_streams_lie_one_spacing_apart() -> None:
    assert math.gcd(rng.SPACING64, rng.PERIOD64) == 1
    streams = rng.streams(Generator.XOSHIRO64, 42, 5)
    spacing = gf2.power(xoshiro64_matrix(), rng.SPACING64)
    assert np.array_equal(gf2.apply(spacing, streams[:-1]), streams[1:])


words64 = st.integers(0, 2**64 - 1)


def quarters(state: int) -> tuple[int, int, int, int]:
    """A register of 64 bits in words of 16 bits, the low one first."""
    return state & 0xFFFF, state >> 16 & 0xFFFF, state >> 32 & 0xFFFF, state >> 48


def rotated(state: int, by: int) -> int:
    """A number of 64 bits, rotated to the left."""
    return (state << by | state >> 64 - by) & 2**64 - 1


def linear64_step(state: int) -> int:
    """The next register as one number."""
    by, first, second, up = rng.LINEAR64_TERMS
    turned = rotated(state, by)
    return turned ^ rotated(turned, first) ^ rotated(turned, second) ^ turned << up & 2**64 - 1


@given(words64)
def test_linear64_on_words_is_linear64_on_a_number(state: int) -> None:
    assert rng.linear64_next(quarters(state)) == quarters(linear64_step(state))


def linear64_matrix() -> gf2.Words:
    return gf2.matrix(rng.next_rows(Generator.LINEAR64), 2)


def test_every_bit_of_linear64_is_of_four_old_ones_at_most() -> None:
    bits = np.unpackbits(linear64_matrix().view(np.uint8), axis=1, bitorder="little").astype(int)
    assert set(bits.sum(axis=0)) <= {2, 3, 4}


def test_linear64_has_the_longest_period() -> None:
    identity, step = gf2.unit_vectors(2), linear64_matrix()
    assert np.array_equal(gf2.power(step, rng.PERIOD64), identity)
    for factor in (3, 5, 17, 257, 641, 65537, 6700417):
        assert not np.array_equal(gf2.power(step, rng.PERIOD64 // factor), identity)


def test_linear64_streams_lie_one_spacing_apart() -> None:
    streams = rng.streams(Generator.LINEAR64, 42, 5)
    spacing = gf2.power(linear64_matrix(), rng.SPACING64)
    assert np.array_equal(gf2.apply(spacing, streams[:-1]), streams[1:])


@given(words64)
def test_a_seed_is_shifted_into_a_cleared_register(seed: int) -> None:
    state = 0
    for place in range(64):
        state = linear64_step(state) ^ (seed >> place & 1) << rng.INJECTED_BIT
    written = np.array([[seed & 0xFFFFFFFF, seed >> 32]], np.uint32)
    assert rng.seeded(Generator.LINEAR64, written).tolist() == [[state & 0xFFFFFFFF, state >> 32]]


@pytest.mark.parametrize("kind", list(Generator))
def test_seeds_and_seeded_undo_each_other(kind: Generator) -> None:
    rows = np.random.default_rng(2).integers(0, 2**32, (3, 5, kind.words), np.uint32)
    assert np.array_equal(rng.seeded(kind, rng.seeds(kind, rows)), rows)
    assert np.array_equal(rng.seeds(kind, rng.seeded(kind, rows)), rows)
    assert np.array_equal(rng.seeds(kind, rows), rows) == (kind is not Generator.LINEAR64)


def test_splitmix_gives_the_published_sequence() -> None:
    assert tuple(rng.splitmix64(1234567, 3)) == SPLITMIX_OUTPUT
    assert rng.splitmix64(1234567 + 2**64, 3) == rng.splitmix64(1234567, 3)
    assert rng.splitmix64(1, 0) == []


words48 = st.integers(0, 2**48 - 1)


@given(words48)
def test_lfsr48_leaps_16_single_shifts(state: int) -> None:
    shifted = state
    for _ in range(rng.LFSR48_LEAP):
        shifted = shift_once(shifted)
    assert rng.lfsr48_next(*thirds(state)) == thirds(shifted)


@given(words48)
def test_lfsr48_word_is_the_upper_part_of_a_sum(state: int) -> None:
    assert rng.lfsr48_word(*thirds(state)) == (((state >> 24) + (state & 0xFFFFFF)) & 0xFFFFFF) >> 8


def test_lfsr48_has_the_longest_period() -> None:
    """Primitive: the order of a shift divides 2^48 - 1 and none of its maximal proper divisors; 16 is coprime to it."""
    period = rng.LFSR48_PERIOD
    assert 3 * math.prod(LFSR48_FACTORS) == period
    for linear in (shift_matrix(), lfsr48_matrix()):
        assert is_identity(gf2.power(linear, period))
        assert not any(is_identity(gf2.power(linear, period // factor)) for factor in LFSR48_FACTORS)


def test_an_lfsr_that_is_not_primitive_is_caught() -> None:
    """Negative control: x^48 + x^47 + x^46 + x^20 + 1 fails the test above."""
    assert not is_identity(gf2.power(shift_matrix((48, 47, 46, 20)), rng.LFSR48_PERIOD))


def test_lfsr48_ignores_what_lies_beyond_its_bits() -> None:
    row = np.array([[0x12345678, 0x9ABC]], np.uint32)
    beyond = row | np.array([[0, 0xFFFF0000]], np.uint32)
    assert np.array_equal(rng.next_rows(Generator.LFSR48)(beyond), rng.next_rows(Generator.LFSR48)(row))
    assert np.array_equal(words_of(Generator.LFSR48, beyond), words_of(Generator.LFSR48, row))


@given(registers)
def test_generators_work_alike_on_integers_and_arrays(register: tuple[int, int, int, int]) -> None:
    row = np.array([register], np.uint32)
    assert tuple(rng.next_rows(Generator.XOSHIRO128)(row)[0]) == rng.xoshiro_next(32, *register)
    first, second = rng.next_rows(Generator.XOSHIRO64)(row[:, :2])[0]
    assert rng.halves(int(first), int(second)) == rng.xoshiro_next(16, *rng.halves(*register[:2]))
    first, second = rng.next_rows(Generator.LINEAR64)(row[:, :2])[0]
    assert rng.halves(int(first), int(second)) == rng.linear64_next(rng.halves(*register[:2]))
    first, second = rng.next_rows(Generator.LFSR48)(row[:, :2])[0]
    assert rng.halves(int(first), int(second)) == (*rng.lfsr48_next(*rng.halves(*register[:2])[:3]), 0)


SPACINGS = {
    "lfsr48": (rng.LFSR48_SPACING, rng.LFSR48_PERIOD),
    "xoshiro64, linear64": (rng.SPACING64, rng.PERIOD64),
}


@pytest.mark.parametrize("kind", SPACINGS)
@pytest.mark.parametrize("count", [2, 64, 4096, 100_000])
def test_streams_are_spread_over_the_period(count: int, kind: str) -> None:
    """No two streams of an array come closer than a third of an even spacing."""
    spacing, period = SPACINGS[kind]
    places = sorted(place * spacing % period for place in range(count))
    gaps = [after - before for before, after in pairwise([*places, places[0] + period])]
    assert min(gaps) > period / count / 3


def test_lfsr48_streams_lie_one_spacing_apart() -> None:
    assert math.gcd(rng.LFSR48_SPACING, rng.LFSR48_PERIOD) == 1
    streams = rng.streams(Generator.LFSR48, 42, 5)
    spacing = gf2.power(shift_matrix(), rng.LFSR48_SPACING)
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


def dependence(kind: Generator, step: Callable[[gf2.Words], gf2.Words]) -> float:
    """Largest deviation of chi-squared from its mean, in standard deviations.

    Over the high 4 bits of three of a p-bit's words, the first and two of the next three, in 2^22 triples each.
    """
    registers, words = rng.streams(kind, 5, 4096), []
    for _ in range(1027):
        words.append(words_of(kind, registers) >> 12)
        registers = step(registers)
    series = np.stack(words).astype(np.int64)
    deviations = []
    for second, third in combinations((1, 2, 3), 2):
        triples = series[:1024] << 8 | series[second : 1024 + second] << 4 | series[third : 1024 + third]
        counts = np.bincount(triples.ravel(), minlength=2**12)
        mean = counts.mean()
        deviations.append((((counts - mean) ** 2).sum() / mean - 2**12) / math.sqrt(2 * 2**12))
    return max(deviations)


@pytest.mark.parametrize("kind", list(Generator))
def test_successive_words_are_independent(kind: Generator) -> None:
    assert dependence(kind, rng.next_rows(kind)) < 5


@pytest.mark.slow
def test_neighbouring_taps_make_words_depend_on_each_other() -> None:
    """Negative control: the register of x^48 + x^47 + x^21 + x^20 + 1, primitive and in many tables."""
    leap = gf2.power(shift_matrix((48, 47, 21, 20)), rng.LFSR48_LEAP)
    assert dependence(Generator.LFSR48, lambda registers: gf2.apply(leap, registers)) > 10


def words_of(kind: Generator, registers: gf2.Words) -> Any:
    """Next random words of rows of registers; of four words the third."""
    low, middle, high, top = rng.halves(registers[:, 0], registers[:, 1])
    if kind is Generator.LFSR48:
        return rng.lfsr48_word(low, middle, high)
    if kind is Generator.XOSHIRO128:
        return rng.xoshiro_word(32, registers[:, 0], registers[:, 3])
    return high if kind is Generator.LINEAR64 else rng.xoshiro_word(16, low, top)


@pytest.mark.parametrize("kind", list(Generator))
def test_every_word_can_be_shown(kind: Generator) -> None:
    words = np.arange(2**16, dtype=np.uint16)
    assert np.array_equal(words_of(kind, rng.showing(kind, np.tile(words[:, None], kind.share))), words)


def test_four_words_of_a_register_can_be_shown() -> None:
    shown = rng.showing(Generator.LINEAR64, np.array([[[1, 2, 3, 4]], [[5, 6, 7, 0xFFFF]]], np.uint16))
    assert shown.tolist() == [[[0x20001, 0x40003]], [[0x60005, 0xFFFF0007]]]


@given(st.data(), st.sampled_from(list(Generator)), st.integers(0, 40))
def test_registers_advance_by_so_many_updates(data: Any, kind: Generator, updates: int) -> None:
    """Whatever lies beyond the register's bits."""
    drawn = data.draw(st.lists(st.tuples(*[words32] * kind.words), min_size=1, max_size=6))
    given_rows = np.array(drawn, np.uint32)
    rows = given_rows
    for _ in range(updates):
        rows = rng.next_rows(kind)(rows)
    assert np.array_equal(rng.advanced(kind, given_rows, updates), rows)


@pytest.mark.parametrize("kind", list(Generator))
def test_registers_advance_far_in_any_shape(kind: Generator) -> None:
    """Streams of neighbouring p-bits lie one jump apart; advancing twice is advancing by the sum."""
    streams = rng.streams(kind, 3, 7)
    spacing = {
        Generator.XOSHIRO128: 2**64,
        Generator.XOSHIRO64: rng.SPACING64,
        Generator.LINEAR64: rng.SPACING64,
        Generator.LFSR48: rng.LFSR48_SPACING * pow(rng.LFSR48_LEAP, -1, rng.LFSR48_PERIOD) % rng.LFSR48_PERIOD,
    }[kind]
    assert np.array_equal(rng.advanced(kind, streams[:-1], spacing), streams[1:])
    shaped = streams[:6].reshape(2, 3, kind.words)
    far = rng.advanced(kind, rng.advanced(kind, shaped, 1000), spacing - 1000)
    assert np.array_equal(far, streams[1:].reshape(2, 3, kind.words))
    assert not np.array_equal(rng.advanced(kind, shaped, 1000), shaped)
