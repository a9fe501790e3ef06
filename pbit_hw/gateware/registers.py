"""The register map in hardware: what may be read and written, and what is read."""

from __future__ import annotations

from amaranth import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..contract.image import Image
from ..contract.link import MAX_WRITE_WORDS
from ..contract.registers import OFFSET_BITS, REGISTERS, Control, Mapped, Region, identity
from ..contract.schedule import STEPS

ADDRESS_BITS = 32
WORD_BITS = 32
COUNT_BITS = 16

READ_LATENCY = 2
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

    Latency 2; derived from `contract.registers.REGISTERS`.

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
        end = Signal(width)
        with m.Switch(region):
            for value in Region:
                with m.Case(value):
                    for access in "rw":
                        for first, last in spans(self._image, value, access):
                            with m.If((self.write == (access == "w")) & (offset[:width] >= first)):
                                m.d.comb += end.eq(last)
        limit, last, narrow = Signal(width), Signal(width + 1), Signal()
        m.d.sync += [
            limit.eq(end),
            last.eq(offset[:width] + self.words[:width]),
            narrow.eq((offset[width:] == 0) & (self.words[width:] == 0)),
            self.allowed.eq(narrow & (last <= limit)),
        ]
        return m


class RegisterReader(wiring.Component):
    """The word at a readable address; anything at another.

    Latency `READ_LATENCY`, for which the address must stand.

    Parameters
    ----------
    image : Image
        The array.
    clock_hz : int
        Its clock in Hz, for the register of that name.
    fixed : int
        See `contract.registers.identity`.

    Members
    -------
    address : In(32)
        Address of a readable register.
    steps_left : In(7)
        Steps of the schedule to do.
    counter : In(32)
        The counter at the address, with the latency.
    shown : In(n)
        States of the replica at hand.
    sweeps_left : In(32)
        Sweeps the array has still to do.
    beta : In(bits of the beta format)
        Code of the inverse temperature.
    data : Out(32)
        The word.
    """

    def __init__(self, image: Image, clock_hz: int, fixed: int = 0) -> None:
        self._image = image
        self._identity = identity(image, clock_hz, fixed)
        super().__init__(
            {
                "address": In(ADDRESS_BITS),
                "shown": In(image.size),
                "sweeps_left": In(WORD_BITS),
                "beta": In(image.beta_format.bits),
                "steps_left": In(bits_for(STEPS)),
                "counter": In(WORD_BITS),
                "data": Out(WORD_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        offset = self.address[:OFFSET_BITS]
        is_state = self.address[OFFSET_BITS:] == Region.STATE
        control = {**self._identity, Control.SWEEPS: self.sweeps_left, Control.BETA: self.beta}
        control[Control.STEPS] = self.steps_left
        words = (self._image.size + WORD_BITS - 1) // WORD_BITS
        state, other = Signal(WORD_BITS), Signal(WORD_BITS)
        m.d.sync += state.eq(self.shown.word_select(offset[: bits_for(words - 1)], WORD_BITS))
        with m.Switch(offset[: bits_for(max(control))]):
            for at, word in control.items():
                with m.Case(at):
                    m.d.sync += other.eq(word)
        word, counts = Signal(WORD_BITS), Signal()
        m.d.sync += [word.eq(Mux(is_state, state, other)), counts.eq(self.address[OFFSET_BITS:] == Region.COUNT)]
        m.d.comb += self.data.eq(Mux(counts, self.counter, word))
        return m
