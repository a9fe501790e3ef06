"""Random words as the textbook's register gives them, for comparison with the contract's.

A linear-feedback shift register brings in one new bit per shift. That of the
contract, ``LFSR32``, leaps `LFSR_LEAP` = 16 shifts per update, so that every
16-bit word is new. Shifted s < 16 times, the register shows 16 - s bits of the
last word again, s places higher, and a p-bit's updates depend on each other.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...contract.errors import RequestError
from ...contract.generator import Generator, lfsr_shift, lfsr_word, streams

_MOST_AT_ONCE = 8
"""Shifts of one step; `lfsr_shift` can do at most ten."""


class LfsrWords:
    """The words of the contract's own LFSR streams, shifted any number of times per sweep.

    Parameters
    ----------
    seed : int
        Seed of the streams. That of a simulator's call k is ``call_seed(its seed, k)``;
        with it, 16 shifts give what the generator ``LFSR32`` samples.
    replicas, n : int
        Size of the array.
    shifts : int
        Shifts per sweep: 16 as the contract has it, 1 as the textbook.

    Raises
    ------
    RequestError
        If there are no shifts.
    """

    def __init__(self, seed: int, replicas: int, n: int, shifts: int) -> None:
        if shifts < 1:
            raise RequestError(f"{shifts} shifts per sweep give the same word for ever; give at least 1")
        self.shifts = shifts
        self._states = streams(Generator.LFSR32, seed, replicas * n).reshape(replicas, n).T.copy()

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
        words = lfsr_word(self._states)
        whole, rest = divmod(self.shifts, _MOST_AT_ONCE)
        for count in [_MOST_AT_ONCE] * whole + [rest] * (rest > 0):
            self._states = lfsr_shift(self._states, count)
        return words
