"""The register map of a device, stated once: gateware decodes it, the host speaks it, the docs print it.

An address is 32 bits: the region in the top 8, the offset in the low 24.
Registers are 32 bits wide; narrower ones ignore the high bits when written and
read as zero there, signed ones are written in two's complement.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from . import VERSION
from .image import Image

MAGIC = 0x54494250
"""``PBIT`` in ASCII, little-endian."""

OFFSET_BITS = 24


class Region(enum.IntEnum):
    """Top byte of an address."""

    CONTROL = 0
    STATE = 1
    CLAMP = 2
    VALUE = 3
    BIAS = 4
    WEIGHT = 5
    GENERATOR = 6


class Control(enum.IntEnum):
    """Offsets in the control region."""

    MAGIC = 0
    VERSION = 1
    DIGEST = 2
    SIZE = 6
    SLOTS = 7
    COLOURS = 8
    CLOCK_HZ = 9
    SWEEPS = 10
    STOP = 11
    BETA = 12


DIGEST_WORDS = 4


@dataclass(frozen=True)
class Register:
    """One row of the map.

    Parameters
    ----------
    region : Region
        Where it lies.
    offset : int
        First offset.
    name, access, text : str
        Name, ``r``/``w``/``rw``, meaning.
    count : str
        How many words there are, in terms of the image.
    """

    region: Region
    offset: int
    name: str
    access: str
    text: str
    count: str = "1"

    def words(self, image: Image) -> int:
        """Number of words of this register for an image."""
        counts = {
            "packed": (image.size + 31) // 32,
            "n": image.size,
            "slots": image.slots,
            "n * words": image.size * image.generator.words,
        }
        return counts[self.count] if self.count in counts else int(self.count)


_CONTROL = (
    (Control.MAGIC, "r", "`PBIT` in ASCII", "1"),
    (Control.VERSION, "r", "version of the contract", "1"),
    (Control.DIGEST, "r", "digest of the array, first byte lowest", str(DIGEST_WORDS)),
    (Control.SIZE, "r", "p-bits n", "1"),
    (Control.SLOTS, "r", "weight registers, two per edge", "1"),
    (Control.COLOURS, "r", "colours, the clocks of a sweep", "1"),
    (Control.CLOCK_HZ, "r", "clock of the array in Hz", "1"),
    (Control.SWEEPS, "rw", "write while idle: start that many sweeps; read: sweeps left, 0 when idle", "1"),
    (Control.STOP, "w", "any value: stop at the end of the sweep under way", "1"),
    (Control.BETA, "rw", "code of the inverse temperature", "1"),
)

_REGIONS = (
    (Region.STATE, "r", "states, p-bit p in bit p % 32 of word p // 32", "packed"),
    (Region.CLAMP, "w", "1 where a p-bit is clamped", "packed"),
    (Region.VALUE, "w", "what a clamped p-bit is clamped to", "packed"),
    (Region.BIAS, "w", "folded bias of each p-bit", "n"),
    (Region.WEIGHT, "w", "weight of each slot", "slots"),
    (Region.GENERATOR, "w", "generator registers, p-bit by p-bit, word 0 first", "n * words"),
)

REGISTERS: tuple[Register, ...] = (
    *(Register(Region.CONTROL, int(offset), offset.name, *row) for offset, *row in _CONTROL),
    *(Register(region, 0, region.name, *row) for region, *row in _REGIONS),
)
"""The whole map."""


def address(region: Region, offset: int = 0) -> int:
    """The 32-bit address of a register."""
    return int(region) << OFFSET_BITS | int(offset)


def find(addr: int, image: Image) -> Register | None:
    """The register that an address belongs to, or None."""
    for register in REGISTERS:
        start = address(register.region, register.offset)
        if start <= addr < start + register.words(image):
            return register
    return None


def identity(image: Image, clock_hz: int) -> dict[int, int]:
    """Contents of the read-only control registers, by offset."""
    digest = [int.from_bytes(image.digest[4 * k : 4 * k + 4], "little") for k in range(DIGEST_WORDS)]
    return {
        Control.MAGIC: MAGIC,
        Control.VERSION: VERSION,
        **{Control.DIGEST + k: word for k, word in enumerate(digest)},
        Control.SIZE: image.size,
        Control.SLOTS: image.slots,
        Control.COLOURS: image.colours,
        Control.CLOCK_HZ: clock_hz,
    }
