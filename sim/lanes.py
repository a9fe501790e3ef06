"""How p-bits and replicas lie in the 64 lanes of a vector: see `kernel`."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..contract.image import Image
from .codegen import LANES
from .native import aligned

Int32 = npt.NDArray[np.int32]


class Layout(Protocol):
    """Where p-bit p of replica r is: which set, which row of the set, and which lane. Sets run independently."""

    sets: int
    rows: int
    slot_first: Int32

    @property
    def neighbours(self) -> Int32:
        """As in `Image`, but by place."""
        ...

    def spread(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Values of shape (replicas, n) or (replicas, n, k) in lanes, shape (sets, rows, ..., 64); zeros elsewhere."""
        ...

    @property
    def drawn(self) -> Int32:
        """What the kernel takes for ``drawn``."""
        ...

    def spread_registers(self, registers: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Generator registers of shape (replicas, streams, 4) as the kernel takes them, shape (sets, ..., 4, lanes)."""
        ...

    def collect_registers(self, lanes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Back from what `spread_registers` gave, in C order."""
        ...

    def held(self, clamped: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
        """Words of the lanes that do not change: clamped p-bits, shape (n,), and lanes where there is no p-bit."""
        ...

    def collect(self, lanes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Back from shape (sets, rows, 64) or (sets, k, rows, 64) to (..., replicas, n)."""
        ...


class ReplicaLanes:
    """Lanes are replicas, rows are p-bits.

    Parameters
    ----------
    replicas : int
    image : Image
    """

    def __init__(self, replicas: int, image: Image) -> None:
        self.sets, self.rows = -(-replicas // LANES), image.size
        self._replicas = replicas
        lanes = np.arange(self.sets * LANES).reshape(self.sets, 1, LANES)
        self._empty = to_words((lanes >= replicas).astype(np.uint8))
        self.slot_first = np.ascontiguousarray(image.slot_first, np.int32)
        self.neighbours = np.ascontiguousarray(image.neighbours, np.int32)
        self._image = image

    @cached_property
    def drawn(self) -> Int32:
        """See `Layout.drawn`."""
        return np.append(4 * self._image.stream + self._image.taken, 0).astype(np.int32)

    def spread(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """See `Layout.spread`."""
        lanes = aligned((self.sets, *values.shape[1:], LANES), values.dtype)
        for first in range(0, self._replicas, LANES):
            part = values[first : first + LANES]
            lanes[first // LANES, ..., : len(part)] = np.moveaxis(part, 0, -1)
        return lanes

    spread_registers = spread

    def collect_registers(self, lanes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """See `Layout.collect_registers`."""
        together = np.moveaxis(lanes, -1, 1)
        return np.ascontiguousarray(together.reshape(-1, *together.shape[2:])[: self._replicas])

    def held(self, clamped: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
        """See `Layout.held`."""
        return np.where(clamped.astype(bool), ~np.uint64(0), self._empty)

    def collect(self, lanes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """See `Layout.collect`."""
        together = lanes.swapaxes(0, -3).swapaxes(-1, -2)
        return together.reshape(*together.shape[:-3], self.sets * LANES, self.rows)[..., : self._replicas, :]


class PbitLanes:
    """Lanes are p-bits of one colour, rows are blocks of 64 of them; the last block of a colour may have room to spare.

    Parameters
    ----------
    replicas : int
    image : Image

    Attributes
    ----------
    places : ndarray of intp, shape (n,)
        Of each p-bit, counted by 64 a row.
    drawn : ndarray of int32, shape (0,)
        See `Layout.drawn`.
    """

    drawn = np.empty(0, np.int32)

    def __init__(self, replicas: int, image: Image) -> None:
        blocks = -(-np.diff(image.colour_first) // LANES)
        first_block = np.cumsum(blocks) - blocks
        self.sets, self.rows = replicas, int(blocks.sum())
        self.places = np.arange(image.size) - image.colour_first[image.colour] + LANES * first_block[image.colour]
        degrees = np.zeros(self.rows * LANES, np.int32)
        degrees[self.places] = image.degrees
        self.slot_first = np.concatenate([[0], np.cumsum(degrees)]).astype(np.int32)
        self._image = image

    @cached_property
    def neighbours(self) -> Int32:
        """See `Layout.neighbours`; choosing a layout does without."""
        return self.places[self._image.neighbours].astype(np.int32)

    def spread(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """See `Layout.spread`."""
        return self._spread(values, self.places, LANES)

    def _spread(self, values: npt.NDArray[Any], places: npt.NDArray[np.intp], width: int) -> npt.NDArray[Any]:
        """Values at places, which are counted by so many a row."""
        rest = values.shape[2:]
        lanes = aligned((self.sets, self.rows, *rest, width), values.dtype)
        padded = np.zeros((self.sets, self.rows * width, *rest), values.dtype)
        padded[:, places] = values
        lanes[:] = padded.reshape(self.sets, self.rows, width, *rest).swapaxes(2, -1)
        return lanes

    @cached_property
    def _register_places(self) -> npt.NDArray[np.intp]:
        """Of each generator register, counted by as many a row as 64 p-bits draw from."""
        return self.places[self._image.taken == 0] // self._image.generator.share

    def spread_registers(self, registers: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """See `Layout.spread_registers`."""
        return self._spread(registers, self._register_places, LANES // self._image.generator.share)

    def collect_registers(self, lanes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """See `Layout.collect_registers`."""
        together = lanes.swapaxes(2, -1).reshape(self.sets, -1, lanes.shape[2])
        return np.ascontiguousarray(together[:, self._register_places])

    def held(self, clamped: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
        """See `Layout.held`."""
        return ~to_words(self.spread(np.broadcast_to(1 - clamped, (self.sets, len(clamped)))))

    def collect(self, lanes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """See `Layout.collect`."""
        together = lanes.swapaxes(0, -3)
        return together.reshape(*together.shape[:-2], self.rows * LANES)[..., self.places]


def to_words(bits: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """Bits in lanes as words, shape (..., 64) to (...)."""
    words = aligned(bits.shape[:-1], np.uint64)
    words[:] = np.packbits(bits, axis=-1, bitorder="little").view("<u8")[..., 0]
    return words


def to_bits(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """Words as bits in lanes, shape (...) to (..., 64)."""
    return np.unpackbits(words.astype("<u8")[..., None].view(np.uint8), axis=-1, bitorder="little")
