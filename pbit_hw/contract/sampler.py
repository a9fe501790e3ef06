"""The one interface of everything that samples: simulator, board, virtual device."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from .errors import RequestError
from .image import Image
from .replicas import Replicas
from .request import Batch, Request, call_seed
from .schedule import Counts


class ProgramLike(Protocol):
    """What a sampler needs of a compiled program."""

    @property
    def image(self) -> Image:
        """The array."""
        ...

    def request(self, *, seed: int, **options: Any) -> Request:
        """Translate a user's run to physical order and integer codes."""
        ...

    def decode(self, batch: Batch, request: Request) -> Any:
        """Translate a batch back to the model's own order."""
        ...

    def reweighted(self, couplings: npt.ArrayLike, biases: npt.ArrayLike) -> Self:
        """The same array with requantised weights and biases."""
        ...


class WordSource(Protocol):
    """A source of randomness in place of the generators: a device model, or a recording."""

    def words(self, replicas: int, n: int) -> npt.NDArray[np.uint32]:
        """The 16-bit random words of one sweep, one per p-bit and replica, shape (n, replicas)."""
        ...


class Sampler(ABC):
    """A p-bit array that can be loaded, reweighted and run.

    Parameters
    ----------
    program : Program
        A compiled program.
    seed : int
        User seed. Every run draws from streams of its own, derived from the
        seed and the number of runs before it.

    Attributes
    ----------
    seed : int
    calls : int
        Runs and sets of replicas so far; a sampler whose seed and calls are set back repeats itself.
    """

    def __init__(self, program: Any, *, seed: int = 0) -> None:
        self.program: Any = program  # a `ProgramLike`; users see all that theirs has
        self.seed = seed
        self.calls = 0
        self._load_image(self.program.image)

    @abstractmethod
    def _load_image(self, image: Image) -> None:
        """Take over an array, weights and clamps included."""

    @abstractmethod
    def _load_weights(self, image: Image) -> None:
        """Take over weights and biases of the array that is already loaded."""

    @abstractmethod
    def run(self, request: Request) -> Batch:
        """Carry out a request given in physical order and integer codes.

        Parameters
        ----------
        request : Request
            What `Program.request` made.

        Returns
        -------
        Batch
            States in physical order.
        """

    def count(self, request: Request) -> Counts:
        """Carry out a request and count its kept states instead of returning them.

        Parameters
        ----------
        request : Request
            What `Program.request` made.

        Returns
        -------
        Counts
            In physical order.
        """
        return Counts.of(self.program.image, self.run(request).states)

    def load(self, program: Any) -> None:
        """Load another program."""
        self._load_image(program.image)
        self.program = program

    def set_weights(self, couplings: npt.ArrayLike, biases: npt.ArrayLike) -> None:
        """Requantise and stream new weights; the colouring and the placement stay.

        Parameters
        ----------
        couplings : array_like of float, shape (edges,)
            In the order of the model's edges.
        biases : array_like of float, shape (n_variables,)
            In the model's order.
        """
        program = self.program.reweighted(couplings, biases)
        self._load_weights(program.image)
        self.program = program

    def replicas(self, count: int) -> Replicas:
        """Replicas that stay where a run leaves them, such as the chains of persistent contrastive divergence.

        Parameters
        ----------
        count : int
            How many.

        Raises
        ------
        RequestError
            If there would be none.
        """
        if count < 1:
            raise RequestError(f"{count} replicas were asked for; give at least 1")
        replicas = self._replicas(count, call_seed(self.seed, self.calls))
        self.calls += 1
        return replicas

    def _replicas(self, count: int, seed: int) -> Replicas:
        return Replicas(self, count, seed)

    def sample(self, sweeps: int, **options: Any) -> Any:
        """Run the array and return samples in the model's own order.

        Parameters
        ----------
        sweeps : int
            Sweeps per replica.
        **options
            ``replicas``, ``beta``, ``keep_every``, ``burn_in``, ``initial``,
            ``clamp``: see `pbit_hw.compiler.Program.request`.

        Returns
        -------
        Samples
            One row per kept sweep and replica.
        """
        request = self.program.request(seed=call_seed(self.seed, self.calls), sweeps=sweeps, **options)
        batch = self.run(request)
        self.calls += 1
        return self.program.decode(batch, request)
