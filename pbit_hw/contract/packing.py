"""How an image lies in the memories of an engine, whatever its kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from .engine import WORD_BITS
from .errors import FitError
from .image import Image

Uint8 = npt.NDArray[np.uint8]
Int64 = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint32]


class Packing(ABC):
    """An image in an engine's memories: base of dataclasses that have an ``image`` and a ``shape``."""

    image: Image
    shape: Any

    @property
    @abstractmethod
    def clocks(self) -> int:
        """Clocks of a sweep."""

    @property
    @abstractmethod
    def utilisation(self) -> float:
        """Share of the clocks in which the units that add neighbours do so."""

    @property
    @abstractmethod
    def places(self) -> Int64:
        """Bit of each p-bit among those of all words of `Region.STATE`, shape (n,)."""

    @abstractmethod
    def loads(self, image: Image, *, graph: bool = True) -> Iterator[tuple[int, Words]]:
        """Addresses and words that load an image, or one of the same graph with other weights.

        Parameters
        ----------
        image : Image
            Whose weights and biases.
        graph : bool
            Whether the graph is not there already.
        """

    def flips_per_second(self, clock_hz: float) -> float:
        """P-bits updated per second at a clock, in all replicas."""
        return self.image.size * self.image.interleave / self.clocks * clock_hz

    @property
    def state_words(self) -> int:
        """Words of all states of the engine, in use or not."""
        return int(self.shape.register_counts["packed"])

    @property
    def words_in_use(self) -> int:
        """Words of states that are written: by default all, those of no p-bit as 0."""
        return self.state_words

    @property
    def weight_shift(self) -> int:
        """Places by which weights and biases are further up than the image's."""
        return shifts(self.image, self.shape)[0]

    def beta(self, code: int) -> int:
        """What the register of beta holds for an image's code."""
        return code << shifts(self.image, self.shape)[1]

    def pack(self, bits: Uint8) -> Words:
        """Bits of p-bits, shape (..., n), as words of states, shape (..., words_in_use)."""
        states = np.zeros((*bits.shape[:-1], self.words_in_use * WORD_BITS), np.uint8)
        states[..., self.places] = bits
        return np.packbits(states, axis=-1, bitorder="little").view("<u4").astype(np.uint32)

    def unpack(self, words: Words) -> Uint8:
        """Bits of p-bits, shape (..., n), from at least the words of states in use."""
        bits = np.unpackbits(np.ascontiguousarray(words, "<u4").view(np.uint8), axis=-1, bitorder="little")
        return bits[..., self.places]


def _addend_bits(image: Image) -> int:
    return image.weight_format.bits + int(image.unit)


def shifts(image: Image, shape: Any) -> tuple[int, int]:
    """Places by which weights and biases, and the code of beta, are further up in the engine than in the image."""
    both = shape.argument_shift - image.argument_shift
    spare = min(shape.addend_bits - _addend_bits(image), shape.bias_bits - image.bias_bits)
    of_weights = min(max(spare, 0), max(both, 0))
    return of_weights, both - of_weights


def check_widths(image: Image, shape: Any) -> None:
    """Refuse an image of another number of lanes or replicas or another generator, or of wider registers.

    Raises
    ------
    FitError
        If it is one.
    """
    if image.lanes != shape.lanes:
        raise FitError(
            f"program is for {image.lanes or 'no'} lanes, the engine has {shape.lanes}; "
            f"compile it with lanes={shape.lanes}"
        )
    if image.interleave != shape.interleave:
        raise FitError(
            f"program is for {image.interleave} replicas in the array, the engine holds {shape.interleave}; "
            f"compile it with interleave={shape.interleave}"
        )
    if image.generator is not shape.generator:
        own, engine = image.generator.name.lower(), shape.generator.name.lower()
        raise FitError(f"program is for generator {own}, the engine has {engine}; compile it with generator={engine!r}")
    shift = shifts(image, shape)[1]
    needs = {
        "weights": (_addend_bits(image), shape.addend_bits, "use fewer weight bits"),
        "biases": (
            image.bias_bits,
            shape.bias_bits,
            "use fewer weight bits, or smaller degrees, as sparsify makes them",
        ),
        "beta": (image.beta_format.bits + max(shift, 0), shape.beta_bits, "use fewer bits of beta"),
    }
    for name, (needed, there, way_out) in needs.items():
        if needed > there:
            raise FitError(f"{name} of the program need {needed} bits, the engine has {there}: {way_out}")
    if shift < 0:
        raise FitError(
            f"weights and beta of the program have {-shift} fraction bits more than the engine drops; use fewer"
        )
