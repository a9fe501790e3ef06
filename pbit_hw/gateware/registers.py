"""The register map in hardware: what may be read and written, and what is read."""

from __future__ import annotations

from amaranth import Const, Module, Signal, ValueLike
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..contract.link import MAX_WRITE_WORDS
from ..contract.registers import OFFSET_BITS, REGISTERS, Control, Mapped, Region
from ..contract.schedule import STEPS

ADDRESS_BITS = 32
WORD_BITS = 32
COUNT_BITS = 16

STATE_LATENCY = 2
"""Clocks from an address to its word of states or counters."""

READ_LATENCY = STATE_LATENCY + 1
"""Clocks from an address to its word."""


def offset_bits(image: Mapped) -> int:
    """Bits that the offsets of an image's registers need, one past the last included."""
    ends = (register.offset + count for register in REGISTERS if (count := register.words(image)))
    return bits_for(max(ends))


def spans(image: Mapped, region: Region, access: str) -> list[tuple[int, int]]:
    """Offsets of a region that allow an access, as ascending runs ``(first, one past the last)``."""
    runs: list[tuple[int, int]] = []
    for register in REGISTERS:
        count = register.words(image)
        if register.region is region and access in register.access and count:
            first, last = register.offset, register.offset + count
            if runs and runs[-1][1] == first:
                first = runs.pop()[0]
            runs.append((first, last))
    return runs


def longest_access(image: Mapped) -> int:
    """Most words that one request can read or write, or that one sample has."""
    reads = (last - first for region in Region for first, last in spans(image, region, "r"))
    states = image.interleave * image.register_counts["packed"]
    return max(*reads, states, MAX_WRITE_WORDS)


class AccessCheck(wiring.Component):
    """Whether every one of some consecutive words is a register that allows the access.

    Latency 3, for which all must stand; derived from `contract.registers.REGISTERS`.

    Parameters
    ----------
    image : Mapped
        The array.

    Members
    -------
    address : In(32)
        Address of the first word.
    words : In(16)
        How many words, at least 1.
    write : In(1)
        Whether they are written.
    allowed : Out(1)
        Whether every one of them may be.
    """

    def __init__(self, image: Mapped) -> None:
        self._image = image
        super().__init__({"address": In(ADDRESS_BITS), "words": In(COUNT_BITS), "write": In(1), "allowed": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width = offset_bits(self._image)
        offset, region = self.address[:OFFSET_BITS], self.address[OFFSET_BITS:]
        ends = []
        for value in Region:
            for access in "rw":
                for first, last in spans(self._image, value, access):
                    within = Signal(name=f"from_{value.name}_{first}_{access}")
                    m.d.sync += within.eq((region == value) & (self.write == (access == "w")) & (offset >= first))
                    ends.append((within, last))
        limit, last, narrow = Signal(width), Signal(width + 1), Signal()
        m.d.sync += limit.eq(0)
        for within, end in ends:  # of a region's runs, the last one that begins before the offset
            with m.If(within):
                m.d.sync += limit.eq(end)
        m.d.sync += [
            last.eq(offset[:width] + self.words[:width]),
            narrow.eq((offset[width:] == 0) & (self.words[width:] == 0)),
            self.allowed.eq(narrow & (last <= limit)),
        ]
        return m


class RegisterReader(wiring.Component):
    """The word at a readable address; anything at another.

    Latency `READ_LATENCY`, for which the address must stand; ``state`` and ``counter`` come
    `STATE_LATENCY` clocks after it.

    Parameters
    ----------
    constants : dict of int to int
        Contents of the read-only control registers, by offset.
    beta_bits : int
        Width of the register of beta.

    Members
    -------
    address : In(32)
        Address of a readable register.
    state, counter : In(32)
        The words of `Region.STATE` and `Region.COUNT` there.
    sweeps_left : In(32)
        Sweeps that are still to do.
    beta : In(beta_bits)
        Code of the inverse temperature.
    steps_left : In(7)
        Steps of the schedule to do.
    data : Out(32)
        The word.
    """

    def __init__(self, constants: dict[int, int], beta_bits: int) -> None:
        self._constants = constants
        super().__init__(
            {
                "address": In(ADDRESS_BITS),
                "state": In(WORD_BITS),
                "counter": In(WORD_BITS),
                "sweeps_left": In(WORD_BITS),
                "beta": In(beta_bits),
                "steps_left": In(bits_for(STEPS)),
                "data": Out(WORD_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        varying: dict[int, ValueLike] = {
            Control.SWEEPS: self.sweeps_left,
            Control.BETA: self.beta,
            Control.STEPS: self.steps_left,
        }
        place = self.address[: bits_for(max(self._constants.keys() | varying.keys()))]
        # a table, three LUTs deep; of cases a chain would be made
        table = sum(word << WORD_BITS * offset for offset, word in self._constants.items())
        constant, word = Signal(WORD_BITS), Signal(WORD_BITS)
        m.d.sync += constant.eq(Const(table, WORD_BITS << len(place)).word_select(place, WORD_BITS))
        m.d.sync += word.eq(constant)
        with m.Switch(place):
            for offset, content in varying.items():
                with m.Case(offset):
                    m.d.sync += word.eq(content)
        with m.Switch(self.address[OFFSET_BITS:]):
            with m.Case(Region.STATE):
                m.d.sync += self.data.eq(self.state)
            with m.Case(Region.COUNT):
                m.d.sync += self.data.eq(self.counter)
            with m.Default():
                m.d.sync += self.data.eq(word)
        return m
