"""The dense engine: two layers of p-bits, each joined to all of the other, such as restricted Boltzmann machines.

P-bits of the first colour are *rows* of a matrix of weights and those of the second are its *columns*; edges that a
graph lacks weigh nothing. One row of weights is read per clock, and read again as soon as its p-bit is decided:

- Rows are updated one per clock, each from the sum of its weights over the columns that are 1.
- As each is decided, its weights are added to the sums of all columns, if it is 1.
- Columns are updated one per clock, each from its own sum.

So a sweep takes a clock per p-bit, and twice `DenseShape.drain` clocks in which a colour is written before the next one
begins. P-bits take turns at the generators of K lanes, see `Image.lanes`. Fields are computed modulo 2^bits, which is
exact for every image that fits.

Weights and biases are for one machine, and one `DenseShape` runs every machine of its lanes, generator and widths that
has no more rows and columns.
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
from .registers import OFFSET_BITS, Region, address

Int32 = npt.NDArray[np.int32]

PIPELINE = 15
"""Clocks from the last p-bit of a colour to the first one of the next, beyond those that depend on the shape."""

SPAN = WORD_BITS
"""Columns that are told of everything in the same clock, a word of states; others hear of it later, one span after
another, so that no register has to reach all over a large chip."""

EXTENT_BITS = 16
"""Bits of the last row in use, below those of the last column."""

LAYERS = 2
"""Colours of an image."""


@dataclass(frozen=True)
class DenseShape(Engine):
    """What an engine is built for.

    Parameters
    ----------
    rows, columns : int
        Most p-bits of the first colour, and of the second.
    lanes : int
        Lanes K.
    addend_bits : int
        Signed width of what a neighbour adds: weights of spins count twice.
    bias_bits : int
        Signed width of folded biases and fields, see `Image.bias_bits`.
    beta_bits : int
        Width of the code of beta.
    argument_shift : int
        Fraction bits between |field| * beta and the activation's argument.
    generator : Generator
        Kind of random-number generator.

    Raises
    ------
    FitError
        If there is no such engine.
    """

    kind: ClassVar[Kind] = Kind.DENSE

    rows: int
    columns: int
    lanes: int
    addend_bits: int
    bias_bits: int
    beta_bits: int
    argument_shift: int
    generator: Generator

    def __post_init__(self) -> None:
        self.check(
            {
                "rows": (1, 1 << EXTENT_BITS),
                "columns": (1, 1 << EXTENT_BITS),
                "lanes": (self.generator.share + 1, 2 * WORD_BITS),
                "addend_bits": (1, self.bias_bits),
                "bias_bits": (2, WORD_BITS - 1),
                "beta_bits": (1, WORD_BITS),
                "argument_shift": (0, self.bias_bits + self.beta_bits),
            }
        )
        if self.register_counts["slots"] > 1 << OFFSET_BITS:
            raise FitError(
                f"weights of a dense engine of {self.rows} rows and {self.columns} columns have no addresses"
            )

    @property
    def number_bits(self) -> int:
        """Bits that name a p-bit of a layer."""
        return max((max(self.rows, self.columns) - 1).bit_length(), (WORD_BITS - 1).bit_length())

    @property
    def word_weights(self) -> int:
        """Weights of a row in a word: those of consecutive columns, the first one lowest."""
        return WORD_BITS // self.addend_bits

    @property
    def row_words(self) -> int:
        """Words of weights of a row."""
        return -(-self.columns // self.word_weights)

    @property
    def spans(self) -> int:
        """Sets of columns that follow one another by a clock, see `SPAN`."""
        return -(-self.columns // SPAN)

    @property
    def levels(self) -> int:
        """Levels of the tree of additions of a span."""
        return (min(self.columns, SPAN) - 1).bit_length()

    @property
    def size(self) -> int:
        """Most p-bits."""
        return self.rows + self.columns

    @property
    def drain(self) -> int:
        """Clocks of a colour beyond one for each of its p-bits."""
        return PIPELINE + self.levels + self.spans

    @property
    def layer_words(self) -> int:
        """Words of states of a layer, in use or not."""
        return (1 << self.number_bits) // WORD_BITS

    @property
    def memories(self) -> dict[str, int]:
        """Words of states, biases and weights."""
        return {
            "packed": self.layer_words + self.spans,
            "n": (1 << self.number_bits) + self.columns,
            "slots": (self.row_words << self.number_bits) + 1,
        }

    @property
    def sizes(self) -> tuple[int, int, int]:
        """P-bits, weights and colours that a device says it has; which are in use is the program's, so 0 colours."""
        return self.size, self.rows * self.columns, 0


@dataclass(frozen=True, eq=False)
class Filling(Packing):
    """An image in an engine's memories.

    Parameters
    ----------
    image : Image
        What is packed.
    shape : DenseShape
        The engine.
    """

    image: Image
    shape: DenseShape

    @property
    def extents(self) -> tuple[int, int]:
        """Rows and columns in use."""
        rows, columns = np.diff(self.image.colour_first).tolist()
        return rows, columns

    @property
    def clocks(self) -> int:
        """Clocks of a sweep."""
        return self.image.size + LAYERS * self.shape.drain

    @property
    def utilisation(self) -> float:
        """Share of the columns' clocks, of two additions each, in which they add a weight."""
        return self.image.slots / (self.clocks * LAYERS * self.shape.columns)

    def weights(self, weights: Int32) -> Words:
        """Words of the weights of all rows in use, shape (words of a row in use, rows in use)."""
        image, shape = self.image, self.shape
        (rows, columns), each = self.extents, shape.word_weights
        mine = image.owners < rows
        matrix = np.zeros((rows, -(-columns // each) * each), np.int64)
        matrix[image.owners[mine], image.neighbours[mine] - rows] = weights[mine]
        matrix = (matrix << (int(image.unit) + self.weight_shift)) & ((1 << shape.addend_bits) - 1)
        places = shape.addend_bits * np.arange(each)
        return (matrix.reshape(rows, -1, each) << places).sum(axis=2).T.astype(np.uint32)

    def loads(self, image: Image, *, graph: bool = True) -> Iterator[tuple[int, Words]]:
        """See `Packing.loads`."""
        shape, (rows, columns) = self.shape, self.extents
        if graph:
            extents = np.array([columns - 1 << EXTENT_BITS | rows - 1], np.uint32)
            yield address(Region.WEIGHT, shape.row_words << shape.number_bits), extents
        for number, words in enumerate(self.weights(image.weights)):
            yield address(Region.WEIGHT, number << shape.number_bits), words
        biases = (image.biases.astype(np.int64) << self.weight_shift) & ((1 << shape.bias_bits) - 1)
        for layer, own in enumerate(np.split(biases.astype(np.uint32), [rows])):
            yield address(Region.BIAS, layer << shape.number_bits), own

    @cached_property
    def places(self) -> Int64:
        """Bit of each p-bit, shape (n,): see `DenseShape.number_bits`."""
        rows, columns = self.extents
        return np.concatenate([np.arange(rows), np.arange(columns) + (1 << self.shape.number_bits)])


def fill(image: Image, shape: DenseShape) -> Filling:
    """Pack an image.

    Parameters
    ----------
    image : Image
        Of two colours, compiled for the engine's lanes.
    shape : DenseShape
        The engine.

    Raises
    ------
    FitError
        If the engine cannot hold it.
    """
    check_widths(image, shape)
    if image.colours != LAYERS:
        raise FitError(
            f"graph has {image.colours} colours, a dense engine holds two layers: use a restricted Boltzmann machine, "
            f"or a tiled engine"
        )
    filling = Filling(image, shape)
    for name, needed, there in zip(("rows", "columns"), filling.extents, (shape.rows, shape.columns), strict=True):
        if not 1 <= needed <= there:
            raise FitError(
                f"graph needs {needed:,} {name}, the engine has {there:,}: use a larger engine or a smaller graph; the "
                f"layer of the model's first unit lies in the rows"
            )
    return filling
