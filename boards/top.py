"""The top of a bitstream: the board's pins, its clock, and a `PbitDevice`."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import ClockDomain, DomainRenamer, Elaboratable, Module, ResetSignal, Signal
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
        uart = platform.request("uart", 0)
        m.d.comb += [self._device.rx.eq(uart.rx.i), uart.tx.o.eq(self._device.tx)]
        for resource, signal in self._board.held_high:
            pins = platform.request(resource, 0, dir=_outputs(platform, resource, signal))
            m.d.comb += getattr(pins, signal).o.eq(1)
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


def _outputs(platform: Any, resource: str, signal: str) -> dict[str, str]:
    """Directions that leave every other pin of a resource alone."""
    return {part.name: "o" if part.name == signal else "-" for part in platform.lookup(resource, 0).ios}
