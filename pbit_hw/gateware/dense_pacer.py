"""What makes a dense engine go: p-bits, colours and sweeps."""

from __future__ import annotations

from amaranth import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..contract.dense import EXTENT_BITS, DenseShape
from ..contract.engine import WORD_BITS
from .dense_columns import READ
from .dense_decider import BIAS
from .pacer import COUNT_BITS, SweepCounter
from .threshold import STAGES
from .update import delayed


class DensePacer(wiring.Component):
    """Names the p-bits of a colour, one per clock, and says when those named before have come so far.

    After a colour no p-bit is named until the last state is written. At reset the engine is idle, and each layer is
    one p-bit.

    Parameters
    ----------
    shape : DenseShape
        The engine.

    Members
    -------
    start, sweeps, stop, running, sweeps_left
        See `pacer.SweepCounter`.
    load : In(1)
        Take ``extents``.
    extents : In(32)
        The last row, and from bit 16 on the last column.
    place : Out(number bits + 1)
        Which p-bit is named; the highest bit of places is set for columns.
    clear : Out(1)
        It is the first row.
    shift : Out(1)
        The field of a column is to be shifted out, in time for those of rows that are named together with it.
    bias_place : Out(number bits + 1)
        Whose bias to read.
    drawn : Out(1)
        A random word is drawn, a clock before it is compared.
    drawn_last : Out(1)
        It is for the last p-bit of its colour.
    drawn_place : Out(number bits + 1)
        Whose it is.
    """

    def __init__(self, shape: DenseShape) -> None:
        self._shape = shape
        place_bits = shape.number_bits + 1
        super().__init__(
            {
                "start": In(1),
                "sweeps": In(COUNT_BITS),
                "stop": In(1),
                "load": In(1),
                "extents": In(WORD_BITS),
                "place": Out(place_bits),
                "clear": Out(1),
                "shift": Out(1),
                "bias_place": Out(place_bits),
                "drawn": Out(1),
                "drawn_last": Out(1),
                "drawn_place": Out(place_bits),
                "running": Out(1),
                "sweeps_left": Out(COUNT_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shape = self._shape
        sweeps = SweepCounter(1 + shape.spans)
        # for every number of clocks since a p-bit was named: was there one, and does a colour, a sweep end with it
        told = [self._name(m, sweeps.again)]
        for _ in range(shape.drain):
            told.append(delayed(m, told[-1], 1))
        field = 1 + READ + shape.levels + shape.spans
        drawn = told[field + STAGES]
        self._follow(m, self.bias_place, told[field - BIAS])
        self._follow(m, self.drawn_place, drawn)
        m.d.comb += [
            self.shift.eq(delayed(m, told[0][0] & self.place[-1], field - READ - shape.spans)),
            self.drawn.eq(drawn[0]),
            self.drawn_last.eq(drawn[1]),
        ]
        sweeps.serve(m, self, told[-1][1], told[-1][2])
        return m

    def _name(self, m: Module, again: Value) -> Value:
        """Name p-bits to the end of a colour."""
        bits = self._shape.number_bits
        lasts = Array(Signal(bits, name=name) for name in ("last_row", "last_column"))
        with m.If(self.load):
            m.d.sync += [lasts[0].eq(self.extents), lasts[1].eq(self.extents[EXTENT_BITS:])]
        naming, ends = Signal(), Signal()
        m.d.comb += [
            ends.eq(naming & (self.place[:bits] == lasts[self.place[-1]])),
            self.clear.eq(naming & (self.place == 0)),
        ]
        m.d.sync += naming.eq((naming & ~ends) | again)
        named = Cat(naming, ends, ends & self.place[-1])
        self._follow(m, self.place, named)
        return named

    def _follow(self, m: Module, place: Value, told: Value) -> None:
        """Count the places of p-bits where they are told of."""
        with m.If(told[0]):
            after_layer = Cat(Const(0, self._shape.number_bits), ~place[-1])
            m.d.sync += place.eq(Mux(told[1], after_layer, place + 1))
