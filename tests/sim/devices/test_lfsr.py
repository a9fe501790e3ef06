"""The register that is shifted any number of times: its words overlap as they should."""

import numpy as np
import pytest

from pbit_hw.contract.errors import RequestError
from pbit_hw.contract.generator import Generator, lfsr_next, streams
from pbit_hw.sim.devices.lfsr import LfsrWords


@pytest.mark.parametrize("shifts", [1, 2, 4, 8, 11, 16, 17, 20])
def test_a_word_shows_the_last_one_again_shifted(shifts):
    source = LfsrWords(3, 5, 4, shifts)
    first, second = source.words(5, 4), source.words(5, 4)
    assert first.shape == (4, 5)
    assert first.dtype == second.dtype == np.uint32
    kept = max(16 - shifts, 0)
    assert np.array_equal(second >> 16 - kept, first & (1 << kept) - 1)


def test_sixteen_shifts_are_the_contracts_leap():
    source = LfsrWords(3, 5, 4, 16)
    state = streams(Generator.LFSR32, 3, 20).reshape(5, 4).T
    for _ in range(4):
        assert np.array_equal(source.words(5, 4), state & 0xFFFF)
        state = lfsr_next(state)


def test_impossible_sources_are_refused():
    with pytest.raises(RequestError, match="give at least 1"):
        LfsrWords(1, 2, 3, 0)
    with pytest.raises(RequestError, match="3 replicas of 3 p-bits from streams of 2 replicas of 3"):
        LfsrWords(1, 2, 3, 1).words(3, 3)
