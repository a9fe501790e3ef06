"""One lane of a tiled engine: it adds up the field of a p-bit in every replica, one neighbour per clock."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..contract.tiled import Shape
from .ram import block_ram, read
from .update import delayed

FIRST = 7
"""Clocks from a slot to its addition."""

BANK_BITS = 10
"""Low bits of a slot, which name an entry in its bank: what a block RAM of 18 bits holds."""


class Lane(wiring.Component):
    """Entries, and of every replica a copy of all states and the sum of a field.

    The entry of the slot in a clock is added `FIRST` clocks later and the sums stand in the clock after that;
    throughput one entry per clock. A row is written at the end of its clock, a load a clock later. Memories are 0 at
    reset.

    Parameters
    ----------
    shape : Shape
        The engine.

    Members
    -------
    slot : In(slot bits)
        Which entry to add.
    first : In(1)
        The entry that is added in this clock is the first of its p-bit.
    totals : Out(replicas * bias bits)
        Of every replica the sum of what the neighbours that are 1 add; modulo 2^bits.
    load : In(1)
        Write ``entry`` to ``load_slot``.
    load_slot, entry : In
        See `contract.tiled.Shape.entry_bits`.
    write : In(replicas)
        Write ``states`` to ``row`` of a replica.
    row : In(row bits)
        Row of states.
    states : In(lanes)
        Their bits.
    """

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self.copies = [block_ram(shape.lanes, shape.rows) for _ in range(shape.interleave)]
        """Of all states of each replica."""
        super().__init__(
            {
                "slot": In(shape.slot_bits),
                "first": In(1),
                "totals": Out(shape.interleave * shape.bias_bits),
                "load": In(1),
                "load_slot": In(shape.slot_bits),
                "entry": In(shape.entry_bits),
                "write": In(shape.interleave),
                "row": In(shape.row_bits),
                "states": In(shape.lanes),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shape = self._shape
        entry = self._entry(m)
        lane, rest = entry[: shape.lane_bits], entry[shape.lane_bits :]
        lane, row, addend = delayed(m, lane, 2), rest[: shape.row_bits], delayed(m, rest[shape.row_bits :], 2)
        totals = Signal.like(self.totals, reset_less=True)
        m.d.comb += self.totals.eq(totals)
        for replica in range(shape.interleave):
            neighbour = self._states(m, replica, row).bit_select(lane, 1)
            added = Signal(signed(shape.addend_bits), name=f"added_{replica}", reset_less=True)
            total = totals.word_select(replica, shape.bias_bits)
            # no `Mux`: tools would make the neighbour a reset, which is slower
            m.d.sync += [
                added.eq(addend & neighbour.replicate(shape.addend_bits)),
                total.eq(Mux(self.first, 0, total) + added),
            ]
        return m

    def _entry(self, m: Module) -> Value:
        """The entry of a slot, four clocks later.

        Block RAM is slow to answer, and banks may lie far apart, so each has a register before one is chosen.
        """
        shape = self._shape
        slot = Signal(shape.slot_bits, reset_less=True)
        # a register of the lane's own, for the load makes it unlike the others: tools would make one of them all
        m.d.sync += slot.eq(Mux(self.load, 0, self.slot))
        said = []
        for number, first in enumerate(range(0, shape.slots, 1 << BANK_BITS)):
            m.submodules[f"entries_{number}"] = bank = block_ram(
                shape.entry_bits, min(1 << BANK_BITS, shape.slots - first)
            )
            write = bank.write_port()
            m.d.comb += [
                write.en.eq(delayed(m, self.load & (self.load_slot[BANK_BITS:] == number), 1)),
                write.addr.eq(delayed(m, self.load_slot, 1)),
                write.data.eq(delayed(m, self.entry, 1)),
            ]
            said.append(delayed(m, read(m, bank, slot[:BANK_BITS]), 1))
        return delayed(m, Cat(said).word_select(delayed(m, slot[BANK_BITS:], 2), shape.entry_bits), 1)

    def _states(self, m: Module, replica: int, row: Value) -> Value:
        """The row of a replica's states that stands two clocks after its address.

        The one that is written has no neighbours of p-bits under way, so that only entries that add nothing read it.
        """
        m.submodules[f"copy_{replica}"] = copy = self.copies[replica]
        write = copy.write_port()
        m.d.comb += [
            write.en.eq(self.write[replica]),
            write.addr.eq(self.row),
            write.data.eq(self.states),
        ]
        return delayed(m, read(m, copy, row), 1)
