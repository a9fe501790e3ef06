"""Fixed-point formats."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbit_hw.contract.errors import FormatError
from pbit_hw.contract.formats import MAX_BITS, SignedFormat, UnsignedFormat

splits = st.tuples(st.integers(-8, 24), st.integers(-8, 24)).filter(lambda ab: 1 <= sum(ab) <= MAX_BITS)
signed = splits.map(lambda ab: SignedFormat(*ab))
unsigned = splits.map(lambda ab: UnsignedFormat(*ab))
values = st.floats(-1e9, 1e9)


@given(splits)
def test_text_round_trip(split: tuple[int, int]) -> None:
    assert SignedFormat.parse(str(SignedFormat(*split))) == SignedFormat(*split)
    assert UnsignedFormat.parse(f" {UnsignedFormat(*split)}\n") == UnsignedFormat(*split)


@given(signed, st.data())
def test_codes_round_trip(fmt: SignedFormat, data: st.DataObject) -> None:
    code = data.draw(st.integers(-fmt.limit, fmt.limit))
    assert fmt.quantise(code * fmt.step) == code
    assert fmt.saturated(code * fmt.step) == 0
    assert -(1 << (fmt.bits - 1)) < code < 1 << (fmt.bits - 1)


@given(signed, values)
def test_signed_rounds_to_even_and_saturates_symmetrically(fmt: SignedFormat, value: float) -> None:
    exact = round(Fraction(value) / Fraction(fmt.step))
    assert fmt.quantise(value) == max(-fmt.limit, min(fmt.limit, exact))
    assert fmt.saturated(value) == (abs(exact) > fmt.limit)
    assert fmt.quantise(-value) == -fmt.quantise(value)


@given(unsigned, values)
def test_unsigned_rounds_to_even_and_never_clips(fmt: UnsignedFormat, value: float) -> None:
    exact = round(Fraction(value) / Fraction(fmt.step))
    if value < 0 or exact > fmt.limit:
        with pytest.raises(FormatError, match="is outside"):
            fmt.quantise(value)
    else:
        assert fmt.quantise(value) == exact


def test_known_formats() -> None:
    weights = SignedFormat.parse("s[4][6]")
    assert (weights.bits, weights.limit, weights.step) == (11, 1023, 1 / 64)
    beta = UnsignedFormat.parse("u[3][9]")
    assert (beta.bits, beta.limit, beta.step) == (12, 4095, 1 / 512)
    codes = weights.quantise([[0.5, -0.25], [99.0, -99.0]])
    assert codes.dtype == np.int32
    assert codes.tolist() == [[32, -16], [1023, -1023]]
    assert weights.saturated([0.5, 99.0, -99.0]) == 2


@pytest.mark.parametrize("text", ["", "s", "s[3]", "s[3][4", "u[3][4]", "s[3.5][4]", "s[a][b]", "s[3][4]x"])
def test_text_that_is_no_signed_format_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match=r"write it as s\[a\]\[b\]"):
        SignedFormat.parse(text)


@pytest.mark.parametrize("kind", [SignedFormat, UnsignedFormat])
@pytest.mark.parametrize("split", [(0, 0), (-3, 2), (20, 5), (25, 0)])
def test_impossible_widths_are_refused(kind: type, split: tuple[int, int]) -> None:
    with pytest.raises(FormatError, match=f"use 1 to {MAX_BITS}"):
        kind(*split)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(value: float) -> None:
    with pytest.raises(FormatError, match="not finite"):
        SignedFormat(3, 4).quantise([0.0, value])
    with pytest.raises(FormatError, match=r"beta .* is outside u\[3\]\[4\]"):
        UnsignedFormat(3, 4).quantise([0.0, value], "beta")
