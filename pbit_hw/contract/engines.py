"""Engines: their kinds, and those that boards have, of which one bitstream holds any graph that its shape does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .dense import DenseShape, fill
from .engine import Engine, Kind
from .errors import FitError
from .generator import Generator
from .image import Image
from .lattice import LatticeShape, lay
from .packing import Packing
from .targets import MHZ
from .tiled import Shape
from .tiling import tile

KINDS: dict[Kind, tuple[type[Engine], Callable[[Image, Any], Packing]]] = {
    Kind.TILED: (Shape, tile),
    Kind.LATTICE: (LatticeShape, lay),
    Kind.DENSE: (DenseShape, fill),
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
    return KINDS[Kind(kind)][0].of(words)


def pack(image: Image, shape: Engine) -> Packing:
    """Pack an image for an engine.

    Raises
    ------
    FitError
        If the engine cannot hold it.
    """
    return KINDS[shape.kind][1](image, shape)


@dataclass(frozen=True)
class Stock:
    """One of them.

    Parameters
    ----------
    board : str
        Name of the board.
    shape : Engine
        What is built.
    clock_hz : int
        Clock to expect, or to try first.
    text : str
        What it is for.
    """

    board: str
    shape: Engine
    clock_hz: int
    text: str


def _tiled(lanes: int, rows: int, slots: int, addend_bits: int, bias_bits: int, argument_shift: int = 3) -> Shape:
    return Shape(lanes, rows, slots, addend_bits, bias_bits, 16, argument_shift, Generator.LINEAR64)


ENGINES: dict[str, Stock] = {
    "icebreaker-tiled": Stock("icebreaker", _tiled(8, 128, 512, 6, 7), 36 * MHZ, "any graph, small couplings"),
    "icebreaker-lattice": Stock(
        "icebreaker", LatticeShape(28, 1, 128, 4, 16, 2, Generator.LINEAR64), 38 * MHZ, "128 x 56, +-J"
    ),
    "icebreaker-large-lattice": Stock(
        "icebreaker",
        LatticeShape(8, 14, 224, 4, 16, 2, Generator.LINEAR64, spram=True),
        33 * MHZ,
        "224 x 224, +-J",
    ),
    "icesugar-lattice": Stock(
        "icesugar_pro", LatticeShape(128, 1, 256, 6, 16, 3, Generator.LINEAR64), 80 * MHZ, "256 x 256, +-J"
    ),
    "icesugar-tiled": Stock("icesugar_pro", _tiled(16, 256, 1024, 6, 12), 100 * MHZ, "any graph"),
    "ulx3s-dense": Stock(
        "ulx3s_85f",
        DenseShape(784, 256, 8, 9, 18, 18, 8, Generator.LINEAR64),
        90 * MHZ,
        "RBMs up to 784 x 256",
    ),
    "ulx3s-tiled": Stock(
        "ulx3s_85f",
        Shape(34, 512, 3072, 3, 8, 16, 0, Generator.LINEAR64, group=3, interleave=2),
        93 * MHZ,
        "any graph, +-J, 2 replicas",
    ),
}
"""Known engines by name."""


def find(image: Image, board: str) -> tuple[str, Packing]:
    """The first engine of a board that holds an image, and how it lies there.

    Raises
    ------
    FitError
        If the board has no such engine; says why each does not hold it.
    """
    reasons = []
    for name, stock in ENGINES.items():
        if stock.board == board:
            try:
                return name, pack(image, stock.shape)
            except FitError as error:
                reasons.append(f"{name}: {error}")
    if not reasons:
        raise FitError(f"board {board} has no engine for programs of {image.lanes} lanes; compile it without an engine")
    raise FitError("; ".join(reasons))
