"""A tiled engine behind its link, with and without the UART."""

from __future__ import annotations

from amaranth import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..contract.registers import OFFSET_BITS, Control, Region
from ..contract.tiled import Shape, identity
from .frames import FrameReceiver, FrameSender
from .link import Executor, RequestCheck
from .registers import ADDRESS_BITS, WORD_BITS
from .tiled import Tiled
from .uart import UARTReceiver, UARTTransmitter, divisor


class ControlReader(wiring.Component):
    """The word at a readable address of an engine; anything at another.

    Latency `registers.READ_LATENCY`, which ``state`` has already.

    Parameters
    ----------
    shape : Shape
        The engine.
    clock_hz : int
        Its clock in Hz, for the register of that name.

    Members
    -------
    address : In(32)
        Address of a readable register.
    state : In(32)
        The word of `Region.STATE` there.
    sweeps_left : In(32)
        Sweeps that the engine has still to do.
    beta : In(beta bits)
        Code of the inverse temperature.
    data : Out(32)
        The word.
    """

    def __init__(self, shape: Shape, clock_hz: int) -> None:
        self._identity = identity(shape, clock_hz)
        super().__init__(
            {
                "address": In(ADDRESS_BITS),
                "state": In(WORD_BITS),
                "sweeps_left": In(WORD_BITS),
                "beta": In(shape.beta_bits),
                "data": Out(WORD_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        control = {**self._identity, Control.SWEEPS: self.sweeps_left, Control.BETA: self.beta}
        word = Signal(WORD_BITS)
        with m.Switch(self.address[: bits_for(max(control))]):
            for offset, content in control.items():
                with m.Case(offset):
                    m.d.sync += word.eq(content)
        m.d.comb += self.data.eq(Mux(self.address[OFFSET_BITS:] == Region.STATE, self.state, word))
        return m


class LinkedTiled(wiring.Component):
    """A tiled engine and its link, over byte streams.

    Parameters
    ----------
    shape : Shape
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

    def __init__(self, shape: Shape, clock_hz: int, *, blocks: bool = True) -> None:
        self._shape = shape
        self._clock_hz = clock_hz
        self._engine = Tiled(shape, blocks=blocks)
        super().__init__({"rx": In(stream.Signature(8)), "tx": Out(stream.Signature(8))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.engine = engine = self._engine
        m.submodules.receiver = receiver = FrameReceiver()
        m.submodules.check = check = RequestCheck(self._shape)
        m.submodules.executor = executor = Executor(self._shape)
        m.submodules.reader = reader = ControlReader(self._shape, self._clock_hz)
        m.submodules.sender = sender = FrameSender()
        wiring.connect(m, wiring.flipped(self.rx), receiver.bytes)
        wiring.connect(m, receiver.requests, executor.requests)
        wiring.connect(m, executor.chunks, sender.chunks)
        wiring.connect(m, sender.bytes, wiring.flipped(self.tx))
        m.d.comb += [
            receiver.index.eq(executor.index),
            executor.word.eq(receiver.word),
            check.request.eq(receiver.requests.payload),
            check.address.eq(executor.first),
            check.count.eq(executor.count),
            check.running.eq(engine.running),
            check.home.eq(1),
            executor.refusal.eq(check.refusal),
            executor.ready.eq(engine.ready),
            executor.idle.eq(engine.ready & ~engine.running),
            executor.data.eq(reader.data),
            reader.address.eq(executor.address),
            reader.state.eq(engine.state),
            reader.sweeps_left.eq(engine.sweeps_left),
            reader.beta.eq(engine.beta),
            engine.write.eq(executor.write),
            engine.address.eq(executor.address),
            engine.data.eq(receiver.word),
        ]
        return m


class TiledDevice(wiring.Component):
    """What goes on a board: a tiled engine, its link and a UART.

    Parameters
    ----------
    shape : Shape
        The engine.
    clock_hz : int
        Clock of everything in Hz.
    baud : int
        Bits per second on the line.
    blocks : bool
        See `threshold.Threshold`.

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

    def __init__(self, shape: Shape, clock_hz: int, baud: int, *, blocks: bool = True) -> None:
        self._linked = LinkedTiled(shape, clock_hz, blocks=blocks)
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
