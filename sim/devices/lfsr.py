"""Random words as the textbook's register of 32 bits gives them, for comparison with the contract's.

A linear-feedback shift register brings in one new bit per shift. Leapt 16 shifts
per update, as the contract's ``LFSR48`` is, every 16-bit word is new. Shifted
s < 16 times, the register shows 16 - s bits of the last word again, s places
higher, and a p-bit's updates depend on each other.

The register is that of x^32 + x^31 + x^30 + x^10 + 1, the reciprocal of the
textbook's x^32 + x^22 + x^2 + x + 1, so primitive too, and shows its low half.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...contract import gf2
from ...contract.errors import RequestError
from ...contract.generator import splitmix64

PERIOD = 2**32 - 1
SPACING = 2654435761
"""Shifts between neighbouring streams: 2^32 over the golden ratio, prime, so that they lie almost evenly."""

_MOST_AT_ONCE = 8
"""Shifts of one step; `shift` can do at most ten."""


def shift(state, count):
    """Shift the register left by ``count`` (1 to 10) new bits; an integer or an array, and compiled too."""
    new = (state >> (32 - count)) ^ (state >> (31 - count)) ^ (state >> (30 - count)) ^ (state >> (10 - count))
    return ((state << count) | (new & ((1 << count) - 1))) & 0xFFFFFFFF


def registers(seed: int, count: int) -> gf2.Words:
    """Registers of ``count`` streams, `SPACING` shifts apart from a place that the seed chooses, shape (count, 1)."""
    step = gf2.matrix(lambda states: shift(states, 1), 1)
    first = gf2.apply(gf2.power(step, splitmix64(seed, 1)[0] % PERIOD), np.array([[1]], np.uint32))
    return gf2.orbit(lambda level: gf2.byte_images(gf2.power(step, SPACING << level)), first[0], count)


class LfsrWords:
    """The words of streams of the register, shifted any number of times per sweep.

    Parameters
    ----------
    seed : int
        Seed of the streams. That of a simulator's call k is ``call_seed(its seed, k)``.
    replicas, n : int
        Size of the array.
    shifts : int
        Shifts per sweep: 16 for words that are new, 1 as the textbook has it.

    Raises
    ------
    RequestError
        If there are no shifts.
    """

    def __init__(self, seed: int, replicas: int, n: int, shifts: int) -> None:
        if shifts < 1:
            raise RequestError(f"{shifts} shifts per sweep give the same word for ever; give at least 1")
        self.shifts = shifts
        self._states = registers(seed, replicas * n).reshape(replicas, n).T.copy()

    def words(self, replicas: int, n: int) -> npt.NDArray[np.uint32]:
        """The words of one sweep.

        Parameters
        ----------
        replicas, n : int
            Size of the array.

        Returns
        -------
        ndarray of uint32, shape (n, replicas)
            Words of 16 bits.

        Raises
        ------
        RequestError
            If the array is not of the size that the streams were made for.
        """
        if self._states.shape != (n, replicas):
            of_n, of_replicas = self._states.shape
            raise RequestError(
                f"words for {replicas} replicas of {n} p-bits from streams of {of_replicas} replicas of {of_n}; make "
                "a source of the array's size"
            )
        words = self._states & np.uint32(0xFFFF)
        whole, rest = divmod(self.shifts, _MOST_AT_ONCE)
        for count in [_MOST_AT_ONCE] * whole + [rest] * (rest > 0):
            self._states = shift(self._states, count)
        return words
