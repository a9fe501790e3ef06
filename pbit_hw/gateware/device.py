"""Whole devices: an array behind its link, with and without the UART."""

from __future__ import annotations

from amaranth import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..contract.image import Image
from .array import Array
from .link import Link
from .uart import UARTReceiver, UARTTransmitter, divisor


class LinkedArray(wiring.Component):
    """An array and its link, over byte streams.

    Parameters
    ----------
    image : Image
        The array.
    clock_hz : int
        Its clock in Hz.
    multipliers : int or None
        See `array.Array`.

    Members
    -------
    rx : In(stream.Signature(8))
        Bytes from the host.
    tx : Out(stream.Signature(8))
        Bytes to the host.
    """

    def __init__(self, image: Image, clock_hz: int, *, multipliers: int | None = None) -> None:
        self._image = image
        self._clock_hz = clock_hz
        self._multipliers = multipliers
        super().__init__({"rx": In(stream.Signature(8)), "tx": Out(stream.Signature(8))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.link = link = Link(self._image, self._clock_hz)
        m.submodules.array = array = Array(self._image, multipliers=self._multipliers)
        wiring.connect(m, wiring.flipped(self.rx), link.rx)
        wiring.connect(m, link.tx, wiring.flipped(self.tx))
        m.d.comb += [
            array.write.eq(link.write),
            array.address.eq(link.address),
            array.data.eq(link.data),
            link.states.eq(array.states),
            link.sweeps_left.eq(array.sweeps_left),
            link.beta.eq(array.beta),
        ]
        return m


class PbitDevice(wiring.Component):
    """What goes on a board: an array, its link and a UART.

    Parameters
    ----------
    image : Image
        The array.
    clock_hz : int
        Clock of everything in Hz.
    baud : int
        Bits per second on the line.
    multipliers : int or None
        See `array.Array`.

    Members
    -------
    rx : In(1)
        Serial line from the host, idle high.
    tx : Out(1)
        Serial line to the host.

    Raises
    ------
    FitError
        If the clock cannot make that rate.
    """

    def __init__(self, image: Image, clock_hz: int, baud: int, *, multipliers: int | None = None) -> None:
        self._linked = LinkedArray(image, clock_hz, multipliers=multipliers)
        self._divisor = divisor(clock_hz, baud)
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.receiver = receiver = UARTReceiver(self._divisor)
        m.submodules.linked = linked = self._linked
        m.submodules.transmitter = transmitter = UARTTransmitter(self._divisor)
        wiring.connect(m, receiver.bytes, linked.rx)
        wiring.connect(m, linked.tx, transmitter.bytes)
        m.d.comb += [receiver.rx.eq(self.rx), self.tx.eq(transmitter.tx)]
        return m
