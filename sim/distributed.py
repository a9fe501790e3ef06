"""The simulator of a partitioned program: all its devices beside each other, and the exchange between them."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract.errors import RequestError
from ..contract.image import Image
from ..contract.replicas import Replicas
from ..contract.request import Request
from .ensemble import Ensemble, Uint8
from .lanes import ReplicaLanes
from .network import Network
from .simulator import Simulator


class Distributed(Simulator):
    """Samples a partitioned program bit for bit as its devices do, which exchange boundary states every few sweeps.

    Ghosts start as what their p-bits start as. A p-bit draws from the stream that it has in the undivided array.

    Parameters
    ----------
    parts : Partition
        A program, divided.
    exchange_every : int
        Sweeps from one exchange to the next, 1 or more.
    seed : int
        User seed.
    progress : callable, optional
        Called several times a second with the sweeps done and the sweeps of the run.
    max_bytes : int
        Most memory that the samples of a run may take.
    threads : int, optional
        Most threads; as many as there are processors by default. Samples do not depend on it.

    Raises
    ------
    RequestError
        If ``exchange_every`` is no number of sweeps.
    """

    def __init__(
        self,
        parts: Any,
        *,
        exchange_every: int,
        seed: int = 0,
        progress: Callable[[int, int], None] | None = None,
        max_bytes: int = 1 << 32,
        threads: int | None = None,
    ) -> None:
        self.parts = parts
        self.exchange_every = _sweeps(exchange_every)
        super().__init__(parts.program, seed=seed, progress=progress, max_bytes=max_bytes, threads=threads)

    def _load_image(self, image: Image) -> None:
        if image.digest != self.parts.program.image.digest:
            raise RequestError("that is another array than the one that was divided; divide it, and open it anew")
        self._load_weights(image)

    def _load_weights(self, image: Image) -> None:
        super()._load_weights(image)
        self._union = Network(self.parts.union(image))

    def _replicas(self, count: int, seed: int) -> Replicas:
        if self.exchange_every != 1:
            raise RequestError(
                f"chains that go on from run to run exchange before each run, not every {self.exchange_every} sweeps; "
                f"use sample, or exchange_every=1"
            )
        return Replicas(self, count, seed)  # on the devices, not on the undivided array

    def _ensemble(self, request: Request) -> _Devices:
        shape, pbits = (request.replicas, len(self.parts.device)), self.parts.pbits
        registers = request.generators(self.parts.program.image)
        held = request.clamped[pbits]
        held[self.parts.ghosts] = 1
        ensemble = Ensemble(self._union, shape[0], threads=self.threads, layout=ReplicaLanes)
        ensemble.load(request.start[:, pbits], registers[:, pbits], held)
        ensemble.sweep(request.betas[:0], request.keep[:0])
        return _Devices(ensemble, self.parts, shape, self.exchange_every)


class _Devices:
    """Replicas of all devices, swept and exchanging.

    Parameters
    ----------
    ensemble : Ensemble
        Of the union of the devices, loaded.
    parts : Partition
        Knows the ghosts.
    shape : (int, int)
        Replicas, and p-bits of the undivided array.
    exchange_every : int
        Sweeps from one exchange to the next.
    """

    def __init__(self, ensemble: Ensemble, parts: Any, shape: tuple[int, int], exchange_every: int) -> None:
        self._ensemble, self._shape, self._own, self._ghosts = ensemble, shape, parts.own, parts.ghosts
        self._sources = parts.own[parts.pbits[parts.ghosts]]
        self._every = self._left = exchange_every

    def sweep(self, betas: npt.NDArray[np.int32], keep: npt.NDArray[np.int64]) -> Uint8:
        """Carry out sweeps; see `Ensemble.sweep`. States are of the undivided array's p-bits, in its order."""
        out = np.empty((len(keep), *self._shape), np.uint8)
        first = 0
        while first < len(betas):
            last = min(first + self._left, len(betas))
            kept, kept_last = np.searchsorted(keep, (first, last), "right")
            states = self._ensemble.sweep(betas[first:last], keep[kept:kept_last] - first)
            out[kept:kept_last] = states[..., self._own]
            self._left -= last - first
            if not self._left:
                self._exchange()
            first = last
        return out

    def _exchange(self) -> None:
        words = self._ensemble.state_words
        words[:, self._ghosts] = words[:, self._sources]
        self._left = self._every


def _sweeps(value: Any) -> int:
    try:
        count = operator.index(value)
    except TypeError:
        count = 0
    if count < 1:
        raise RequestError(f"exchange_every is {value!r}; give a whole number of sweeps, at least 1")
    return count
