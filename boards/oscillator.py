"""The array's clock domain: the board's oscillator, through a PLL, divided; and the reset until it is steady."""

from __future__ import annotations

from math import ceil
from typing import Any

from amaranth.hdl import ClockDomain, Module, ResetSignal, Signal
from amaranth.lib.cdc import FFSynchronizer, ResetSynchronizer

from .clock import Clock
from .pll_cells import add_pll

DOMAIN = "pbit"
CLOCK = f"{DOMAIN}_clk"
"""Name of the array's clock net, as Amaranth derives it from its domain."""

FAST = "fast"
FAST_CLOCK = f"{FAST}_clk"
"""Name of the net of a PLL's output that is divided."""

SETTLE_S = 15e-6
"""How long the reset lasts after the PLL has locked: iCE40's block RAMs read as zero for some 3 us, with a margin."""


def add_domain(m: Module, platform: Any, cell: str, clock: Clock) -> None:
    """Add the domain `DOMAIN` to a module.

    Parameters
    ----------
    m : Module
        The top.
    platform : amaranth.build.Platform
        Has the oscillator as its default clock.
    cell : str
        The platform's PLL, see `pll_cells.CELLS`.
    clock : Clock
        What to make; its `Clock.plain` is False.
    """
    m.domains += (domain := ClockDomain(DOMAIN))
    domain.clk.attrs["keep"] = "true"  # so that constraints find it by its name
    if clock.pll is None:
        _divide(m, "sync", domain, clock.halvings)
        m.submodules.reset = ResetSynchronizer(ResetSignal("sync", allow_reset_less=True), domain=DOMAIN)
        return
    made = domain
    if clock.halvings:
        m.domains += (made := ClockDomain(FAST, reset_less=True))
        _divide(m, FAST, domain, clock.halvings)
        made.clk.attrs["keep"] = "true"
    locked = add_pll(m, platform, cell, clock, made.clk)
    _hold_reset(m, domain, locked, ceil(SETTLE_S * clock.hz))


def _divide(m: Module, source: str, domain: ClockDomain, halvings: int) -> None:
    """Halve a clock; place and route puts the result on a global buffer."""
    counter = Signal(range(max(2, 2 ** (halvings - 1))), reset_less=True)
    with m.If(counter == 0):
        m.d[source] += [counter.eq(2 ** (halvings - 1) - 1), domain.clk.eq(~domain.clk)]
    with m.Else():
        m.d[source] += counter.eq(counter - 1)


def _hold_reset(m: Module, domain: ClockDomain, locked: Signal, clocks: int) -> None:
    """Reset the domain until its clock has been steady for some clocks."""
    unlocked = Signal(init=1, reset_less=True)
    m.submodules.unlocked = FFSynchronizer(~locked, unlocked, o_domain=DOMAIN, init=1)
    waited = Signal(range(clocks + 1), reset_less=True)
    reset = Signal(init=1, reset_less=True)
    m.d.comb += domain.rst.eq(reset)
    with m.If(unlocked):
        m.d[DOMAIN] += [waited.eq(0), reset.eq(1)]
    with m.Elif(waited == clocks):
        m.d[DOMAIN] += reset.eq(0)
    with m.Else():
        m.d[DOMAIN] += waited.eq(waited + 1)
