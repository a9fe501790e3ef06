"""PLL settings: never above what is wanted, always within the limits, and some that the vendors' formulas give."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbit_hw.boards import BOARDS
from pbit_hw.boards.pll import MHZ, Ehxplll, RPll, SbPll40, best


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
@settings(max_examples=40, deadline=None)
@given(wanted=st.integers(1 * MHZ, 500 * MHZ), input_hz=st.sampled_from([12 * MHZ, 25 * MHZ, 27 * MHZ]))
def test_never_above_and_within_limits(board, wanted, input_hz):
    setting = best(board.pll, input_hz, wanted)
    low = board.pll.limits.out[0]
    if setting is None:
        assert wanted < low * 1.4
        return
    limits = board.pll.limits
    assert limits.out[0] <= setting.hz <= min(wanted, limits.out[1])
    assert limits.vco[0] <= setting.vco_hz <= limits.vco[1]
    assert limits.pfd[0] <= setting.pfd_hz <= limits.pfd[1]
    assert setting.hz == frequency(board.pll, input_hz, dict(setting.values))


def frequency(pll: object, input_hz: int, values: dict[str, int]) -> Fraction:
    """What the cell makes of its parameters, by the vendors' formulas."""
    if isinstance(pll, SbPll40):
        return Fraction(input_hz * (values["DIVF"] + 1), (values["DIVR"] + 1) * 2 ** values["DIVQ"])
    if isinstance(pll, Ehxplll):
        return Fraction(input_hz * values["CLKFB_DIV"] * values["CLKOP_DIV"], values["CLKI_DIV"] * values["CLKOS_DIV"])
    assert isinstance(pll, RPll)
    return Fraction(input_hz * (values["FBDIV_SEL"] + 1), values["IDIV_SEL"] + 1)


@pytest.mark.parametrize(
    ("wanted_mhz", "made_mhz", "divf", "divq"), [(37.5, 37.5, 49, 4), (16.2, 16.125, 85, 6), (81, 81, 53, 3)]
)
def test_ice40_as_icepll_has_it(wanted_mhz, made_mhz, divf, divq):
    setting = best(SbPll40(), 12 * MHZ, Fraction(wanted_mhz) * MHZ)
    assert setting is not None
    assert setting.hz == Fraction(made_mhz) * MHZ
    assert dict(setting.values) == {"DIVR": 0, "DIVF": divf, "DIVQ": divq, "FILTER_RANGE": 1}


def test_ecp5_comes_close():
    setting = best(Ehxplll(), 25 * MHZ, 37_300_000)
    assert setting is not None
    assert 0 <= 37_300_000 - setting.hz < 100_000


def test_gowin_multiplies_27_by_3():
    setting = best(BOARDS["tang_nano_9k"].pll, 27 * MHZ, 81 * MHZ)
    assert setting is not None
    assert dict(setting.values) == {"IDIV_SEL": 0, "FBDIV_SEL": 2, "ODIV_SEL": 8}


def test_too_low_is_none():
    assert best(SbPll40(), 12 * MHZ, 15 * MHZ) is None
