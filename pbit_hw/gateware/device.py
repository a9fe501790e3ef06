"""Whole devices: an array behind its link, with and without the UART."""

from __future__ import annotations

from typing import Any

from amaranth import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..contract.forms import Form
from ..contract.image import Image
from ..contract.registers import fixed_checksum, identity
from ..contract.schedule import CountingImage
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
    form, counting, multipliers
        See `array.Array`.

    Members
    -------
    rx : In(stream.Signature(8))
        Bytes from the host.
    tx : Out(stream.Signature(8))
        Bytes to the host.
    """

    def __init__(
        self,
        image: Image,
        clock_hz: int,
        form: Form = Form.ADDER,
        *,
        counting: bool = False,
        multipliers: int | None = None,
    ) -> None:
        self._array = Array(image, form, counting=counting, multipliers=multipliers)
        fixed = fixed_checksum(image, image.reset_beta) if form is Form.BAKED else 0
        mapped = CountingImage(image) if counting else image
        self._link = Link(mapped, identity(image, clock_hz, fixed), image.beta_format.bits)
        super().__init__({"rx": In(stream.Signature(8)), "tx": Out(stream.Signature(8))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.link, m.submodules.array = link, array = self._link, self._array
        wiring.connect(m, wiring.flipped(self.rx), link.rx)
        wiring.connect(m, link.tx, wiring.flipped(self.tx))
        for name, member in array.signature.members.items():
            inner, outer = getattr(array, name), getattr(link, name)
            m.d.comb += inner.eq(outer) if member.flow == In else outer.eq(inner)
        return m


class Serial(wiring.Component):
    """Something with byte streams behind a UART.

    Parameters
    ----------
    linked : wiring.Component
        Has streams ``rx`` and ``tx``.
    clock_hz : int
        Clock of everything in Hz.
    baud : int
        Bits per second on the line.

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

    def __init__(self, linked: Any, clock_hz: int, baud: int) -> None:
        self._linked = linked
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


class PbitDevice(Serial):
    """What goes on a board: an array, its link and a UART.

    Parameters
    ----------
    image : Image
        The array.
    clock_hz : int
        Clock of everything in Hz.
    baud : int
        Bits per second on the line.
    form, counting, multipliers
        See `array.Array`.

    Members
    -------
    rx, tx
        See `Serial`.

    Raises
    ------
    FitError
        If the clock cannot make that rate.
    """

    def __init__(
        self,
        image: Image,
        clock_hz: int,
        baud: int,
        form: Form = Form.ADDER,
        *,
        counting: bool = False,
        multipliers: int | None = None,
    ) -> None:
        linked = LinkedArray(image, clock_hz, form, counting=counting, multipliers=multipliers)
        super().__init__(linked, clock_hz, baud)
