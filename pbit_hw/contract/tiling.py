"""What the memories of a tiled engine hold for a graph."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .engine import WORD_BITS
from .errors import FitError
from .image import Image
from .packing import Int64, Packing, Words, check_widths
from .registers import Region, address
from .tiled import COLOUR_ENDS, ROUND_ENDS, SWEEP_ENDS, Shape


@dataclass(frozen=True, eq=False)
class Tiling(Packing):
    """An image in an engine's memories.

    Parameters
    ----------
    image : Image
        What is packed.
    shape : Shape
        The engine.
    rows : ndarray of int64, shape (n,)
        Row of each p-bit.
    first : ndarray of int64, shape (rounds + 1,)
        Slots of round r are ``first[r]`` to ``first[r + 1]``.
    """

    image: Image
    shape: Shape
    rows: Int64
    first: Int64

    @property
    def lanes(self) -> Int64:
        """Lane of each p-bit, shape (n,)."""
        image = self.image
        return (np.arange(image.size) - image.colour_first[image.colour]) % self.shape.lanes

    @property
    def clocks(self) -> int:
        """Clocks of a sweep."""
        return int(self.first[-1]) + self.image.colours * self.shape.drain

    @property
    def utilisation(self) -> float:
        """Share of the lanes' clocks in which they add a neighbour."""
        return self.image.slots / (self.clocks * self.shape.lanes)

    def entries(self, weights: npt.NDArray[np.int32]) -> Words:
        """Entries of every lane for these weights, shape (lanes, slots in use)."""
        image, shape = self.image, self.shape
        lanes, owners, neighbours = self.lanes, image.owners, image.neighbours
        place = np.arange(image.slots) - image.slot_first[owners]
        addends = (weights.astype(np.int64) << (int(image.unit) + self.weight_shift)) & ((1 << shape.addend_bits) - 1)
        out = np.zeros((shape.lanes, int(self.first[-1])), np.uint32)
        out[lanes[owners], self.first[self.rows[owners]] + place] = (
            addends << shape.row_bits | self.rows[neighbours]
        ) << shape.lane_bits | lanes[neighbours]
        return out

    @property
    def schedule(self) -> Words:
        """What ends with each slot, shape (slots in use,)."""
        ends = np.zeros(int(self.first[-1]), np.uint32)
        ends[self.first[1:] - 1] = ROUND_ENDS
        ends[self.first[self._colour_rounds[1:]] - 1] = COLOUR_ENDS
        ends[-1] = SWEEP_ENDS
        return ends

    @property
    def _colour_rounds(self) -> Int64:
        return _colour_rounds(self.image, self.shape.lanes)

    def biases(self, biases: npt.NDArray[np.int32]) -> Words:
        """Biases of groups' lanes, shape (groups, rounds, group); the lowest bit says whether there is a p-bit."""
        shape = self.shape
        out = np.zeros((shape.groups, len(self.first) - 1, shape.group), np.uint32)
        group, turn = np.divmod(self.lanes, shape.group)
        out[group, self.rows, turn] = (
            (biases.astype(np.int64) << self.weight_shift) & ((1 << shape.bias_bits) - 1)
        ) << 1 | 1
        return out

    def loads(self, image: Image, *, graph: bool = True) -> Iterator[tuple[int, Words]]:
        """See `Packing.loads`."""
        shape = self.shape
        memories = [*self.entries(image.weights), *([self.schedule] if graph else [])]
        for number, words in enumerate(memories):
            yield address(Region.WEIGHT, number << shape.slot_bits), words
        spare = (1 << shape.turn_bits) - shape.group
        for number, words in enumerate(np.pad(self.biases(image.biases), ((0, 0), (0, 0), (0, spare)))):
            yield address(Region.BIAS, number << (shape.row_bits + shape.turn_bits)), words.reshape(-1)

    @property
    def words_in_use(self) -> int:
        """Words of the rows in use: no p-bit has a neighbour in others."""
        return (len(self.first) - 1) * self.shape.row_words

    @cached_property
    def places(self) -> Int64:
        """Bit of each p-bit, shape (n,): rows are whole words, and lanes their bits."""
        return self.rows * self.shape.row_words * WORD_BITS + self.lanes


def tile(image: Image, shape: Shape) -> Tiling:
    """Pack an image.

    Parameters
    ----------
    image : Image
        Compiled for the engine's lanes.
    shape : Shape
        The engine.

    Raises
    ------
    FitError
        If the engine cannot hold it.
    """
    check_widths(image, shape)
    rounds = _colour_rounds(image, shape.lanes)
    rows = rounds[image.colour] + (np.arange(image.size) - image.colour_first[image.colour]) // shape.lanes
    if rounds[-1] > shape.rows:
        raise FitError(
            f"graph of {image.size:,} p-bits in {image.colours} colours needs {rounds[-1]:,} rows of {shape.lanes} "
            f"lanes, the engine has {shape.rows:,}: use an engine of more lanes or a smaller graph"
        )
    lengths = np.full(rounds[-1], shape.turns, np.int64)
    np.maximum.at(lengths, rows, image.degrees)
    first = np.concatenate([[0], np.cumsum(lengths)])
    if first[-1] > shape.slots:
        raise FitError(
            f"graph needs {first[-1]:,} slots per lane, the engine has {shape.slots:,}: use an engine of more lanes, "
            f"or fewer and more equal degrees, as sparsify makes them"
        )
    return Tiling(image, shape, rows, first)


def _colour_rounds(image: Image, lanes: int) -> Int64:
    """First round of each colour, and one past the last."""
    return np.concatenate([[0], np.cumsum(-(-np.diff(image.colour_first) // lanes))]).astype(np.int64)
