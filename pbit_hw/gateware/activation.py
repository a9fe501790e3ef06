"""Argument and table of the activation: the mirror of `contract.activation`."""

from __future__ import annotations

from itertools import pairwise

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from ..contract.activation import ARGUMENT_LIMIT, NODES, SEGMENT_BITS

ARGUMENT_BITS = ARGUMENT_LIMIT.bit_length()
THRESHOLD_BITS = int(NODES[0]).bit_length()


class Argument(wiring.Component):
    """The table's argument for the magnitude of a field: times beta, rounded, shifted.

    Combinational. Where the contract saturates, ``beyond`` is set instead and the
    argument means nothing: the table's last threshold is zero, which is cheaper
    to force than every bit of the argument.

    Parameters
    ----------
    magnitude_bits, beta_bits : int
        Widths of the factors.
    shift : int
        Fraction bits to drop, `Image.argument_shift`.
    multiplier : bool
        Whether to write the product for the tools to put into a hardware
        multiplier. If not, it is a chain of conditional additions, which iCE40
        does in one logic cell per bit, less than half of what the tools make of a product.

    Members
    -------
    magnitude : In(magnitude_bits)
        Magnitude of the field.
    beta : In(beta_bits)
        Code of the inverse temperature.
    argument : Out(14)
        Address of the activation's table.
    beyond : Out(1)
        The argument lies beyond the table.
    """

    def __init__(self, magnitude_bits: int, beta_bits: int, shift: int, *, multiplier: bool) -> None:
        self._shift = shift
        self._multiplier = multiplier
        super().__init__(
            {
                "magnitude": In(magnitude_bits),
                "beta": In(beta_bits),
                "argument": Out(ARGUMENT_BITS),
                "beyond": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        half = 1 << (self._shift - 1) if self._shift > 0 else 0
        rounded = self._product(half) if self._multiplier else self._rows(m, half)
        scaled = rounded[self._shift :] if self._shift > 0 else Cat(Const(0, -self._shift), rounded)
        m.d.comb += [self.argument.eq(scaled), self.beyond.eq(scaled[ARGUMENT_BITS:].any())]
        return m

    def _product(self, half: int) -> Value:
        return self.magnitude * self.beta + half

    def _rows(self, m: Module, half: int) -> Value:
        """Add the shifted magnitude for every bit of beta, lowest first; the bits below each row are done."""
        total: Value = Const(half)
        for place in range(len(self.beta)):
            done, above = total[:place], total[place:]
            row = Signal(max(len(above), len(self.magnitude)) + 1, name=f"row_{place}")
            m.d.comb += row.eq(Mux(self.beta[place], above + self.magnitude, above))
            total = Cat(done, row)
        return total


class Activation(wiring.Component):
    """The activation's table, interpolated between its nodes.

    Combinational.

    Members
    -------
    argument : In(14)
        |x| in 1/1024.
    threshold : Out(16)
        65536 sigmoid(-|x|).
    """

    def __init__(self) -> None:
        super().__init__({"argument": In(ARGUMENT_BITS), "threshold": Out(THRESHOLD_BITS)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rows = [node | (node - following) << THRESHOLD_BITS for node, following in pairwise(NODES.tolist())]
        m.submodules.table = table = memory.Memory(shape=max(rows).bit_length(), depth=len(rows), init=rows)
        row = table.read_port(domain="comb")
        m.d.comb += row.addr.eq(self.argument[SEGMENT_BITS:])
        node, drop = row.data[:THRESHOLD_BITS], row.data[THRESHOLD_BITS:]
        fall = self._fall(m, drop, self.argument[:SEGMENT_BITS])
        # Twice the node minus twice its fall rounds it half up without another addition.
        doubled = Cat(Const(0, 1), node)
        m.d.comb += self.threshold.eq((doubled - fall[SEGMENT_BITS - 1 :]) >> 1)
        return m

    def _fall(self, m: Module, drop: Value, fraction: Value) -> Value:
        """``drop * fraction``, as a chain of conditional additions."""
        fall: Value = Mux(fraction[0], drop, 0)
        for place in range(1, len(fraction)):
            total = Signal(len(drop) + place + 1, name=f"fall_{place}")
            m.d.comb += total.eq(Mux(fraction[place], fall + (drop << place), fall))
            fall = total
        return fall
