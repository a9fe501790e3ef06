"""The array of p-bits: the mirror of `contract.array`."""

from __future__ import annotations

from collections.abc import Callable

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..contract.array import stop
from ..contract.generator import streams
from ..contract.image import Image
from ..contract.registers import OFFSET_BITS, Control, Region
from .update import PBit

ADDRESS_BITS = 32
WORD_BITS = 32
COLUMN_BITS = 4
"""Low bits of an offset that are decoded together: one 4-input LUT per column."""

Written = Callable[[Region, int], Value]
"""Whether a register, by region and offset, is written in this clock."""


class OffsetDecoder(wiring.Component):
    """One-hot rows and columns of an offset, so that a register's own decoder is one LUT.

    Combinational.

    Parameters
    ----------
    count : int
        Offsets 0 to ``count - 1`` are decoded; larger ones set no row.

    Members
    -------
    offset : In(24)
        Offset in a region.
    columns : Out(16)
        One-hot low bits.
    rows : Out(ceil(count / 16))
        One-hot other bits.
    """

    def __init__(self, count: int) -> None:
        columns = 1 << COLUMN_BITS
        super().__init__(
            {"offset": In(OFFSET_BITS), "columns": Out(columns), "rows": Out((count + columns - 1) // columns)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        low, high = self.offset[:COLUMN_BITS], self.offset[COLUMN_BITS:]
        spare = max(len(self.rows) - 1, 0).bit_length()
        fits = Signal()
        m.d.comb += [
            fits.eq(high[spare:] == 0),
            self.columns.eq(Cat(low == column for column in range(len(self.columns)))),
            self.rows.eq(Cat(fits & (high[:spare] == row) for row in range(len(self.rows)))),
        ]
        return m

    def hit(self, offset: int) -> Value:
        """Whether the offset is ``offset``."""
        row, column = divmod(offset, len(self.columns))
        return self.rows[row] & self.columns[column]


class Array(wiring.Component):
    """An array of p-bits, one colour per clock, and the register bus that loads it.

    In each clock with ``sweeps_left`` not zero the p-bits of colour ``phase``
    update and the phase moves on: `contract.array.clock`, one call per clock.
    Outputs are registers. A write strobe in a clock changes its register at the
    end of that clock, whose update still sees the old one; a load of a generator
    register wins over its update. The writable rows of `contract.registers` are decoded;
    a write to any other address does nothing, and so does a start while the array runs.

    At reset the states are 0, generator registers hold the streams of seed 0,
    beta is `Image.reset_beta`, and the rest is the image's.

    Parameters
    ----------
    image : Image
        The array.
    multipliers : int or None
        Hardware multipliers to ask for, one per p-bit from the first on; None is
        one for every p-bit. The others multiply in logic, see `activation.Argument`.

    Members
    -------
    write : In(1)
        Write ``data`` to ``address``.
    address : In(32)
        Address, see `contract.registers`.
    data : In(32)
        The word; narrower registers take the low bits.
    states : Out(n)
        The p-bits.
    phase : Out(bits of the last colour, at least 1)
        Colour that updates next.
    sweeps_left : Out(32)
        Sweeps to do, the one under way included; 0 when idle.
    beta : Out(beta bits)
        Code of the inverse temperature.
    """

    def __init__(self, image: Image, *, multipliers: int | None = None) -> None:
        self._image = image
        in_hardware = image.size if multipliers is None else multipliers
        seeds = streams(image.generator, 0, image.size).tolist()
        self.pbits = [PBit(image, pbit, seeds[pbit], multiplier=pbit < in_hardware) for pbit in range(image.size)]
        super().__init__(
            {
                "write": In(1),
                "address": In(ADDRESS_BITS),
                "data": In(WORD_BITS),
                "states": Out(image.size),
                "phase": Out(max(1, (image.colours - 1).bit_length())),
                "sweeps_left": Out(WORD_BITS),
                "beta": Out(image.beta_format.bits, init=image.reset_beta),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        image = self._image
        largest = max(image.slots, image.size * image.generator.words, int(Control.BETA) + 1)
        m.submodules.offset = offset = OffsetDecoder(largest)
        m.d.comb += offset.offset.eq(self.address[:OFFSET_BITS])
        strobes = {region: Signal(name=f"write_{region.name.lower()}") for region in Region}
        for region, strobe in strobes.items():
            m.d.comb += strobe.eq(self.write & (self.address[OFFSET_BITS:] == region))

        def written(region: Region, place: int) -> Value:
            return strobes[region] & offset.hit(place)

        turns = self._count(m, written)
        for pbit, component in enumerate(self.pbits):
            m.submodules[f"pbit_{pbit}"] = component
            self._run(m, pbit, turns[int(image.colour[pbit])])
            self._load(m, pbit, written)
        m.d.comb += self.states.eq(Cat(component.state for component in self.pbits))
        return m

    def _count(self, m: Module, written: Written) -> Signal:
        """Phase, sweeps left and beta; returns whose turn it is, one bit per colour."""
        colours = self._image.colours
        running, last = self.sweeps_left.any(), self.phase == colours - 1
        phase, turns = Signal.like(self.phase), Signal(colours)
        m.d.comb += [
            phase.eq(self.phase),
            turns.eq(Cat(running & (self.phase == colour) for colour in range(colours))),
        ]
        with m.If(running):
            m.d.comb += phase.eq(Mux(last, 0, self.phase + 1))
            m.d.sync += self.sweeps_left.eq(self.sweeps_left - last)
        m.d.sync += self.phase.eq(phase)
        with m.If(written(Region.CONTROL, Control.SWEEPS) & ~running):
            m.d.sync += self.sweeps_left.eq(self.data)
        with m.If(written(Region.CONTROL, Control.STOP)):
            m.d.sync += self.sweeps_left.eq(Mux(phase.any(), stop(1), stop(0)))
        with m.If(written(Region.CONTROL, Control.BETA)):
            m.d.sync += self.beta.eq(self.data)
        return turns

    def _run(self, m: Module, pbit: int, turn: Value) -> None:
        """Connect a p-bit to its neighbours, beta and its colour's turn."""
        image, component = self._image, self.pbits[pbit]
        neighbours = image.neighbours[image.slot_first[pbit] : image.slot_first[pbit + 1]]
        m.d.comb += [
            component.neighbours.eq(Cat(self.pbits[neighbour].state for neighbour in neighbours)),
            component.beta.eq(self.beta),
            component.update.eq(turn),
        ]

    def _load(self, m: Module, pbit: int, written: Written) -> None:
        """Connect a p-bit to the bus."""
        image, component = self._image, self.pbits[pbit]
        word, bit = divmod(pbit, WORD_BITS)
        words = range(pbit * image.generator.words, (pbit + 1) * image.generator.words)
        slots = range(image.slot_first[pbit], image.slot_first[pbit + 1])
        m.d.comb += [
            component.data.eq(self.data),
            component.clamp.eq(self.data[bit]),
            component.load_clamp.eq(written(Region.CLAMP, word)),
            component.load_value.eq(written(Region.VALUE, word)),
            component.load_bias.eq(written(Region.BIAS, pbit)),
            component.load_weights.eq(Cat(written(Region.WEIGHT, slot) for slot in slots)),
            component.load_generator.eq(Cat(written(Region.GENERATOR, place) for place in words)),
        ]


class ProbedArray(wiring.Component):
    """An `Array` that shows its generator registers too, for simulators that see ports only.

    Parameters
    ----------
    image, multipliers
        See `Array`.

    Members
    -------
    write, address, data, states, phase, sweeps_left, beta
        See `Array`.
    registers : Out(32 * n * generator words)
        Generator registers, p-bit by p-bit, word 0 lowest.
    """

    def __init__(self, image: Image, *, multipliers: int | None = None) -> None:
        self.image = image
        self.array = Array(image, multipliers=multipliers)
        bits = WORD_BITS * image.size * image.generator.words
        super().__init__({**self.array.signature.members, "registers": Out(bits)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.array = array = self.array
        for name, member in array.signature.members.items():
            inner, outer = getattr(array, name), getattr(self, name)
            m.d.comb += inner.eq(outer) if member.flow == In else outer.eq(inner)
        m.d.comb += self.registers.eq(Cat(pbit.register for pbit in array.pbits))
        return m
