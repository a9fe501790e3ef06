"""What known boards hold, and in which form an array fits them best.

An array with more flip-flops than a board has is refused before anything is
synthesised. LUTs can only be estimated before synthesis; an estimate never refuses anything.
"""

from __future__ import annotations

from dataclasses import dataclass

from .forms import Demand, Form, demand
from .image import Image


@dataclass(frozen=True)
class Target:
    """Capacity of one board.

    Parameters
    ----------
    name, title, part : str
        Name on the command line, name for people, FPGA.
    family : str
        Key of the LUT estimates, see `forms.FAMILIES`.
    luts, ffs, brams, multipliers : int
        4-input LUTs, flip-flops, block RAMs and hardware multipliers.
    clock_hz : int
        Oscillator on the board.
    max_degree : int
        Largest degree of an adder p-bit: its whole adder tree settles within one clock.
    table_degree : int
        Largest degree of a table p-bit or a baked one.
    adder_hz, table_hz : int
        Clocks to expect of adder p-bits that take one clock, and of the others.
    """

    name: str
    title: str
    part: str
    family: str
    luts: int
    ffs: int
    brams: int
    multipliers: int
    clock_hz: int
    max_degree: int
    table_degree: int
    adder_hz: int
    table_hz: int


MHZ = 1_000_000

TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        Target(
            name="icebreaker",
            title="iCEBreaker",
            part="iCE40UP5K-SG48",
            family="ice40",
            luts=5280,
            ffs=5280,
            brams=30,
            multipliers=8,
            clock_hz=12 * MHZ,
            max_degree=32,
            table_degree=8,
            adder_hz=9 * MHZ,
            table_hz=36 * MHZ,
        ),
        Target(
            name="ice40_hx8k_b_evn",
            title="iCE40-HX8K-B-EVN",
            part="iCE40HX8K-CT256",
            family="ice40",
            luts=7680,
            ffs=7680,
            brams=32,
            multipliers=0,
            clock_hz=12 * MHZ,
            max_degree=32,
            table_degree=8,
            adder_hz=22 * MHZ,
            table_hz=100 * MHZ,
        ),
        Target(
            name="icesugar_pro",
            title="iCESugar-Pro",
            part="LFE5U-25F-6BG256C",
            family="ecp5",
            luts=24_288,
            ffs=24_288,
            brams=56,
            multipliers=28,
            clock_hz=25 * MHZ,
            max_degree=128,
            table_degree=6,
            adder_hz=22 * MHZ,
            table_hz=95 * MHZ,
        ),
        Target(
            name="ulx3s_85f",
            title="ULX3S-85F",
            part="LFE5U-85F-6BG381C",
            family="ecp5",
            luts=83_640,
            ffs=83_640,
            brams=208,
            multipliers=156,
            clock_hz=25 * MHZ,
            max_degree=128,
            table_degree=6,
            adder_hz=20 * MHZ,
            table_hz=85 * MHZ,
        ),
        Target(
            name="tang_nano_9k",
            title="Tang Nano 9K",
            part="GW1NR-LV9QN88PC6/I5",
            family="gowin",
            luts=8640,
            ffs=6480,
            brams=26,
            multipliers=20,
            clock_hz=27 * MHZ,
            max_degree=32,
            table_degree=4,
            adder_hz=7 * MHZ,
            table_hz=20 * MHZ,
        ),
        Target(
            name="tang_primer_20k",
            title="Tang Primer 20K",
            part="GW2A-LV18PG256C8/I7",
            family="gowin",
            luts=20_736,
            ffs=15_552,
            brams=46,
            multipliers=48,
            clock_hz=27 * MHZ,
            max_degree=64,
            table_degree=4,
            adder_hz=13 * MHZ,
            table_hz=30 * MHZ,
        ),
    )
}
"""Known boards by name."""


@dataclass(frozen=True)
class Fit:
    """Whether an array may fit a board.

    Parameters
    ----------
    target : Target
        The board.
    demand : Demand
        What the array needs.
    interleave : int
        Replicas that it holds.
    flips_per_clock : float
        P-bits that update in a clock.
    reasons : tuple of str
        Why it cannot fit, with the numbers; empty if nothing rules it out.
    """

    target: Target
    demand: Demand
    interleave: int
    flips_per_clock: float
    reasons: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """False only if the array is known not to fit."""
        return not self.reasons

    @property
    def luts(self) -> int:
        """Estimated LUTs on this board."""
        return self.demand.luts[self.target.family]

    @property
    def brams(self) -> int:
        """Estimated block RAMs on this board."""
        return self.demand.brams[self.target.family]

    @property
    def guess_hz(self) -> int:
        """The clock to expect, or to try first."""
        return self.target.adder_hz if self.demand.form is Form.ADDER else self.target.table_hz

    @property
    def flips_per_s(self) -> float:
        """P-bit updates per second to expect."""
        return self.flips_per_clock * self.guess_hz

    @property
    def likely(self) -> bool:
        """Whether it fits by the LUT estimate too."""
        return self.fits and self.luts <= self.target.luts


def fit(image: Image, target: Target, form: Form | None = None) -> Fit:
    """Whether an array may fit a board; refuses only what is known not to.

    Parameters
    ----------
    image : Image
        The array.
    target : Target
        A board, from `TARGETS`.
    form : Form, optional
        Of its p-bits; by default the first of `choices`.
    """
    return choices(image, target)[0] if form is None else _fit(image, target, form)


def choices(image: Image, target: Target) -> list[Fit]:
    """The two forms that can be loaded, the better one first: one that likely fits, and then the faster.

    If neither can fit, the first is the one that less speaks against.
    """
    both = [_fit(image, target, form) for form in (Form.TABLE, Form.ADDER)]
    return sorted(both, key=_worse)


def _worse(fit: Fit) -> tuple[bool, bool, int, float]:
    rate = (
        -fit.flips_per_s if fit.fits else fit.demand.degree > fit.target.table_degree and fit.demand.form is Form.TABLE
    )
    return not fit.likely, not fit.fits, len(fit.reasons), rate


def _fit(image: Image, target: Target, form: Form) -> Fit:
    need = demand(image, form)
    interleave = form.interleave(image)
    most = target.max_degree if form is Form.ADDER else target.table_degree
    brams = need.brams[target.family]
    reasons = []
    if need.degree > most:
        reasons.append(f"largest degree {need.degree} exceeds {most} of {form.value} p-bits")
    if need.ffs > target.ffs:
        reasons.append(f"the array alone has {need.ffs:,} flip-flops of {target.ffs:,}")
    if brams > target.brams:
        reasons.append(f"{form.value} p-bits take {brams:,} block RAMs of {target.brams:,}")
    period = max(interleave, image.colours)
    return Fit(target, need, interleave, image.size * interleave / period, tuple(reasons))
