"""One p-bit update against the formula it stands for."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbit_hw.contract import activation, update
from pbit_hw.contract.update import Unit

codes = st.integers(-1023, 1023)


@given(codes, st.lists(st.tuples(codes, st.booleans()), max_size=16))
def test_the_folded_field_of_a_spin_is_the_field_of_the_model(bias: int, neighbours: list[tuple[int, bool]]) -> None:
    weights = np.array([weight for weight, _ in neighbours], np.int32)
    states = np.array([state for _, state in neighbours], np.uint8)
    order = np.arange(len(weights))
    folded = bias - int(weights.sum())
    expected = bias + sum(weight * (1 if state else -1) for weight, state in neighbours)
    assert update.field(folded, weights, order, states, 0, len(weights), int(Unit.SPIN)) == expected


@given(codes, st.lists(st.tuples(codes, st.booleans()), max_size=16))
def test_the_field_of_a_bit_is_the_field_of_the_model(bias: int, neighbours: list[tuple[int, bool]]) -> None:
    weights = np.array([weight for weight, _ in neighbours], np.int32)
    states = np.array([state for _, state in neighbours], np.uint8)
    order = np.arange(len(weights))
    expected = bias + sum(weight for weight, state in neighbours if state)
    assert update.field(bias, weights, order, states, 0, len(weights), int(Unit.BIT)) == expected


def test_a_field_reads_its_own_slots_alone() -> None:
    weights = np.array([100, 1, 2, 100], np.int32)
    assert update.field(0, weights, np.arange(4), np.ones(4, np.uint8), 1, 3, 0) == 3


def chance_of_one(total: int, beta: int, shift: int) -> float:
    """Share of the 65,536 words that give a 1."""
    return sum(bool(update.decide(total, word, beta, shift)) for word in range(65536)) / 65536


@pytest.mark.parametrize("unit", list(Unit))
@pytest.mark.parametrize("field", [-5.5, -1.0, -0.25, 0.0, 0.25, 1.0, 3.0])
def test_the_chance_of_a_one_is_the_sigmoid(unit: Unit, field: float) -> None:
    """P(m = 1) = (1 + tanh(beta field)) / 2 for spins, sigmoid(beta field) for bits, at beta = 0.75."""
    weight_frac, beta_frac = 4, 9
    shift = weight_frac + beta_frac - activation.ARGUMENT_FRAC_BITS - int(unit)
    chance = chance_of_one(round(field * 2**weight_frac), round(0.75 * 2**beta_frac), shift)
    exact = {
        Unit.SPIN: (1 + math.tanh(0.75 * field)) / 2,
        Unit.BIT: 1 / (1 + math.exp(-0.75 * field)),
    }[unit]
    assert chance == pytest.approx(exact, abs=3e-4)


@given(st.integers(1, 4000), st.integers(0, 4095), st.integers(0, 12))
def test_opposite_fields_have_opposite_chances(total: int, beta: int, shift: int) -> None:
    threshold = int(activation.TABLE[activation.argument(total, beta, shift)])
    edges = [0, max(threshold - 1, 0), threshold, 65535]
    for word in edges:
        assert update.decide(total, word, beta, shift) != update.decide(-total, word, beta, shift)
        assert update.decide(total, word, beta, shift) == (word >= threshold)


def test_a_stronger_field_never_lowers_the_state() -> None:
    """At a given word the state rises with the field below zero and above it: what coupling from the past needs."""
    for word in (0, 1000, 20000, 32767, 32768, 50000, 65535):
        for side in (range(-400, 0), range(401)):
            states = [bool(update.decide(total, word, 512, 9)) for total in side]
            assert len({after - before for before, after in pairwise(states)} - {0}) <= 1


def test_no_threshold_is_a_quarter() -> None:
    """What lets 15 bits of an entry hold thresholds from 0 to 2^15: those above a quarter are held less one."""
    assert not (activation.TABLE == 1 << 14).any()
    assert activation.TABLE.min() == 0
    assert activation.TABLE.max() == 1 << 15


@pytest.mark.parametrize("sign", [1, -1])
def test_an_entry_decides_every_word_at_every_argument_as_the_field_does(sign: int) -> None:
    """The field is the argument, beta 1; arguments of equal thresholds have equal entries and are taken once."""
    words = np.arange(1 << 16, dtype=np.int32)
    totals = sign * activation.ARGUMENTS[(activation.ARGUMENTS > 0) | (sign > 0)]
    thresholds = activation.TABLE[np.abs(totals)]
    held = np.array([update.entry(int(total), 1, 0) for total in totals], np.int32)
    pairs = np.unique(np.stack([held, thresholds], axis=1), axis=0)
    assert len(pairs) == len(np.unique(thresholds))
    for entry, threshold in pairs:
        assert np.array_equal(update.state_of(entry, words), update.next_state(sign, words, threshold))


@given(st.integers(-5000, 5000), st.integers(0, 4095), st.integers(-3, 12), st.integers(0, 65535))
def test_an_entry_decides_as_decide_does(total: int, beta: int, shift: int, word: int) -> None:
    decided = update.decide(total, word, beta, shift)
    assert update.state_of(update.entry(total, beta, shift), word) == decided
