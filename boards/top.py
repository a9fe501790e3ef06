"""The top of a bitstream: the board's pins, its clock, and a `PbitDevice`."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import DomainRenamer, Elaboratable, Module
from amaranth.lib import io

from .catalogue import Board
from .clock import Clock
from .oscillator import DOMAIN, add_domain


class Top(Elaboratable):
    """A device on a board.

    Parameters
    ----------
    board : Board
        The board.
    device : wiring.Component
        Has ``rx`` and ``tx``, and runs in the domain ``sync``.
    clock : Clock
        What it runs from.
    """

    def __init__(self, board: Board, device: Any, clock: Clock) -> None:
        self._board = board
        self._device = device
        self._clock = clock

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
        if self._clock.plain:
            m.submodules.device = self._device
        else:
            add_domain(m, platform, self._board.pll_cell, self._clock)
            m.submodules.device = DomainRenamer(DOMAIN)(self._device)
        return m
