"""The register map of a device, stated once: gateware decodes it, the host speaks it, the docs print it.

An address is 32 bits: the region in the top 8, the offset in the low 24.
Registers are 32 bits wide; narrower ones ignore the high bits when written and
read as zero there, signed ones are written in two's complement. While the array
runs, nothing but `Control.STOP` can be written.
"""

from __future__ import annotations

import enum
import zlib
from dataclasses import dataclass
from typing import Protocol

import numpy as np

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
    BIAS = 4
    WEIGHT = 5
    GENERATOR = 6
    SCHEDULE = 7
    COUNT = 8


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
    INTERLEAVE = 13
    ROTATE = 14
    FIXED = 15
    STEPS = 16
    SHAPE = 32


DIGEST_WORDS = 4


class Mapped(Protocol):
    """What registers are there for: an `Image`, or the shape of an engine for many, see `engine`."""

    @property
    def register_counts(self) -> dict[str, int]:
        """Words of each register that is not of a fixed size, by what `Register.count` says."""
        ...

    @property
    def sizes(self) -> tuple[int, int, int]:
        """P-bits, weights and colours."""
        ...

    @property
    def digest(self) -> bytes:
        """16 bytes that name the hardware."""
        ...

    @property
    def interleave(self) -> int:
        """Replicas in the array."""
        ...


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

    def words(self, image: Mapped) -> int:
        """Number of words of this register for an image."""
        counts = image.register_counts
        return counts[self.count] if self.count in counts else int(self.count)


_CONTROL = (
    (Control.MAGIC, "r", "`PBIT` in ASCII", "1"),
    (Control.VERSION, "r", "version of the contract", "1"),
    (Control.DIGEST, "r", "digest of the array, first byte lowest", str(DIGEST_WORDS)),
    (Control.SIZE, "r", "p-bits n", "1"),
    (Control.SLOTS, "r", "weight registers, two per edge", "1"),
    (Control.COLOURS, "r", "colours, the clocks of a sweep", "1"),
    (Control.CLOCK_HZ, "r", "clock of the array in Hz", "1"),
    (Control.SWEEPS, "rw", "write while idle: start so many sweeps, below 2^32 - 1; read: sweeps left", "1"),
    (Control.STOP, "w", "any value: stop at the end of the sweep under way", "1"),
    (Control.BETA, "rw", "code of the inverse temperature", "1"),
    (Control.INTERLEAVE, "r", "replicas in the array", "1"),
    (Control.ROTATE, "w", "any value: `STATE` is the next replica's; a run starts from the first", "1"),
    (Control.FIXED, "r", "0, or the checksum of weights, biases and beta that cannot be loaded", "1"),
    (Control.STEPS, "rw", "write while idle: carry out so many steps of the schedule; read: steps left", "steps"),
    (
        Control.SHAPE,
        "r",
        "of an engine for many graphs: its kind, and what it is built for; see `engine`",
        "shape",
    ),
)

_REGIONS = (
    (Region.STATE, "rw", "states of one replica, p-bit p in bit p % 32 of word p // 32", "packed"),
    (Region.CLAMP, "w", "1 where a p-bit keeps its state, in every replica", "packed"),
    (Region.BIAS, "w", "folded bias of each p-bit", "n"),
    (Region.WEIGHT, "w", "weight of each slot", "slots"),
    (Region.GENERATOR, "w", "seeds of the generator registers, one after another, word 0 first", "streams * words"),
    (Region.SCHEDULE, "w", "steps: code of beta, sweeps, repeats, 1 to count after each", "schedule"),
    (Region.COUNT, "rw", "counters of p-bits and edges, see `schedule`", "counters"),
)

REGISTERS: tuple[Register, ...] = (
    *(Register(Region.CONTROL, int(offset), offset.name, *row) for offset, *row in _CONTROL),
    *(Register(region, 0, region.name, *row) for region, *row in _REGIONS),
)
"""The whole map."""


def address(region: Region, offset: int = 0) -> int:
    """The 32-bit address of a register."""
    return int(region) << OFFSET_BITS | int(offset)


def find(addr: int, image: Mapped) -> Register | None:
    """The register that an address belongs to, or None."""
    for register in REGISTERS:
        start = address(register.region, register.offset)
        if start <= addr < start + register.words(image):
            return register
    return None


def identity(image: Mapped, clock_hz: int, fixed: int = 0) -> dict[int, int]:
    """Contents of the read-only control registers, by offset; ``fixed`` is a baked array's `fixed_checksum`."""
    size, slots, colours = image.sizes
    digest = [int.from_bytes(image.digest[4 * k : 4 * k + 4], "little") for k in range(DIGEST_WORDS)]
    return {
        Control.MAGIC: MAGIC,
        Control.VERSION: VERSION,
        **{Control.DIGEST + k: word for k, word in enumerate(digest)},
        Control.SIZE: size,
        Control.SLOTS: slots,
        Control.COLOURS: colours,
        Control.CLOCK_HZ: clock_hz,
        Control.INTERLEAVE: image.interleave,
        Control.FIXED: fixed,
    }


def fixed_checksum(image: Image, beta: int) -> int:
    """What `Control.FIXED` says of an array whose weights, biases and code of beta are constants; never 0."""
    codes = (image.weights, image.biases, np.array([beta]))
    return zlib.crc32(b"".join(np.asarray(array, "<i4").tobytes() for array in codes)) or 1
