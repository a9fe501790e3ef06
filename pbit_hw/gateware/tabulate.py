"""What fills the tables of table p-bits: weights, biases and beta in, entries out."""

from __future__ import annotations

from functools import reduce
from itertools import pairwise
from operator import or_
from typing import NamedTuple

from amaranth import Cat, Const, Module, Mux, Shape, Signal, Value, signed, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..contract.activation import NODES, SEGMENT_BITS
from ..contract.image import Image
from ..contract.registers import OFFSET_BITS
from .activation import ARGUMENT_BITS, THRESHOLD_BITS
from .conditional import ENTRY_BITS
from .generator import REGISTER_BITS
from .ram import block_ram, read
from .update import delayed, magnitude

DIGIT_BITS = 2
"""Bits of a factor that are multiplied in one clock."""


class Tabulator(wiring.Component):
    """Weights, biases and beta of an array of table p-bits, and the engine that makes their tables of them.

    A table p-bit's temperature is in its table, so a change of beta is a pass over all of them. For each p-bit the
    engine reads the bias and the weights, two clocks per slot of the largest degree and 2 more, and then walks through
    the sets of neighbours, one per clock, in the order of a Gray code, so that one addition leads from field to field.
    An entry follows `entry_stages` and 2 clocks later. At reset weights and biases are the image's, beta is
    `Image.reset_beta`, and no table is made.

    Parameters
    ----------
    image : Image
        The array.

    Members
    -------
    load_weight, load_bias, load_beta : In(1)
        Load ``data`` at ``offset``, at the end of the clock; not while tables are made.
    offset : In(24)
        Slot or p-bit.
    data : In(32)
        What to load.
    begin : In(1)
        Make all tables; ignored while they are made.
    busy : Out(1)
        Tables are made.
    beta : Out(beta bits)
        Code of the inverse temperature.
    write : Out(1)
        ``entry`` belongs into the table of ``pbit`` at ``address``.
    pbit : Out(bits of n)
        P-bit, one after another.
    address : Out(largest degree)
        Set of neighbours; those beyond a p-bit's own are of no consequence.
    entry : Out(16)
        See `contract.update.entry`.
    """

    def __init__(self, image: Image) -> None:
        self._image = image
        self._degree = int(image.degrees.max(initial=0))
        self.entry_stages = 7 + _digits(image.beta_format.bits) + _digits(SEGMENT_BITS)
        """Clocks from a field to its entry."""
        super().__init__(
            {
                "load_weight": In(1),
                "load_bias": In(1),
                "load_beta": In(1),
                "offset": In(OFFSET_BITS),
                "data": In(REGISTER_BITS),
                "begin": In(1),
                "busy": Out(1),
                "beta": Out(image.beta_format.bits, init=image.reset_beta),
                "write": Out(1),
                "pbit": Out(bits_for(image.size - 1)),
                "address": Out(self._degree),
                "entry": Out(ENTRY_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        with m.If(self.load_beta):
            m.d.sync += self.beta.eq(self.data)
        steps = self._read(m)
        total, valid, place = self._walk(m, steps)
        late, due = valid, steps.busy | delayed(m, steps.busy, 1) | valid
        for _ in range(self.entry_stages):
            late = delayed(m, late, 1)
            due = due | late
        m.d.comb += [
            self.write.eq(late),
            Cat(self.address, self.pbit).eq(delayed(m, place, self.entry_stages)),
            self.entry.eq(self._entry(m, total)),
            self.busy.eq(due),
        ]
        return m

    def _read(self, m: Module) -> _Steps:
        """Go through the p-bits: fetch bias and weights of each, then count through the sets of its neighbours."""
        image, degree = self._image, self._degree
        weight_bits = image.weight_format.bits
        steps = _Steps(
            busy=Signal(),
            valid=Signal(),
            first=Signal(),
            count=Signal(degree),
            pbit=Signal(len(self.pbit)),
            bias=Signal(signed(image.bias_bits)),
            weights=[Signal(signed(weight_bits), name=f"weight_{place}") for place in range(degree)],
        )
        slot, place, odd = Signal(range(image.slots + 1)), Signal(range(degree + 1)), Signal()
        weight = self._memory(m, "weights", signed(weight_bits), image.weights.tolist(), self.load_weight, slot)
        bias = self._memory(m, "biases", signed(image.bias_bits), image.biases.tolist(), self.load_bias, steps.pbit)
        own = self._memory(m, "degrees", unsigned(bits_for(degree)), image.degrees.tolist(), Const(0), steps.pbit)
        with m.FSM() as fsm:
            with m.State("IDLE"):
                m.d.sync += [slot.eq(0), steps.pbit.eq(0)]
                with m.If(self.begin):
                    m.next = "FETCH"
            with m.State("FETCH"):
                m.d.sync += [place.eq(0), odd.eq(0), steps.count.eq(0)]
                m.next = "LOAD"
            with m.State("LOAD"):
                present = place < own
                m.d.sync += odd.eq(~odd)
                with m.If(place == degree):
                    m.d.sync += steps.bias.eq(bias)
                    m.next = "COUNT"
                with m.Elif(odd):
                    m.d.sync += [place.eq(place + 1), slot.eq(slot + present)]
                    m.d.sync += [before.eq(after) for before, after in pairwise(steps.weights)]
                    m.d.sync += steps.weights[-1].eq(Mux(present, weight, 0)) if degree else []
            with m.State("COUNT"):
                m.d.comb += [steps.valid.eq(1), steps.first.eq(steps.count == 0)]
                m.d.sync += steps.count.eq(steps.count + 1)
                with m.If(steps.count.all()):
                    m.d.sync += steps.pbit.eq(steps.pbit + 1)
                    m.next = "FETCH"
                    with m.If(steps.pbit == image.size - 1):
                        m.next = "IDLE"
        m.d.comb += steps.busy.eq(~fsm.ongoing("IDLE"))
        return steps

    def _memory(self, m: Module, name: str, shape: Shape, init: list[int], load: Value, address: Value) -> Value:
        """A memory that the bus writes and the engine reads a clock after the address stands."""
        m.submodules[name] = held = block_ram(shape, max(len(init), 1), init)
        write = held.write_port()
        m.d.comb += [
            write.en.eq(load),
            write.addr.eq(self.offset),
            write.data.eq(self.data),
        ]
        return read(m, held, address)

    def _walk(self, m: Module, steps: _Steps) -> tuple[Signal, Value, Value]:
        """Fields of the sets that are counted; returns field, whether it is one, and its address and p-bit."""
        gray = steps.count ^ (steps.count >> 1)
        changed = steps.count & -steps.count
        change = Signal(signed(self._image.weight_format.bits + 2))
        added = Signal.like(change)
        chosen = [Mux(bit, weight, 0) for bit, weight in zip(changed, steps.weights, strict=False)]
        m.d.comb += change.eq(reduce(or_, chosen, Const(0)) << int(self._image.unit))
        m.d.sync += added.eq(Mux((gray & changed).any(), change, -change))
        total, first = Signal(signed(self._image.bias_bits + 2)), delayed(m, steps.first, 1)
        valid = delayed(m, steps.valid, 1)
        with m.If(valid):
            m.d.sync += total.eq(Mux(first, steps.bias, total + added))
        place = Cat(gray[: self._degree], steps.pbit)
        return total, delayed(m, valid, 1), delayed(m, place, 2)

    def _entry(self, m: Module, total: Signal) -> Value:
        """`contract.update.entry` of a field."""
        shift = self._image.argument_shift
        size = delayed(m, magnitude(m, total), 1)
        product = _product(m, size, self.beta)
        rounded = product + (1 << (shift - 1)) if shift > 0 else Cat(Const(0, -shift), product)
        scaled = rounded[max(shift, 0) :]
        argument = delayed(m, scaled[:ARGUMENT_BITS], 1)
        beyond = delayed(m, scaled[ARGUMENT_BITS:].any(), 1)
        node, drop = self._node(m, argument[SEGMENT_BITS:])
        fraction = delayed(m, argument[:SEGMENT_BITS], 2)
        falls = _digits(SEGMENT_BITS)
        fall = (_product(m, drop, fraction) + (1 << (SEGMENT_BITS - 1)))[SEGMENT_BITS:]
        fallen = delayed(m, delayed(m, node, falls) - fall, 1)
        threshold = delayed(m, Mux(delayed(m, beyond, 3 + falls), 0, fallen)[:THRESHOLD_BITS], 1)
        less = threshold - (threshold > 1 << (ENTRY_BITS - 2))
        return Cat(delayed(m, less[: ENTRY_BITS - 1], 1), delayed(m, ~total[-1], self.entry_stages))

    def _node(self, m: Module, address: Value) -> tuple[Value, Value]:
        """The node at an address and its distance to the next one, two clocks later: block RAM is slow to answer."""
        rows = [node | (node - after) << THRESHOLD_BITS for node, after in pairwise(NODES.tolist())]
        m.submodules.nodes = nodes = memory.Memory(shape=max(rows).bit_length(), depth=len(rows), init=rows)
        row = nodes.read_port()
        m.d.comb += row.addr.eq(address)
        held = delayed(m, row.data, 1)
        return held[:THRESHOLD_BITS], held[THRESHOLD_BITS:]


def _digits(bits: int) -> int:
    return -(-bits // DIGIT_BITS)


def _product(m: Module, one: Value, other: Value) -> Value:
    """A product, a digit of the second factor per clock: faster in logic than the way to a multiplier."""
    total: Value = Const(0)
    for place in range(0, len(other), DIGIT_BITS):
        for bit in range(place, min(place + DIGIT_BITS, len(other))):
            total = total + (Mux(other[bit], one, 0) << bit)
        total = delayed(m, total, 1)
        one, other = delayed(m, one, 1), delayed(m, other, 1)
    return total


class _Steps(NamedTuple):
    """What the walk is told in each clock."""

    busy: Signal
    valid: Signal
    first: Signal
    count: Signal
    pbit: Signal
    bias: Signal
    weights: list[Signal]
