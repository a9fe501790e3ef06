"""The boards that a bitstream can be built for: pins and devices come from amaranth-boards.

Adding one takes an entry here and its capacities in `contract.targets`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from amaranth_boards.ice40_hx8k_b_evn import ICE40HX8KBEVNPlatform
from amaranth_boards.icebreaker import ICEBreakerPlatform
from amaranth_boards.icesugar_pro import ICESugarProPlatform
from amaranth_boards.tang_nano_9k import TangNano9kPlatform
from amaranth_boards.tang_primer_20k import TangPrimer20kPlatform
from amaranth_boards.ulx3s import ULX3S_85F_Platform

from ..contract.errors import FitError
from ..contract.image import Image
from ..contract.targets import TARGETS, Target
from .families import ECP5, GOWIN, ICE40, ICE40_HX, Family
from .floorplan import LFE5U_25F, LFE5U_85F, Floor
from .pll import MHZ, Ehxplll, Limits, Pll, RPll, SbPll40

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
    family : Family
        Its FPGA's family.
    loader : str
        Its name among openFPGALoader's boards.
    pll : Pll
        Kind and limits of its PLL.
    pll_cell : str
        Cell of the PLL, see `oscillator.CELLS`.
    multiplier_bits : int
        Widest unsigned operand of a hardware multiplier that may be used; 0 if none may.
    held_high : tuple of (str, str)
        Resources and subsignals to drive high.
    synthesis : str
        Options of Yosys' ``synth_*`` beyond its family's.
    floor : Floor, optional
        Where engines' block RAMs are laid; else the placer chooses.
    """

    target: Target
    platform: Callable[[], Any]
    family: Family
    loader: str
    pll: Pll
    pll_cell: str
    multiplier_bits: int = 0
    held_high: tuple[tuple[str, str], ...] = ()
    synthesis: str = ""
    floor: Floor | None = None

    @property
    def name(self) -> str:
        """Name on the command line."""
        return self.target.name

    def multipliers_for(self, image: Image) -> int:
        """How many p-bits of an array multiply field and beta in hardware: none where the factors are too wide."""
        widest = max(image.bias_bits + SPARE_BITS, image.beta_format.bits)
        return min(image.size, self.target.multipliers) if widest <= self.multiplier_bits else 0


# No iCE40 multiplies in hardware: nextpnr-ice40 takes an unclocked DSP for a register and so leaves out the paths
# through it; the Fmax that it reports is that of the pieces, some 2/3 above the truth.
# No Gowin does either: an unclocked multiplier of theirs has no timing model in nextpnr that was checked.
_ALL = (
    Board(
        target=TARGETS["icebreaker"],
        platform=ICEBreakerPlatform,
        family=ICE40,
        loader="ice40_generic",
        pll=SbPll40(),
        pll_cell="SB_PLL40_PAD",  # the oscillator's pin is the PLL's own, which no other cell could then read
    ),
    Board(
        target=TARGETS["ice40_hx8k_b_evn"],
        platform=ICE40HX8KBEVNPlatform,
        family=ICE40_HX,
        loader="ice40_generic",
        pll=SbPll40(),
        pll_cell="SB_PLL40_CORE",
    ),
    Board(
        target=TARGETS["icesugar_pro"],
        platform=ICESugarProPlatform,
        family=ECP5,
        loader="colorlight-i5",  # the same FPGA behind the same CMSIS-DAP cable
        pll=Ehxplll(),
        pll_cell="EHXPLLL",
        multiplier_bits=18,
        floor=LFE5U_25F,
    ),
    Board(
        target=TARGETS["ulx3s_85f"],
        platform=ULX3S_85F_Platform,
        family=ECP5,
        loader="ulx3s",
        pll=Ehxplll(),
        pll_cell="EHXPLLL",
        multiplier_bits=18,
        floor=LFE5U_85F,
        # The ESP32 beside the FPGA pulls its own boot pin low and resets the board if nothing holds it.
        held_high=(("esp32", "gpio0"),),
    ),
    Board(
        target=TARGETS["tang_nano_9k"],
        platform=TangNano9kPlatform,
        family=GOWIN,
        loader="tangnano9k",
        pll=RPll(Limits((3 * MHZ, 400 * MHZ), (400 * MHZ, 1200 * MHZ), (3_125_000, 600 * MHZ))),
        pll_cell="rPLL",
    ),
    Board(
        target=TARGETS["tang_primer_20k"],
        platform=TangPrimer20kPlatform,
        family=GOWIN,
        loader="tangprimer20k",
        pll=RPll(Limits((3 * MHZ, 500 * MHZ), (500 * MHZ, 1250 * MHZ), (3_906_250, 625 * MHZ))),
        pll_cell="rPLL",
        synthesis="-family gw2a",
    ),
)

BOARDS: dict[str, Board] = {board.name: board for board in _ALL}
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
