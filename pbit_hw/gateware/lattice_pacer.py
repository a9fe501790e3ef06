"""What makes a lattice engine go: rounds, colours and sweeps."""

from __future__ import annotations

from amaranth import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..contract.lattice import DRAIN, LatticeShape
from .pacer import COUNT_BITS, SweepCounter
from .update import delayed

COUPLINGS, LINED = 1, 2
OWN, COMPARED, LANDED = DRAIN - 2, DRAIN - 1, DRAIN
"""Clocks from the read that completes a round's neighbours to that of its couplings, its neighbours standing in the
line, the read of its own states, its comparison, and its write."""


class LatticePacer(wiring.Component):
    """Goes through the rounds of both colours in turn.

    A colour reads the other one's rounds, those of the last row first and of the first row last, one per clock; from
    the second row on, every read completes the neighbours of a round, which is written `LANDED` clocks later. The
    next colour begins when all is written. A stop lets the sweep under way end. At reset the engine is idle.

    Parameters
    ----------
    shape : LatticeShape
        The engine.

    Members
    -------
    start, sweeps, stop, running, sweeps_left
        See `pacer.SweepCounter`.
    colour : Out(1)
        Which is updated.
    place : Out(round bits)
        Round of the other colour to read.
    couplings, own, target : Out(round bits)
        Rounds whose couplings and whose own states to read, and that is written.
    first, last, odd : Out(1)
        The round whose neighbours stand in the line is the first or last of its row, and its row and colour are odd
        together.
    compared, landing : Out(1)
        A round is compared, or written.
    landed : Out(1)
        The last round of a colour is written.
    """

    def __init__(self, shape: LatticeShape) -> None:
        self._shape = shape
        super().__init__(
            {
                "start": In(1),
                "sweeps": In(COUNT_BITS),
                "stop": In(1),
                "running": Out(1),
                "sweeps_left": Out(COUNT_BITS),
                "colour": Out(1),
                "place": Out(shape.round_bits, init=shape.rounds - shape.segments),
                **{name: Out(shape.round_bits) for name in ("couplings", "own", "target")},
                **{name: Out(1) for name in ("first", "last", "odd", "compared", "landing", "landed")},
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        again = Signal()
        told = [self._read(m, again)]
        for _ in range(LANDED):
            told.append(delayed(m, told[-1], 1))
        m.d.comb += [
            self.couplings.eq(self._count(m, told[COUPLINGS])),
            self.own.eq(self._count(m, told[OWN])),
            self.target.eq(self._count(m, told[LANDED])),
            self.compared.eq(told[COMPARED]),
            self.landing.eq(told[LANDED]),
            self.landed.eq(told[LANDED] & ~told[LANDED - 1]),
        ]
        segment = self._count(m, told[LINED], self._shape.segments)
        m.d.comb += [self.first.eq(segment == 0), self.last.eq(segment == self._shape.segments - 1)]
        with m.If((told[LINED] & self.last) | self.landed):
            m.d.sync += self.odd.eq(~self.odd)
        self._sweeps(m, again)
        return m

    def _read(self, m: Module, again: Value) -> Value:
        """Read the rounds of a colour; returns whether the one in this clock completes a round's neighbours."""
        reading, filling, row_ends = Signal(), Signal(), Signal()
        m.d.comb += row_ends.eq(self.place == self._shape.segments - 1)
        with m.If(reading):
            m.d.sync += [
                self.place.eq(following(self.place, self._shape.rounds)),
                filling.eq(filling & ~row_ends),
            ]
            with m.If(row_ends & ~filling):
                m.d.sync += [reading.eq(0), self.place.eq(self.place.init)]
        with m.If(again):
            m.d.sync += [reading.eq(1), filling.eq(1)]
        return reading & ~filling

    def _count(self, m: Module, goes_on: Value, size: int | None = None) -> Signal:
        """The round that a clock is of, which goes round with every colour."""
        size = self._shape.rounds if size is None else size
        count = Signal((size - 1).bit_length())
        with m.If(goes_on):
            m.d.sync += count.eq(following(count, size))
        return count

    def _sweeps(self, m: Module, again: Value) -> None:
        sweeps = SweepCounter(0)
        sweeps.serve(m, self, self.landed, self.landed & self.colour)
        m.d.comb += again.eq(sweeps.again)
        with m.If(self.landed):
            m.d.sync += self.colour.eq(~self.colour)


def following(count: Signal, size: int) -> Value:
    """The number after one that goes round."""
    return count + 1 if size == 1 << len(count) else Mux(count == size - 1, 0, count + 1)
