"""How an image lies in a device: in an array of its own, or in the memories of an engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ..contract.image import Image
from ..contract.packing import Packing
from ..contract.registers import Region, address

Uint8 = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint32]


class Layout(Protocol):
    """What `Device` asks of it."""

    @property
    def state_words(self) -> int:
        """Words of the states of one replica."""
        ...

    @property
    def period(self) -> int:
        """Clocks of a sweep."""
        ...

    def loads(self, image: Image, *, again: bool) -> Iterator[tuple[int, npt.NDArray[np.integer]]]:
        """Addresses and words that load weights and biases, and unless it is ``again`` everything else."""
        ...

    def beta(self, code: int) -> int:
        """What the register of beta holds for an image's code."""
        ...

    def pack(self, bits: Uint8) -> Words:
        """Words of the bits of all p-bits, shape (n,)."""
        ...

    def unpack(self, words: Words) -> Uint8:
        """Bits of all p-bits, shape (..., n), of words of shape (..., state_words)."""
        ...


class ArrayLayout:
    """An array of the image's own.

    Parameters
    ----------
    image : Image
    """

    def __init__(self, image: Image) -> None:
        self._size = image.size
        self.state_words = (image.size + 31) // 32
        self.period = image.period

    def loads(self, image: Image, *, again: bool) -> Iterator[tuple[int, npt.NDArray[np.integer]]]:
        """See `Layout.loads`."""
        yield address(Region.WEIGHT), image.weights
        yield address(Region.BIAS), image.biases

    def beta(self, code: int) -> int:
        """See `Layout.beta`."""
        return code

    def pack(self, bits: Uint8) -> Words:
        """See `Layout.pack`: p-bit p is bit p % 32 of word p // 32."""
        padded = np.zeros(32 * self.state_words, np.uint8)
        padded[: len(bits)] = bits
        return np.packbits(padded, bitorder="little").view("<u4").astype(np.uint32)

    def unpack(self, words: Words) -> Uint8:
        """See `Layout.unpack`."""
        return np.unpackbits(words.astype("<u4").view(np.uint8), axis=-1, count=self._size, bitorder="little")


class EngineLayout:
    """The memories of an engine for many graphs.

    Parameters
    ----------
    packing : Packing
    """

    def __init__(self, packing: Packing) -> None:
        self._packing = packing
        self.state_words = packing.state_words
        self.period = packing.clocks
        self.beta = packing.beta
        self.pack = packing.pack
        self.unpack = packing.unpack

    def loads(self, image: Image, *, again: bool) -> Iterator[tuple[int, npt.NDArray[np.integer]]]:
        """See `Layout.loads`."""
        yield from self._packing.loads(image, graph=not again)
