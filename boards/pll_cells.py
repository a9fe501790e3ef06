"""The PLLs as cells: their fixed parameters, and how the clock pin reaches them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amaranth.hdl import Const, Instance, Module, Signal
from amaranth.lib import io

from .clock import Clock

Maker = Callable[[Module, Any, Any, dict[str, int], Signal, Signal], Instance]
"""Makes a cell of module, platform, clock pin, the setting's values, output and lock."""


def add_pll(m: Module, platform: Any, cell: str, clock: Clock, output: Signal) -> Signal:
    """Put a PLL between the clock pin and a net.

    Parameters
    ----------
    m : Module
        Where to put it.
    platform : amaranth.build.Platform
        Has the oscillator as its default clock, which nothing else may use.
    cell : str
        One of `CELLS`.
    clock : Clock
        Has the setting.
    output : Signal
        What it drives.

    Returns
    -------
    Signal
        Whether it has locked.
    """
    assert clock.pll is not None
    pin = platform.request(platform.default_clk, dir="-")
    locked = Signal()
    m.submodules.pll = CELLS[cell](m, platform, pin, dict(clock.pll.values), output, locked)
    return locked


def _buffered(m: Module, pin: Any) -> Signal:
    m.submodules.clock_buffer = buffer = io.Buffer("i", pin)
    reference: Signal = buffer.i
    return reference


def _sb_pll40(cell: str, port: str) -> Maker:
    """An iCE40 PLL whose reference is a pad or a net."""
    widths = {"DIVR": 4, "DIVF": 7, "DIVQ": 3, "FILTER_RANGE": 3}

    def make(m: Module, platform: Any, pin: Any, values: dict[str, int], output: Signal, locked: Signal) -> Instance:
        reference = pin.io if port == "PACKAGEPIN" else _buffered(m, pin)
        return Instance(
            cell,
            p_FEEDBACK_PATH="SIMPLE",
            **{f"p_{name}": Const(value, widths[name]) for name, value in values.items()},
            **{f"i_{port}": reference},
            i_RESETB=Const(1),
            i_BYPASS=Const(0),
            o_PLLOUTGLOBAL=output,
            o_LOCK=locked,
        )

    return make


_DISABLED = ("PLLRST_ENA", "INTFB_WAKE", "STDBY_ENABLE", "DPHASE_SOURCE")
_LOOP = {"ICP_CURRENT": "12", "LPF_RESISTOR": "8", "MFG_ENABLE_FILTEROPAMP": "1", "MFG_GMCREF_SEL": "2"}
"""As ecppll writes them for every frequency."""


def _ehxplll(m: Module, platform: Any, pin: Any, values: dict[str, int], output: Signal, locked: Signal) -> Instance:
    """ECP5's PLL: CLKOP feeds back, CLKOS is the output."""
    feedback = Signal()
    low, high = Const(0), Const(1)
    return Instance(
        "EHXPLLL",
        a_FREQUENCY_PIN_CLKI=f"{platform.default_clk_frequency / 1e6:.6g}",
        **{f"a_{name}": value for name, value in _LOOP.items()},
        **{f"p_{name}": "DISABLED" for name in _DISABLED},
        **{f"p_OUTDIVIDER_MUX{letter}": f"DIV{letter}" for letter in "ABCD"},
        **{f"p_{name}": value for name, value in values.items()},
        p_FEEDBK_PATH="CLKOP",
        p_CLKOP_ENABLE="ENABLED",
        p_CLKOP_CPHASE=values["CLKOP_DIV"] // 2,
        p_CLKOP_FPHASE=0,
        p_CLKOS_ENABLE="ENABLED",
        p_CLKOS_CPHASE=0,
        p_CLKOS_FPHASE=0,
        i_RST=low,
        i_STDBY=low,
        i_CLKI=_buffered(m, pin),
        i_CLKFB=feedback,
        i_PHASESEL0=low,
        i_PHASESEL1=low,
        i_PHASEDIR=high,
        i_PHASESTEP=high,
        i_PHASELOADREG=high,
        i_PLLWAKESYNC=low,
        i_ENCLKOP=low,
        o_CLKOP=feedback,
        o_CLKOS=output,
        o_LOCK=locked,
    )


def _rpll(m: Module, platform: Any, pin: Any, values: dict[str, int], output: Signal, locked: Signal) -> Instance:
    """Gowin's PLL, with nothing dynamic."""
    low = Const(0)
    return Instance(
        "rPLL",
        p_FCLKIN=f"{platform.default_clk_frequency / 1e6:.6g}",
        p_DEVICE=platform.family,
        **{f"p_{name}": value for name, value in values.items()},
        p_DYN_IDIV_SEL="false",
        p_DYN_FBDIV_SEL="false",
        p_DYN_ODIV_SEL="false",
        p_CLKFB_SEL="internal",
        p_CLKOUT_BYPASS="false",
        i_CLKIN=_buffered(m, pin),
        i_CLKFB=low,
        i_RESET=low,
        i_RESET_P=low,
        i_FBDSEL=Const(0, 6),
        i_IDSEL=Const(0, 6),
        i_ODSEL=Const(0, 6),
        i_PSDA=Const(0, 4),
        i_DUTYDA=Const(0, 4),
        i_FDLY=Const(0, 4),
        o_CLKOUT=output,
        o_LOCK=locked,
    )


CELLS: dict[str, Maker] = {
    "SB_PLL40_PAD": _sb_pll40("SB_PLL40_PAD", "PACKAGEPIN"),
    "SB_PLL40_CORE": _sb_pll40("SB_PLL40_CORE", "REFERENCECLK"),
    "EHXPLLL": _ehxplll,
    "rPLL": _rpll,
}
"""By cell type."""
