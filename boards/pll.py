"""Integer settings of the PLLs: the highest frequency that does not exceed a wanted one, within the part's limits.

Frequencies are exact fractions of Hz, so that a setting never comes out above what was wanted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Protocol

MHZ = 1_000_000


@dataclass(frozen=True)
class Setting:
    """What one PLL makes.

    Parameters
    ----------
    hz, vco_hz, pfd_hz : Fraction
        Frequency of its output, of its oscillator, and at its phase detector.
    values : tuple of (str, int)
        Parameters of its cell.
    """

    hz: Fraction
    vco_hz: Fraction
    pfd_hz: Fraction
    values: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Limits:
    """From and to which frequencies in Hz a PLL works: phase detector, oscillator, output."""

    pfd: tuple[int, int]
    vco: tuple[int, int]
    out: tuple[int, int]

    def allow(self, setting: Setting) -> bool:
        """Whether a setting is within all of them."""
        pairs = ((setting.pfd_hz, self.pfd), (setting.vco_hz, self.vco), (setting.hz, self.out))
        return all(low <= value <= high for value, (low, high) in pairs)

    def references(self, input_hz: int, largest: int) -> Iterator[tuple[int, Fraction]]:
        """Reference dividers up to a largest one, and what the phase detector then gets."""
        for divider in range(1, largest + 1):
            pfd = Fraction(input_hz, divider)
            if self.pfd[0] <= pfd <= self.pfd[1]:
                yield divider, pfd


class Pll(Protocol):
    """A kind of PLL."""

    @property
    def limits(self) -> Limits:
        """Within which it works."""

    def settings(self, input_hz: int, wanted_hz: Fraction) -> Iterator[Setting]:
        """Settings that do not exceed a frequency, the best among them; the limits are checked by `best`."""


@dataclass(frozen=True)
class SbPll40:
    """``SB_PLL40_*`` of iCE40, fed back from its own oscillator: out = in (DIVF + 1) / ((DIVR + 1) 2^DIVQ)."""

    limits: Limits = Limits((10 * MHZ, 133 * MHZ), (533 * MHZ, 1066 * MHZ), (16 * MHZ, 275 * MHZ))

    def settings(self, input_hz: int, wanted_hz: Fraction) -> Iterator[Setting]:
        """See `Pll`."""
        for reference, pfd in self.limits.references(input_hz, 16):
            for exponent in range(1, 7):
                multiple = min(floor(wanted_hz * 2**exponent / pfd), 128, floor(self.limits.vco[1] / pfd))
                vco = pfd * multiple
                values = (
                    ("DIVR", reference - 1),
                    ("DIVF", multiple - 1),
                    ("DIVQ", exponent),
                    ("FILTER_RANGE", _filter_range(pfd)),
                )
                yield Setting(vco / 2**exponent, vco, pfd, values)


def _filter_range(pfd: Fraction) -> int:
    """Of the loop filter, by the steps that icepll knows."""
    return 1 + sum(pfd >= step * MHZ for step in (17, 26, 44, 66, 101))


@dataclass(frozen=True)
class Ehxplll:
    """``EHXPLLL`` of ECP5, fed back by CLKOP; CLKOS is the output: out = in CLKFB CLKOP / (CLKI CLKOS)."""

    limits: Limits = Limits((3_125_000, 400 * MHZ), (400 * MHZ, 800 * MHZ), (3_125_000, 400 * MHZ))
    feedback_hz: tuple[int, int] = (10 * MHZ, 400 * MHZ)

    def settings(self, input_hz: int, wanted_hz: Fraction) -> Iterator[Setting]:
        """See `Pll`."""
        low, high = self.limits.vco
        for reference, pfd in self.limits.references(input_hz, 128):
            for multiple in range(ceil(low / pfd), floor(high / pfd) + 1):
                if (factors := self._feedback(pfd, multiple)) is None:
                    continue
                vco = pfd * multiple
                output = max(ceil(vco / wanted_hz), 1)
                if output <= 128:
                    feedback, primary = factors
                    values = (("CLKI_DIV", reference), ("CLKFB_DIV", feedback), ("CLKOP_DIV", primary))
                    yield Setting(vco / output, vco, pfd, (*values, ("CLKOS_DIV", output)))

    def _feedback(self, pfd: Fraction, multiple: int) -> tuple[int, int] | None:
        """CLKFB and CLKOP whose product is that multiple, CLKOP's frequency being one that the part can make."""
        low, high = self.feedback_hz
        for feedback in range(1, min(80, multiple) + 1):
            primary, rest = divmod(multiple, feedback)
            if rest == 0 and primary <= 128 and low <= pfd * feedback <= high:
                return feedback, primary
        return None


@dataclass(frozen=True)
class RPll:
    """``rPLL`` of Gowin: out = in (FBDIV + 1) / (IDIV + 1), and its oscillator runs ODIV times as fast."""

    limits: Limits

    def settings(self, input_hz: int, wanted_hz: Fraction) -> Iterator[Setting]:
        """See `Pll`."""
        for reference, pfd in self.limits.references(input_hz, 64):
            feedback = min(floor(wanted_hz / pfd), 64)
            hz = pfd * feedback
            for output in (2, 4, 8, *range(16, 129, 16)):
                values = (("IDIV_SEL", reference - 1), ("FBDIV_SEL", feedback - 1), ("ODIV_SEL", output))
                yield Setting(hz, hz * output, pfd, values)


def best(pll: Pll, input_hz: int, wanted_hz: Fraction | int) -> Setting | None:
    """The setting of the highest frequency that does not exceed a wanted one; None if the PLL makes none so low.

    Among equals the one with the fastest phase detector, which jitters least.

    Parameters
    ----------
    pll : Pll
        The kind of PLL.
    input_hz : int
        Frequency of its input.
    wanted_hz : Fraction or int
        The most that its output may have.
    """
    possible = [
        setting
        for setting in pll.settings(input_hz, Fraction(wanted_hz))
        if setting.hz <= wanted_hz and pll.limits.allow(setting)
    ]
    return max(possible, key=lambda setting: (setting.hz, setting.pfd_hz, -setting.vco_hz), default=None)
