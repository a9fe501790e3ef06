"""The lattice engine: lanes for a two-dimensional lattice on a torus, whose couplings are all of one magnitude or zero.

A lattice of ``rows`` rows and ``2 * lanes * segments`` columns is a chequerboard of two colours. In a row, a colour has
``segments`` rounds of K = ``lanes`` p-bits: p-bit j of row y and colour c sits in column 2 j + (y + c) % 2, and
belongs to round ``y * segments + j // K`` of its colour and to lane j % K. Its neighbours in `DIRECTIONS` are, of the
other colour, the p-bits j of the rows above, below and its own, and in its own row j - 1, or j + 1 where y + c is odd.

So nothing has to say where neighbours are. A colour is updated as an image is filtered: the other colour's rounds are
read one per clock, first those of the last row and in the end those of the first row once more, into a line of two
rows, at whose places the neighbours of a round stand in the same clock. The field of a p-bit is a whole number from -4
to 4 of the one magnitude, so that all lanes compare with the same four thresholds, which are made whenever the
magnitude or beta is written. Boundaries are open where couplings are zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from .engine import WORD_BITS, Engine, Kind
from .errors import FitError
from .generator import Generator
from .image import Image
from .packing import Int64, Packing, Words, check_widths
from .registers import Region, address
from .update import Unit

COLOURS = 2

DIRECTIONS = ("above", "below", "beside", "across")
"""Neighbours of a p-bit in the order of their couplings: the last two are in its own row."""

COUPLING_BITS = 2
"""Of a coupling in two's complement: -1, 0 or 1 times the magnitude."""

BANK_LANES = WORD_BITS // (len(DIRECTIONS) * COUPLING_BITS)
"""Lanes whose couplings are in one word."""

MAX_LANES = 256

DRAIN = 6
"""Clocks from the last round that a colour reads to the write of what it decides."""

MAX_SHIFT = 11
"""Most fraction bits to drop: as many as there are in the distance of two nodes of the activation."""

SPRAM_ROWS = 1 << 14
"""Words of two single-port RAMs of iCE40 UltraPlus side by side."""


@dataclass(frozen=True)
class LatticeShape(Engine):
    """What a lattice engine is built for.

    Parameters
    ----------
    lanes : int
        Lanes K: a multiple of 4 up to 32, or of 32.
    segments : int
        Rounds of a colour in a row: the lattice has ``2 * lanes * segments`` columns.
    rows : int
        Rows of the lattice, an even number.
    bias_bits : int
        Signed width of fields, see `Image.bias_bits`.
    beta_bits : int
        Width of the code of beta.
    argument_shift : int
        Fraction bits between |field| * beta and the activation's argument.
    generator : Generator
        Kind of random-number generator.
    spram : bool
        Whether couplings are in single-port RAM of iCE40 UltraPlus: of 8 lanes in the four that there are.

    Raises
    ------
    FitError
        If there is no such engine.
    """

    kind: ClassVar[Kind] = Kind.LATTICE

    lanes: int
    segments: int
    rows: int
    bias_bits: int
    beta_bits: int
    argument_shift: int
    generator: Generator
    spram: bool = False

    def __post_init__(self) -> None:
        self.check(
            {
                "lanes": (self.generator.share + 1, MAX_LANES),
                "segments": (1, 1 << 10),
                "rows": (4, 1 << 12),
                "bias_bits": (4, WORD_BITS - 1),
                "beta_bits": (1, WORD_BITS),
                "argument_shift": (0, MAX_SHIFT),
            }
        )
        if self.lanes % (BANK_LANES if self.lanes < WORD_BITS else WORD_BITS):
            raise FitError(f"lanes of a lattice engine are {self.lanes}; use a multiple of 4 up to 32, or of 32")
        if self.rows % 2:
            raise FitError(f"rows of a lattice engine are {self.rows}, which two colours cannot go round; use one more")

    @property
    def columns(self) -> int:
        """Columns of the lattice."""
        return COLOURS * self.lanes * self.segments

    @property
    def rounds(self) -> int:
        """Rounds of a colour."""
        return self.rows * self.segments

    @property
    def round_bits(self) -> int:
        """Bits that name a round of a colour."""
        return (self.rounds - 1).bit_length()

    @property
    def row_bits(self) -> int:
        """Bits that name a row of couplings: the colour is the lowest of them, then comes the round."""
        return self.round_bits + 1

    @property
    def row_words(self) -> int:
        """Words that the states of a round take on the bus: a power of two."""
        return 1 << (-(-self.lanes // WORD_BITS) - 1).bit_length()

    @property
    def word_bits(self) -> int:
        """Bits that name a word of a round's states."""
        return self.row_words.bit_length() - 1

    @property
    def banks(self) -> int:
        """Memories of couplings, each with a word of every row."""
        return self.lanes // BANK_LANES

    @property
    def size(self) -> int:
        """P-bits."""
        return self.columns * self.rows

    @property
    def addend_bits(self) -> int:
        """Signed width of what a neighbour may add: as much as the bias leaves."""
        return self.bias_bits - 1

    @property
    def clocks(self) -> int:
        """Clocks of a sweep."""
        return COLOURS * (self.rounds + 2 * self.segments + DRAIN)

    @property
    def memories(self) -> dict[str, int]:
        """Words of states, biases and weights."""
        return {
            "packed": COLOURS * self.rounds * self.row_words,
            "n": 1,
            "slots": self.banks << self.row_bits,
        }

    @property
    def sizes(self) -> tuple[int, int, int]:
        """P-bits, weights and colours that a device says it has; of an engine 0 colours."""
        return self.size, len(DIRECTIONS) * self.size, 0

    @cached_property
    def neighbours(self) -> Int64:
        """Neighbour of every p-bit in each of `DIRECTIONS`, shape (size, 4)."""
        across = self.columns // COLOURS
        colour, y, j = np.indices((COLOURS, self.rows, across))
        side = 2 * ((y + colour) % 2) - 1
        places = ((y - 1, j), (y + 1, j), (y, j), (y, j + side))
        other = (1 - colour) * self.rows
        indices = [(other + row % self.rows) * across + place % across for row, place in places]
        return np.stack(indices, axis=-1).reshape(self.size, len(DIRECTIONS))


@dataclass(frozen=True, eq=False)
class Laid(Packing):
    """An image in a lattice engine's memories.

    Parameters
    ----------
    image : Image
        What is packed.
    shape : LatticeShape
        The engine.
    directions : ndarray of int64, shape (slots,)
        Of `DIRECTIONS` that each slot's neighbour lies in.
    """

    image: Image
    shape: LatticeShape
    directions: Int64

    @property
    def clocks(self) -> int:
        """Clocks of a sweep."""
        return self.shape.clocks

    @property
    def utilisation(self) -> float:
        """Share of the clocks in which lanes add up their neighbours."""
        return COLOURS * self.shape.rounds / self.clocks

    def loads(self, image: Image, *, graph: bool = True) -> Iterator[tuple[int, Words]]:
        """See `Packing.loads`; a lattice is its couplings.

        Raises
        ------
        FitError
            If weights are of several magnitudes, or there are biases.
        """
        magnitude = _magnitude(image)
        yield address(Region.BIAS), np.array([magnitude << self.weight_shift], np.uint32)
        for bank, words in enumerate(self.couplings(image.weights).T):
            yield address(Region.WEIGHT, bank << self.shape.row_bits), words

    def couplings(self, weights: npt.NDArray[np.int32]) -> Words:
        """Words of couplings, shape (rows, banks): of every lane a byte, the first direction lowest."""
        shape = self.shape
        codes = np.zeros((shape.size, len(DIRECTIONS)), np.uint8)
        codes[self.image.owners, self.directions] = np.sign(weights) & ((1 << COUPLING_BITS) - 1)
        rows = np.zeros((COLOURS * shape.rounds, shape.lanes), np.uint8)
        shifted = codes << COUPLING_BITS * np.arange(len(DIRECTIONS), dtype=np.uint8)
        rows[self._rows, self._lanes] = shifted.sum(axis=1)
        return rows.view("<u4").astype(np.uint32)

    @property
    def _rows(self) -> Int64:
        """Row of each p-bit: those of a round of both colours follow one another."""
        colour, within = np.divmod(np.arange(self.shape.size), self.shape.size // COLOURS)
        return within // self.shape.lanes * COLOURS + colour

    @property
    def _lanes(self) -> Int64:
        return np.arange(self.shape.size) % self.shape.lanes

    @cached_property
    def places(self) -> Int64:
        """Bit of each p-bit, shape (n,): rows are whole words, and lanes their bits."""
        return self._rows * self.shape.row_words * WORD_BITS + self._lanes


def lay(image: Image, shape: LatticeShape) -> Laid:
    """Pack an image.

    Parameters
    ----------
    image : Image
        Of the engine's lattice, compiled for its lanes.
    shape : LatticeShape
        The engine.

    Raises
    ------
    FitError
        If the engine cannot hold it.
    """
    check_widths(image, shape)
    _magnitude(image)
    lattice = f"a lattice of {shape.rows} rows and {shape.columns} columns"
    per_colour = shape.size // COLOURS
    if np.diff(image.colour_first).tolist() != [per_colour] * COLOURS:
        raise FitError(
            f"graph has {image.size:,} p-bits in {image.colours} colours, the engine is for {lattice}: use a lattice "
            f"of that size, or a tiled engine"
        )
    found = shape.neighbours[image.owners] == image.neighbours[:, None]
    if not found.any(axis=1).all():
        owner = int(image.owners[np.argmin(found.any(axis=1))])
        raise FitError(
            f"p-bit {owner} has a neighbour that it has not in {lattice}: give one row after another, open boundaries "
            f"as couplings of 0, or use a tiled engine"
        )
    return Laid(image, shape, found.argmax(axis=1))


def _magnitude(image: Image) -> int:
    """The one magnitude of an image's weights that are not 0."""
    magnitudes = np.unique(np.abs(image.weights[image.weights != 0]))
    if len(magnitudes) > 1:
        raise FitError(
            f"weights of the program have {len(magnitudes)} magnitudes, in a lattice engine all but 0 have one: "
            f"use equal couplings, fewer weight bits, or a tiled engine"
        )
    biased = np.count_nonzero(image.unfold())
    if image.unit is not Unit.SPIN or biased:
        what = f"has biases at {biased:,} p-bits" if biased else "is of bits"
        raise FitError(f"program {what}, a lattice engine has spins without biases: use a tiled engine")
    return int(magnitudes[0]) if len(magnitudes) else 0
