"""What a sampler is asked for, and what it gives back, in physical order and integer codes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .errors import RequestError
from .generator import SPLITMIX64_STEP, next_rows, showing, splitmix64, streams
from .image import Image


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
        User seed of the generators, see `replica_streams`.
    initial : ndarray of uint8, shape (replicas, n)
        States before the first sweep.
    clamped : ndarray of uint8, shape (n,)
        Which p-bits are clamped, from before the first sweep.
    clamp_values : ndarray of uint8, shape (replicas, n)
        To what, in each replica.
    registers : ndarray of uint32, shape (replicas, streams, generator words), optional
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

    def generators(self, image: Image) -> npt.NDArray[np.uint32]:
        """Generator registers before the first sweep, shape (replicas, streams, generator words)."""
        return replica_streams(image, self.seed, self.replicas) if self.registers is None else self.registers


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


def replica_streams(image: Image, seed: int, replicas: int) -> npt.NDArray[np.uint32]:
    """Generator registers that replicas start with.

    Replicas of an interleaved array draw from one register in turn: replica r begins r updates further on, and every
    draw takes ``interleave`` updates. Register s of the g-th such set is stream ``g * streams + s`` of the seed.

    Returns
    -------
    ndarray of uint32, shape (replicas, streams, generator words)
    """
    sets = -(-replicas // image.interleave)
    first = streams(image.generator, seed, sets * image.streams).reshape(sets, image.streams, -1)
    return in_turn(image, first)[:replicas]


def in_turn(image: Image, first: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Generator registers of all replicas of sets, from those of the first replica of each.

    Parameters
    ----------
    image : Image
        The array.
    first : ndarray of uint32, shape (sets, streams, generator words)
        Where the registers of the array stand.

    Returns
    -------
    ndarray of uint32, shape (sets * interleave, streams, generator words)
    """
    turns = [first.reshape(-1, first.shape[-1])]
    for _ in range(1, image.interleave):
        turns.append(next_rows(image.generator)(turns[-1]))
    return np.stack(turns).reshape(-1, *first.shape).swapaxes(0, 1).reshape(-1, *first.shape[1:])


def shown(image: Image, words: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint32]:
    """Generator registers from which every p-bit draws a given word next.

    Parameters
    ----------
    image : Image
        The array.
    words : ndarray of uint16, shape (..., n)
        Random words.

    Returns
    -------
    ndarray of uint32, shape (..., streams, generator words)

    Raises
    ------
    RequestError
        If p-bits take turns at the registers, so that one cannot hold the words of all.
    """
    if image.lanes:
        raise RequestError(
            f"p-bits take turns at {image.lanes} lanes and their generators, so that a source cannot stand for these; "
            f"compile the program without lanes"
        )
    shared = np.zeros((*words.shape[:-1], image.streams, image.generator.share), np.uint16)
    shared[..., image.stream, image.taken] = words
    return showing(image.generator, shared)


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
