"""From a field to the activation's threshold, one per clock: `contract.update.decide` without its random word."""

from __future__ import annotations

from itertools import pairwise

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from ..contract.activation import NODES, SEGMENT_BITS
from .activation import ARGUMENT_BITS, THRESHOLD_BITS
from .update import delayed, magnitude

PRODUCT = 4
"""Clocks of the product with beta."""

FALL = 2
"""Clocks of the product between two nodes."""

STAGES = 4 + PRODUCT + FALL
"""Clocks from a field to its threshold."""


class Threshold(wiring.Component):
    """The threshold of a field, and its sign.

    Latency `STAGES`, throughput 1 per clock, no state to reset.

    Parameters
    ----------
    total_bits, beta_bits, shift : int
        Widths of field and beta, and fraction bits to drop of their product, at least 0.
    blocks : bool
        Whether products are for hardware multipliers and the table for block RAM, or products are chains of conditional
        additions and the table is logic, slower and for parts with few blocks.

    Members
    -------
    total : In(signed(total_bits))
        The field.
    beta : In(beta_bits)
        Code of the inverse temperature; it must stand.
    threshold : Out(16)
        65536 sigmoid(-|x|).
    negative : Out(1)
        The field is negative.
    """

    def __init__(self, total_bits: int, beta_bits: int, shift: int, *, blocks: bool) -> None:
        self._shift = shift
        self._blocks = blocks
        super().__init__(
            {
                "total": In(signed(total_bits)),
                "beta": In(beta_bits),
                "threshold": Out(THRESHOLD_BITS),
                "negative": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        scaled = self._product(m, delayed(m, magnitude(m, self.total), 1), self.beta, self._shift, PRODUCT, stands=True)
        node, drop = self._node(m, scaled[SEGMENT_BITS:ARGUMENT_BITS])
        beyond = delayed(m, scaled[ARGUMENT_BITS:].any(), 2 + FALL)
        fall = self._product(m, drop, delayed(m, scaled[:SEGMENT_BITS], 2), SEGMENT_BITS, FALL)
        threshold = Mux(beyond, 0, delayed(m, node, FALL) - fall)
        m.d.comb += [
            self.threshold.eq(delayed(m, threshold[:THRESHOLD_BITS], 1)),
            self.negative.eq(delayed(m, self.total[-1], STAGES)),
        ]
        return m

    def _product(
        self, m: Module, value: Value, factor: Value, drop: int, clocks: int, *, stands: bool = False
    ) -> Value:
        """A product without its last bits, rounded half up, so many clocks later; one factor may stand."""
        half = 1 << drop >> 1
        if self._blocks:
            return delayed(m, delayed(m, value * factor, clocks - 1) + half, 1)[drop:]
        step = -(-len(factor) // clocks)
        total: Value = Const(half)
        for clock in range(clocks):
            first = clock * step
            part = factor[first : first + step]
            above = added(m, total[first:], delayed(m, value, clock), part if stands else delayed(m, part, clock))
            total = delayed(m, Cat(total[:first], above), 1)
        return total[drop:]

    def _node(self, m: Module, address: Value) -> tuple[Value, Value]:
        """The node at an address and its distance to the next one, two clocks later: block RAM is slow to answer."""
        rows = [node | (node - after) << THRESHOLD_BITS for node, after in pairwise(NODES.tolist())]
        m.submodules.nodes = nodes = memory.Memory(
            shape=max(rows).bit_length(),
            depth=len(rows),
            init=rows,
            attrs={"rom_style": "block" if self._blocks else "logic"},
        )
        row = nodes.read_port()
        m.d.comb += row.addr.eq(address)
        held = delayed(m, row.data, 1)
        return held[:THRESHOLD_BITS], held[THRESHOLD_BITS:]


def added(m: Module, start: Value, value: Value, factor: Value) -> Value:
    """``start + value * factor`` by one conditional addition per bit of the factor, lowest first."""
    total = start
    for place in range(len(factor)):
        done, above = total[:place], total[place:]
        row = Signal(max(len(above), len(value)) + 1)
        m.d.comb += row.eq(Mux(factor[place], above + value, above))
        total = Cat(done, row)
    return total
