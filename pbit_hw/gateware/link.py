"""The device's end of the link: requests are checked, carried out on the array's bus, and answered."""

from __future__ import annotations

from amaranth import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for, exact_log2

from ..contract.image import Image
from ..contract.link import MAX_REQUEST, READ, SAMPLE, WRITE, Opcode, Refusal
from ..contract.registers import OFFSET_BITS, Control, Region, address
from .frames import BUFFER_WORDS, CHUNK, HEADER, REQUEST, WORD_BITS, WORD_BYTES, FrameReceiver, FrameSender
from .registers import ADDRESS_BITS, COUNT_BITS, AccessCheck, RegisterReader, longest_access, offset_bits


class RequestCheck(wiring.Component):
    """Why a request must be refused: the first reason that holds, in the order of `Refusal`.

    Combinational. A request for no word or no sample has a wrong length.

    Parameters
    ----------
    image : Image
        The array.

    Members
    -------
    request : In(REQUEST)
        Its header.
    address : In(32)
        First word of its payload.
    count : In(16)
        Words to read or write, or samples.
    running : In(1)
        Whether the array runs.
    refusal : Out(3)
        A `Refusal`, or 0.
    """

    def __init__(self, image: Image) -> None:
        self._image = image
        super().__init__(
            {
                "request": In(REQUEST),
                "address": In(ADDRESS_BITS),
                "count": In(COUNT_BITS),
                "running": In(1),
                "refusal": Out(range(max(Refusal) + 1)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.access = access = AccessCheck(self._image)
        opcode, length = self.request.header.opcode, self.request.header.length
        starts, fits, known = Signal(), Signal(), Signal()
        with m.Switch(opcode):
            with m.Case(Opcode.READ):
                fits_answer = self.count < 1 << (len(length) - exact_log2(WORD_BYTES))
                m.d.comb += [known.eq(1), fits.eq((length == READ.size) & fits_answer)]
            with m.Case(Opcode.WRITE):
                whole_words = length[: exact_log2(WORD_BYTES)] == WRITE.size % WORD_BYTES
                m.d.comb += [known.eq(1), fits.eq(whole_words & (length >= WRITE.size) & (length <= MAX_REQUEST))]
                m.d.comb += starts.eq(self.address == address(Region.CONTROL, Control.SWEEPS))
            with m.Case(Opcode.SAMPLE):
                m.d.comb += [known.eq(1), fits.eq(length == SAMPLE.size), starts.eq(1)]
        m.d.comb += [
            access.address.eq(self.address),
            access.words.eq(self.count),
            access.write.eq(opcode == Opcode.WRITE),
        ]
        with m.If(~self.request.intact):
            m.d.comb += self.refusal.eq(Refusal.CRC)
        with m.Elif(~known):
            m.d.comb += self.refusal.eq(Refusal.OPCODE)
        with m.Elif(~fits | (self.count == 0)):
            m.d.comb += self.refusal.eq(Refusal.LENGTH)
        with m.Elif(~access.allowed & (opcode != Opcode.SAMPLE)):
            m.d.comb += self.refusal.eq(Refusal.ADDRESS)
        with m.Elif(starts & self.running):
            m.d.comb += self.refusal.eq(Refusal.BUSY)
        return m


class Executor(wiring.Component):
    """Carries out one request at a time.

    Words are written one per clock from four clocks after the last byte of
    the request, or the array is started then; it is started again while the
    last word of a sample is sent.

    Parameters
    ----------
    image : Image
        The array.

    Members
    -------
    requests : In(stream.Signature(REQUEST))
        Accepted when its last answer's last chunk is.
    index : Out(6)
        Word of its payload to read.
    word : In(32)
        That word, one clock later.
    count : Out(16)
        Words to read or write, or samples, for `RequestCheck`.
    refusal : In(3)
        What that says while ``word`` is the payload's first.
    running : In(1)
        Whether the array runs.
    write : Out(1)
        Whether ``word`` is written to ``address`` in this clock.
    address : Out(32)
        Address of the bus.
    data : In(32)
        What is read at ``address``.
    chunks : Out(stream.Signature(CHUNK))
        The answers.
    """

    def __init__(self, image: Image) -> None:
        self._image = image
        super().__init__(
            {
                "requests": In(stream.Signature(REQUEST)),
                "index": Out(range(BUFFER_WORDS)),
                "word": In(WORD_BITS),
                "count": Out(COUNT_BITS),
                "refusal": In(range(max(Refusal) + 1)),
                "running": In(1),
                "write": Out(1),
                "address": Out(ADDRESS_BITS),
                "data": In(WORD_BITS),
                "chunks": Out(stream.Signature(CHUNK)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        own = Signal(
            data.StructLayout(
                {
                    "region": Region,
                    "offset": offset_bits(self._image),
                    "position": range(BUFFER_WORDS + 1),
                    "words": bits_for(longest_access(self._image)),
                    "refusal": self.refusal.shape(),
                }
            )
        )
        m.d.comb += [self.address[: len(own.offset)].eq(own.offset), self.address[OFFSET_BITS:].eq(own.region)]
        with m.FSM():
            self._begin(m, own)
            self._write(m, own)
            self._run(m, own)
            self._answer(m, own)
        return m

    def _begin(self, m: Module, own: data.View) -> None:
        """Read the payload's second word, then its first, and decide."""
        header = self.requests.payload.header
        with m.State("IDLE"):
            m.d.comb += self.index.eq(~self.requests.valid)
            m.d.sync += self.count.eq(self.word)
            with m.If(header.opcode == Opcode.WRITE):
                m.d.sync += self.count.eq((header.length - WRITE.size) >> exact_log2(WORD_BYTES))
            with m.If(self.requests.valid):
                m.next = "CHECK"
        with m.State("CHECK"):
            m.d.sync += own.refusal.eq(self.refusal)
            m.next = "DECIDE"
        with m.State("DECIDE"):
            m.d.sync += [own.region.eq(self.word[OFFSET_BITS:]), own.offset.eq(self.word)]
            m.d.sync += [own.position.eq(2), own.words.eq(self.count), self.count.eq(1)]
            m.next = "HEADER"
            with m.If(own.refusal == 0), m.Switch(header.opcode):
                with m.Case(Opcode.WRITE):
                    m.d.comb += self.index.eq(1)
                    m.next = "WRITE"
                with m.Case(Opcode.SAMPLE):
                    m.d.sync += [
                        own.region.eq(Region.CONTROL),
                        own.offset.eq(Control.SWEEPS),
                        self.count.eq(self.count),
                    ]
                    m.next = "START"

    def _write(self, m: Module, own: data.View) -> None:
        """Write the payload's words from its second on."""
        with m.State("WRITE"):
            m.d.comb += [self.write.eq(1), self.index.eq(own.position)]
            m.d.sync += [own.position.eq(own.position + 1), own.offset.eq(own.offset + 1), own.words.eq(own.words - 1)]
            with m.If(own.words == 1):
                m.next = "HEADER"

    def _run(self, m: Module, own: data.View) -> None:
        """Start the array with the payload's first word, and wait for it."""
        with m.State("START"):
            m.d.comb += self.write.eq(1)
            m.next = "RUN"
        with m.State("RUN"):
            packed = (self._image.size + WORD_BITS - 1) // WORD_BITS
            m.d.sync += [own.region.eq(Region.STATE), own.offset.eq(0), own.words.eq(packed)]
            with m.If(~self.running):
                m.next = "HEADER"

    def _answer(self, m: Module, own: data.View) -> None:
        """Send a header, then the words that are left or the reason; repeat for the next sample."""
        request, answer = self.requests.payload.header, HEADER(self.chunks.payload.data)
        refused = own.refusal != 0
        with m.State("HEADER"):
            m.d.comb += [
                self.chunks.valid.eq(1),
                self.chunks.payload.size.eq(WORD_BYTES),
                self.chunks.payload.last.eq(~refused & (own.words == 0)),
                answer.length.eq(Mux(refused, 1, own.words << exact_log2(WORD_BYTES))),
                answer.opcode.eq(Mux(refused, Opcode.REFUSE, request.opcode)),
                answer.sequence.eq(request.sequence),
            ]
            with m.If(self.chunks.ready):
                m.next = "WORDS"
                with m.If(refused):
                    m.next = "REASON"
                with m.Elif(own.words == 0):
                    self._end(m)
        with m.State("WORDS"):
            last = own.words == 1
            m.d.comb += [
                self.chunks.valid.eq(1),
                self.chunks.payload.eq(CHUNK.const({"size": WORD_BYTES})),
                self.chunks.payload.data.eq(self.data),
                self.chunks.payload.last.eq(last),
            ]
            with m.If(self.chunks.ready):
                m.d.sync += [own.offset.eq(own.offset + 1), own.words.eq(own.words - 1)]
                with m.If(last):
                    m.d.sync += [own.region.eq(Region.CONTROL), own.offset.eq(Control.SWEEPS)]
                    m.d.sync += self.count.eq(self.count - 1)
                    m.next = "START"
                    with m.If(self.count == 1):
                        self._end(m)
        with m.State("REASON"):
            m.d.comb += [
                self.chunks.valid.eq(1),
                self.chunks.payload.data.eq(own.refusal),
                self.chunks.payload.size.eq(1),
                self.chunks.payload.last.eq(1),
            ]
            with m.If(self.chunks.ready):
                self._end(m)

    def _end(self, m: Module) -> None:
        m.d.comb += self.requests.ready.eq(1)
        m.next = "IDLE"


class Link(wiring.Component):
    """Frames in, bus accesses, frames out.

    A request is checked when it is whole. No byte is taken while it is carried
    out, until the last word of its answer is sent: on a line that does not wait,
    `WRITE` requests may follow one another, others must wait for their answers.

    Parameters
    ----------
    image : Image
        The array.
    clock_hz : int
        Its clock in Hz, for the register of that name.

    Members
    -------
    rx : In(stream.Signature(8))
        Bytes from the host.
    tx : Out(stream.Signature(8))
        Bytes to the host.
    write : Out(1)
        Whether ``data`` is written to ``address`` in this clock.
    address, data : Out(32)
        The bus.
    states : In(n)
        States of the p-bits.
    sweeps_left : In(32)
        Sweeps the array has still to do; the array is idle when it is 0.
    beta : In(bits of the beta format)
        Code of the inverse temperature.
    """

    def __init__(self, image: Image, clock_hz: int) -> None:
        self._image = image
        self._clock_hz = clock_hz
        self._offset_bits = offset_bits(image)
        super().__init__(
            {
                "rx": In(stream.Signature(8)),
                "tx": Out(stream.Signature(8)),
                "write": Out(1),
                "address": Out(ADDRESS_BITS),
                "data": Out(WORD_BITS),
                "states": In(image.size),
                "sweeps_left": In(WORD_BITS),
                "beta": In(image.beta_format.bits),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.receiver = receiver = FrameReceiver()
        m.submodules.check = check = RequestCheck(self._image)
        m.submodules.executor = executor = Executor(self._image)
        m.submodules.reader = reader = RegisterReader(self._image, self._clock_hz)
        m.submodules.sender = sender = FrameSender()
        wiring.connect(m, wiring.flipped(self.rx), receiver.bytes)
        wiring.connect(m, receiver.requests, executor.requests)
        wiring.connect(m, executor.chunks, sender.chunks)
        wiring.connect(m, sender.bytes, wiring.flipped(self.tx))
        m.d.comb += [
            receiver.index.eq(executor.index),
            executor.word.eq(receiver.word),
            check.request.eq(receiver.requests.payload),
            check.address.eq(receiver.word),
            check.count.eq(executor.count),
            check.running.eq(self.sweeps_left != 0),
            executor.refusal.eq(check.refusal),
            executor.running.eq(check.running),
            reader.address.eq(executor.address),
            reader.states.eq(self.states),
            reader.sweeps_left.eq(self.sweeps_left),
            reader.beta.eq(self.beta),
            executor.data.eq(reader.data),
            self.write.eq(executor.write),
            self.address.eq(executor.address),
            self.data.eq(receiver.word),
        ]
        return m
