"""Replicas of an array that stay where a run leaves them: chains, in physical order and integer codes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from .errors import RequestError
from .generator import advanced, splitmix64
from .image import Image
from .request import Batch, Request, call_seed, initial_states, replica_streams

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Uint8 = npt.NDArray[np.uint8]
Snapshot = dict[str, npt.NDArray[Any]]
Places = slice | npt.NDArray[np.integer[Any]]

EVERY = slice(None)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of p-bits whose states are counted together.

    Parameters
    ----------
    first, second : ndarray of int32, shape (m,)
    """

    first: Int32
    second: Int32

    @cached_property
    def stretches(self) -> tuple[Int32, Int32, Int64]:
        """First p-bit, first of the second p-bits, and first place of stretches in which only the second moves on.

        Places end with m. Pairs of a restricted Boltzmann machine are a stretch for each visible unit.
        """
        joined = (np.diff(self.first) == 0) & (np.diff(self.second) == 1)
        begins = np.flatnonzero(np.concatenate([[True], ~joined]))[: len(self.first)]
        return self.first[begins], self.second[begins], np.append(begins, len(self.first)).astype(np.int64)


class Runs(Protocol):
    """What replicas need of a sampler."""

    program: Any

    def run(self, request: Request) -> Batch:
        """See `Sampler.run`."""
        ...


class Replicas:
    """Replicas on any sampler, carried from one run to the next: states, clamps, and generators where they stopped.

    Weights are the sampler's as they stand. Replicas begin at random states without clamps.

    Parameters
    ----------
    sampler : Sampler
        Whatever runs an array.
    count : int
        How many.
    seed : int
        Of their first states and of their generators.
    """

    def __init__(self, sampler: Runs, count: int, seed: int) -> None:
        self.count = count
        self._sampler, self._seed, self._runs = sampler, seed, 0
        image = self._made_of = sampler.program.image
        self._states = initial_states(seed, count, image.size)
        self._registers = replica_streams(image, seed, count)
        self._clamped = np.zeros(image.size, np.uint8)

    def _image(self) -> Image:
        """The sampler's array, with its weights as they stand.

        Raises
        ------
        RequestError
            If it is no longer the array that the replicas are of.
        """
        image: Image = self._sampler.program.image
        if image.neighbours is not self._made_of.neighbours and image.digest != self._made_of.digest:
            raise RequestError(
                f"the sampler holds another array of {image.size} p-bits than these replicas are of; make new ones"
            )
        return image

    def read(self, pbits: Places = EVERY) -> Uint8:
        """Bits of these p-bits as they stand, shape (count, k)."""
        return self._states[:, pbits]

    def write(self, bits: Uint8, pbits: Places = EVERY) -> None:
        """Set bits of these p-bits, clamped ones too.

        Parameters
        ----------
        bits : ndarray of uint8, shape (count, k)
        pbits : slice or ndarray of int, shape (k,)
        """
        self._states = self._states.copy()
        self._states[:, pbits] = bits

    def clamp(self, clamped: Uint8) -> None:
        """Hold these p-bits where they are, and no others.

        Parameters
        ----------
        clamped : ndarray of uint8, shape (n,)
        """
        self._clamped = clamped

    def run(self, betas: Int32) -> None:
        """Sweep all replicas.

        Parameters
        ----------
        betas : ndarray of int32, shape (sweeps,)
            Code of beta in each sweep.

        Raises
        ------
        RequestError
            If the sampler holds another array by now.
        """
        image = self._image()
        seed = call_seed(splitmix64(~self._seed, 1)[0], self._runs)  # not one of the sampler's own runs
        keep = np.array([len(betas)], np.int64)
        batch = self._sampler.run(
            Request(betas, keep, seed, self._states, self._clamped, self._states, self._registers)
        )
        self._runs += 1
        self._states = batch.states[-1]
        self._registers = self._registers.copy()
        for updates in np.unique(image.updates).tolist():
            some = image.updates == updates
            self._registers[:, some] = advanced(image.generator, self._registers[:, some], len(betas) * updates)

    def counts(self, pairs: Pairs, first: int) -> tuple[Int64, Int64]:
        """In how many replicas p-bits are 1, and in how many both of a pair are.

        Parameters
        ----------
        pairs : Pairs
            How many of them: m.
        first : int
            Only so many replicas count, the first ones.

        Returns
        -------
        ones, both : ndarray of int64, shapes (n,) and (m,)
        """
        bits = np.packbits(self.read()[:first], axis=0, bitorder="little")
        both = np.bitwise_count(bits[:, pairs.first] & bits[:, pairs.second])
        return np.bitwise_count(bits).sum(axis=0, dtype=np.int64), both.sum(axis=0, dtype=np.int64)

    def snapshot(self) -> Snapshot:
        """All that further runs depend on, but weights and clamps."""
        return {"states": self._states, "registers": self._registers, "runs": np.array(self._runs)}

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot of as many replicas of the same array; clamps stay as they are.

        Raises
        ------
        RequestError
            If it is of other ones.
        """
        shape = (self.count, self._image().size)
        if snapshot["states"].shape != shape:
            raise RequestError(f"the snapshot has states of shape {snapshot['states'].shape}, not {shape}")
        self._states = snapshot["states"]
        self._registers = snapshot["registers"]
        self._runs = int(snapshot["runs"])
