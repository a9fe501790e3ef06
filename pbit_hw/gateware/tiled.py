"""The tiled engine: the mirror of `contract.tiled`."""

from __future__ import annotations

from functools import reduce
from operator import or_

from amaranth import Cat, Const, Module, Mux, Value
from amaranth.lib import wiring

from ..contract.generator import WORD_BITS as RANDOM_BITS
from ..contract.registers import OFFSET_BITS
from ..contract.tiled import SPAN, Shape
from .bank import Bank
from .decider import Decider
from .engine import attach, engine_members
from .lane import Lane
from .loader import WORD_BITS, Loader
from .pacer import Pacer
from .ram import block_ram, read
from .update import delayed


class Tiled(wiring.Component):
    """Lanes, their deciders and generators, and the bus that loads them.

    A sweep takes `contract.tiling.Tiling.clocks`. The bus is that of `array.Array`, but for the state, of which one
    word is read at a time. At reset all states and clamps are 0, there is no graph, generator registers are
    as `contract.generator.powered_up` says, and beta is 0.

    Parameters
    ----------
    shape : Shape
        The engine.
    blocks : bool
        See `threshold.Threshold`.

    Members
    -------
    write, address, data, ready, running, home, sweeps_left, beta
        See `array.Array`; ``address`` is what is read, too.
    state : Out(32)
        The word of `Region.STATE` of the replica at hand whose address stood two clocks ago and still does.
    landed : Out(1)
        The last states of a colour are written in this clock.
    """

    def __init__(self, shape: Shape, *, blocks: bool = True) -> None:
        self._shape = shape
        self.lanes = [Lane(shape) for _ in range(shape.lanes)]
        self._deciders = [
            Decider(shape, min(shape.group, shape.lanes - first), blocks=blocks)
            for first in range(0, shape.lanes, shape.group)
        ]
        self._bank = Bank(shape)
        self.generators = self._bank.generators
        self.store = block_ram((shape.interleave + 1) * shape.lanes, shape.rows)
        """Of every row the states of each replica, and which of them are clamped."""
        super().__init__(engine_members(shape.beta_bits))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shape = self._shape
        loader, pacer = Loader(shape, self._bank.count), Pacer(shape)
        attach(m, self, loader, pacer)
        m.d.comb += [
            pacer.load_slot.eq(loader.offset),
            pacer.ends.eq(loader.data),
            self.landed.eq(delayed(m, pacer.colour_ends, 1 + shape.spans)),
        ]
        m.d.sync += pacer.load.eq(self._entry_of(loader, shape.lanes))
        decided, present = self._decide(m, loader, pacer)
        self._generate(m, loader, pacer.moves, Cat(present))
        self._land(m, loader, pacer, self._aligned(m, decided), self._aligned(m, present))
        return m

    def _entry_of(self, loader: Loader, lane: int) -> Value:
        """Whether a word is for the memory of a lane; the schedule comes after the last one's."""
        return loader.weight & (loader.offset[self._shape.slot_bits :] == lane)

    def _span(self, lane: int) -> int:
        """Clocks by which a lane is later than the first one."""
        return lane // (SPAN * self._shape.group)

    def _words(self, m: Module, loader: Loader) -> list[tuple[Value, Value]]:
        """Offset and word on the bus as they reach every span."""
        word: tuple[Value, Value] = (loader.offset, loader.data)
        return [word := (delayed(m, word[0], 1), delayed(m, word[1], 1)) for _ in range(self._shape.spans)]

    def _aligned(self, m: Module, groups: list[Value]) -> Value:
        """Bits of all groups in the clock in which the last ones come."""
        last = self._shape.spans - 1
        return Cat(delayed(m, bits, last - number // SPAN) for number, bits in enumerate(groups))

    def _decide(self, m: Module, loader: Loader, pacer: Pacer) -> tuple[list[Value], list[Value]]:
        """Lanes, and deciders of groups of them; returns what is decided and present when a group has had its turns."""
        shape = self._shape
        place_bits = shape.row_bits + shape.turn_bits
        words = self._words(m, loader)
        for number, lane in enumerate(self.lanes):
            m.submodules[f"lane_{number}"] = lane
            span = self._span(number)
            m.d.comb += [
                lane.slot.eq(delayed(m, pacer.slot, span)),
                lane.first.eq(delayed(m, pacer.first, span)),
                lane.load.eq(delayed(m, self._entry_of(loader, number), 1 + span)),
                lane.load_slot.eq(words[span][0]),
                lane.entry.eq(words[span][1]),
            ]
        for number, decider in enumerate(self._deciders):
            m.submodules[f"decider_{number}"] = decider
            mine = range(shape.lanes)[number * shape.group :][: shape.group]
            span = number // SPAN
            m.d.comb += [
                decider.totals.eq(self._totals(mine)),
                decider.capture.eq(delayed(m, pacer.capture, span)),
                decider.row.eq(delayed(m, pacer.bias_row, span)),
                decider.place.eq(delayed(m, pacer.bias_place, span)),
                decider.beta.eq(delayed(m, self.beta, 1 + span)),
                decider.turns.eq(delayed(m, pacer.turns, span)),
                decider.words.eq(self._bank.words[mine.start * RANDOM_BITS : mine.stop * RANDOM_BITS]),
                decider.load.eq(delayed(m, loader.bias & (loader.offset[place_bits:] == number), 1 + span)),
                decider.load_place.eq(words[span][0]),
                decider.bias.eq(words[span][1]),
            ]
        return [each.decided for each in self._deciders], [each.present for each in self._deciders]

    def _totals(self, lanes: range) -> Value:
        """Sums of a group's lanes in the order of their turns."""
        bits, spare = self._shape.bias_bits, self._shape.group - len(lanes)
        return Cat(
            Cat(*(self.lanes[lane].totals.word_select(replica, bits) for lane in lanes), Const(0, spare * bits))
            for replica in range(self._shape.interleave)
        )

    def _generate(self, m: Module, loader: Loader, gathered: Value, present: Value) -> None:
        """Registers move when a replica's round is gathered, if one of their lanes has a p-bit: the first one has."""
        m.submodules.bank = bank = self._bank
        bank.listen(m, loader)
        firsts = range(0, self._shape.lanes, self._shape.generator.share)
        m.d.comb += bank.moves.eq(Cat(delayed(m, gathered, self._span(lane)) & present[lane] for lane in firsts))

    def _land(self, m: Module, loader: Loader, pacer: Pacer, decided: Value, present: Value) -> None:
        """Rows of states: what a round decided, or a word of the bus, goes into all copies a clock later."""
        shape = self._shape
        m.submodules.store = store = self.store
        write = store.write_port(granularity=shape.lanes)
        word_bits = shape.row_words - 1  # of an offset, for one or two words of a row
        busy = self.running | ~loader.ready
        offset = Mux(busy, loader.offset, self.address[:OFFSET_BITS])
        # a row is read when it is gathered or its word stands, and written two clocks later
        found = read(m, store, Mux(self.running, pacer.row, offset[word_bits:]))
        landing, row = delayed(m, pacer.gathered, 1), delayed(m, pacer.row, 1)
        states = found.word_select(Mux(self.running, place_of(landing), loader.rotation), shape.lanes)
        clamped = found[-shape.lanes :]
        kept = clamped | ~delayed(m, present, 2)
        landed = (states & kept) | (delayed(m, decided, 1) & ~kept)
        pushed = (delayed(m, loader.replace, 1) << loader.rotation)[: shape.interleave]
        held = delayed(m, Mux(landing.any(), landed, self._replaced(loader, states)), 1)
        clamps = delayed(m, self._replaced(loader, clamped), 1)
        m.d.sync += self.state.eq(states.word_select(offset[:word_bits], WORD_BITS))
        m.d.comb += [
            write.addr.eq(delayed(m, Mux(landing.any(), row, loader.offset[word_bits:]), 1)),
            write.en.eq(delayed(m, Cat(landing | pushed, delayed(m, loader.clamp, 1)), 1)),
            write.data.eq(Cat(held.replicate(shape.interleave), clamps)),
        ]
        for number, lane in enumerate(self.lanes):
            span = self._span(number)
            m.d.comb += [
                lane.write.eq(delayed(m, write.en[:-1], span)),
                lane.row.eq(delayed(m, write.addr, span)),
                lane.states.eq(delayed(m, held, span)),
            ]

    def _replaced(self, loader: Loader, row: Value) -> Value:
        """A row with the word on the bus in its place."""
        words = range(self._shape.row_words)
        parts = [row[word * WORD_BITS : (word + 1) * WORD_BITS] for word in words]
        hits = [loader.offset[: len(words) - 1] == word for word in words]
        return Cat(Mux(hit, loader.data[: len(part)], part) for hit, part in zip(hits, parts, strict=True))


def place_of(one_hot: Value) -> Value:
    """Which of the bits is set, if one is."""
    return reduce(or_, (Mux(bit, place, 0) for place, bit in enumerate(one_hot)))
