"""Linear algebra over GF(2)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbit_hw.contract import gf2

seeds = st.integers(0, 2**32 - 1)


def random_words(seed: int, rows: int, words: int) -> gf2.Words:
    return np.random.default_rng(seed).integers(0, 2**32, (rows, words), np.uint32)


@pytest.mark.parametrize("words", [1, 4])
def test_the_unit_vectors_are_the_identity(words: int) -> None:
    states = random_words(1, 50, words)
    basis = gf2.unit_vectors(words)
    assert np.array_equal(gf2.apply(basis, states), states)
    assert np.array_equal(np.bitwise_count(basis).sum(axis=1), np.ones(32 * words))


@given(seeds)
def test_apply_is_the_bitwise_sum_of_images(seed: int) -> None:
    linear = random_words(seed, 64, 2)
    state = random_words(seed + 1, 1, 2)
    expected = np.zeros(2, np.uint32)
    for bit in range(64):
        if int(state[0, bit // 32]) >> (bit % 32) & 1:
            expected = expected ^ linear[bit]
    assert np.array_equal(gf2.apply(linear, state)[0], expected)


@given(seeds, st.integers(0, 40))
def test_power_is_repeated_application(seed: int, exponent: int) -> None:
    linear = random_words(seed, 32, 1)
    states = random_words(seed + 1, 3, 1)
    expected = states
    for _ in range(exponent):
        expected = gf2.apply(linear, expected)
    assert np.array_equal(gf2.apply(gf2.power(linear, exponent), states), expected)


@pytest.mark.parametrize("words", [1, 2])
def test_the_inverse_undoes_a_map(words: int) -> None:
    """Random maps, of which a good quarter has an inverse; any other is found out."""
    identity = gf2.unit_vectors(words)
    found = 0
    for seed in range(20):
        linear = random_words(seed, 32 * words, words)
        try:
            undone = gf2.inverse(linear)
        except ValueError:
            continue
        found += 1
        assert undone.dtype == np.uint32
        assert np.array_equal(gf2.apply(linear, undone), identity)
        assert np.array_equal(gf2.apply(undone, linear), identity)
    assert 0 < found < 20


def test_a_singular_map_has_no_inverse() -> None:
    linear = gf2.unit_vectors(2)
    linear[40] = linear[3] ^ linear[9]
    with pytest.raises(ValueError, match="the map is singular"):
        gf2.inverse(linear)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 33])
def test_orbit_is_repeated_application(count: int) -> None:
    linear = random_words(5, 32, 1)
    state = random_words(6, 1, 1)
    expected = []
    for _ in range(count):
        expected.append(state[0])
        state = gf2.apply(linear, state)
    got = gf2.orbit(lambda level: gf2.byte_images(gf2.power(linear, 1 << level)), random_words(6, 1, 1)[0], count)
    assert got.shape == (count, 1)
    assert got.tolist() == [row.tolist() for row in expected]


def test_matrix_recovers_a_linear_function() -> None:
    linear = random_words(9, 64, 2)
    assert np.array_equal(gf2.matrix(lambda states: gf2.apply(linear, states), 2), linear)
