"""What makes the lanes of a tiled engine go: slots, rounds, colours and sweeps."""

from __future__ import annotations

from typing import Any

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..contract.tiled import SWEEP_ENDS, Shape
from .decider import LATENCY
from .lane import FIRST
from .ram import block_ram, read
from .update import delayed

COUNT_BITS = 32
READ = 2
"""Clocks from a slot to what the schedule says of it."""

BIAS = 1
"""Clocks by which a bias is asked for before the sums stand: two before the first turn."""


class SweepCounter(wiring.Component):
    """Counts sweeps, and lets the next colour begin where one ends. A stop lets the sweep under way end.

    ``again`` follows combinationally. At reset no sweep is under way.

    Parameters
    ----------
    landing : int
        Clocks for which the engine runs after the last sweep's end, until everything is written.

    Members
    -------
    start : In(1)
        Begin ``sweeps`` sweeps; the engine must be idle.
    sweeps : In(32)
        How many, at least 1.
    stop : In(1)
        Finish the sweep under way, and no other.
    colour_ends, sweep_ends : In(1)
        A colour ends, and a sweep with it.
    again : Out(1)
        A colour begins in the next clock.
    running : Out(1)
        Sweeps are under way.
    sweeps_left : Out(32)
        Sweeps to do, the one under way included.
    """

    def __init__(self, landing: int) -> None:
        self._landing = landing
        super().__init__(
            {
                "start": In(1),
                "sweeps": In(COUNT_BITS),
                "stop": In(1),
                "colour_ends": In(1),
                "sweep_ends": In(1),
                "again": Out(1),
                "running": Out(1),
                "sweeps_left": Out(COUNT_BITS),
            }
        )

    def serve(self, m: Module, pacer: Any, colour_ends: Value, sweep_ends: Value) -> None:
        """Connect what starts and stops a pacer, and what it says of its runs."""
        m.submodules.sweeps = self
        m.d.comb += [
            self.start.eq(pacer.start),
            self.sweeps.eq(pacer.sweeps),
            self.stop.eq(pacer.stop),
            self.colour_ends.eq(colour_ends),
            self.sweep_ends.eq(sweep_ends),
            pacer.running.eq(self.running),
            pacer.sweeps_left.eq(self.sweeps_left),
        ]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        busy, one, stopping = Signal(), Signal(), Signal()
        landing = Signal(self._landing)
        final = one | stopping | self.stop
        m.d.comb += [
            self.running.eq(busy | landing.any()),
            self.again.eq((self.colour_ends & ~(self.sweep_ends & final)) | self.start),
        ]
        m.d.sync += [one.eq(self.sweeps_left == 1), landing.eq(Cat(busy, landing))]
        with m.If(self.sweep_ends):
            m.d.sync += [self.sweeps_left.eq(Mux(final, 0, self.sweeps_left - 1)), busy.eq(~final)]
        with m.Elif(self.stop & busy):
            m.d.sync += [self.sweeps_left.eq(1), stopping.eq(1)]
        with m.Elif(self.start):
            m.d.sync += [self.sweeps_left.eq(self.sweeps), busy.eq(1), stopping.eq(0)]
        return m


class Pacer(wiring.Component):
    """Goes through the slots, and tells everything behind the lanes when a round has come so far.

    The schedule says two clocks after a slot whether a round, colour or sweep ends with it. After a colour nothing
    begins until its last states are decided; their row is written two clocks later, before the first entry of the next
    colour asks for its neighbour. A stop lets the sweep under way end. At reset the engine is idle, and a sweep is one
    round, of no p-bits.

    Parameters
    ----------
    shape : Shape
        The engine.

    Members
    -------
    start, sweeps, stop, running, sweeps_left
        See `SweepCounter`.
    load : In(1)
        Write ``ends`` to ``load_slot`` of the schedule.
    load_slot, ends : In
        See `contract.tiling.Tiling.schedule`.
    slot : Out(slot bits)
        For the lanes.
    first : Out(1)
        For the lanes.
    capture : Out(1)
        Sums stand.
    bias_row, bias_place : Out
        Whose bias the deciders read.
    turns : Out(turns)
        For the deciders of the first span; all that is for lanes and deciders reaches the others later.
    moves : Out(1)
        The last turn of a replica's in the first span.
    gathered : Out(replicas)
        A round is decided in the last span, in one replica after another.
    row : Out(row bits)
        Row that is gathered.
    colour_ends : Out(1)
        The row that is gathered is the last one of a colour, in the last replica.
    """

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        super().__init__(
            {
                "start": In(1),
                "sweeps": In(COUNT_BITS),
                "stop": In(1),
                "load": In(1),
                "load_slot": In(shape.slot_bits),
                "ends": In(2),
                "slot": Out(shape.slot_bits),
                "first": Out(1),
                "capture": Out(1),
                "bias_row": Out(shape.row_bits),
                "bias_place": Out(shape.turn_bits),
                "turns": Out(shape.turns),
                "moves": Out(1),
                "gathered": Out(shape.interleave),
                "row": Out(shape.row_bits),
                "colour_ends": Out(1),
                "running": Out(1),
                "sweeps_left": Out(COUNT_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        again, shape = Signal(), self._shape
        ends, valid = self._issue(m, again)
        # for every number of clocks since a slot's ends are known: does a round, colour, sweep end with it
        told = [Cat(ends.any(), ends[1], ends.all())]
        captured = FIRST + 1 - READ
        turn = captured + LATENCY
        for _ in range(turn + shape.turns + shape.spans - 1):
            told.append(delayed(m, told[-1], 1))
        lasts = range(shape.group - 1, shape.turns, shape.group)
        fresh = Signal(init=1)
        m.d.sync += fresh.eq(ends.any() | (fresh & ~valid))
        m.d.comb += [
            self.first.eq(delayed(m, fresh, FIRST - READ)),
            self.capture.eq(told[captured][0]),
            self.turns.eq(Cat(each[0] for each in told[turn:][: shape.turns])),
            self.moves.eq(Cat(self.turns[last] for last in lasts).any()),
            self.gathered.eq(Cat(told[turn + last + shape.spans][0] for last in lasts)),
            self.colour_ends.eq(told[-1][1]),
        ]
        bias_row = self._count(m, told[captured - BIAS - 1])
        with m.If(told[captured - BIAS - 1][0]):
            m.d.sync += [self.bias_row.eq(bias_row), self.bias_place.eq(0)]
        with m.Else():
            m.d.sync += self.bias_place.eq(Mux(self.bias_place == shape.group - 1, 0, self.bias_place + 1))
        m.d.comb += self.row.eq(self._count(m, told[-1]))
        # the last row is written two clocks after it is gathered, and later for spans but the first
        sweeps = SweepCounter(1 + shape.spans)
        sweeps.serve(m, self, told[-1][1], told[-1][2])
        m.d.comb += again.eq(sweeps.again)
        return m

    def _issue(self, m: Module, again: Value) -> tuple[Value, Value]:
        """Go through the slots, up to the end of a colour.

        Returns what ends with the slot of `READ` clocks ago, and whether there was one.
        """
        init = [0] * (self._shape.turns - 1) + [SWEEP_ENDS]
        m.submodules.schedule = schedule = block_ram(2, self._shape.slots, init)
        write = schedule.write_port()
        m.d.comb += [
            write.en.eq(self.load),
            write.addr.eq(self.load_slot),
            write.data.eq(self.ends),
        ]
        issuing, valid, ends = Signal(), Signal(READ), Signal(2)
        said = delayed(m, read(m, schedule, self.slot), READ - 1)
        m.d.comb += ends.eq(Mux(valid[-1], said, 0))
        with m.If(ends[1]):
            # the slots behind it are under way already
            m.d.sync += [issuing.eq(0), valid.eq(0), self.slot.eq(Mux(ends[0], 0, self.slot - (READ - 1)))]
        with m.Else():
            m.d.sync += [issuing.eq(issuing | again), valid.eq(Cat(issuing, valid)), self.slot.eq(self.slot + issuing)]
        return ends, valid[-1]

    def _count(self, m: Module, told: Value) -> Value:
        """The row of the round that ends in this clock, where it is told so."""
        row = Signal(self._shape.row_bits)
        with m.If(told[0]):
            m.d.sync += row.eq(Mux(told[2], 0, row + 1))
        return row
