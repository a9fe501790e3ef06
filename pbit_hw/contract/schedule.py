"""The schedule: runs at one beta after another that the device carries out alone, and what it counts between them.

A step sets beta and then, so many times, runs some sweeps and counts, if it is
to. Counting adds, for every replica in the array, 1 to the counter of each p-bit
that is 1 and of each edge whose two p-bits are 1. Counters have 32 bits and
saturate; they are read and written, and so cleared, over the link.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .errors import RequestError
from .image import Image

STEPS = 64
"""Steps that a schedule can have."""

STEP_WORDS = 4
"""Words of a step: code of beta, sweeps, repeats, and 1 if it counts."""

COUNT_LIMIT = 0xFFFFFFFF
"""Where counters saturate."""


@dataclass(frozen=True)
class Step:
    """One step of a schedule.

    Parameters
    ----------
    beta : int
        Code of the inverse temperature.
    sweeps : int
        Sweeps of a run, at least 1.
    repeats : int
        Runs, at least 1.
    count : bool
        Whether states are counted after each.
    """

    beta: int
    sweeps: int
    repeats: int = 1
    count: bool = False


@dataclass(frozen=True, eq=False)
class Counts:
    """What was counted.

    Parameters
    ----------
    ones : ndarray of int64, shape (n,)
        States in which each p-bit is 1.
    both : ndarray of int64, shape (edges,)
        States in which both p-bits of each edge are, see `edges`.
    states : int
        States in all.
    """

    ones: npt.NDArray[np.int64]
    both: npt.NDArray[np.int64]
    states: int

    @classmethod
    def of(cls, image: Image, states: npt.NDArray[np.uint8]) -> Counts:
        """Count states of any shape (..., n)."""
        rows = states.reshape(-1, image.size)
        first, second = edges(image)
        both = (rows[:, first] & rows[:, second]).sum(axis=0, dtype=np.int64)
        return cls(rows.sum(axis=0, dtype=np.int64), both, len(rows))

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.ones + other.ones, self.both + other.both, self.states + other.states)


@dataclass(frozen=True, eq=False)
class CountingImage:
    """The register map of an array that has a schedule and counters: a `registers.Mapped`.

    Parameters
    ----------
    image : Image
        The array.
    """

    image: Image

    @cached_property
    def counters(self) -> int:
        """How many: one for each p-bit and each edge."""
        return self.image.size + self.image.slots // 2

    @property
    def register_counts(self) -> dict[str, int]:
        """See `registers.Mapped`."""
        own = {"steps": 1, "schedule": STEPS * STEP_WORDS, "counters": self.counters}
        return self.image.register_counts | own

    @property
    def sizes(self) -> tuple[int, int, int]:
        """See `registers.Mapped`."""
        return self.image.sizes

    @property
    def digest(self) -> bytes:
        """See `registers.Mapped`."""
        return self.image.digest

    @property
    def interleave(self) -> int:
        """See `registers.Mapped`."""
        return self.image.interleave


def words(steps: Sequence[Step]) -> npt.NDArray[np.uint32]:
    """A schedule as the words that are written to a device.

    Raises
    ------
    RequestError
        If it has no step, or more than `STEPS`, or one without sweeps or repeats.
    """
    if not 0 < len(steps) <= STEPS:
        raise RequestError(f"{len(steps)} steps do not make a schedule; use 1 to {STEPS}")
    rows = [(step.beta, step.sweeps, step.repeats, int(step.count)) for step in steps]
    if any(not 0 < number <= COUNT_LIMIT for row in rows for number in row[1:3]):
        raise RequestError("every step of a schedule needs 1 to 4,294,967,295 sweeps and repeats")
    return np.array(rows, np.uint32).reshape(-1)


def edges(image: Image) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """The p-bits of each edge in the order of its counters, the lower one first: as its first slots lie."""
    first = np.flatnonzero(image.owners < image.neighbours)
    return image.owners[first], image.neighbours[first]


def counted(image: Image, counts: npt.NDArray[np.uint32], states: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    """Counters after states were counted.

    Parameters
    ----------
    image : Image
        The array.
    counts : ndarray of uint32, shape (n + edges,)
        Counters of p-bits, then of edges.
    states : ndarray of uint8, shape (..., n)
        States.
    """
    more = Counts.of(image, states)
    total = counts + np.concatenate([more.ones, more.both])
    return np.minimum(total, COUNT_LIMIT).astype(np.uint32)
