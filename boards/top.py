"""The top of a bitstream: the board's pins, its clock, and a `PbitDevice`."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import ClockDomain, DomainRenamer, Elaboratable, Module, ResetSignal, Signal
from amaranth.lib import io
from amaranth.lib.cdc import ResetSynchronizer

from .catalogue import Board

CLOCK = "pbit_clk"
"""Name of a divided clock's net, as Amaranth derives it from its domain."""


class Top(Elaboratable):
    """A device on a board.

    Parameters
    ----------
    board : Board
        The board.
    device : wiring.Component
        Has ``rx`` and ``tx``, and runs in the domain ``sync``.
    halvings : int
        How often the oscillator is halved for it.
    """

    def __init__(self, board: Board, device: Any, halvings: int) -> None:
        self._board = board
        self._device = device
        self._halvings = halvings

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        uart = platform.request("uart", 0, dir="-")
        m.submodules.rx = rx = io.Buffer("i", uart.rx)
        m.submodules.tx = tx = io.Buffer("o", uart.tx)
        m.d.comb += [self._device.rx.eq(rx.i), tx.o.eq(self._device.tx)]
        for resource, signal in self._board.held_high:
            port = getattr(platform.request(resource, 0, dir="-"), signal)
            m.submodules[f"{resource}_{signal}"] = buffer = io.Buffer("o", port)
            m.d.comb += buffer.o.eq(1)
        if self._halvings == 0:
            m.submodules.device = self._device
        else:
            self._divide(m)
            m.submodules.device = DomainRenamer("pbit")(self._device)
        return m

    def _divide(self, m: Module) -> None:
        """Make the domain ``pbit``; place and route puts its clock on a global buffer."""
        counter = Signal(range(max(2, 2 ** (self._halvings - 1))))
        m.domains.pbit = domain = ClockDomain("pbit")
        with m.If(counter == 0):
            m.d.sync += [counter.eq(2 ** (self._halvings - 1) - 1), domain.clk.eq(~domain.clk)]
        with m.Else():
            m.d.sync += counter.eq(counter - 1)
        m.submodules.reset = ResetSynchronizer(ResetSignal("sync", allow_reset_less=True), domain="pbit")
