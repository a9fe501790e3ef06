"""Recorded entropy: random words from a file, for array, simulator and board alike.

What a junction, or any other source of random bits, gave once can be played
back word by word. Nothing is repeated and nothing is made up: when the words
are used up, that is an error.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from ...contract.container import write_whole
from ...contract.errors import RequestError
from ...contract.generator import WORD_BITS
from ...contract.sampler import WordSource

Uint16 = npt.NDArray[np.uint16]


class Recording(WordSource):
    """Random words to be played back once, in the order sweep, replica, p-bit.

    Parameters
    ----------
    recorded : array_like of uint16, shape (count,)
        The words.

    Attributes
    ----------
    recorded : ndarray of uint16, shape (count,)
        All of them.
    left : int
        How many have not been played yet.
    """

    def __init__(self, recorded: npt.ArrayLike) -> None:
        self.recorded: Uint16 = np.ascontiguousarray(recorded, np.uint16)
        self.left = self.recorded.size

    @classmethod
    def of_bits(cls, bits: npt.ArrayLike) -> Self:
        """A recording of readings of one junction, 16 per word, the first one lowest.

        Parameters
        ----------
        bits : array_like, shape (count,)
            Zeros and ones; those after the last whole word are dropped.

        Raises
        ------
        RequestError
            If a reading is neither 0 nor 1.
        """
        readings = np.asarray(bits)
        if not np.isin(readings, (0, 1)).all():
            raise RequestError(
                f"readings are 0 or 1, not {readings[~np.isin(readings, (0, 1))][0]}; digitise them first"
            )
        whole = readings[: len(readings) // WORD_BITS * WORD_BITS].astype(np.uint8)
        return cls(np.packbits(whole, bitorder="little").view("<u2"))

    @classmethod
    def of_source(cls, source: WordSource, sweeps: int, replicas: int, n: int) -> Self:
        """Record what a source gives in a run of an array.

        Parameters
        ----------
        source : WordSource
            Such as `telegraph.TelegraphWords`.
        sweeps, replicas, n : int
            The run, and the size of the array.
        """
        return cls(np.concatenate([source.words(replicas, n).T.reshape(-1) for _ in range(sweeps)]))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a file of raw bytes, two to a word, the low one first.

        Raises
        ------
        RequestError
            If there is no such file, or it holds less than a word.
        """
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise RequestError(f"cannot read {path}: {error.strerror}; give a file of random bytes") from None
        if len(data) < 2:
            raise RequestError(f"{path} holds {len(data)} bytes, a random word takes 2; record more")
        return cls(np.frombuffer(data[: len(data) // 2 * 2], "<u2"))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all words as `load` reads them."""
        write_whole(Path(path), self.recorded.astype("<u2").tobytes())

    def words(self, replicas: int, n: int) -> npt.NDArray[np.uint32]:
        """Play the words of the next sweep.

        Parameters
        ----------
        replicas, n : int
            Size of the array.

        Returns
        -------
        ndarray of uint32, shape (n, replicas)

        Raises
        ------
        RequestError
            If there are not enough left.
        """
        count = replicas * n
        if self.left < count:
            raise RequestError(
                f"a sweep of {replicas} replicas of {n} p-bits takes {count:,} words, {self.left:,} of "
                f"{self.recorded.size:,} are left; record more, or ask for fewer sweeps or replicas"
            )
        first = self.recorded.size - self.left
        self.left -= count
        return self.recorded[first : first + count].reshape(replicas, n).T.astype(np.uint32)
