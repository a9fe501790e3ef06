"""Clock and rate of the link."""

from __future__ import annotations

from fractions import Fraction

import pytest

from pbit_hw.boards import BOARDS, clock
from pbit_hw.contract.errors import FitError
from pbit_hw.contract.targets import TARGETS
from pbit_hw.gateware.uart import divisor

PLL = BOARDS["icebreaker"].pll


@pytest.mark.parametrize(
    ("wanted_hz", "halvings"), [(12e6, 0), (40e6, 0), (11.999e6, 1), (6e6, 1), (5.9e6, 2), (200e3, 6)]
)
def test_oscillator_alone(wanted_hz, halvings):
    assert clock.choose(wanted_hz, 12_000_000, None) == clock.Clock(12_000_000, halvings)


@pytest.mark.parametrize(
    ("wanted_hz", "made_hz", "text"),
    [
        (12e6, 12_000_000, "oscillator"),
        (3e6, 3_000_000, "oscillator / 4"),
        (9.1e6, 9_000_000, "PLL at 18 MHz / 2"),
        (16.2e6, 16_125_000, "PLL at 16.125 MHz"),
    ],
)
def test_pll_where_it_is_faster(wanted_hz, made_hz, text):
    chosen = clock.choose(wanted_hz, 12_000_000, PLL)
    assert (chosen.hz, str(chosen)) == (made_hz, text)
    assert chosen.plain is (text == "oscillator")


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_never_exceeds_what_is_wanted(board):
    for wanted_hz in range(500_000, 100_000_000, 1_234_567):
        chosen = clock.choose(wanted_hz, board.target.clock_hz, board.pll)
        assert chosen.exact_hz <= wanted_hz
        assert chosen.exact_hz * Fraction(12, 10) > wanted_hz or wanted_hz < 4_000_000


def test_too_slow_is_an_error():
    with pytest.raises(FitError, match=r"a clock of 0\.100 MHz is below the slowest that the board makes, 0\.188 MHz"):
        clock.choose(100e3, 12_000_000, PLL)


@pytest.mark.parametrize(
    ("clock_hz", "baud"),
    [(12_000_000, 1_000_000), (6_000_000, 500_000), (25_000_000, 1_000_000), (12_500_000, 500_000)],
)
def test_baud(clock_hz, baud):
    assert clock.baud(clock_hz) == baud


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_every_clock_has_a_rate_that_the_uart_makes(target):
    for count in range(clock.MAX_HALVINGS + 1):
        clock_hz = target.clock_hz >> count
        rate = clock.baud(clock_hz)
        assert divisor(clock_hz, rate) >= clock.MIN_CLOCKS_PER_BIT
        assert clock.BAUD % rate == 0


def test_no_rate_is_an_error():
    with pytest.raises(FitError, match="a clock of 1000 Hz makes no rate of the link"):
        clock.baud(1000)
