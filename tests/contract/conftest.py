"""Images for the tests of the contract, made without the compiler."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from pbit_hw.contract.formats import SignedFormat, UnsignedFormat
from pbit_hw.contract.generator import Generator
from pbit_hw.contract.image import Image
from pbit_hw.contract.update import Unit

MakeImage = Callable[..., Image]


def random_image(
    sizes: tuple[int, ...] = (3, 2, 2),
    seed: int = 0,
    density: float = 0.6,
    unit: Unit = Unit.SPIN,
    generator: Generator = Generator.LFSR48,
    weight_format: str = "s[2][3]",
    beta_format: str = "u[3][9]",
) -> Image:
    """A random image with ``sizes[c]`` p-bits of colour c and edges between colours alone."""
    rng = np.random.default_rng(seed)
    size = sum(sizes)
    colour = np.repeat(np.arange(len(sizes)), sizes)
    formats = SignedFormat.parse(weight_format), UnsignedFormat.parse(beta_format)
    allowed = np.triu(colour[:, None] != colour[None, :])
    matrix = np.where(
        allowed & (rng.random((size, size)) < density),
        rng.integers(-formats[0].limit, formats[0].limit + 1, (size, size)),
        0,
    )
    matrix = matrix + matrix.T
    owners, neighbours = np.nonzero(matrix)
    weights = matrix[owners, neighbours].astype(np.int32)
    blank = Image(
        unit=unit,
        generator=generator,
        weight_format=formats[0],
        beta_format=formats[1],
        colour_first=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32),
        slot_first=np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=size))]).astype(np.int32),
        neighbours=neighbours.astype(np.int32),
        weights=weights,
        biases=np.zeros(size, np.int32),
        clamped=(rng.random(size) < 0.3).astype(np.uint8),
        clamp_values=rng.integers(0, 2, size, np.uint8),
    )
    biases = rng.integers(-formats[0].limit, formats[0].limit + 1, size).astype(np.int32)
    return blank.with_weights(weights, biases)


@pytest.fixture(scope="session")
def make_image() -> MakeImage:
    """`random_image`, for tests."""
    return random_image


@pytest.fixture(scope="session")
def image() -> Image:
    """A small image with three colours."""
    return random_image()
