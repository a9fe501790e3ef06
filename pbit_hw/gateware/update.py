"""Field and decision of a p-bit: the mirror of `contract.update`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from amaranth import Module, Mux, Shape, Signal, Value, ValueLike, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..contract.generator import WORD_BITS
from ..contract.image import Image
from ..contract.update import Unit
from .activation import Activation, Argument
from .generator import REGISTER_BITS

CHAIN_SLOTS = 4
"""Conditional additions in a row; longer rows would be slower, shorter ones larger."""


@dataclass(frozen=True)
class FieldShape:
    """Widths of the registers that make a field.

    Parameters
    ----------
    unit : Unit
        Weights of spins count twice.
    bias_bits, weight_bits : int
        Widths of the registers, signs included.
    """

    unit: Unit
    bias_bits: int
    weight_bits: int

    @classmethod
    def of(cls, image: Image) -> FieldShape:
        """The widths of an array's registers."""
        return cls(image.unit, image.bias_bits, image.weight_format.bits)

    def bits(self, slots: int) -> int:
        """Width of the field of a p-bit with so many slots, its sign included: one factor of the product with beta."""
        return Shape.cast(self.partial(slots, bias=True)).width

    def partial(self, slots: int, *, bias: bool) -> range:
        """Every value that a sum of ``slots`` weights, with or without the bias, can take."""
        low, high = 0, 0
        for bits, count in ((self.bias_bits, int(bias)), (self.weight_bits, slots << int(self.unit))):
            low -= count << (bits - 1)
            high += count * ((1 << (bits - 1)) - 1)
        return range(low, high + 1)


class Field(wiring.Component):
    """Bias and weights of a p-bit, and their sum over the neighbours that are 1.

    ``total`` follows the neighbours and the registers combinationally and is
    exact whatever the registers hold. A register changes at the end of the clock
    in which it is loaded.

    A weight is added by choosing between a sum and itself with the weight added:
    the choice shares the logic cells of the adder on iCE40, where masking the weight would not.

    Parameters
    ----------
    shape : FieldShape
        Widths.
    bias : int
        Folded bias at reset.
    weights : sequence of int
        Weights at reset, one per slot.

    Members
    -------
    neighbours : In(slots)
        State of the neighbour of each slot.
    data : In(32)
        What to load; the low bits, in two's complement.
    load_bias : In(1)
        Load the bias.
    load_weights : In(slots)
        Which weights to load.
    total : Out(signed)
        The field, in units of the weight format's step.
    """

    def __init__(self, shape: FieldShape, bias: int, weights: Sequence[int]) -> None:
        self._shape = shape
        self._bias = Signal(signed(shape.bias_bits), init=bias)
        self._weights = [
            Signal(signed(shape.weight_bits), name=f"weight_{slot}", init=weight) for slot, weight in enumerate(weights)
        ]
        super().__init__(
            {
                "neighbours": In(len(weights)),
                "data": In(REGISTER_BITS),
                "load_bias": In(1),
                "load_weights": In(len(weights)),
                "total": Out(shape.partial(len(weights), bias=True)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        with m.If(self.load_bias):
            m.d.sync += self._bias.eq(self.data.as_signed())
        for weight, load in zip(self._weights, self.load_weights, strict=True):
            with m.If(load):
                m.d.sync += weight.eq(self.data)
        m.d.comb += self.total.eq(self._sum(m))
        return m

    def _sum(self, m: Module) -> Value:
        """Chains of a few slots each, the first one starting from the bias, and a tree of their sums."""
        slots = range(len(self._weights))
        chains = [slots[first : first + CHAIN_SLOTS] for first in slots[::CHAIN_SLOTS]] or [slots]
        sums = [self._chain(m, chain, bias=place == 0) for place, chain in enumerate(chains)]
        while len(sums) > 1:
            pairs = [sums[place : place + 2] for place in range(0, len(sums), 2)]
            sums = [pair[0] + pair[1] if len(pair) == 2 else pair[0] for pair in pairs]
        return sums[0]

    def _chain(self, m: Module, slots: range, *, bias: bool) -> Value:
        total: Value = self._bias
        for done, slot in enumerate(slots, start=1):
            weight = self._weights[slot] << int(self._shape.unit)
            added = Signal(self._shape.partial(done, bias=bias), name=f"sum_{slot}")
            if done == 1 and not bias:
                m.d.comb += added.eq(Mux(self.neighbours[slot], weight, 0))
            else:
                m.d.comb += added.eq(Mux(self.neighbours[slot], total + weight, total))
            total = added
        return total


class Decision(wiring.Component):
    """The next state of a p-bit for a field and a random word.

    Latency ``registers``: the first one holds the argument, the others the threshold; combinational without any.
    Throughput 1 per clock; ``word`` belongs to the last clock.

    Parameters
    ----------
    total_bits, beta_bits, shift : int
        Widths of field and beta, and `Image.argument_shift`.
    multiplier : bool
        See `activation.Argument`.
    registers : int
        How many there are between the field and the state.

    Members
    -------
    total : In(signed(total_bits))
        The field.
    beta : In(beta_bits)
        Code of the inverse temperature.
    word : In(16)
        Random word.
    state : Out(1)
        The next state.
    """

    def __init__(self, total_bits: int, beta_bits: int, shift: int, *, multiplier: bool, registers: int = 0) -> None:
        self._shift = shift
        self._multiplier = multiplier
        self._registers = registers
        super().__init__(
            {"total": In(signed(total_bits)), "beta": In(beta_bits), "word": In(WORD_BITS), "state": Out(1)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.argument = argument = Argument(
            len(self.total), len(self.beta), self._shift, multiplier=self._multiplier
        )
        m.submodules.activation = activation = Activation()
        early, late = min(self._registers, 1), max(self._registers - 1, 0)
        negative = delayed(m, self.total[-1], early)
        beyond = delayed(m, argument.beyond, early)
        threshold = delayed(m, activation.threshold, late)
        against = Signal()
        m.d.comb += [
            argument.magnitude.eq(magnitude(m, self.total)),
            argument.beta.eq(self.beta),
            activation.argument.eq(delayed(m, argument.argument, early)),
            against.eq(~delayed(m, beyond, late) & (self.word < threshold)),
            self.state.eq(against == delayed(m, negative, late)),
        ]
        return m


def magnitude(m: Module, total: Value) -> Value:
    """Magnitude of a field; half the logic of its negation, which would carry through the choice."""
    less_one = Signal(len(total))
    m.d.comb += less_one.eq(total - 1)
    return Mux(total[-1], ~less_one, total)


def delayed(m: Module, value: ValueLike, clocks: int) -> Value:
    """A value some clocks later."""
    late = Value.cast(value)
    for _ in range(clocks):
        register = Signal(late.shape(), reset_less=True)
        m.d.sync += register.eq(late)
        late = register
    return late
