"""The device's end of the link: requests are checked, carried out on the array's bus, and answered."""

from __future__ import annotations

from amaranth import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for, exact_log2

from ..contract.link import MAX_REQUEST, READ, SAMPLE, WRITE, Opcode, Refusal
from ..contract.registers import OFFSET_BITS, Control, Mapped, Region, address
from ..contract.schedule import STEPS
from .frames import BUFFER_WORDS, CHUNK, HEADER, REQUEST, WORD_BITS, WORD_BYTES, FrameReceiver, FrameSender
from .registers import ADDRESS_BITS, COUNT_BITS, READ_LATENCY, AccessCheck, RegisterReader, longest_access, offset_bits

CHECK_LATENCY = 4
"""Clocks from a request to the reason to refuse it."""


class RequestCheck(wiring.Component):
    """Why a request must be refused: the first reason that holds, in the order of `Refusal`.

    Latency `CHECK_LATENCY`. A request for no word or no sample has a wrong length.

    Parameters
    ----------
    image : Mapped
        The array.

    Members
    -------
    request : In(REQUEST)
        Its header.
    address : In(32)
        First word of its payload.
    count : In(16)
        Words to read or write, or samples.
    running, home : In(1)
        Whether the array runs, and the replica at hand is the first.
    refusal : Out(3)
        A `Refusal`, or 0.
    """

    def __init__(self, image: Mapped) -> None:
        self._image = image
        super().__init__(
            {
                "request": In(REQUEST),
                "address": In(ADDRESS_BITS),
                "count": In(COUNT_BITS),
                "running": In(1),
                "home": In(1),
                "refusal": Out(range(max(Refusal) + 1)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.access = access = AccessCheck(self._image)
        opcode, length = self.request.header.opcode, self.request.header.length
        starts, disturbs, fits, known, some = Signal(), Signal(), Signal(), Signal(), Signal()
        m.d.sync += [starts.eq(0), disturbs.eq(0), fits.eq(0), known.eq(1), some.eq(self.count != 0)]
        with m.Switch(opcode):
            with m.Case(Opcode.READ):
                fits_answer = self.count < 1 << (len(length) - exact_log2(WORD_BYTES))
                m.d.sync += fits.eq((length == READ.size) & fits_answer)
            with m.Case(Opcode.WRITE):
                whole_words = length[: exact_log2(WORD_BYTES)] == WRITE.size % WORD_BYTES
                m.d.sync += fits.eq(whole_words & (length >= WRITE.size) & (length <= MAX_REQUEST))
                runs = [address(Region.CONTROL, offset) for offset in (Control.SWEEPS, Control.STEPS)]
                m.d.sync += starts.eq((self.address == runs[0]) | (self.address == runs[1]))
                m.d.sync += disturbs.eq((self.address != address(Region.CONTROL, Control.STOP)) | (self.count != 1))
            with m.Case(Opcode.SAMPLE):
                m.d.sync += [fits.eq(length == SAMPLE.size), starts.eq(1), disturbs.eq(1)]
            with m.Default():
                m.d.sync += known.eq(0)
        m.d.comb += [
            access.address.eq(self.address),
            access.words.eq(self.count),
            access.write.eq(opcode == Opcode.WRITE),
        ]
        m.d.sync += self.refusal.eq(0)
        with m.If(~self.request.intact):
            m.d.sync += self.refusal.eq(Refusal.CRC)
        with m.Elif(~known):
            m.d.sync += self.refusal.eq(Refusal.OPCODE)
        with m.Elif(~(fits & some)):
            m.d.sync += self.refusal.eq(Refusal.LENGTH)
        with m.Elif(~access.allowed & (opcode != Opcode.SAMPLE)):
            m.d.sync += self.refusal.eq(Refusal.ADDRESS)
        with m.Elif((disturbs & self.running) | (starts & ~self.home)):
            m.d.sync += self.refusal.eq(Refusal.BUSY)
        return m


class Executor(wiring.Component):
    """Carries out one request at a time.

    Words are written as fast as the array takes them from nine clocks after the
    last byte of the request, or the array is started then; it is started again when
    the last word of a sample has been sent.

    Parameters
    ----------
    image : Mapped
        The array.

    Members
    -------
    requests : In(stream.Signature(REQUEST))
        Accepted in the clock after its last answer's last chunk is.
    index : Out(6)
        Word of its payload to read.
    word : In(32)
        That word, one clock later.
    first : Out(32)
        The payload's first word, for `RequestCheck`.
    count : Out(16)
        Words to read or write, or samples.
    refusal : In(3)
        What that says, `CHECK_LATENCY` clocks after both stand.
    idle : In(1)
        A clock ago the array had carried everything out, and nothing was written.
    write : Out(1)
        Write ``word`` to ``address``, if the array is ready.
    ready : In(1)
        It is.
    address : Out(32)
        Address of the bus.
    data : In(32)
        What is read at ``address``, `registers.READ_LATENCY` clocks later.
    chunks : Out(stream.Signature(CHUNK))
        The answers.
    """

    def __init__(self, image: Mapped) -> None:
        self._image = image
        super().__init__(
            {
                "requests": In(stream.Signature(REQUEST)),
                "index": Out(range(BUFFER_WORDS)),
                "word": In(WORD_BITS),
                "first": Out(ADDRESS_BITS),
                "count": Out(COUNT_BITS),
                "refusal": In(range(max(Refusal) + 1)),
                "idle": In(1),
                "write": Out(1),
                "ready": In(1),
                "address": Out(ADDRESS_BITS),
                "data": In(WORD_BITS),
                "chunks": Out(stream.Signature(CHUNK)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._packed = self._image.register_counts["packed"]
        own = Signal(
            data.StructLayout(
                {
                    "region": Region,
                    "offset": offset_bits(self._image),
                    "position": range(BUFFER_WORDS + 1),
                    "words": bits_for(longest_access(self._image)),
                    "waited": range(max(READ_LATENCY, CHECK_LATENCY)),
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
            m.d.comb += self.index.eq(1)
            m.d.sync += own.waited.eq(0)
            with m.If(self.requests.valid):
                m.next = "COUNT"
        with m.State("COUNT"):
            m.d.sync += self.count.eq(self.word)
            with m.If(header.opcode == Opcode.WRITE):
                m.d.sync += self.count.eq((header.length - WRITE.size) >> exact_log2(WORD_BYTES))
            m.next = "FIRST"
        with m.State("FIRST"):
            m.d.sync += self.first.eq(self.word)
            m.next = "CHECK"
        with m.State("CHECK"):
            m.d.sync += own.waited.eq(own.waited + 1)
            with m.If(own.waited == CHECK_LATENCY - 1):
                m.next = "DECIDE"
        with m.State("DECIDE"):
            m.d.sync += [
                own.region.eq(self.first[OFFSET_BITS:]),
                own.offset.eq(self.first),
                own.refusal.eq(self.refusal),
            ]
            m.d.sync += [own.position.eq(2), own.words.eq(self.count), self.count.eq(1), own.waited.eq(0)]
            m.next = "HEADER"
            with m.If(self.refusal == 0), m.Switch(header.opcode):
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
            taken = Signal()
            m.d.comb += [
                taken.eq(self.ready),
                self.write.eq(1),
                self.index.eq(Mux(taken, own.position, own.position - 1)),
            ]
            with m.If(taken):
                m.d.sync += [own.position.eq(own.position + 1), own.offset.eq(own.offset + 1)]
                m.d.sync += own.words.eq(own.words - 1)
                with m.If(own.words == 1):
                    m.next = "HEADER"

    def _run(self, m: Module, own: data.View) -> None:
        """Start the array with the payload's first word, and wait for it."""
        with m.State("START"):
            m.d.comb += self.write.eq(1)
            with m.If(self.ready):
                m.next = "RUN"
        with m.State("RUN"):
            m.d.sync += [own.region.eq(Region.STATE), own.offset.eq(0)]
            m.d.sync += own.words.eq(self._packed * self._image.interleave)
            with m.If(self.idle):
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
                m.next = "FETCH"
                with m.If(refused):
                    m.next = "REASON"
                with m.Elif(own.words == 0):
                    m.next = "END"
        with m.State("FETCH"):
            m.d.sync += own.waited.eq(own.waited + 1)
            with m.If(own.waited == READ_LATENCY - 1):
                m.d.sync += own.waited.eq(0)
                m.next = "WORDS"
        with m.State("WORDS"):
            m.d.comb += [
                self.chunks.valid.eq(1),
                self.chunks.payload.eq(CHUNK.const({"size": WORD_BYTES})),
                self.chunks.payload.data.eq(self.data),
                self.chunks.payload.last.eq(own.words == 1),
            ]
            with m.If(self.chunks.ready):
                m.d.sync += [own.offset.eq(own.offset + 1), own.words.eq(own.words - 1)]
                m.next = "FETCH"
                with m.If(request.opcode == Opcode.SAMPLE), m.If(own.offset == self._packed - 1):
                    m.d.sync += [own.region.eq(Region.CONTROL), own.offset.eq(Control.ROTATE)]
                    m.next = "ROTATE"
                with m.Elif(own.words == 1):
                    m.next = "END"
        self._go_on(m, own)
        # what tells that this was the last word is not on the way to the receiver
        with m.State("END"):
            m.d.comb += self.requests.ready.eq(1)
            m.next = "IDLE"
        with m.State("REASON"):
            m.d.comb += [
                self.chunks.valid.eq(1),
                self.chunks.payload.data.eq(own.refusal),
                self.chunks.payload.size.eq(1),
                self.chunks.payload.last.eq(1),
            ]
            with m.If(self.chunks.ready):
                m.next = "END"

    def _go_on(self, m: Module, own: data.View) -> None:
        """Go on to the next replica, or to the next sample."""
        with m.State("ROTATE"):
            m.d.comb += self.write.eq(1)
            with m.If(self.ready):
                m.next = "ROTATED"
        with m.State("ROTATED"), m.If(self.idle):
            m.d.sync += [own.region.eq(Region.STATE), own.offset.eq(0)]
            m.next = "FETCH"
            with m.If(own.words == 0):
                m.d.sync += [own.region.eq(Region.CONTROL), own.offset.eq(Control.SWEEPS)]
                m.d.sync += self.count.eq(self.count - 1)
                m.next = "START"
                with m.If(self.count == 1):
                    m.next = "END"


class Link(wiring.Component):
    """Frames in, bus accesses, frames out.

    A request is checked when it is whole. No byte is taken while it is carried
    out, until the last word of its answer is sent: on a line that does not wait,
    `WRITE` requests may follow one another, others must wait for their answers.

    Parameters
    ----------
    mapped : Mapped
        What has registers.
    constants : dict of int to int
        Contents of the read-only control registers, by offset.
    beta_bits : int
        Width of the register of beta.

    Members
    -------
    rx : In(stream.Signature(8))
        Bytes from the host.
    tx : Out(stream.Signature(8))
        Bytes to the host.
    write, ready, address, data, running, home, state, sweeps_left, beta, steps_left, counter
        See `array.Array`, whose other side this is.
    """

    def __init__(self, mapped: Mapped, constants: dict[int, int], beta_bits: int) -> None:
        self._mapped = mapped
        self._constants = constants
        self._beta_bits = beta_bits
        super().__init__(
            {
                "rx": In(stream.Signature(8)),
                "tx": Out(stream.Signature(8)),
                "write": Out(1),
                "ready": In(1),
                "address": Out(ADDRESS_BITS),
                "data": Out(WORD_BITS),
                "running": In(1),
                "home": In(1),
                "state": In(WORD_BITS),
                "sweeps_left": In(WORD_BITS),
                "beta": In(beta_bits),
                "steps_left": In(bits_for(STEPS)),
                "counter": In(WORD_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.receiver = receiver = FrameReceiver()
        m.submodules.check = check = RequestCheck(self._mapped)
        m.submodules.executor = executor = Executor(self._mapped)
        m.submodules.reader = reader = RegisterReader(self._constants, self._beta_bits)
        m.submodules.sender = sender = FrameSender()
        wiring.connect(m, wiring.flipped(self.rx), receiver.bytes)
        wiring.connect(m, receiver.requests, executor.requests)
        wiring.connect(m, executor.chunks, sender.chunks)
        wiring.connect(m, sender.bytes, wiring.flipped(self.tx))
        idle = Signal()
        m.d.sync += idle.eq(self.ready & ~self.running & ~executor.write)
        m.d.comb += [
            receiver.index.eq(executor.index),
            executor.word.eq(receiver.word),
            check.request.eq(receiver.requests.payload),
            check.address.eq(executor.first),
            check.count.eq(executor.count),
            check.running.eq(self.running),
            check.home.eq(self.home),
            executor.refusal.eq(check.refusal),
            executor.ready.eq(self.ready),
            executor.idle.eq(idle),
            reader.address.eq(executor.address),
            reader.state.eq(self.state),
            reader.sweeps_left.eq(self.sweeps_left),
            reader.beta.eq(self.beta),
            reader.steps_left.eq(self.steps_left),
            reader.counter.eq(self.counter),
            executor.data.eq(reader.data),
            self.write.eq(executor.write),
            self.address.eq(executor.address),
            self.data.eq(receiver.word),
        ]
        return m
