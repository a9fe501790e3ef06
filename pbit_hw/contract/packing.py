"""How an image lies in the memories of an engine, whatever its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from . import dense, lattice, tiled
from .engine import Engine, Kind
from .errors import FitError
from .image import Image
from .tiling import tile

Uint8 = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint32]


class Packing(Protocol):
    """An image in an engine's memories."""

    @property
    def image(self) -> Image:
        """What is packed."""
        ...

    @property
    def shape(self) -> Engine:
        """The engine."""
        ...

    @property
    def clocks(self) -> int:
        """Clocks of a sweep."""
        ...

    @property
    def utilisation(self) -> float:
        """Share of the clocks in which the units that add neighbours do so."""
        ...

    def flips_per_second(self, clock_hz: float) -> float:
        """P-bits updated per second at a clock."""
        ...

    @property
    def state_words(self) -> int:
        """Words of all states of the engine, in use or not."""
        ...

    def loads(self, image: Image, *, graph: bool = True) -> Iterator[tuple[int, Words]]:
        """Addresses and words that load an image, or only the weights of one whose graph is there already."""
        ...

    def beta(self, code: int) -> int:
        """What the register of beta holds for an image's code."""
        ...

    def pack(self, bits: Uint8) -> Words:
        """Bits of p-bits, shape (..., n), as the words of all states in use."""
        ...

    def unpack(self, words: Words) -> Uint8:
        """Bits of p-bits, shape (..., n), from the words of at least all states in use."""
        ...


ENGINES: dict[Kind, tuple[type[Engine], Callable[[Image, Any], Packing]]] = {
    Kind.TILED: (tiled.Shape, tile),
    Kind.LATTICE: (lattice.LatticeShape, lattice.lay),
    Kind.DENSE: (dense.DenseShape, dense.fill),
}
"""Of every kind its shape, and what packs an image for it."""


def shape_of(words: npt.ArrayLike) -> Engine:
    """The shape that a device says it has, see `Engine.words`.

    Raises
    ------
    FitError
        If this version knows no such engine.
    """
    kind = int(np.asarray(words)[0])
    if kind not in set(Kind):
        raise FitError(f"an engine says that it is of kind {kind}, which this version does not know")
    return ENGINES[Kind(kind)][0].of(words)


def pack(image: Image, shape: Engine) -> Packing:
    """Pack an image for an engine.

    Raises
    ------
    FitError
        If the engine cannot hold it.
    """
    return ENGINES[shape.kind][1](image, shape)
