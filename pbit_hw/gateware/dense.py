"""The dense engine: the mirror of `contract.dense`."""

from __future__ import annotations

from amaranth import Module, Mux, Signal, Value
from amaranth.lib import wiring

from ..contract.dense import DenseShape
from ..contract.generator import WORD_BITS as RANDOM_BITS
from .bank import Bank
from .dense_columns import Columns, told_layout
from .dense_decider import DenseDecider
from .dense_pacer import DensePacer
from .dense_states import DenseStates
from .engine import attach, engine_members
from .loader import Loader
from .update import delayed


class Dense(wiring.Component):
    """Spans of columns, the decision unit and generators, and the bus that loads them.

    A sweep takes `contract.dense.Filling.clocks`. The bus is that of `tiled.Tiled`. At reset all states and clamps are
    0, the weights are, each layer is one p-bit, generator registers are as `contract.generator.powered_up` says, and
    beta is 0.

    Parameters
    ----------
    shape : DenseShape
        The engine.
    blocks : bool
        See `threshold.Threshold`.

    Members
    -------
    write, address, data, ready, running, sweeps_left, beta, state
        See `tiled.Tiled`.
    landed : Out(1)
        The last states of a colour are written in this clock, in all their copies.
    """

    def __init__(self, shape: DenseShape, *, blocks: bool = True) -> None:
        self._shape = shape
        self.columns = [Columns(shape, number) for number in range(shape.spans)]
        self.states = DenseStates(shape)
        self._decider = DenseDecider(shape, blocks=blocks)
        self._bank = Bank(shape)
        self.generators = self._bank.generators
        super().__init__(engine_members(shape.beta_bits))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shape = self._shape
        loader, pacer = Loader(shape, self._bank.count), DensePacer(shape)
        attach(m, self, loader, pacer)
        m.submodules.states = states = self.states
        m.d.comb += [
            pacer.extents.eq(loader.data),
            self.landed.eq(delayed(m, states.landed, shape.spans)),
        ]
        m.d.sync += pacer.load.eq(loader.weight & (loader.offset[shape.number_bits :] == shape.row_words))
        self._sum(m, loader, pacer)
        self._decide(m, loader, pacer)
        self._land(m, loader, pacer)
        return m

    def _sum(self, m: Module, loader: Loader, pacer: DensePacer) -> None:
        """Spans, told from the last one to the first, whose sums are the decider's."""
        shape, states = self._shape, self.states
        layout = told_layout(shape)
        told = Signal(layout)
        m.d.comb += [
            told.row.eq(Mux(pacer.running, pacer.place, loader.offset)),
            told.add_row.eq(states.bit_place),
            told.add.eq(states.bit & ~states.bit_place[-1]),
            told.clear.eq(pacer.clear),
            told.shift.eq(pacer.shift),
            told.load.eq(loader.weight),
            told.load_word.eq(loader.offset[shape.number_bits :]),
            told.write.eq(states.written & states.written_word[-1]),
            told.write_word.eq(states.written_word),
            told.data.eq(states.written_data),
        ]
        total, first = Value.cast(0), Value.cast(0)
        for number, columns in reversed(list(enumerate(self.columns))):
            told = layout(delayed(m, told, 1))
            m.submodules[f"columns_{number}"] = columns
            m.d.comb += [columns.told.eq(told), columns.before.eq(total), columns.shifted.eq(delayed(m, first, 1))]
            total, first = columns.total, columns.first
        m.d.comb += [self._decider.row.eq(total), self._decider.column.eq(first)]

    def _decide(self, m: Module, loader: Loader, pacer: DensePacer) -> None:
        """Decisions of p-bits, and the words that they draw at their lanes."""
        m.submodules.decider = decider = self._decider
        m.d.comb += [
            decider.place.eq(pacer.bias_place),
            decider.beta.eq(self.beta),
            decider.word.eq(self._draw(m, loader, pacer)),
            decider.load.eq(delayed(m, loader.bias, 1)),
            decider.load_place.eq(loader.offset),
            decider.bias.eq(loader.data),
        ]

    def _draw(self, m: Module, loader: Loader, pacer: DensePacer) -> Value:
        """Random word of the p-bit that is compared; registers move when the last of their lanes has drawn."""
        m.submodules.bank = bank = self._bank
        bank.listen(m, loader)
        lanes, share = self._shape.lanes, self._shape.generator.share
        lane = Signal(range(lanes))
        ends = pacer.drawn_last | (lane == lanes - 1)
        with m.If(pacer.drawn):
            m.d.sync += lane.eq(Mux(ends, 0, lane + 1))
        for stream, move in enumerate(bank.moves):
            mine = range(lanes)[stream * share :][:share]
            here = (lane >= mine.start) & (lane < mine.stop)
            m.d.comb += move.eq(pacer.drawn & here & (ends | (lane == mine.stop - 1)))
        return delayed(m, bank.words.word_select(lane, RANDOM_BITS), 1)

    def _land(self, m: Module, loader: Loader, pacer: DensePacer) -> None:
        """States: what is decided, or a word of the bus."""
        states = self.states
        m.d.comb += [
            states.place.eq(pacer.drawn_place),
            states.named.eq(pacer.drawn),
            states.last.eq(pacer.drawn_last),
            states.decided.eq(self._decider.decided),
            states.read.eq(self.address),
            states.running.eq(self.running),
            states.push.eq(loader.push),
            states.clamp.eq(loader.clamp),
            states.word.eq(loader.offset),
            states.data.eq(loader.data),
            self.state.eq(states.state),
        ]
