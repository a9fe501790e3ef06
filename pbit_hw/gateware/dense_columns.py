"""A span of columns of a dense engine: their weights, states and sums."""

from __future__ import annotations

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..contract.dense import SPAN, DenseShape
from ..contract.engine import WORD_BITS
from .ram import block_ram, read
from .update import delayed

READ = 2
"""Clocks from a row to its weights."""

PAIR = 2
"""Columns whose weights are in one block RAM, so that one of 18 bits takes two of 9."""


def told_layout(shape: DenseShape) -> data.StructLayout:
    """What spans are told, one after another."""
    return data.StructLayout(
        {
            "row": shape.number_bits,
            "add_row": shape.number_bits,
            "add": 1,
            "clear": 1,
            "shift": 1,
            "load": 1,
            "load_word": range(shape.row_words + 1),
            "write": 1,
            "write_word": range(shape.spans),
            "data": WORD_BITS,
        }
    )


class Columns(wiring.Component):
    """Weights of a span, and their sums over columns and over rows.

    The sum of a row's weights over the columns that are 1 stands in ``total`` ``READ + levels + 1`` clocks after
    ``row``, with what stands in ``before`` in the clock before that. A row of weights is added to the columns' sums
    `READ` clocks after ``add``, and stands a clock later; sums are cleared, and shifted by a column, with the same
    latency. Throughput of all is one row per clock. Words are taken at the end of their clock. Memories and states
    are 0 at power-up, and no reset reaches them.

    Parameters
    ----------
    shape : DenseShape
        The engine.
    number : int
        Which span it is.

    Members
    -------
    told : In(told_layout(shape))
        ``row`` to sum up; ``add_row`` to add to the columns if ``add``; ``clear`` or ``shift`` their sums. If ``load``,
        ``data`` are weights of the row, word ``load_word``; if ``write``, they are states of span ``write_word``.
    before : In(signed(bias bits))
        Sum of the row's weights in the spans that were told before.
    total : Out(signed(bias bits))
        And with this one's; modulo 2^bits.
    shifted : In(signed(bias bits))
        Sum that the last column gets by a shift.
    first : Out(signed(bias bits))
        Sum of the first column.
    """

    def __init__(self, shape: DenseShape, number: int) -> None:
        self._shape = shape
        self._number = number
        self._columns = range(shape.columns)[number * SPAN :][:SPAN]
        self.states = Signal(len(self._columns), reset_less=True)
        """Of the columns."""
        field = signed(shape.bias_bits)
        super().__init__(
            {
                "told": In(told_layout(shape)),
                "before": In(field),
                "total": Out(field),
                "shifted": In(field),
                "first": Out(field),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        with m.If(self.told.write & (self.told.write_word == self._number)):
            m.d.sync += self.states.eq(self.told.data)
        pairs = [self._columns[first : first + PAIR] for first in range(0, len(self._columns), PAIR)]
        weights = [each for pair in pairs for each in self._weights(m, pair)]
        terms = [self._term(m, state, row) for state, (row, _) in zip(self.states, weights, strict=True)]
        total = self._registered(m, self.before + self._tree(m, terms), self._shape.bias_bits)
        m.d.comb += self.total.eq(total)
        add = delayed(m, self.told.add, READ - 1)
        self._accumulate(m, [self._registered(m, Mux(add, row, 0)) for _, row in weights])
        return m

    def _term(self, m: Module, state: Value, weight: Value) -> Value:
        """What a column adds to a row's sum.

        No `Mux`: tools would make a reset of the register of each state, of which few reach one place.
        """
        return self._registered(m, weight & state.replicate(len(weight)).as_signed())

    def _registered(self, m: Module, value: Value, bits: int | None = None) -> Value:
        """A signed value a clock later, or its last bits."""
        register = Signal(signed(bits or len(value)), reset_less=True)
        m.d.sync += register.eq(value)
        return register

    def _weights(self, m: Module, columns: range) -> list[tuple[Value, Value]]:
        """Weights of a pair of columns a clock after ``row`` and after ``add_row``."""
        shape, told = self._shape, self.told
        bits, each = shape.addend_bits, shape.word_weights
        m.submodules[f"weights_{columns.start}"] = pair = block_ram(len(columns) * bits, shape.rows)
        write = pair.write_port(granularity=bits)
        m.d.comb += [
            write.en.eq(Cat(told.load & (told.load_word == column // each) for column in columns)),
            write.addr.eq(told.row),
            write.data.eq(Cat(told.data.word_select(column % each, bits) for column in columns)),
        ]
        row, add_row = read(m, pair, told.row), read(m, pair, told.add_row)
        return [
            (row.word_select(place, bits).as_signed(), add_row.word_select(place, bits).as_signed())
            for place in range(len(columns))
        ]

    def _tree(self, m: Module, sums: list[Value]) -> Value:
        """Sum of terms, a level of additions per clock."""
        sums = sums + [Const(0, signed(1))] * ((1 << self._shape.levels) - len(sums))
        while len(sums) > 1:
            pairs = zip(sums[::2], sums[1::2], strict=True)
            added = [one + other for one, other in pairs]
            sums = [self._registered(m, each, min(len(each), self._shape.bias_bits)) for each in added]
        return sums[0]

    def _accumulate(self, m: Module, addends: list[Value]) -> None:
        """Add a row to the sums of all columns, which move on to the column before when shifted."""
        clear, shift = delayed(m, self.told.clear, READ), delayed(m, self.told.shift, READ)
        sums = [
            Signal(signed(self._shape.bias_bits), name=f"sum_{column}", reset_less=True) for column in self._columns
        ]
        for own, after, addend in zip(sums, [*sums[1:], self.shifted], addends, strict=True):
            with m.If(clear):
                m.d.sync += own.eq(0)
            with m.Elif(shift):
                m.d.sync += own.eq(after)
            with m.Else():
                m.d.sync += own.eq(own + addend)
        m.d.comb += self.first.eq(sums[0])
