"""Clock and rate of the link."""

from __future__ import annotations

import pytest

from pbit_hw.boards import clock
from pbit_hw.contract.errors import FitError
from pbit_hw.contract.targets import TARGETS
from pbit_hw.gateware.uart import divisor


@pytest.mark.parametrize(
    ("fmax_hz", "least", "halvings"),
    [(12e6, 0, 0), (40e6, 0, 0), (11.999e6, 0, 1), (6e6, 0, 1), (5.9e6, 0, 2), (40e6, 1, 1), (200e3, 0, 6)],
)
def test_halvings(fmax_hz, least, halvings):
    assert clock.halvings(fmax_hz, 12_000_000, least) == halvings


def test_clock_never_exceeds_fmax():
    for fmax_hz in range(400_000, 30_000_000, 100_000):
        count = clock.halvings(fmax_hz, 25_000_000)
        assert 25_000_000 >> count <= fmax_hz
        assert count == 0 or 25_000_000 >> (count - 1) > fmax_hz


def test_too_slow_is_an_error():
    with pytest.raises(FitError, match=r"Fmax 0\.100 MHz is below the slowest clock, 0\.188 MHz"):
        clock.halvings(100e3, 12_000_000)


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
