"""What known boards hold, and what an array needs at least.

Flip-flops are counted exactly from the register map, so an array with more of
them than a board has is refused before anything is synthesised. LUTs can only
be estimated before synthesis; an estimate never refuses anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .image import Image


@dataclass(frozen=True)
class Target:
    """Capacity of one board.

    Parameters
    ----------
    name, title, part : str
        Name on the command line, name for people, FPGA.
    family : str
        Key of the LUT estimates: ``ice40`` or ``ecp5``.
    luts, ffs, brams, multipliers : int
        4-input LUTs, flip-flops, block RAMs and hardware multipliers.
    clock_hz : int
        Oscillator on the board.
    max_degree : int
        Largest degree of a p-bit: its whole adder tree settles within one clock.
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


TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        Target("icebreaker", "iCEBreaker", "iCE40UP5K-SG48", "ice40", 5280, 5280, 30, 8, 12_000_000, 32),
        Target("ulx3s_85f", "ULX3S-85F", "LFE5U-85F-6BG381C", "ecp5", 83640, 83640, 208, 156, 25_000_000, 128),
    )
}
"""Known boards by name."""


@dataclass(frozen=True)
class Demand:
    """What an array needs.

    Parameters
    ----------
    ffs : int
        Flip-flops of the array's registers: a lower bound of the whole device, which adds its link.
    luts : mapping of str to int
        Estimated LUTs of the whole device without hardware multipliers, by family.
    multiplications : int
        Products of field and beta, one per p-bit.
    degree : int
        Largest degree.
    """

    ffs: int
    luts: Mapping[str, int]
    multiplications: int
    degree: int


@dataclass(frozen=True)
class Fit:
    """Whether an array may fit a board.

    Parameters
    ----------
    target : Target
        The board.
    demand : Demand
        What the array needs.
    reasons : tuple of str
        Why it cannot fit, with the numbers; empty if nothing rules it out.
    """

    target: Target
    demand: Demand
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
    def likely(self) -> bool:
        """Whether it fits by the LUT estimate too."""
        return self.fits and self.luts <= self.target.luts


# LUTs of the whole device: (link and control, per p-bit, per bit of a p-bit's field times bit of beta,
# per bit of a weight register, generator's 32-bit word).
_LUT_ESTIMATE = {"ice40": (900, 60, 0.5, 2.0, 1.0), "ecp5": (1000, 90, 0.5, 2.5, 1.5)}


def demand(image: Image) -> Demand:
    """What an array needs, before synthesis.

    Parameters
    ----------
    image : Image
        The array; weights and biases do not matter.
    """
    words = image.generator.words
    per_pbit = 3 + image.bias_bits + 32 * words
    weights = image.slots * image.weight_format.bits
    sweeps_left = 32
    ffs = image.size * per_pbit + weights + image.beta_format.bits + sweeps_left
    return Demand(
        ffs=ffs,
        luts={family: _luts(image, *coefficients) for family, coefficients in _LUT_ESTIMATE.items()},
        multiplications=image.size,
        degree=int(image.degrees.max(initial=0)),
    )


def _luts(image: Image, device: float, pbit: float, product: float, weight: float, generator: float) -> int:
    per_pbit = pbit + product * image.bias_bits * image.beta_format.bits + generator * 32 * image.generator.words
    return round(device + image.size * per_pbit + weight * image.slots * image.weight_format.bits)


def fit(image: Image, target: Target) -> Fit:
    """Whether an array may fit a board; refuses only what is known not to.

    Parameters
    ----------
    image : Image
        The array.
    target : Target
        A board, from `TARGETS`.
    """
    need = demand(image)
    reasons = []
    if need.degree > target.max_degree:
        reasons.append(f"largest degree {need.degree} exceeds {target.max_degree}")
    if need.ffs > target.ffs:
        reasons.append(f"the array alone has {need.ffs:,} flip-flops of {target.ffs:,}")
    return Fit(target, need, tuple(reasons))
