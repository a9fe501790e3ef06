"""Frames of the link in hardware: one component takes them apart, one puts them together."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import crc, data, stream, wiring
from amaranth.lib.crc.catalog import CRC16_IBM_3740
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from ..contract.link import CRC, IDLE_CYCLES, MAX_REQUEST, SYNC
from .ram import block_ram, read

WORD_BITS = 32
WORD_BYTES = WORD_BITS // 8
BUFFER_WORDS = MAX_REQUEST // WORD_BYTES

HEADER = data.StructLayout({"length": 16, "opcode": 8, "sequence": 8})
"""What follows the sync byte of a frame: exactly one word."""

REQUEST = data.StructLayout({"header": HEADER, "intact": 1})
"""A received header, and whether the frame's CRC was right."""

CHUNK = data.StructLayout({"data": WORD_BITS, "size": range(WORD_BYTES + 1), "last": 1})
"""Part of a frame to send: the lowest ``size`` bytes of ``data``, followed by the CRC if it is the ``last``."""


class FrameReceiver(wiring.Component):
    """Bytes to frames, whose payload is kept in a buffer memory.

    Bytes before a sync byte are dropped. A frame is presented one clock after
    its last byte and stands, the buffer with it, until it is accepted; no byte
    is taken meanwhile. Payload beyond `MAX_REQUEST` bytes is counted and
    checked, but not kept. A frame of which no byte comes for `IDLE_CYCLES`
    clocks is forgotten.

    Members
    -------
    bytes : In(stream.Signature(8))
        From the wire.
    requests : Out(stream.Signature(REQUEST))
        Whole frames, intact or not.
    index : In(6)
        Word of the payload to read.
    word : Out(32)
        That word, one clock later, if a frame stood.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "bytes": In(stream.Signature(8)),
                "requests": Out(stream.Signature(REQUEST)),
                "index": In(range(BUFFER_WORDS)),
                "word": Out(WORD_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        byte, taken, intact = self.bytes.payload, Signal(), Signal()
        place, left = Signal(range(MAX_REQUEST + 1)), Signal(16)
        header, shifted = Signal(HEADER), Signal(HEADER)
        m.submodules.crc = check = crc.Processor(CRC16_IBM_3740(data_width=8))
        m.d.comb += [
            self.bytes.ready.eq(~self.requests.valid),
            taken.eq(self.bytes.valid & self.bytes.ready),
            shifted.eq(Cat(header.as_value()[8:], byte)),
            self.requests.payload.header.eq(header),
            self.requests.payload.intact.eq(intact),
            check.data.eq(byte),
        ]
        silence = Signal(range(IDLE_CYCLES))
        m.d.sync += silence.eq(Mux(taken, 0, silence + 1))
        forgotten = silence == IDLE_CYCLES - 1

        with m.FSM() as fsm:
            with m.State("SYNC"):
                m.d.comb += check.start.eq(1)
                m.d.sync += [place.eq(0), intact.eq(1)]
                with m.If(taken & (byte == SYNC)):
                    m.next = "HEADER"
            with m.State("HEADER"):
                with m.If(taken):
                    m.d.sync += [header.eq(shifted), place.eq(place + 1)]
                    with m.If(place == HEADER.size // 8 - 1):
                        m.d.sync += [place.eq(0), left.eq(shifted.length)]
                        m.next = "PAYLOAD"
                        with m.If(shifted.length == 0):
                            m.next = "CRC"
                with m.Elif(forgotten):
                    m.next = "SYNC"
            with m.State("PAYLOAD"):
                with m.If(taken):
                    m.d.sync += [place.eq(Mux(place == MAX_REQUEST, place, place + 1)), left.eq(left - 1)]
                    with m.If(left == 1):
                        m.d.sync += place.eq(0)
                        m.next = "CRC"
                with m.Elif(forgotten):
                    m.next = "SYNC"
            with m.State("CRC"):
                with m.If(taken):
                    expected = check.crc.word_select(place[0], 8)
                    m.d.sync += [intact.eq(intact & (byte == expected)), place.eq(place + 1)]
                    with m.If(place == CRC.size - 1):
                        m.next = "WHOLE"
                with m.Elif(forgotten):
                    m.next = "SYNC"
            with m.State("WHOLE"):
                m.d.comb += self.requests.valid.eq(1)
                with m.If(self.requests.ready):
                    m.next = "SYNC"
        in_payload = fsm.ongoing("PAYLOAD")
        m.d.comb += check.valid.eq(taken & (fsm.ongoing("HEADER") | in_payload))
        self._keep(m, place, taken & in_payload)
        return m

    def _keep(self, m: Module, place: Signal, taken: Value) -> None:
        """Write a payload byte to its lane of the buffer, and read the buffer."""
        m.submodules.buffer = buffer = block_ram(WORD_BITS, BUFFER_WORDS)
        write = buffer.write_port(granularity=8)
        lane_bits = exact_log2(WORD_BYTES)
        m.d.comb += [
            write.addr.eq(place[lane_bits:]),
            write.data.eq(self.bytes.payload.replicate(WORD_BYTES)),
            write.en.eq((taken & (place < MAX_REQUEST)) << place[:lane_bits]),
            self.word.eq(read(m, buffer, self.index)),
        ]


class FrameSender(wiring.Component):
    """Chunks, a `HEADER` first, to the bytes of a frame.

    One byte per clock, and one clock more for each chunk.

    Members
    -------
    chunks : In(stream.Signature(CHUNK))
        The frame without sync and CRC.
    bytes : Out(stream.Signature(8))
        To the wire.
    """

    def __init__(self) -> None:
        super().__init__({"chunks": In(stream.Signature(CHUNK)), "bytes": Out(stream.Signature(8))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.crc = check = crc.Processor(CRC16_IBM_3740(data_width=8))
        chunk = Signal(CHUNK)
        sent = self.bytes.valid & self.bytes.ready
        m.d.comb += check.data.eq(self.bytes.payload)

        with m.FSM():
            with m.State("SYNC"):
                m.d.comb += [self.bytes.payload.eq(SYNC), self.bytes.valid.eq(self.chunks.valid), check.start.eq(1)]
                with m.If(sent):
                    m.next = "LOAD"
            with m.State("LOAD"):
                m.d.comb += self.chunks.ready.eq(1)
                m.d.sync += chunk.eq(self.chunks.payload)
                with m.If(self.chunks.valid):
                    m.next = "CHUNK"
            with m.State("CHUNK"):
                m.d.comb += [self.bytes.payload.eq(chunk.data[:8]), self.bytes.valid.eq(1), check.valid.eq(sent)]
                with m.If(sent):
                    m.d.sync += [chunk.data.eq(chunk.data[8:]), chunk.size.eq(chunk.size - 1)]
                    with m.If(chunk.size == 1):
                        m.next = "LOAD"
                        with m.If(chunk.last):
                            m.next = "CRC_LOW"
            with m.State("CRC_LOW"):
                m.d.comb += [self.bytes.payload.eq(check.crc[:8]), self.bytes.valid.eq(1)]
                with m.If(sent):
                    m.next = "CRC_HIGH"
            with m.State("CRC_HIGH"):
                m.d.comb += [self.bytes.payload.eq(check.crc[8:]), self.bytes.valid.eq(1)]
                with m.If(sent):
                    m.next = "SYNC"
        return m
