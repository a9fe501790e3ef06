"""The few thresholds that all lanes of a lattice engine compare with."""

from __future__ import annotations

from itertools import pairwise

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from ..contract.activation import NODES, SEGMENT_BITS
from ..contract.lattice import DIRECTIONS, MAX_SHIFT, LatticeShape
from .activation import ARGUMENT_BITS, THRESHOLD_BITS
from .loader import WORD_BITS

MULTIPLES = len(DIRECTIONS)


class Thresholds(wiring.Component):
    """Thresholds of fields that are 1 to 4 times a magnitude, one after another and bit by bit.

    They are made when something is ``fresh``, in `clocks`, and stand afterwards: one adder is enough for the product
    with beta and for that between two nodes. At reset the magnitude is 0, and thresholds are about to be made.

    Parameters
    ----------
    shape : LatticeShape
        The engine.
    blocks : bool
        Whether there is block RAM for the table; else it is logic.

    Members
    -------
    load : In(1)
        Take ``magnitude``.
    magnitude : In(32)
        Of couplings.
    beta : In(beta bits)
        Code of the inverse temperature, which is another one from the clock after a ``fresh`` one on.
    fresh : In(1)
        Magnitude or beta are loaded in this clock, in which thresholds are not being made.
    making : Out(1)
        Thresholds do not stand yet.
    complements : Out(4 * 16)
        Of the thresholds, that of the magnitude itself lowest.
    """

    def __init__(self, shape: LatticeShape, *, blocks: bool) -> None:
        self._shape = shape
        self._blocks = blocks
        self._factor_bits = max(shape.beta_bits, SEGMENT_BITS)
        super().__init__(
            {
                "load": In(1),
                "magnitude": In(WORD_BITS),
                "beta": In(shape.beta_bits),
                "fresh": In(1),
                "making": Out(1),
                "complements": Out(MULTIPLES * THRESHOLD_BITS),
            }
        )

    @property
    def clocks(self) -> int:
        """Clocks in which all of them are made, after the one in which something is fresh."""
        return MULTIPLES * (self._factor_bits + SEGMENT_BITS + 4) + 1

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shape = self._shape
        bits = max(shape.bias_bits - 1, MAX_SHIFT)
        step, total = Signal(shape.bias_bits - 3), Signal(shape.bias_bits - 1)
        left = Signal(range(MULTIPLES + 1), init=MULTIPLES)
        value, factor, above = Signal(bits), Signal(self._factor_bits), Signal(bits)
        places, falling = Signal(range(self._factor_bits)), Signal()
        argument = Cat(factor, above)[shape.argument_shift :]
        node, drop = self._node(m, argument[SEGMENT_BITS:ARGUMENT_BITS])
        beyond = argument[ARGUMENT_BITS:].any()
        held = Signal(len(self.complements), reset_less=True)
        m.d.comb += self.complements.eq(held)
        with m.If(self.load):
            m.d.sync += step.eq(self.magnitude)
        with m.FSM(init="NEXT") as machine:
            m.d.comb += self.making.eq(self.fresh | ~machine.ongoing("STANDS"))
            with m.State("STANDS"), m.If(self.fresh):
                m.d.sync += [left.eq(MULTIPLES), total.eq(0)]
                m.next = "NEXT"
            with m.State("NEXT"):
                m.d.sync += [left.eq(left - 1), total.eq(total + step), value.eq(total + step), factor.eq(self.beta)]
                m.d.sync += [above.eq(1 << shape.argument_shift >> 1), places.eq(self._factor_bits - 1), falling.eq(0)]
                m.next = "MULTIPLY"
                with m.If(left == 0):
                    m.next = "STANDS"
            with m.State("MULTIPLY"):
                # what is above the bits of the product that are done has been rounded before
                added = Signal(bits + 1)
                m.d.comb += added.eq(Mux(factor[0], above + value, above))
                m.d.sync += [Cat(factor, above).eq(Cat(factor[1:], added)), places.eq(places - 1)]
                with m.If(places == 0):
                    m.next = "LOOK"
                    with m.If(falling):
                        m.next = "FALL"
            with m.State("LOOK"):
                m.next = "TAKE"
            with m.State("TAKE"):
                m.d.sync += [
                    held.eq(Cat(held[THRESHOLD_BITS:], Mux(beyond, ~Const(0, THRESHOLD_BITS), ~node))),
                    value.eq(Mux(beyond, 0, drop)),
                    factor.eq(argument[:SEGMENT_BITS]),
                    above.eq(1 << SEGMENT_BITS >> 1),
                ]
                m.d.sync += [places.eq(SEGMENT_BITS - 1), falling.eq(1)]
                m.next = "MULTIPLY"
            with m.State("FALL"):
                m.d.sync += held[-THRESHOLD_BITS:].eq(held[-THRESHOLD_BITS:] + above)
                m.next = "NEXT"
        return m

    def _node(self, m: Module, address: Value) -> tuple[Value, Value]:
        """The node at an address and its distance to the next one, a clock later."""
        rows = [node | (node - after) << THRESHOLD_BITS for node, after in pairwise(NODES.tolist())]
        style = "block" if self._blocks else "logic"
        m.submodules.nodes = nodes = memory.Memory(
            shape=max(rows).bit_length(), depth=len(rows), init=rows, attrs={"rom_style": style}
        )
        row = nodes.read_port()
        m.d.comb += row.addr.eq(address)
        return row.data[:THRESHOLD_BITS], row.data[THRESHOLD_BITS:]
