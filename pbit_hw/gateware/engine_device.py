"""An engine for many graphs behind its link, with and without the UART."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amaranth import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..contract.engine import Engine, Kind, identity
from .dense import Dense
from .device import Serial
from .lattice import Lattice
from .link import Link
from .tiled import Tiled

COMPONENTS: dict[Kind, Callable[..., Any]] = {
    Kind.TILED: Tiled,
    Kind.LATTICE: Lattice,
    Kind.DENSE: Dense,
}
"""What each kind of engine is made of."""


class LinkedEngine(wiring.Component):
    """An engine and its link, over byte streams.

    Parameters
    ----------
    shape : Engine
        The engine.
    clock_hz : int
        Its clock in Hz.
    blocks : bool
        See `threshold.Threshold`.

    Members
    -------
    rx : In(stream.Signature(8))
        Bytes from the host.
    tx : Out(stream.Signature(8))
        Bytes to the host.
    """

    def __init__(self, shape: Any, clock_hz: int, *, blocks: bool = True) -> None:
        self._engine = COMPONENTS[shape.kind](shape, blocks=blocks)
        self._link = Link(shape, identity(shape, clock_hz), shape.beta_bits)
        super().__init__({"rx": In(stream.Signature(8)), "tx": Out(stream.Signature(8))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.engine = engine = self._engine
        m.submodules.link = link = self._link
        wiring.connect(m, wiring.flipped(self.rx), link.rx)
        wiring.connect(m, link.tx, wiring.flipped(self.tx))
        m.d.comb += [
            engine.write.eq(link.write),
            engine.address.eq(link.address),
            engine.data.eq(link.data),
            link.ready.eq(engine.ready),
            link.running.eq(engine.running),
            link.home.eq(engine.home),
            link.state.eq(engine.state),
            link.sweeps_left.eq(engine.sweeps_left),
            link.beta.eq(engine.beta),
        ]
        return m


class EngineDevice(Serial):
    """What goes on a board: an engine, its link and a UART.

    Parameters
    ----------
    shape : Engine
        The engine.
    clock_hz : int
        Clock of everything in Hz.
    baud : int
        Bits per second on the line.
    blocks : bool
        See `threshold.Threshold`.

    Members
    -------
    rx, tx
        See `device.Serial`.

    Raises
    ------
    FitError
        If the clock cannot make that rate.
    """

    def __init__(self, shape: Engine, clock_hz: int, baud: int, *, blocks: bool = True) -> None:
        super().__init__(LinkedEngine(shape, clock_hz, blocks=blocks), clock_hz, baud)
