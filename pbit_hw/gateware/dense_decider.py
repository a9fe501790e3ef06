"""The decision unit of a dense engine: one p-bit per clock."""

from __future__ import annotations

from amaranth import Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..contract.dense import DenseShape
from ..contract.generator import WORD_BITS
from .ram import block_ram, read
from .threshold import Threshold
from .update import delayed

BIAS = 2
"""Clocks from a p-bit's place to its bias."""


class DenseDecider(wiring.Component):
    """Biases and decisions of all p-bits.

    A bias is asked for `BIAS` clocks before the sum of its p-bit stands; ``word`` must stand ``STAGES + 1`` clocks
    after that, and the decision does so a clock later. Throughput one p-bit per clock. Biases are 0 at power-up.

    Parameters
    ----------
    shape : DenseShape
        The engine.
    blocks : bool
        See `threshold.Threshold`.

    Members
    -------
    place : In(number bits + 1)
        Whose bias to read.
    row, column : In(signed(bias bits))
        Its sum, if it is a row, and if it is a column.
    beta : In(beta bits)
        Code of the inverse temperature.
    word : In(16)
        Random word.
    decided : Out(1)
        New state.
    load : In(1)
        Write ``bias`` to ``load_place``.
    load_place : In(number bits + 1)
        Of a p-bit.
    bias : In(signed(bias bits))
        Its bias.
    """

    def __init__(self, shape: DenseShape, *, blocks: bool) -> None:
        self._shape = shape
        self._blocks = blocks
        place, field = In(shape.number_bits + 1), In(signed(shape.bias_bits))
        super().__init__(
            {
                "place": place,
                "row": field,
                "column": field,
                "beta": In(shape.beta_bits),
                "word": In(WORD_BITS),
                "decided": Out(1),
                "load": In(1),
                "load_place": place,
                "bias": field,
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shape = self._shape
        m.submodules.threshold = threshold = Threshold(
            shape.bias_bits, shape.beta_bits, shape.argument_shift, blocks=self._blocks
        )
        total = Mux(delayed(m, self.place[-1], BIAS), self.column, self.row)
        field = Signal(signed(shape.bias_bits), reset_less=True)
        decided = Signal(reset_less=True)
        m.d.sync += [
            field.eq(total + self._bias(m)),
            decided.eq((self.word < threshold.threshold) == threshold.negative),
        ]
        m.d.comb += [threshold.total.eq(field), threshold.beta.eq(self.beta), self.decided.eq(decided)]
        return m

    def _bias(self, m: Module) -> Value:
        """The bias of the place of `BIAS` clocks ago."""
        shape = self._shape
        m.submodules.biases = biases = block_ram(shape.bias_bits, shape.register_counts["n"])
        write = biases.write_port()
        m.d.comb += [
            write.en.eq(self.load),
            write.addr.eq(self.load_place),
            write.data.eq(self.bias),
        ]
        return delayed(m, read(m, biases, self.place), BIAS - 1).as_signed()
