"""Which clock a board runs the array from, and how fast its link can then be."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ..contract.errors import FitError
from ..gateware.uart import divisor
from .pll import Pll, Setting, best

BAUD = 1_000_000
"""Rate of the link in bits per second; slow clocks halve it."""

MIN_CLOCKS_PER_BIT = 8
MAX_HALVINGS = 6


@dataclass(frozen=True)
class Clock:
    """Where the array's clock comes from.

    Parameters
    ----------
    oscillator_hz : int
        The board's oscillator.
    halvings : int
        How often its frequency, or the PLL's, is halved by flip-flops.
    pll : Setting, optional
        The PLL between the two, if there is one.
    """

    oscillator_hz: int
    halvings: int = 0
    pll: Setting | None = None

    @property
    def source_hz(self) -> Fraction:
        """What is halved."""
        return Fraction(self.oscillator_hz) if self.pll is None else self.pll.hz

    @property
    def exact_hz(self) -> Fraction:
        """Frequency of the array's clock."""
        return self.source_hz / 2**self.halvings

    @property
    def hz(self) -> int:
        """Frequency of the array's clock in whole Hz."""
        return int(self.exact_hz)

    @property
    def plain(self) -> bool:
        """Whether it is the oscillator itself."""
        return self.pll is None and self.halvings == 0

    def __str__(self) -> str:
        source = "oscillator" if self.pll is None else f"PLL at {float(self.pll.hz) / 1e6:.6g} MHz"
        return source if self.halvings == 0 else f"{source} / {2**self.halvings}"


def choose(wanted_hz: float, oscillator_hz: int, pll: Pll | None) -> Clock:
    """The fastest clock that does not exceed a wanted one; the oscillator where the PLL makes none that is faster.

    Parameters
    ----------
    wanted_hz : float
        The most it may have.
    oscillator_hz : int
        The board's oscillator.
    pll : Pll, optional
        The part's PLL.

    Raises
    ------
    FitError
        If that is slower than the oscillator halved `MAX_HALVINGS` times.
    """
    wanted = Fraction(wanted_hz)
    candidates = [Clock(oscillator_hz, count) for count in range(MAX_HALVINGS + 1)]
    if pll is not None and (made := _from_pll(wanted, oscillator_hz, pll)) is not None:
        candidates.append(made)
    possible = [clock for clock in candidates if clock.exact_hz <= wanted]
    if not possible:
        slowest = float(candidates[MAX_HALVINGS].exact_hz)
        raise FitError(
            f"a clock of {wanted_hz / 1e6:.3f} MHz is below the slowest that the board makes, {slowest / 1e6:.3f} MHz; "
            "use narrower weights or a sparser model"
        )
    return max(possible, key=lambda clock: (clock.exact_hz, clock.pll is None))


def _from_pll(wanted: Fraction, oscillator_hz: int, pll: Pll) -> Clock | None:
    """The PLL's output, halved no more often than needed to come down to a clock."""
    for count in range(MAX_HALVINGS + 1):
        if (setting := best(pll, oscillator_hz, wanted * 2**count)) is not None:
            return Clock(oscillator_hz, count, setting)
    return None


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
