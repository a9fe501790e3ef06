"""Replicas that stay in the lanes of the sweep kernel from one run to the next."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from ..contract.replicas import EVERY, Int32, Int64, Pairs, Places, Replicas, Snapshot, Uint8
from ..contract.request import Batch, Request
from .codegen import LANES
from .ensemble import PIECE, Ensemble
from .kernel import pair_kernel
from .lanes import ReplicaLanes, to_bits, to_words
from .native import host
from .network import Network

NOTHING = np.empty(0, np.int64)
"""Sweeps whose states are kept."""


class Swept(Protocol):
    """What they need of a simulator."""

    program: Any
    threads: int | None

    @property
    def network(self) -> Network:
        """The array with its weights as they stand."""
        ...

    def run(self, request: Request) -> Batch:
        """See `Sampler.run`."""
        ...


class SweptReplicas(Replicas):
    """What `Replicas` are on a simulator, bit for bit, without copies and new streams for every run.

    Parameters
    ----------
    simulator : Simulator
        In sweep mode, without a source of words.
    count, seed : int
        See `Replicas`.
    """

    def __init__(self, simulator: Swept, count: int, seed: int) -> None:
        super().__init__(simulator, count, seed)
        self._simulator = simulator
        self._network = simulator.network
        self._ensemble = Ensemble(self._network, count, threads=simulator.threads, layout=ReplicaLanes)
        self._load()

    def _load(self) -> None:
        """Hand states and generators over to the lanes."""
        self._ensemble.load(self._states, self._registers, self._clamped)
        self._states, self._registers = self._states[:0], self._registers[:0]

    def read(self, pbits: Places = EVERY) -> Uint8:
        """See `Replicas.read`."""
        lanes = to_bits(self._ensemble.state_words[:, pbits])
        return np.moveaxis(lanes, -1, 1).reshape(-1, lanes.shape[1])[: self.count]

    def write(self, bits: Uint8, pbits: Places = EVERY) -> None:
        """See `Replicas.write`."""
        self._ensemble.state_words[:, pbits] = to_words(self._ensemble.layout.spread(bits))

    def clamp(self, clamped: Uint8) -> None:
        """See `Replicas.clamp`."""
        super().clamp(clamped)
        self._ensemble.clamp(clamped)

    def run(self, betas: Int32) -> None:
        """See `Replicas.run`."""
        if self._simulator.network is not self._network:
            self._image()
            self._network = self._simulator.network
            self._ensemble.reweight(self._network)
        image = self._network.image
        step = max(PIECE // (self.count * (image.size * image.interleave + image.slots)), 1)
        for first in range(0, len(betas), step):
            self._ensemble.sweep(betas[first : first + step], NOTHING)

    def counts(self, pairs: Pairs, first: int) -> tuple[Int64, Int64]:
        """See `Replicas.counts`."""
        states, both = self._ensemble.state_words, np.zeros(len(pairs.first), np.int64)
        sets, rows = states.shape
        mask = to_words((np.arange(sets * LANES) < first).astype(np.uint8).reshape(sets, LANES))
        pair_kernel(host())(states, mask, *pairs.stretches, both, sets, rows, len(pairs.stretches[0]))
        return np.bitwise_count(states & mask[:, None]).sum(axis=0, dtype=np.int64), both

    def snapshot(self) -> Snapshot:
        """See `Replicas.snapshot`."""
        return {"states": self.read(), "registers": self._ensemble.registers, "runs": np.array(self._runs)}

    def restore(self, snapshot: Snapshot) -> None:
        """See `Replicas.restore`."""
        super().restore(snapshot)
        self._load()

    def __reduce__(self) -> tuple[Any, ...]:
        """Machine code cannot be pickled: it is made anew."""
        return _unpickled, (self._simulator, self.count, self._seed, self._clamped, self.snapshot())


def _unpickled(simulator: Swept, count: int, seed: int, clamped: Uint8, snapshot: Snapshot) -> SweptReplicas:
    replicas = SweptReplicas(simulator, count, seed)
    replicas.clamp(clamped)
    replicas.restore(snapshot)
    return replicas
