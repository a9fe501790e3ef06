"""The boards that a bitstream can be built for: pins and devices come from amaranth-boards.

Adding one takes an entry here and its capacities in `contract.targets`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from amaranth_boards.icebreaker import ICEBreakerPlatform
from amaranth_boards.ulx3s import ULX3S_85F_Platform

from ..contract.errors import FitError
from ..contract.image import Image
from ..contract.targets import TARGETS, Target

SPARE_BITS = 2
"""By how much a field may be wider than a bias register: its adder is exact whatever the registers hold."""


@dataclass(frozen=True)
class Board:
    """How one board is built for.

    Parameters
    ----------
    target : Target
        Its name and capacities.
    platform : callable
        Makes the amaranth-boards platform, a fresh one for every build.
    bitstream : str
        Suffix of the file that is loaded into it.
    cells, memories, multipliers : str
        What nextpnr's report calls its logic cells, block RAMs and multipliers.
    flip_flop : str
        What the cell types of its flip-flops start with in the synthesised netlist.
    multiplier_bits : int
        Widest unsigned operand of a hardware multiplier that may be used; 0 if none may.
    constraint : tuple of (str, str)
        Amaranth's override, and the line in it, that constrains the clock net ``{net}`` to ``{mhz}``.
    first_halvings : int
        How often to halve the oscillator in the first attempt.
    held_high : tuple of (str, str)
        Resources and subsignals to drive high.
    """

    target: Target
    platform: Callable[[], Any]
    bitstream: str
    cells: str
    memories: str
    multipliers: str
    flip_flop: str
    multiplier_bits: int
    constraint: tuple[str, str]
    first_halvings: int = 0
    held_high: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """Name on the command line."""
        return self.target.name

    def multipliers_for(self, image: Image) -> int:
        """How many p-bits of an array multiply field and beta in hardware: none where the factors are too wide."""
        widest = max(image.bias_bits + SPARE_BITS, image.beta_format.bits)
        return min(image.size, self.target.multipliers) if widest <= self.multiplier_bits else 0


BOARDS: dict[str, Board] = {
    board.name: board
    for board in (
        Board(
            target=TARGETS["icebreaker"],
            platform=ICEBreakerPlatform,
            bitstream=".bin",
            cells="ICESTORM_LC",
            memories="ICESTORM_RAM",
            multipliers="ICESTORM_DSP",
            flip_flop="SB_DFF",
            # nextpnr-ice40 takes an unclocked DSP for a register and so leaves out the paths through it: the Fmax
            # it reports is that of the pieces, some 2/3 above the truth.
            multiplier_bits=0,
            constraint=("add_constraints", "set_frequency {net} {mhz}"),
            # An update takes 100 to 150 ns in this device, more than a period of its oscillator.
            first_halvings=1,
        ),
        Board(
            target=TARGETS["ulx3s_85f"],
            platform=ULX3S_85F_Platform,
            bitstream=".bit",
            cells="TRELLIS_COMB",
            memories="DP16KD",
            multipliers="MULT18X18D",
            flip_flop="TRELLIS_FF",
            multiplier_bits=18,
            # 64 p-bits of degree 4 and s[3][4] routed at 17 MHz, below the oscillator's 25.
            first_halvings=1,
            constraint=("add_preferences", 'FREQUENCY NET "{net}" {mhz} MHZ;'),
            # The ESP32 beside the FPGA pulls its own boot pin low and resets the board if nothing holds it.
            held_high=(("esp32", "gpio0"),),
        ),
    )
}
"""Boards by name."""


def board(name: str) -> Board:
    """Look a board up.

    Raises
    ------
    FitError
        If there is none of that name.
    """
    if name not in BOARDS:
        raise FitError(f"unknown board {name!r}; known are {', '.join(BOARDS)}")
    return BOARDS[name]
