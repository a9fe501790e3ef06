"""Counters of p-bits and edges that are 1: the mirror of `contract.schedule.counted`."""

from __future__ import annotations

from amaranth import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..contract.image import Image
from ..contract.registers import OFFSET_BITS
from ..contract.schedule import edges
from .ram import block_ram, read
from .update import delayed

WORD_BITS = 32
PLACE_BITS = 5
"""Bits of a place in a word."""

PIPELINE = 5
"""Clocks from a counter's number to its new value."""


class Moments(wiring.Component):
    """Counts the states of an array into block RAM, all replicas in turn.

    A replica's states are copied word by word, then each p-bit and each edge takes a clock, and the array is
    rotated; so a count takes (n / 32 + n + edges + 20) clocks per replica, about. Counters saturate. At reset
    they are 0.

    Parameters
    ----------
    image : Image
        The array.
    latency : int
        Clocks from ``word`` to ``states``.

    Members
    -------
    begin : In(1)
        Count.
    busy : Out(1)
        From the clock after.
    word : Out(bits of the words)
        Which states are to be shown.
    states : In(32)
        They are.
    rotate : Out(1)
        Go on to the next replica.
    moving : In(1)
        The array is on its way there.
    load : In(1)
        Write ``data`` to the counter ``offset``; not while it counts.
    offset : In(24)
        P-bit, or n and the edge.
    data : In(32)
        What to write.
    counter : Out(32)
        The counter ``offset``, 2 clocks later.
    """

    def __init__(self, image: Image, latency: int) -> None:
        self._image = image
        self._latency = latency
        self._words = -(-image.size // WORD_BITS)
        super().__init__(
            {
                "begin": In(1),
                "busy": Out(1),
                "word": Out(range(self._words)),
                "states": In(WORD_BITS),
                "rotate": Out(1),
                "moving": In(1),
                "load": In(1),
                "offset": In(OFFSET_BITS),
                "data": In(WORD_BITS),
                "counter": Out(WORD_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        first, second = edges(self._image)
        total = self._image.size + len(first)
        number, valid, replica = Signal(range(total + 1)), Signal(), Signal(range(self._image.interleave))
        copied, waited = Signal(range(self._words + 1)), Signal(range(max(self._latency, PIPELINE) + 2))
        m.d.comb += self.word.eq(copied)
        keep = Signal()
        with m.FSM() as fsm:
            with m.State("IDLE"):
                m.d.sync += [copied.eq(0), waited.eq(0), number.eq(0), replica.eq(0)]
                with m.If(self.begin):
                    m.next = "COPY"
            with m.State("COPY"):
                m.d.sync += waited.eq(waited + 1)
                with m.If(waited == self._latency):
                    m.d.comb += keep.eq(1)
                    m.d.sync += [copied.eq(copied + 1), waited.eq(0)]
                    with m.If(copied == self._words - 1):
                        m.next = "COUNT"
            with m.State("COUNT"):
                m.d.comb += valid.eq(1)
                m.d.sync += number.eq(number + 1)
                with m.If(number == total - 1):
                    m.next = "FINISH"
            with m.State("FINISH"):
                m.d.sync += [number.eq(0), copied.eq(0), waited.eq(waited + 1)]
                with m.If(waited == PIPELINE + 1):
                    m.d.comb += self.rotate.eq(1)
                    m.d.sync += waited.eq(0)
                    m.next = "MOVE"
            with m.State("MOVE"):
                m.d.sync += waited.eq(1)
                with m.If((waited != 0) & ~self.moving):
                    m.d.sync += [waited.eq(0), replica.eq(replica + 1)]
                    m.next = "COPY"
                    with m.If(replica == self._image.interleave - 1):
                        m.next = "IDLE"
        m.d.comb += self.busy.eq(~fsm.ongoing("IDLE"))
        ends = [[*range(self._image.size), *pbits.tolist()] for pbits in (first, second)]
        both = [
            self._state(m, name, own, number, copied, keep) for name, own in zip(("first", "second"), ends, strict=True)
        ]
        self._counters(m, total, number, delayed(m, valid, 4), both[0] & both[1])
        return m

    def _state(self, m: Module, name: str, pbits: list[int], number: Value, copied: Value, keep: Value) -> Value:
        """The state of one of a counter's p-bits, four clocks after its number."""
        m.submodules[f"{name}_pbits"] = places = Memory(shape=bits_for(max(pbits)), depth=len(pbits), init=pbits)
        m.submodules[f"{name}_states"] = states = block_ram(WORD_BITS, self._words)
        place, write = places.read_port(), states.write_port()
        held = delayed(m, place.data, 1)
        m.d.comb += [
            place.addr.eq(number),
            write.en.eq(keep),
            write.addr.eq(copied),
            write.data.eq(self.states),
        ]
        word = read(m, states, held[PLACE_BITS:])  # when all are copied
        return delayed(m, word.bit_select(delayed(m, held[:PLACE_BITS], 1), 1), 1)

    def _counters(self, m: Module, total: int, number: Value, valid: Value, one: Value) -> None:
        """Add to the counter of each number, which was read in the meantime, unless it is full."""
        m.submodules.counters = counters = block_ram(WORD_BITS, total)
        write = counters.write_port()
        late = delayed(m, number, 4)  # two behind the one that is read
        before = delayed(m, read(m, counters, Mux(self.busy, delayed(m, number, 2), self.offset)), 1)
        m.d.comb += [
            self.counter.eq(before),
            write.en.eq(self.load | (valid & one & ~before.all())),
            write.addr.eq(Mux(self.busy, late, self.offset)),
            write.data.eq(Mux(self.busy, before + 1, self.data)),
        ]
