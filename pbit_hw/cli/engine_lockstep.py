"""Lockstep of an engine: its RTL and the simulator, compared in every state and generator after every colour."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from amaranth.sim import Simulator as RtlSimulator

from ..contract.engine import Engine, Kind
from ..contract.engines import pack
from ..contract.generator import seeds
from ..contract.image import Image
from ..contract.packing import Packing
from ..contract.registers import Control, Region, address
from ..gateware.engine_device import COMPONENTS
from ..sim.cycle import CycleArray, Trace
from .lockstep import LockstepError

Uint8 = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class Job:
    """What is loaded into an engine, and run. What is None stays as it is; a graph comes with states and clamps.

    Parameters
    ----------
    image : Image
        Graph, weights and biases.
    sweeps : int
        How many, at least 1.
    beta : int
        Code of beta.
    graph, weights : bool
        Whether the graph is another one, and whether the weights are.
    states : ndarray of uint8, shape (replicas, n) or (n,) of one, optional
    clamped : ndarray of uint8, shape (n,), optional
    registers : ndarray of uint32, shape (streams, generator words), optional
    """

    image: Image
    sweeps: int
    beta: int
    graph: bool = False
    weights: bool = False
    states: Uint8 | None = None
    clamped: Uint8 | None = None
    registers: Words | None = None

    def words(self, packing: Packing) -> Iterator[tuple[int, int]]:
        """Addresses and words that load it."""
        image = self.image
        loads = list(packing.loads(image, graph=self.graph)) if self.graph or self.weights else []
        if self.clamped is not None:
            loads.append((address(Region.CLAMP), packing.pack(self.clamped)))
        if self.states is not None:
            for bits in np.atleast_2d(self.states):
                loads.append((address(Region.STATE), packing.pack(bits)))
                loads.append((address(Region.CONTROL, Control.ROTATE), np.ones(1, np.uint32)))
        if self.registers is not None:
            loads.append((address(Region.GENERATOR), seeds(image.generator, self.registers).reshape(-1)))
        for first, words in loads:
            yield from enumerate(words.tolist(), first)
        yield address(Region.CONTROL, Control.BETA), packing.beta(self.beta)


def expected_trace(jobs: Sequence[Job]) -> list[Trace]:
    """States and registers after each colour of each job, by the simulator."""
    traces = []
    array = CycleArray(jobs[0].image)
    for job in jobs:
        if job.graph:
            registers = array.registers
            array = CycleArray(job.image)
            array.registers = registers
        array.weights[:], array.biases[:] = job.image.weights, job.image.biases
        for name in ("states", "clamped", "registers"):
            if (loaded := getattr(job, name)) is not None:
                getattr(array, name)[:] = loaded
        array.beta = job.beta
        array.write(address(Region.CONTROL, Control.SWEEPS), job.sweeps)
        traces.append(array.trace(job.sweeps * job.image.colours))
        array.trace(1)
    return traces


@dataclass
class Run:
    """What an engine's RTL did in one job."""

    states: list[list[int]]
    registers: list[list[int]]
    clocks: int = 0


class EngineProbe(ABC):
    """An engine's RTL in Amaranth's simulator, and a look at all its memories.

    Parameters
    ----------
    shape : Engine
        The engine.
    engine : wiring.Component, optional
        Its RTL: of `engine_device.COMPONENTS`, with ``landed`` and ``generators`` to be seen.
    """

    def __init__(self, shape: Any, engine: Any = None) -> None:
        self.shape = shape
        self.engine = engine or COMPONENTS[shape.kind](shape)

    @abstractmethod
    def words(self, ctx: Any) -> list[int]:
        """All words of `Region.STATE`, from the memories themselves.

        Raises
        ------
        LockstepError
            If copies of a state differ.
        """

    def play(self, jobs: Sequence[Job]) -> list[Run]:
        """Carry out jobs one after another, after a reset."""
        runs: list[Run] = []

        async def bench(ctx: Any) -> None:
            for job in jobs:
                for place, word in job.words(pack(job.image, self.shape)):
                    await self._put(ctx, place, word)
                await self._put(ctx, address(Region.CONTROL, Control.SWEEPS), job.sweeps)
                runs.append(await self._watch(ctx))

        simulator = RtlSimulator(self.engine)
        simulator.add_clock(1e-6)
        simulator.add_testbench(bench)
        simulator.run()
        return runs

    async def _put(self, ctx: Any, place: int, word: int) -> None:
        engine = self.engine
        ctx.set(engine.address, place)
        ctx.set(engine.data, word)
        ctx.set(engine.write, 1)
        while True:
            taken = ctx.get(engine.ready)
            await ctx.tick()
            if taken:
                break
        ctx.set(engine.write, 0)
        while not ctx.get(engine.ready):
            await ctx.tick()

    async def _watch(self, ctx: Any) -> Run:
        run = Run([], [])
        while ctx.get(self.engine.running):
            landed = ctx.get(self.engine.landed)
            await ctx.tick()
            run.clocks += 1
            if landed:
                run.states.append(self.words(ctx))
                run.registers.append([ctx.get(generator.register) for generator in self.engine.generators])
        return run


class TiledProbe(EngineProbe):
    """A tiled engine and its lanes' copies of all states."""

    def words(self, ctx: Any) -> list[int]:
        """See `EngineProbe.words`."""
        shape = self.shape
        mask = (1 << shape.lanes) - 1
        home = [ctx.get(self.engine.store.data[row]) for row in range(shape.rows)]
        words: list[int] = []
        for replica in range(shape.interleave):
            rows = [row >> replica * shape.lanes & mask for row in home]
            for number, lane in enumerate(self.engine.lanes):
                if [ctx.get(lane.copies[replica].data[row]) for row in range(shape.rows)] != rows:
                    raise LockstepError(f"the copy of the states in lane {number} differs from the others")
            words += [row >> 32 * word & 0xFFFFFFFF for row in rows for word in range(shape.row_words)]
        return words


class LatticeProbe(EngineProbe):
    """A lattice engine, whose states are in one memory of each colour."""

    def words(self, ctx: Any) -> list[int]:
        """See `EngineProbe.words`."""
        shape = self.shape
        rows = [ctx.get(states.data[place]) for place in range(shape.rounds) for states in self.engine.states]
        return [row >> 32 * word & 0xFFFFFFFF for row in rows for word in range(shape.row_words)]


class DenseProbe(EngineProbe):
    """A dense engine and its columns' copies of their states."""

    def words(self, ctx: Any) -> list[int]:
        """See `EngineProbe.words`."""
        engine, shape = self.engine, self.shape
        words = [ctx.get(engine.states.home.data[word]) & 0xFFFFFFFF for word in range(shape.register_counts["packed"])]
        for number, columns in enumerate(engine.columns):
            if ctx.get(columns.states) != words[shape.layer_words + number]:
                raise LockstepError(f"the copy of the states in span {number} differs from the words")
        return words


PROBES: dict[Kind, type[EngineProbe]] = {
    Kind.TILED: TiledProbe,
    Kind.LATTICE: LatticeProbe,
    Kind.DENSE: DenseProbe,
}
"""How each kind of engine is looked into."""


def unpack_run(packing: Packing, run: Run) -> tuple[Uint8, Words]:
    """States and registers after each colour, shapes (colours, replicas, n) and (colours, streams, words)."""
    size = 4 * packing.image.generator.words
    registers = b"".join(register.to_bytes(size, "little") for rows in run.registers for register in rows)
    return (
        packing.unpack(np.array(run.states, np.uint32).reshape(len(run.states), packing.image.interleave, -1)),
        np.frombuffer(registers, "<u4").reshape(len(run.states), packing.image.streams, -1).astype(np.uint32),
    )


def compare(job: Job, packing: Packing, expected: Trace, run: Run) -> None:
    """Compare a job's states and registers colour by colour, and its clocks with what the contract says.

    Raises
    ------
    LockstepError
        At the first mismatch; names sweep, colour, p-bit or generator, expected and got.
    """
    states, registers = unpack_run(packing, run)
    colours = job.image.colours
    if len(states) != len(expected.states):
        raise LockstepError(f"expected {len(expected.states)} colours, got {len(states)}")
    for step in range(len(states)):
        place = f"sweep {step // colours}, colour {step % colours}"
        for replica, pbit in np.argwhere(states[step] != expected.states[step]):
            wanted, seen = expected.states[step, replica, pbit], states[step, replica, pbit]
            place += f", replica {replica}" if job.image.interleave > 1 else ""
            raise LockstepError(f"{place}, p-bit {pbit}: state expected {wanted}, got {seen}")
        for stream in np.flatnonzero((registers[step] != expected.registers[step]).any(axis=1)):
            wanted, seen = (
                " ".join(f"{word:#x}" for word in rows[step, stream]) for rows in (expected.registers, registers)
            )
            raise LockstepError(f"{place}, generator {stream}: register expected {wanted}, got {seen}")
    if not 0 <= run.clocks - job.sweeps * packing.clocks < START_CLOCKS:
        raise LockstepError(f"expected about {job.sweeps * packing.clocks} clocks, got {run.clocks}")


START_CLOCKS = 16
"""Most clocks that an engine is busy with before its first sweep and after its last."""


def run_jobs(shape: Engine, jobs: Sequence[Job], engine: Any = None) -> int:
    """Run jobs on an engine's RTL and on the simulator in lockstep.

    Returns
    -------
    int
        Clocks of the engine that were compared.

    Raises
    ------
    LockstepError
        At the first mismatch.
    """
    runs = PROBES[shape.kind](shape, engine).play(jobs)
    for job, expected, run in zip(jobs, expected_trace(jobs), runs, strict=True):
        compare(job, pack(job.image, shape), expected, run)
    return sum(run.clocks for run in runs)
