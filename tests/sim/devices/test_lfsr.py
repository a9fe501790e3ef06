"""The register that is shifted any number of times: its words overlap as they should."""

import numpy as np
import pytest

from pbit_hw.contract import gf2
from pbit_hw.contract.errors import RequestError
from pbit_hw.sim.devices import lfsr
from pbit_hw.sim.devices.lfsr import LfsrWords


@pytest.mark.parametrize("shifts", [1, 2, 4, 8, 11, 16, 17, 20])
def test_a_word_shows_the_last_one_again_shifted(shifts):
    source = LfsrWords(3, 5, 4, shifts)
    first, second = source.words(5, 4), source.words(5, 4)
    assert first.shape == (4, 5)
    assert first.dtype == second.dtype == np.uint32
    kept = max(16 - shifts, 0)
    assert np.array_equal(second >> 16 - kept, first & (1 << kept) - 1)


def shift_once(state):
    """One shift of x^32 + x^31 + x^30 + x^10 + 1, tap by tap."""
    new = (state >> 31 ^ state >> 30 ^ state >> 29 ^ state >> 9) & 1
    return (state << 1 | new) & 0xFFFFFFFF


def test_shifts_are_single_shifts():
    state = shifted = 0xDEADBEEF
    for count in range(1, 11):
        shifted = shift_once(shifted)
        assert lfsr.shift(state, count) == shifted


def test_the_register_has_the_longest_period():
    """Primitive: the shift's order divides 2^32 - 1 and none of its maximal proper divisors."""
    identity, step = gf2.unit_vectors(1), gf2.matrix(lambda states: lfsr.shift(states, 1), 1)
    assert np.array_equal(gf2.power(step, lfsr.PERIOD), identity)
    factors = (3, 5, 17, 257, 65537)
    assert np.prod(factors) == lfsr.PERIOD
    assert not any(np.array_equal(gf2.power(step, lfsr.PERIOD // factor), identity) for factor in factors)


def test_words_are_those_of_the_registers():
    source, states = LfsrWords(3, 5, 4, 17), lfsr.registers(3, 20)[:, 0].tolist()
    for _ in range(4):
        assert np.array_equal(source.words(5, 4), np.reshape(states, (5, 4)).T & 0xFFFF)
        for _ in range(17):
            states = [shift_once(state) for state in states]


def test_impossible_sources_are_refused():
    with pytest.raises(RequestError, match="give at least 1"):
        LfsrWords(1, 2, 3, 0)
    with pytest.raises(RequestError, match="3 replicas of 3 p-bits from streams of 2 replicas of 3"):
        LfsrWords(1, 2, 3, 1).words(3, 3)
