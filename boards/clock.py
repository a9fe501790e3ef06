"""Which clock a board runs the array from, and how fast its link can then be."""

from __future__ import annotations

from ..contract.errors import FitError
from ..gateware.uart import divisor

BAUD = 1_000_000
"""Rate of the link in bits per second; slow clocks halve it."""

MIN_CLOCKS_PER_BIT = 8
MAX_HALVINGS = 6


def halvings(fmax_hz: float, oscillator_hz: int, least: int = 0) -> int:
    """How often the oscillator must be halved to run no faster than Fmax.

    Parameters
    ----------
    fmax_hz : float
        Post-route Fmax.
    oscillator_hz : int
        The board's oscillator.
    least : int
        Fewest halvings to try: more than those that a build failed with.

    Raises
    ------
    FitError
        If that would be more than `MAX_HALVINGS` times.
    """
    for count in range(least, MAX_HALVINGS + 1):
        if oscillator_hz >> count <= fmax_hz:
            return count
    raise FitError(
        f"Fmax {fmax_hz / 1e6:.3f} MHz is below the slowest clock, {(oscillator_hz >> MAX_HALVINGS) / 1e6:.3f} MHz; "
        "use narrower weights or a sparser model"
    )


def baud(clock_hz: int) -> int:
    """The fastest rate of the link, `BAUD` or a half, a quarter … of it, that a clock makes reliably.

    Parameters
    ----------
    clock_hz : int
        Clock of the device in Hz.
    """
    for count in range(8):
        rate = BAUD >> count
        if clock_hz < MIN_CLOCKS_PER_BIT * rate:
            continue
        try:
            divisor(clock_hz, rate)
        except FitError:
            continue
        return rate
    raise FitError(f"a clock of {clock_hz} Hz makes no rate of the link from {BAUD} down to {BAUD >> 7} baud")
