"""The couplings of an array as the sweep kernel takes them."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..contract.activation import ARGUMENT_LIMIT, TABLE, scaled
from ..contract.generator import Generator
from ..contract.image import Image
from .kernel import SHORT_FIELDS, Kind, limit_kernel
from .native import aligned, host

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]


class Network:
    """Weights, biases and thresholds of an array.

    Parameters
    ----------
    image : Image
        The array.
    weights, biases : ndarray of int32, shapes (slots,) and (n,), optional
        What the registers hold, if not what the image does. The two weights of an edge may then differ.
    """

    def __init__(self, image: Image, weights: Int32 | None = None, biases: Int32 | None = None) -> None:
        self.image = image
        self.biases = np.asarray(image.biases if biases is None else biases, np.int64)
        self.weights = np.asarray(image.weights if weights is None else weights, np.int32) << np.int32(image.unit)
        """What a neighbour that is 1 adds to a p-bit's field, shape (slots,)."""

    @cached_property
    def limit(self) -> int:
        """Largest magnitude that a field can have."""
        farthest = np.zeros(1, np.int64)
        first, size = np.ascontiguousarray(self.image.slot_first, np.int32), self.image.size
        limit_kernel(host())(self.weights, self.biases, first, farthest, size)
        return int(farthest[0])

    @property
    def field_bits(self) -> int:
        """Width that holds every field: 8, 16, 32 or 64 bits."""
        return next(bits for bits in (8, 16, 32, 64) if self.limit < 1 << (bits - 1))

    def kind(self, pbit_lanes: bool, generator: Generator) -> Kind:
        """The kernel that sweeps it."""
        turns = self.image.interleave, self.image.lanes > 0
        if self.field_bits == 8:
            return Kind(pbit_lanes, generator, 8, 32, 0, *turns)
        shift = self.image.argument_shift
        largest = (self.limit * self.image.beta_format.limit << max(-shift, 0)) + (1 << max(shift, 0))
        product_bits = 32 if largest < 1 << 32 else 64
        return Kind(pbit_lanes, generator, self.field_bits, product_bits, shift, *turns)

    def fields(self, states: npt.NDArray[np.uint8]) -> Int64:
        """Fields of all p-bits, shape (replicas, n)."""
        image = self.image
        return np.stack([self.biases + image.slot_sums(self.weights * row[image.neighbours]) for row in states])

    def thresholds(self, betas: Int32) -> tuple[npt.NDArray[np.uint16] | Int32, Int32]:
        """What the kernel takes for ``thresholds`` and ``betas``, for codes of beta of any shape."""
        if self.field_bits > 8:
            return TABLE, np.ascontiguousarray(betas, np.int32)
        codes, rows = np.unique(betas, return_inverse=True)
        arguments = scaled(np.arange(SHORT_FIELDS), codes[:, None].astype(np.int64), self.image.argument_shift)
        table = aligned((len(codes), SHORT_FIELDS), np.uint16)
        table[:] = TABLE[np.minimum(arguments, ARGUMENT_LIMIT)]
        return table, rows.reshape(betas.shape).astype(np.int32)
