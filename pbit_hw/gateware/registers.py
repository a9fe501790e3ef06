"""The register map in hardware: what may be read and written, and what is read."""

from __future__ import annotations

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..contract.image import Image
from ..contract.link import MAX_WRITE_WORDS
from ..contract.registers import OFFSET_BITS, REGISTERS, Control, Region, identity

ADDRESS_BITS = 32
WORD_BITS = 32
COUNT_BITS = 16


def offset_bits(image: Image) -> int:
    """Bits that the offsets of an image's registers need, one past the last included."""
    return bits_for(max(register.offset + register.words(image) for register in REGISTERS))


def spans(image: Image, region: Region, access: str) -> list[tuple[int, int]]:
    """Offsets of a region that allow an access, as ascending runs ``(first, one past the last)``."""
    runs: list[tuple[int, int]] = []
    for register in REGISTERS:
        if register.region is region and access in register.access:
            first, last = register.offset, register.offset + register.words(image)
            if runs and runs[-1][1] == first:
                first = runs.pop()[0]
            runs.append((first, last))
    return runs


def longest_access(image: Image) -> int:
    """Most words that one request can read or write."""
    reads = (last - first for region in Region for first, last in spans(image, region, "r"))
    return max(*reads, MAX_WRITE_WORDS)


class AccessCheck(wiring.Component):
    """Whether every one of some consecutive words is a register that allows the access.

    Combinational, and derived from `contract.registers.REGISTERS`.

    Parameters
    ----------
    image : Image
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

    def __init__(self, image: Image) -> None:
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
        narrow = (offset[width:] == 0) & (self.words[width:] == 0)
        m.d.comb += self.allowed.eq(narrow & (offset[:width] + self.words[:width] <= end))
        return m


class RegisterReader(wiring.Component):
    """The word at a readable address; anything at another.

    Combinational.

    Parameters
    ----------
    image : Image
        The array.
    clock_hz : int
        Its clock in Hz, for the register of that name.

    Members
    -------
    address : In(32)
        Address of a readable register.
    states : In(n)
        States of the p-bits.
    sweeps_left : In(32)
        Sweeps the array has still to do.
    beta : In(bits of the beta format)
        Code of the inverse temperature.
    data : Out(32)
        The word.
    """

    def __init__(self, image: Image, clock_hz: int) -> None:
        self._image = image
        self._identity = identity(image, clock_hz)
        super().__init__(
            {
                "address": In(ADDRESS_BITS),
                "states": In(image.size),
                "sweeps_left": In(WORD_BITS),
                "beta": In(image.beta_format.bits),
                "data": Out(WORD_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        offset = self.address[:OFFSET_BITS]
        is_state = self.address[OFFSET_BITS:] == Region.STATE
        control = {**self._identity, Control.SWEEPS: self.sweeps_left, Control.BETA: self.beta}
        with m.If(is_state):
            words = (self._image.size + WORD_BITS - 1) // WORD_BITS
            m.d.comb += self.data.eq(self.states.word_select(offset[: bits_for(words - 1)], WORD_BITS))
        with m.Else(), m.Switch(offset[: bits_for(max(control))]):
            for at, word in control.items():
                with m.Case(at):
                    m.d.comb += self.data.eq(word)
        return m
