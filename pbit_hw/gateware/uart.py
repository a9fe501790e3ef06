"""A UART, eight data bits, no parity, one stop bit (the ``amaranth-stdio`` on the package index is a placeholder)."""

from __future__ import annotations

from amaranth import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from ..contract.errors import FitError

DATA_BITS = 8
MIN_DIVISOR = 4
SYNCHRONISER_CLOCKS = 2
MAX_ERROR = 0.02
"""Largest relative error of the bit time: sampling goes wrong from about 5 %, shared by both ends."""


def divisor(clock_hz: int, baud: int) -> int:
    """Clocks per bit.

    Parameters
    ----------
    clock_hz : int
        Clock of the UART in Hz.
    baud : int
        Bits per second.

    Raises
    ------
    FitError
        If the clock cannot make that rate within `MAX_ERROR`.
    """
    clocks = max(round(clock_hz / baud), MIN_DIVISOR)
    achieved = clock_hz / clocks
    if abs(achieved / baud - 1) > MAX_ERROR:
        raise FitError(
            f"a clock of {clock_hz} Hz cannot make {baud} baud within {MAX_ERROR:.0%}; "
            f"the nearest rate it makes is {achieved:.0f} baud"
        )
    return clocks


class UARTReceiver(wiring.Component):
    """Serial line to bytes.

    A byte whose stop bit is low is dropped, and so is a byte that is complete
    while the one before it still waits. Bits are sampled in the middle, so a
    byte comes out 9.5 bit times after the falling edge of its start bit.

    Parameters
    ----------
    divisor : int
        Clocks per bit, at least `MIN_DIVISOR`.

    Members
    -------
    rx : In(1)
        The line, idle high, asynchronous to the clock.
    bytes : Out(stream.Signature(8))
        What was received.
    """

    def __init__(self, divisor: int) -> None:
        self._divisor = divisor
        super().__init__({"rx": In(1, init=1), "bytes": Out(stream.Signature(DATA_BITS))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        line = Signal(init=1)
        m.submodules.synchroniser = FFSynchronizer(self.rx, line, init=1, stages=SYNCHRONISER_CLOCKS)
        timer = Signal(range(self._divisor))
        left = Signal(range(DATA_BITS))
        byte = Signal(DATA_BITS)

        m.d.sync += timer.eq(timer - 1)
        with m.If(self.bytes.ready):
            m.d.sync += self.bytes.valid.eq(0)
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += timer.eq(max(self._divisor // 2 - 1 - SYNCHRONISER_CLOCKS, 0))
                with m.If(~line):
                    m.next = "START"
            with m.State("START"), m.If(timer == 0):
                m.d.sync += [timer.eq(self._divisor - 1), left.eq(DATA_BITS - 1)]
                with m.If(line):
                    m.next = "IDLE"
                with m.Else():
                    m.next = "DATA"
            with m.State("DATA"), m.If(timer == 0):
                m.d.sync += [timer.eq(self._divisor - 1), byte.eq(Cat(byte[1:], line)), left.eq(left - 1)]
                with m.If(left == 0):
                    m.next = "STOP"
            with m.State("STOP"), m.If(timer == 0):
                m.next = "HIGH"
                with m.If(line & (~self.bytes.valid | self.bytes.ready)):
                    m.d.sync += [self.bytes.payload.eq(byte), self.bytes.valid.eq(1)]
            with m.State("HIGH"), m.If(line):
                m.next = "IDLE"
        return m


class UARTTransmitter(wiring.Component):
    """Bytes to serial line, lowest bit first.

    The start bit appears one clock after a byte is taken; a byte lasts ten bit times.

    Parameters
    ----------
    divisor : int
        Clocks per bit.

    Members
    -------
    bytes : In(stream.Signature(8))
        What to send.
    tx : Out(1)
        The line, idle high.
    """

    def __init__(self, divisor: int) -> None:
        self._divisor = divisor
        super().__init__({"bytes": In(stream.Signature(DATA_BITS)), "tx": Out(1, init=1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        timer = Signal(range(self._divisor))
        left = Signal(range(DATA_BITS + 3))
        bits = Signal(DATA_BITS + 1, init=-1)

        m.d.comb += [self.tx.eq(bits[0]), self.bytes.ready.eq(left == 0)]
        with m.If(left == 0):
            m.d.sync += timer.eq(self._divisor - 1)
            with m.If(self.bytes.valid):
                m.d.sync += [bits.eq(Cat(0, self.bytes.payload)), left.eq(DATA_BITS + 2)]
        with m.Elif(timer == 0):
            m.d.sync += [timer.eq(self._divisor - 1), bits.eq(Cat(bits[1:], 1)), left.eq(left - 1)]
        with m.Else():
            m.d.sync += timer.eq(timer - 1)
        return m
