"""Converter from digital fields to the analogue drive of a p-bit.

A p-bit of bits has 2^bits drives to choose from. They lie evenly between
-limit and limit, both included, so none of them is zero: a p-bit without
field feels the half step above. A converter for each junction takes so much
area that arrays are designed to do without (Nature Electronics, 2025,
doi:10.1038/s41928-025-01439-6): hence the question how few bits are enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numba.extending import register_jitable

from ...contract.errors import ModelError

Float = npt.NDArray[np.float64]

MAX_BITS = 32
"""Most bits of a converter: beyond them its steps drown in the rounding of floats."""


@register_jitable
def convert(drive: Any, step: Any, limit: Any) -> Any:
    """Level nearest to a drive, the higher of two; arrays, or numbers in compiled code."""
    return np.minimum(np.maximum((np.floor(drive / step) + 0.5) * step, -limit), limit)


@dataclass(frozen=True)
class Dac:
    """A digital-to-analogue converter.

    Parameters
    ----------
    bits : int
        Resolution, 1 to 32.
    limit : float
        Largest dimensionless drive I, as in P(m = +1) = (1 + tanh I) / 2.

    Raises
    ------
    ModelError
        If the bits or the limit are impossible.
    """

    bits: int
    limit: float

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= MAX_BITS:
            raise ModelError(f"a converter of {self.bits} bits is impossible; give 1 to {MAX_BITS}")
        if not 0 < self.limit < np.inf:
            raise ModelError(f"a converter up to a drive of {self.limit} is impossible; give a positive, finite limit")

    @property
    def step(self) -> float:
        """Drive between two neighbouring levels."""
        return 2 * self.limit / (2**self.bits - 1)

    @property
    def levels(self) -> Float:
        """All drives, ascending, shape (2^bits,)."""
        return np.linspace(-self.limit, self.limit, 2**self.bits)

    def __call__(self, drive: npt.ArrayLike) -> Float:
        """Round drives to the nearest level and clip them to the limit.

        Parameters
        ----------
        drive : array_like of float
            Any shape.

        Returns
        -------
        ndarray of float64
            Of the same shape.
        """
        return np.asarray(convert(np.asarray(drive, np.float64), self.step, self.limit))
