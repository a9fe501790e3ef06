"""States and clamps of a dense engine, in words."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..contract.dense import DenseShape
from ..contract.engine import WORD_BITS
from .ram import block_ram, read
from .update import delayed

DECIDED = 2
"""Clocks from a p-bit's place to its decision."""


class DenseStates(wiring.Component):
    """Reads the words of p-bits as they are decided, puts decisions in their places, and writes them.

    The decision of a p-bit is asked for `DECIDED` clocks after its place; a clock later its state stands in ``bit``,
    and its word is written in that clock if it is complete. Throughput one p-bit per clock. A word of the bus is
    written at the end of its clock. States and clamps are 0 at power-up, and no reset reaches them.

    Parameters
    ----------
    shape : DenseShape
        The engine.

    Members
    -------
    place : In(number bits + 1)
        Of a p-bit that is decided.
    named, last : In(1)
        There is one, and its colour ends with it.
    decided : In(1)
        The decision.
    bit : Out(1)
        New state of a p-bit: a clamped one's is the old one.
    bit_place : Out(number bits + 1)
        Which p-bit it is.
    read : In
        Word that is read, unless the engine runs.
    running : In(1)
        It does.
    state : Out(32)
        The word whose number stood two clocks ago.
    push, clamp : In(1)
        Write ``data`` to states, or to clamps.
    word, data : In
        Number of the word, and the word.
    written : Out(1)
        States are written in this clock.
    written_word, written_data : Out
        Number of the word, and the word.
    landed : Out(1)
        They are the last ones of a colour.
    """

    def __init__(self, shape: DenseShape) -> None:
        self._shape = shape
        self.home = block_ram(2 * WORD_BITS, shape.register_counts["packed"])
        """Of every word the states, and which of them are clamped."""
        self._bit_bits = (WORD_BITS - 1).bit_length()
        place_bits = shape.number_bits + 1
        word_bits = place_bits - self._bit_bits
        super().__init__(
            {
                "place": In(place_bits),
                "named": In(1),
                "last": In(1),
                "decided": In(1),
                "bit": Out(1),
                "bit_place": Out(place_bits),
                "read": In(word_bits),
                "running": In(1),
                "state": Out(WORD_BITS),
                "push": In(1),
                "clamp": In(1),
                "word": In(word_bits),
                "data": In(WORD_BITS),
                "written": Out(1),
                "written_word": Out(word_bits),
                "written_data": Out(WORD_BITS),
                "landed": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.home = home = self.home
        write = home.write_port(granularity=WORD_BITS)
        place = delayed(m, self.place, DECIDED)
        named, last = delayed(m, self.named, DECIDED), delayed(m, self.last, DECIDED)
        number = place[: self._bit_bits]
        held = Signal(WORD_BITS, reset_less=True)
        # when a word is written, that of the next p-bits is read already
        word = Mux(self.running, self.place[self._bit_bits :], self.read)
        found = delayed(m, read(m, home, word), DECIDED - 1)
        states, clamped = found[:WORD_BITS], found[WORD_BITS:]
        kept = clamped | ~(1 << number)[:WORD_BITS]
        with m.If(named):
            m.d.sync += held.eq((Mux(number == 0, states, held) & kept) | (self.decided.replicate(WORD_BITS) & ~kept))
        full = delayed(m, named & (last | (number == WORD_BITS - 1)), 1)
        m.d.comb += [
            self.state.eq(states),
            self.bit_place.eq(delayed(m, place, 1)),
            self.bit.eq(delayed(m, named, 1) & held.bit_select(self.bit_place[: self._bit_bits], 1)),
            self.written.eq(full | self.push),
            self.written_word.eq(Mux(full, self.bit_place[self._bit_bits :], self.word)),
            self.written_data.eq(Mux(full, held, self.data)),
            self.landed.eq(delayed(m, named & last, 1)),
            write.en.eq(Cat(self.written, self.clamp)),
            write.addr.eq(self.written_word),
            write.data.eq(Cat(self.written_data, self.data)),
        ]
        return m
