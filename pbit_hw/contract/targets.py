"""What known boards hold, and what an array needs at least.

Flip-flops are counted exactly from the register map, so an array with more of
them than a board has is refused before anything is synthesised. LUTs can only
be estimated before synthesis; an estimate never refuses anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .generator import Generator
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
        Estimated LUTs of the whole device, by family: iCE40 multiplies in logic, ECP5 in its multipliers.
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


@dataclass(frozen=True)
class _LutModel:
    """LUTs of a device, fitted to synthesis of p-bits of degree 2 to 8; F is the field's width, B beta's.

    ``device`` for link and control; per p-bit ``pbit``, ``field`` times F,
    ``adder`` times degree times F, ``product`` times (F + 1) B where the family
    multiplies in logic, ``register`` per bit of weights, bias and clamp where
    flip-flops take logic cells of their own, and ``xoshiro64`` or ``xoshiro128`` for
    what these take more than ``lfsr48``.
    """

    device: float
    pbit: float
    field: float
    adder: float
    product: float
    register: float
    xoshiro64: float
    xoshiro128: float


_LUT_MODELS = {
    "ice40": _LutModel(device=730, pbit=561, field=0, adder=1, product=1, register=1, xoshiro64=49, xoshiro128=198),
    "ecp5": _LutModel(device=900, pbit=506, field=3, adder=1.6, product=0, register=0, xoshiro64=32, xoshiro128=175),
}


def demand(image: Image) -> Demand:
    """What an array needs, before synthesis.

    Parameters
    ----------
    image : Image
        The array; weights and biases do not matter.
    """
    per_pbit = 3 + image.bias_bits + image.generator.bits
    weights = image.slots * image.weight_format.bits
    sweeps_left = 32
    ffs = image.size * per_pbit + weights + image.beta_format.bits + sweeps_left
    return Demand(
        ffs=ffs,
        luts={family: _luts(image, model) for family, model in _LUT_MODELS.items()},
        multiplications=image.size,
        degree=int(image.degrees.max(initial=0)),
    )


def _luts(image: Image, model: _LutModel) -> int:
    field = image.bias_bits + 2
    pbit = model.pbit + model.field * field + model.product * (field + 1) * image.beta_format.bits
    pbit += model.register * (image.bias_bits + 3) + _generator_luts(image.generator, model)
    slot = model.adder * field + model.register * image.weight_format.bits
    return round(model.device + image.size * pbit + image.slots * slot)


def _generator_luts(kind: Generator, model: _LutModel) -> float:
    return {Generator.LFSR48: 0, Generator.XOSHIRO64: model.xoshiro64, Generator.XOSHIRO128: model.xoshiro128}[kind]


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
