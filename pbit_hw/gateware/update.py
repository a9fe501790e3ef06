"""One p-bit: the mirror of `contract.update`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from amaranth import Module, Mux, Shape, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..contract.generator import WORD_BITS
from ..contract.image import Image
from ..contract.update import Unit
from .activation import Activation, Argument
from .generator import REGISTER_BITS, RandomGenerator

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

    Combinational.

    Parameters
    ----------
    total_bits, beta_bits, shift : int
        Widths of field and beta, and `Image.argument_shift`.
    multiplier : bool
        See `activation.Argument`.

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

    def __init__(self, total_bits: int, beta_bits: int, shift: int, *, multiplier: bool) -> None:
        self._shift = shift
        self._multiplier = multiplier
        super().__init__(
            {"total": In(signed(total_bits)), "beta": In(beta_bits), "word": In(WORD_BITS), "state": Out(1)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.argument = argument = Argument(
            len(self.total), len(self.beta), self._shift, multiplier=self._multiplier
        )
        m.submodules.activation = activation = Activation()
        negative = self.total[-1]
        less_one, against = Signal(len(self.total)), Signal()
        m.d.comb += [
            less_one.eq(self.total - 1),
            argument.magnitude.eq(Mux(negative, ~less_one, self.total)),
            argument.beta.eq(self.beta),
            activation.argument.eq(argument.argument),
            against.eq(~argument.beyond & (self.word < activation.threshold)),
            self.state.eq(against == negative),
        ]
        return m


class PBit(wiring.Component):
    """One p-bit: registers, field, generator, activation, comparison and clamp.

    ``state`` and ``register`` change at the end of the clock in which ``update``
    is set, by the neighbours, beta and registers of that clock. A clamped p-bit
    takes its clamp value at the end of every clock; its generator moves with ``update`` alike.
    Registers change at the end of the clock in which they are loaded.

    Parameters
    ----------
    image : Image
        The array.
    pbit : int
        Which of its p-bits.
    seed : sequence of int
        The generator's register at reset.
    multiplier : bool
        See `activation.Argument`.

    Members
    -------
    neighbours : In(degree)
        States of its neighbours, in the order of its slots.
    beta : In(beta bits)
        Code of the inverse temperature.
    update : In(1)
        The p-bit's colour has its turn.
    data : In(32)
        What to load.
    load_clamp, load_value : In(1)
        Load the clamp and its value from ``clamp``.
    clamp : In(1)
        The bit that they load.
    load_bias : In(1)
        Load the folded bias.
    load_weights : In(degree)
        Which weights to load.
    load_generator : In(generator words)
        Which words of the generator's register to load; wins over an update.
    state : Out(1)
        The p-bit.
    register : Out(32 * generator words)
        The generator's register, word 0 lowest.
    """

    def __init__(self, image: Image, pbit: int, seed: Sequence[int], *, multiplier: bool) -> None:
        self._image = image
        self._pbit = pbit
        self._seed = seed
        self._multiplier = multiplier
        degree = int(image.degrees[pbit])
        super().__init__(
            {
                "neighbours": In(degree),
                "beta": In(image.beta_format.bits),
                "update": In(1),
                "data": In(REGISTER_BITS),
                "load_clamp": In(1),
                "load_value": In(1),
                "clamp": In(1),
                "load_bias": In(1),
                "load_weights": In(degree),
                "load_generator": In(image.generator.words),
                "state": Out(1),
                "register": Out(REGISTER_BITS * image.generator.words),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        image = self._image
        m.submodules.field = field = self._field()
        m.submodules.generator = generator = RandomGenerator(image.generator, self._seed)
        m.submodules.decision = decision = Decision(
            len(field.total), image.beta_format.bits, image.argument_shift, multiplier=self._multiplier
        )
        m.d.comb += [
            field.neighbours.eq(self.neighbours),
            field.data.eq(self.data),
            field.load_bias.eq(self.load_bias),
            field.load_weights.eq(self.load_weights),
            generator.step.eq(self.update),
            generator.load.eq(self.load_generator),
            generator.data.eq(self.data),
            self.register.eq(generator.register),
            decision.total.eq(field.total),
            decision.beta.eq(self.beta),
            decision.word.eq(generator.word),
        ]
        self._clamp(m, decision.state)
        return m

    def _field(self) -> Field:
        image, pbit = self._image, self._pbit
        weights = image.weights[image.slot_first[pbit] : image.slot_first[pbit + 1]]
        return Field(FieldShape.of(image), int(image.biases[pbit]), weights.tolist())

    def _clamp(self, m: Module, decided: Value) -> None:
        """The state, and the clamp that overrides it."""
        clamped = Signal(init=int(self._image.clamped[self._pbit]))
        value = Signal(init=int(self._image.clamp_values[self._pbit]))
        with m.If(self.load_clamp):
            m.d.sync += clamped.eq(self.clamp)
        with m.If(self.load_value):
            m.d.sync += value.eq(self.clamp)
        with m.If(clamped):
            m.d.sync += self.state.eq(value)
        with m.Elif(self.update):
            m.d.sync += self.state.eq(decided)
