"""The array's side of the register bus: one word at a time, taken apart into strobes."""

from __future__ import annotations

from typing import Any

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..contract.generator import Generator
from ..contract.registers import OFFSET_BITS, Control, Region

ADDRESS_BITS = 32
WORD_BITS = 32
COLUMN_BITS = 4
"""Low bits of an offset that are decoded together: one 4-input LUT per column."""

_REGIONS = ("clamp", "bias", "weight", "generator", "schedule", "count")
"""Regions of which a word takes one clock."""


class OffsetDecoder(wiring.Component):
    """One-hot rows and columns of an offset, so that a register's own decoder is one LUT.

    Latency 1.

    Parameters
    ----------
    count : int
        Offsets 0 to ``count - 1`` are decoded; larger ones set no row.

    Members
    -------
    offset : In(24)
        Offset in a region.
    columns : Out(16)
        One-hot low bits.
    rows : Out(ceil(count / 16))
        One-hot other bits.
    """

    def __init__(self, count: int) -> None:
        columns = 1 << COLUMN_BITS
        super().__init__(
            {"offset": In(OFFSET_BITS), "columns": Out(columns), "rows": Out((count + columns - 1) // columns)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        low, high = self.offset[:COLUMN_BITS], self.offset[COLUMN_BITS:]
        spare = max(len(self.rows) - 1, 0).bit_length()
        m.d.sync += [
            self.columns.eq(Cat(low == column for column in range(len(self.columns)))),
            self.rows.eq(Cat((high[spare:] == 0) & (high[:spare] == row) for row in range(len(self.rows)))),
        ]
        return m

    def hit(self, offset: int) -> Value:
        """Whether the offset was ``offset``."""
        row, column = divmod(offset, len(self.columns))
        return self.rows[row] & self.columns[column]


class Loader(wiring.Component):
    """Takes a word off the bus and carries it out.

    A word of `Region.STATE` goes round its p-bits' rings in as many clocks as there are replicas, a ``LINEAR64``
    register takes 65, a rotation until the rings have moved, another control register none, and any other word one;
    2 more are spent before, in the second of which a control register has its strobe. While the array runs, a stop is
    all that is carried out. Strobes stand for one clock, ``data``, ``offset`` and hits from then to the clock after.
    At reset idle, with the first replica at hand.

    Parameters
    ----------
    image : Image or Engine
        The array, or the engine for many.
    count : int
        Offsets that `OffsetDecoder.hit` is asked for.

    Members
    -------
    write : In(1)
        Take ``data_in`` for ``address``, if ``ready``.
    address, data_in : In(32)
        The bus.
    ready : Out(1)
        Nothing is being carried out.
    running : In(1)
        The array runs.
    data : Out(32)
        The word.
    offset : Out(24)
        Its offset.
    start, stop, rotate, beta, steps : Out(1)
        A write to the control register of that name.
    home : Out(1)
        The replica at hand is the first.
    rotation : Out(replica bits)
        Which one it is.
    clamp, bias, weight, generator, schedule, count : Out(1)
        A word of that region.
    push : Out(1)
        The rings of the word hit go round.
    replace : Out(1)
        They take the word's bits for what is shown.
    clear : Out(1)
        Clear the generator register hit.
    seed : Out(1)
        Move the generator register hit on.
    inject : Out(1)
        With this bit added, see `contract.generator.seeds`.
    """

    def __init__(self, image: Any, count: int) -> None:
        self._image = image
        self._decoder = OffsetDecoder(count)
        strobes = ("start", "stop", "rotate", "beta", "steps", *_REGIONS, "push", "replace")
        super().__init__(
            {
                "write": In(1),
                "address": In(ADDRESS_BITS),
                "data_in": In(WORD_BITS),
                "ready": Out(1),
                "running": In(1),
                "data": Out(WORD_BITS),
                "offset": Out(OFFSET_BITS),
                "home": Out(1),
                "rotation": Out(range(image.interleave)),
                "clear": Out(1),
                "seed": Out(1),
                "inject": Out(1),
                **{strobe: Out(1) for strobe in strobes},
            }
        )

    def hit(self, offset: int) -> Value:
        """Whether the word is at an offset."""
        return self._decoder.hit(offset)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.decoder = decoder = self._decoder
        region = Signal(ADDRESS_BITS - OFFSET_BITS)
        m.d.comb += [decoder.offset.eq(self.offset), self.home.eq(self.rotation == 0)]
        with m.If(self.rotate):
            m.d.sync += self.rotation.eq(Mux(self.rotation == self._image.interleave - 1, 0, self.rotation + 1))
        shared = self._image.generator is Generator.LINEAR64
        turns = Signal(range(max(self._image.interleave, Generator.LINEAR64.bits)))
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.ready.eq(1)
                m.d.sync += turns.eq(0)
                with m.If(self.write):
                    m.d.sync += [region.eq(self.address[OFFSET_BITS:]), self.offset.eq(self.address[:OFFSET_BITS])]
                    m.d.sync += self.data.eq(self.data_in)
                    m.next = "DECODE"
            with m.State("DECODE"):
                m.next = "IDLE"
                with m.If(region == Region.CONTROL):
                    self._control(m)
                with m.Elif(~self.running):
                    m.next = "STROBE"
                    with m.If(region == Region.STATE):
                        m.next = "PUSH"
                    if shared:
                        with m.If(region == Region.GENERATOR):
                            m.next = "CLEAR"
            with m.State("TURN"), m.If(~self.running):
                m.next = "IDLE"
            with m.State("STROBE"):
                m.next = "IDLE"
                for name in _REGIONS:
                    m.d.comb += getattr(self, name).eq(region == Region[name.upper()])
            with m.State("PUSH"):
                m.d.comb += [self.push.eq(1), self.replace.eq(turns == 0)]
                m.d.sync += turns.eq(turns + 1)
                with m.If(turns == self._image.interleave - 1):
                    m.next = "IDLE"
            if shared:
                self._seed(m, turns)
        return m

    def _control(self, m: Module) -> None:
        """Carry out a write to a control register."""
        with m.If(self.offset == Control.STOP):
            m.d.comb += self.stop.eq(1)
        with m.If(~self.running):
            m.d.comb += [
                self.start.eq((self.offset == Control.SWEEPS) & self.home),
                self.steps.eq((self.offset == Control.STEPS) & self.home),
                self.beta.eq(self.offset == Control.BETA),
                self.rotate.eq(self.offset == Control.ROTATE),
            ]
            with m.If(self.rotate):
                m.next = "TURN"

    def _seed(self, m: Module, turns: Signal) -> None:
        """Keep the low word of a seed; with the high one the register is cleared and all 64 bits go in."""
        bits = Generator.LINEAR64.bits
        low, rest = Signal(WORD_BITS), Signal(bits)
        with m.State("CLEAR"):
            m.d.sync += rest.eq(Cat(low, self.data))
            m.d.comb += self.clear.eq(self.offset[0])
            m.next = "SEED"
            with m.If(~self.offset[0]):
                m.d.sync += low.eq(self.data)
                m.next = "IDLE"
        with m.State("SEED"):
            m.d.comb += [self.seed.eq(1), self.inject.eq(rest[0])]
            m.d.sync += [turns.eq(turns + 1), rest.eq(rest >> 1)]
            with m.If(turns == bits - 1):
                m.next = "IDLE"
