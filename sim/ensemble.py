"""Independent replicas of an array, swept together."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from ..contract.request import shown
from .codegen import LANES
from .kernel import energy_kernel, kernel
from .lanes import Layout, PbitLanes, ReplicaLanes, to_bits, to_words
from .native import aligned, host
from .network import Network

Uint8 = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint32]

PBIT_ROW_COST = 2
PERMUTED_PBIT_ROW_COST = 5
"""A row of p-bits takes as long as about so many rows of replicas, since neighbours hear of each change one by
one; it stands out more where thresholds are looked up in registers."""

PIECE = 1 << 29
"""Slots and p-bits that a kernel handles before it returns, 0.5 s at most: then progress shows and Ctrl-C works."""

THREADED_ROWS = 1 << 17
"""Rows to sweep from which on threads repay their start, some ms of work."""


class Ensemble:
    """Replicas of an array: their states, their generators, and the machine code that sweeps them.

    Parameters
    ----------
    network : Network
        The array.
    replicas : int
        How many; `load` says where they stand.
    threads : int, optional
        Most threads; as many as there are processors by default. Results do not depend on it.
    layout : type, optional
        `lanes.PbitLanes` or `lanes.ReplicaLanes`; the faster one by default.

    Attributes
    ----------
    layout : Layout
        Where replicas and p-bits are.
    """

    def __init__(
        self,
        network: Network,
        replicas: int,
        *,
        threads: int | None = None,
        layout: type[PbitLanes] | type[ReplicaLanes] | None = None,
    ) -> None:
        image = network.image
        self._threads = threads or os.cpu_count() or 1
        self.layout: Layout = layout(replicas, image) if layout else _layout(replicas, network)
        self._take(network)

    def _take(self, network: Network) -> None:
        """Take over weights, and what they need: machine code for fields of their width."""
        image = network.image
        self._network = network
        self._kind = network.kind(isinstance(self.layout, PbitLanes), image.generator)
        self._run = kernel(self._kind, host())
        self._field_type = np.dtype(f"i{self._kind.field_bits // 8}")
        weights = network.weights[image.reverse] if self._kind.pbit_lanes else network.weights
        self._weights = weights.astype(self._field_type)

    def reweight(self, network: Network) -> None:
        """Take over other weights of the same array; states and generators stay."""
        self._take(network)
        self._load_fields()

    def load(self, states: Uint8, registers: Words, clamped: Uint8) -> None:
        """Set where the replicas stand.

        Parameters
        ----------
        states : ndarray of uint8, shape (replicas, n)
            States; those of clamped p-bits must be their clamp values.
        registers : ndarray of uint32, shape (replicas, streams, generator words)
            Generator registers of each replica, see `request.replica_streams`.
        clamped : ndarray of uint8, shape (n,)
            Which p-bits are clamped.
        """
        self._states = to_words(self.layout.spread(states))
        self.clamp(clamped)
        self._load_registers(registers)
        self._load_fields()

    def clamp(self, clamped: Uint8) -> None:
        """Hold these p-bits where they are, and no others; shape (n,)."""
        self._frozen = self.layout.held(clamped)

    def _load_fields(self) -> None:
        network = self._network
        if self._kind.pbit_lanes:
            self._fields = self.layout.spread(network.fields(self.states).astype(self._field_type))
        else:
            self._fields = np.tile(network.biases.astype(self._field_type), (self.layout.sets, 1))

    @property
    def states(self) -> Uint8:
        """States as they stand, shape (replicas, n)."""
        return self.layout.collect(to_bits(self._states))

    @property
    def registers(self) -> Words:
        """Generator registers as they stand, shape (replicas, streams, generator words)."""
        words = self.layout.collect_registers(self._registers)
        return words.view("<u4") if self._kind.halves else words

    @property
    def state_words(self) -> npt.NDArray[np.uint64]:
        """States as they stand, in lanes: a view, shape (sets, rows). Where lanes are replicas it may be written."""
        return self._states

    def energies(self) -> npt.NDArray[np.float64]:
        """Energies of the quantised model where lanes are replicas, shape (sets, 64), counted from all p-bits 0."""
        image, network = self._network.image, self._network
        machine = energy_kernel(network.field_bits, host())
        sums = aligned((self.layout.sets, LANES), np.int64)
        for states, fields, row in zip(self._states, self._fields, sums, strict=True):
            machine(
                states, fields, self._weights, self.layout.neighbours, self.layout.slot_first, row, self.layout.rows
            )
        return sums * (-0.5 * (1 << int(image.unit)) * image.grid.step)

    def set_words(self, words: Words) -> None:
        """Set the random words of the next sweep, shape (n, replicas)."""
        self._load_registers(shown(self._network.image, words.T.astype(np.uint16)))

    def _load_registers(self, registers: Words) -> None:
        self._registers = self.layout.spread_registers(_halves(registers) if self._kind.halves else registers)

    def sweep(self, betas: npt.NDArray[np.int32], keep: npt.NDArray[np.int64]) -> Uint8:
        """Carry out sweeps.

        Parameters
        ----------
        betas : ndarray of int32, shape (sweeps,) or (sets, sweeps)
            Code of beta in each of them, for all replicas or for each set of lanes.
        keep : ndarray of int64, shape (kept,)
            Which of them to keep, ascending and counted from 1.

        Returns
        -------
        ndarray of uint8, shape (kept, replicas, n)
            States after the kept sweeps.
        """
        sets, rows, sweeps = self.layout.sets, self.layout.rows, betas.shape[-1]
        out = np.empty((sets, len(keep), rows), np.uint64)
        shared = (self._weights, self.layout.neighbours, self.layout.slot_first)
        thresholds, codes = self._network.thresholds(betas)
        schedules = np.broadcast_to(codes, (sets, sweeps))
        ends = np.append(keep, 0).astype(np.int64)

        def run(place: int) -> None:
            generators = (self._registers[place], self.layout.drawn)
            own = (self._states[place], *generators, self._frozen[place], self._fields[place])
            schedule = (thresholds, schedules[place], ends)
            self._run(*own, *shared, *schedule, out[place], rows, sweeps)

        if self._threads > 1 and sets > 1 and sets * rows * sweeps > THREADED_ROWS:
            with ThreadPoolExecutor(self._threads) as pool:
                list(pool.map(run, range(sets)))
        else:
            for place in range(sets):
                run(place)
        return self.layout.collect(to_bits(out))


def _layout(replicas: int, network: Network) -> Layout:
    """The faster layout; p-bits that take turns at generators are not to be taken 64 at once."""
    if network.image.lanes:
        return ReplicaLanes(replicas, network.image)
    pbits, others = PbitLanes(replicas, network.image), ReplicaLanes(replicas, network.image)
    cost = PERMUTED_PBIT_ROW_COST if network.field_bits == 8 and host().permutes else PBIT_ROW_COST
    return pbits if replicas == 1 or cost * pbits.sets * pbits.rows < others.sets * others.rows else others


def _halves(registers: Words) -> npt.NDArray[np.uint16]:
    """Registers as halves of 16 bits, the low one first, shape (replicas, streams, 2 generator words)."""
    return np.ascontiguousarray(registers, "<u4").view("<u2")
