"""Models whose variables stand for those of another: copies of them, and auxiliaries that stand for none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..contract.errors import ModelError
from .base import Model, Variables
from .edges import Float, Int32

States = npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Expansion:
    """What a pass of the compiler made of a model, and the way back.

    Parameters
    ----------
    source : Variables
        What was to be sampled.
    target : Model
        What is sampled in its stead, with couplings of pairs.
    first : ndarray of int32, shape (n_source + 1,)
        Variable v is held by ``copies[first[v]:first[v + 1]]``, at least one.
    copies : ndarray of int32
        Variables of the target, each at most once; the others are auxiliaries.

    Raises
    ------
    ModelError
        If a variable has no copy, or two share one.
    """

    source: Variables
    target: Model
    first: Int32
    copies: Int32

    def __post_init__(self) -> None:
        whole = len(self.first) == self.source.size + 1 and self.first[0] == 0 and self.first[-1] == len(self.copies)
        if not whole or (np.diff(self.first) < 1).any():
            raise ModelError("a variable of the source has no copy in the target")
        used = np.bincount(self.copies, minlength=self.target.size)
        if len(used) > self.target.size or (used > 1).any():
            raise ModelError("copies are not different variables of the target")

    @property
    def owners(self) -> Int32:
        """Variable of the source that each entry of `copies` holds."""
        return np.repeat(np.arange(self.source.size, dtype=np.int32), np.diff(self.first))

    @property
    def auxiliaries(self) -> Int32:
        """Variables of the target that stand for none of the source."""
        return np.setdiff1d(np.arange(self.target.size, dtype=np.int32), self.copies).astype(np.int32)

    def spread(self, values: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Give every copy what its variable has, shape (..., n_source) to (..., n_target); auxiliaries get 0."""
        out = np.zeros((*values.shape[:-1], self.target.size), values.dtype)
        out[..., self.copies] = values[..., self.owners]
        return out

    def decode(self, bits: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Variables of the source from states of the target, by majority; of a tie the first copy decides.

        Parameters
        ----------
        bits : ndarray of uint8, shape (k, n_target)

        Returns
        -------
        ndarray of uint8, shape (k, n_source)
        """
        counts = np.diff(self.first)
        if (counts == 1).all():
            return np.ascontiguousarray(bits[:, self.copies])
        twice = 2 * self._ones(bits) + bits[:, self.copies[self.first[:-1]]]
        return (twice > counts).astype(np.uint8)

    def broken(self, bits: npt.NDArray[np.uint8]) -> Float:
        """Share of states in which the copies of each variable disagree, shape (n_source,)."""
        ones = self._ones(bits)
        disagree: Float = ((ones > 0) & (ones < np.diff(self.first))).mean(axis=0)
        return disagree

    def _ones(self, bits: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
        """How many copies of each variable are 1, shape (k, n_source)."""
        ones: npt.NDArray[np.int32] = np.add.reduceat(bits[:, self.copies], self.first[:-1], axis=1, dtype=np.int32)
        return ones

    def then(self, further: Expansion) -> Expansion:
        """Expand the target too: copies of copies, as one expansion of the source.

        Parameters
        ----------
        further : Expansion
            Of this expansion's target.

        Raises
        ------
        ModelError
            If it is of another model.
        """
        if further.source is not self.target:
            raise ModelError("an expansion can only be followed by one of its own target")
        counts = np.diff(further.first)[self.copies]
        ends = np.concatenate([[0], np.cumsum(counts)])
        places = np.arange(ends[-1]) + np.repeat(further.first[self.copies] - ends[:-1], counts)
        first = ends[self.first].astype(np.int32)
        return Expansion(self.source, further.target, first, further.copies[places])

    def reweighted(self, couplings: npt.ArrayLike, biases: npt.ArrayLike) -> Expansion:
        """The same expansion of the source with other values.

        Raises
        ------
        ModelError
            If this pass cannot follow them.
        """
        raise ModelError("this model was reduced from another form, so new weights need another compile")
