"""Memories of couplings: in block RAM, or in the single-port RAM of iCE40 UltraPlus."""

from __future__ import annotations

from amaranth import ClockSignal, Const, Instance, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.vendor import LatticeICE40Platform

from ..contract.engine import WORD_BITS
from ..contract.lattice import SPRAM_ROWS
from .ram import block_ram, read

CELL_BITS = 16
"""Width of an ``SB_SPRAM256KA``."""


class CouplingMemory(wiring.Component):
    """Words of couplings.

    Latency 1, throughput one word per clock, but in a clock of a load nothing is read. Block RAM is 0 at reset,
    single-port RAM has no contents until it is loaded.

    Parameters
    ----------
    rows : int
        How many words.
    spram : bool
        Whether it is for single-port RAM, of which only iCE40 UltraPlus has any: in simulation, and on other parts,
        it is a memory that does the same.

    Members
    -------
    row : In
        Which word to read.
    data : Out(32)
        The word whose row stood a clock ago.
    load : In(1)
        Write ``word`` to ``load_row``.
    load_row, word : In
    """

    def __init__(self, rows: int, *, spram: bool) -> None:
        self._rows = rows
        self._spram = spram
        row_bits = (rows - 1).bit_length()
        super().__init__(
            {
                "row": In(row_bits),
                "data": Out(WORD_BITS),
                "load": In(1),
                "load_row": In(row_bits),
                "word": In(WORD_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if self._spram and isinstance(platform, LatticeICE40Platform):
            self._cells(m)
            return m
        m.submodules.words = words = block_ram(WORD_BITS, self._rows)
        write = words.write_port()
        m.d.comb += [
            write.en.eq(self.load),
            write.addr.eq(self.load_row),
            write.data.eq(self.word),
            self.data.eq(read(m, words, self.row)),
        ]
        return m

    def _cells(self, m: Module) -> None:
        """Two cells side by side; awake, since nothing says otherwise."""
        row = Signal(range(SPRAM_ROWS))
        m.d.comb += row.eq(Mux(self.load, self.load_row, self.row))
        for first in range(0, WORD_BITS, CELL_BITS):
            m.submodules[f"cell_{first}"] = Instance(
                "SB_SPRAM256KA",
                i_ADDRESS=row,
                i_DATAIN=self.word[first : first + CELL_BITS],
                i_MASKWREN=Const(0b1111, 4),
                i_WREN=self.load,
                i_CHIPSELECT=Const(1),
                i_CLOCK=ClockSignal(),
                i_STANDBY=Const(0),
                i_SLEEP=Const(0),
                i_POWEROFF=Const(1),  # active low
                o_DATAOUT=self.data[first : first + CELL_BITS],
            )
