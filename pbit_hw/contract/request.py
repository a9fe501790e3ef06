"""What a sampler is asked for, and what it gives back, in physical order and integer codes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .generator import SPLITMIX64_STEP, Generator, splitmix64, streams


@dataclass(frozen=True, eq=False)
class Request:
    """One run of the array.

    Parameters
    ----------
    betas : ndarray of int32, shape (sweeps,)
        Code of beta in each sweep.
    keep : ndarray of int64, shape (kept,)
        Sweeps (counted from 1, ascending) after which the states are kept.
    seed : int
        User seed; replica r of p-bit p draws from stream ``r * n + p``.
    initial : ndarray of uint8, shape (replicas, n)
        States before the first sweep.
    clamped : ndarray of uint8, shape (n,)
        Which p-bits are clamped, from before the first sweep.
    clamp_values : ndarray of uint8, shape (replicas, n)
        To what, in each replica.
    registers : ndarray of uint32, shape (replicas, n, generator words), optional
        Where the generators start instead; what is no generator still draws from the seed.
    """

    betas: npt.NDArray[np.int32]
    keep: npt.NDArray[np.int64]
    seed: int
    initial: npt.NDArray[np.uint8]
    clamped: npt.NDArray[np.uint8]
    clamp_values: npt.NDArray[np.uint8]
    registers: npt.NDArray[np.uint32] | None = None

    @property
    def replicas(self) -> int:
        """Independent replicas."""
        return len(self.initial)

    @property
    def start(self) -> npt.NDArray[np.uint8]:
        """States before the first sweep with the clamps in force, shape (replicas, n)."""
        return np.where(self.clamped.astype(bool), self.clamp_values, self.initial)

    def generators(self, kind: Generator) -> npt.NDArray[np.uint32]:
        """Generator registers before the first sweep, shape (replicas, n, kind.words)."""
        if self.registers is not None:
            return self.registers
        replicas, n = self.initial.shape
        return streams(kind, self.seed, replicas * n).reshape(replicas, n, -1)


@dataclass(frozen=True, eq=False)
class Batch:
    """Samples of a run.

    Parameters
    ----------
    states : ndarray of uint8, shape (kept, replicas, n)
        Bits in physical order.
    flips : int
        P-bit updates that were attempted.
    wall_ns : int
        Wall-clock time of the run.
    """

    states: npt.NDArray[np.uint8]
    flips: int
    wall_ns: int


def call_seed(seed: int, call: int) -> int:
    """Seed of a sampler's ``call``-th run: the user's own first, then fresh ones, so that no two runs repeat."""
    return seed if call == 0 else splitmix64(seed + (call - 1) * SPLITMIX64_STEP, 1)[0]


def initial_states(seed: int, replicas: int, size: int) -> npt.NDArray[np.uint8]:
    """Random states that every sampler starts from, so that they agree bit for bit.

    Returns
    -------
    ndarray of uint8, shape (replicas, size)
    """
    rng = np.random.Generator(np.random.PCG64(splitmix64(seed, 1)[0]))
    return rng.integers(0, 2, (replicas, size), np.uint8)
