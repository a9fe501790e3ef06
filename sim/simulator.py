"""The simulator: a sampler that runs the array on this computer's processor."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np

from ..contract.errors import RequestError
from ..contract.image import Image
from ..contract.replicas import Replicas
from ..contract.request import Batch, Request
from ..contract.sampler import Sampler, WordSource
from .ensemble import PIECE, Ensemble
from .network import Network
from .replicas import SweptReplicas

CYCLE_PIECE = 1 << 24
"""`PIECE` of cycle mode."""


class Simulator(Sampler):
    """Samples a program bit for bit as the hardware does.

    Parameters
    ----------
    program : Program
        A compiled program.
    seed : int
        User seed.
    mode : {"sweep", "cycle"}
        ``cycle`` runs the contract's clock, ``sweep`` gives the same states much faster.
    source : WordSource, optional
        Gives the random words instead of the program's generators, once per sweep.
    progress : callable, optional
        Called several times a second with the sweeps done and the sweeps of the run.
    max_bytes : int
        Most memory that the samples of a run may take.
    threads : int, optional
        Most threads that sweep mode uses; as many as there are processors by default. Samples do not depend on it.

    Raises
    ------
    RequestError
        If the mode is unknown.
    """

    def __init__(
        self,
        program: Any,
        *,
        seed: int = 0,
        mode: Literal["sweep", "cycle"] = "sweep",
        source: WordSource | None = None,
        progress: Callable[[int, int], None] | None = None,
        max_bytes: int = 1 << 32,
        threads: int | None = None,
    ) -> None:
        if mode not in ("sweep", "cycle"):
            raise RequestError(f"no mode {mode!r}; use 'sweep' or 'cycle'")
        self.mode = mode
        self.source = source
        self.progress = progress
        self.max_bytes = max_bytes
        self.threads = threads
        super().__init__(program, seed=seed)

    def _load_image(self, image: Image) -> None:
        self._network = Network(image)

    def _load_weights(self, image: Image) -> None:
        self._network = Network(image)

    def run(self, request: Request) -> Batch:
        """Carry out a request; see `Sampler.run`.

        Raises
        ------
        RequestError
            If the samples would take more than ``max_bytes``.
        """
        self._check_memory(request)
        ensemble = self._ensemble(request)
        out = np.empty((len(request.keep), *request.initial.shape), np.uint8)
        start = time.perf_counter_ns()
        for first, last in self._pieces(request):
            if self.source is not None:
                ensemble.set_words(self.source.words(request.replicas, self._network.image.size))
            kept, kept_last = np.searchsorted(request.keep, (first, last), "right")
            out[kept:kept_last] = ensemble.sweep(request.betas[first:last], request.keep[kept:kept_last] - first)
            if self.progress is not None:
                self.progress(last, len(request.betas))
        wall_ns = time.perf_counter_ns() - start
        return Batch(out, request.initial.size * len(request.betas), wall_ns)

    def _replicas(self, count: int, seed: int) -> Replicas:
        if self.mode == "sweep" and self.source is None:
            return SweptReplicas(self, count, seed)
        return super()._replicas(count, seed)

    @property
    def network(self) -> Network:
        """The array with its weights as they stand."""
        return self._network

    def _ensemble(self, request: Request) -> Any:
        """The replicas of a run, ready to be swept: what is compiled is compiled."""
        image, shape = self._network.image, request.initial.shape
        ensemble: Any
        if self.mode == "sweep":
            ensemble = Ensemble(self._network, shape[0], threads=self.threads)
        else:
            from .cycle import CycleEnsemble  # brings numba, which takes a second

            ensemble = CycleEnsemble(image)
        # with a source the registers are written anew before every sweep
        ensemble.load(request.start, request.generators(image), request.clamped)
        ensemble.sweep(request.betas[:0], request.keep[:0])
        return ensemble

    def _check_memory(self, request: Request) -> None:
        row = request.replicas * self._network.image.size
        needed = row * len(request.keep)
        if needed <= self.max_bytes:
            return
        fewest = -(-len(request.betas) // max(self.max_bytes // row, 1))
        way_out = f"keep_every={fewest}" if row <= self.max_bytes else "fewer replicas"
        raise RequestError(
            f"{len(request.keep)} kept sweeps of {request.replicas} replicas of {self._network.image.size} p-bits take "
            f"{needed:,} bytes, the limit is {self.max_bytes:,}; ask for {way_out} or raise max_bytes"
        )

    def _pieces(self, request: Request) -> Iterator[tuple[int, int]]:
        """First and last sweep of each piece of a run; with a source a piece is one sweep."""
        sweeps = len(request.betas)
        image = self._network.image
        work = request.replicas * (image.size * image.interleave + image.slots)
        piece = PIECE if self.mode == "sweep" else CYCLE_PIECE
        step = 1 if self.source is not None else max(piece // work, 1)
        for first in range(0, sweeps, step):
            yield first, min(first + step, sweeps)
