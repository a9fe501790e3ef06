"""Lockstep: the array's RTL and the simulator under the same bus writes, compared in every register in every clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from amaranth.hdl import Fragment
from amaranth.sim import Simulator as RtlSimulator

from ..contract.errors import PbitError
from ..contract.generator import streams
from ..contract.image import Image
from ..contract.registers import Control, Region, address
from ..gateware.array import ProbedArray
from ..sim.cycle import CycleArray, Trace

PROGRESS_CYCLES = 100


class LockstepError(PbitError):
    """The RTL and the simulator differ."""


class Write(NamedTuple):
    """A write strobe that stands on the bus in one clock.

    Parameters
    ----------
    cycle : int
        Clock, from 0.
    address, data : int
        See `pbit_hw.contract.registers`.
    """

    cycle: int
    address: int
    data: int


def expected_trace(image: Image, writes: Iterable[Write], cycles: int) -> Trace:
    """Registers after each clock, by the simulator.

    Parameters
    ----------
    image : Image
    writes : iterable of Write
        In ascending order of cycle, at most one per clock.
    cycles : int
        Clocks.
    """
    array = CycleArray(image)
    parts = []
    done = 0
    for write in writes:
        # A write takes effect at the end of its clock, after the update of that clock.
        parts.append(array.trace(write.cycle + 1 - done))
        done = write.cycle + 1
        array.write(write.address, write.data)
        parts[-1].registers[-1] = array.registers
        parts[-1].sweeps_left[-1] = array.sweeps_left
    parts.append(array.trace(cycles - done))
    return Trace(*(np.concatenate(rows) for rows in zip(*parts, strict=True)))


def rtl_trace(
    array: ProbedArray, writes: Iterable[Write], cycles: int, progress: Callable[[int, int], None] | None = None
) -> Trace:
    """Registers after each clock, by Amaranth's simulator of the RTL.

    Parameters
    ----------
    array : Array
        The component; it is elaborated here.
    writes, cycles
        As for `expected_trace`.
    progress : callable, optional
        Called with clocks done and clocks in all.
    """
    script = {write.cycle: write for write in writes}
    rows: list[tuple[int, int, int, int]] = []

    async def bench(ctx: Any) -> None:
        for cycle in range(cycles):
            write = script.get(cycle)
            ctx.set(array.write, write is not None)
            if write is not None:
                ctx.set(array.address, write.address)
                ctx.set(array.data, write.data)
            await ctx.tick()
            outputs = (array.states, array.registers, array.phase, array.sweeps_left)
            rows.append(tuple(ctx.get(output) for output in outputs))
            if progress is not None and cycle % PROGRESS_CYCLES == 0:
                progress(cycle, cycles)

    simulator = RtlSimulator(Fragment.get(array, None))
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return unpack_trace(array.image, rows)


def unpack_trace(image: Image, rows: list[tuple[int, int, int, int]]) -> Trace:
    """Turn rows of packed integers (states, registers, phase, sweeps left) into a trace."""
    state_bytes, words = (image.size + 7) // 8, image.size * image.generator.words
    states = b"".join(row[0].to_bytes(state_bytes, "little") for row in rows)
    registers = b"".join(row[1].to_bytes(4 * words, "little") for row in rows)
    bits = np.unpackbits(np.frombuffer(states, np.uint8).reshape(len(rows), -1), axis=1, bitorder="little")
    return Trace(
        bits[:, : image.size],
        np.frombuffer(registers, "<u4").reshape(len(rows), image.size, -1).astype(np.uint32),
        np.array([row[2] for row in rows], np.int64),
        np.array([row[3] for row in rows], np.int64),
    )


def compare(image: Image, expected: Trace, got: Trace) -> None:
    """Raise `LockstepError` that names cycle, colour, p-bit, expected and got of the first mismatch."""
    wrong = {
        name: (getattr(expected, name) != getattr(got, name)).reshape(len(expected.phase), -1) for name in Trace._fields
    }
    cycles = np.flatnonzero(np.any([mask.any(axis=1) for mask in wrong.values()], axis=0))
    if not len(cycles):
        return
    cycle = int(cycles[0])
    for name, mask in wrong.items():
        if not mask[cycle].any():
            continue
        wanted, seen = getattr(expected, name)[cycle], getattr(got, name)[cycle]
        place = ""
        if wanted.ndim:
            pbit = int(np.flatnonzero((wanted != seen).reshape(image.size, -1).any(axis=1))[0])
            place = f"p-bit {pbit} of colour {image.colour[pbit]}, "
            wanted, seen = wanted[pbit], seen[pbit]
        raise LockstepError(
            f"cycle {cycle}, phase {expected.phase[cycle]}, {place}{name}: expected {wanted}, got {seen}"
        )


def region_writes(region: Region, words: npt.ArrayLike) -> list[tuple[int, int]]:
    """Address and data of writes that fill a region."""
    data = np.asarray(words, np.int64).ravel() & 0xFFFFFFFF
    return [(address(region, offset), word) for offset, word in enumerate(data.tolist())]


def random_writes(image: Image, cycles: int, rng: np.random.Generator) -> list[Write]:
    """A script that exercises every register: seeds, runs, stops, and reloads of all kinds in mid-run.

    Parameters
    ----------
    image : Image
    cycles : int
        Clocks; at least enough to load the generators once.
    rng : numpy.random.Generator
    """
    packed = (image.size + 31) // 32
    control = {name: address(Region.CONTROL, offset) for name, offset in Control.__members__.items()}
    script = region_writes(Region.GENERATOR, streams(image.generator, int(rng.integers(2**63)), image.size))
    script.append((control["SWEEPS"], 3))
    while len(script) < cycles:
        other = _random_weights(image, rng)
        masks = rng.integers(0, 2**32, (2, packed)) & rng.integers(0, 2**32, (2, packed))
        choices = (
            region_writes(Region.WEIGHT, other.weights),
            region_writes(Region.BIAS, other.biases),
            [*region_writes(Region.VALUE, masks[0]), *region_writes(Region.CLAMP, masks[1])],
            [(control["BETA"], int(rng.integers(image.beta_format.limit + 1)) >> int(rng.integers(12)))],
            [(control["STOP"], 1)],
            [(control["SWEEPS"], int(rng.integers(1, 20)))],
        )
        script += choices[rng.choice(len(choices), p=(0.1, 0.1, 0.2, 0.2, 0.1, 0.3))]
        script.append((control["SWEEPS"], int(rng.integers(5, 60))))
    gaps = np.where(rng.random(len(script)) < 0.3, rng.integers(1, 40, len(script)), 1)
    when = np.cumsum(gaps) - 1
    return [Write(int(cycle), *write) for cycle, write in zip(when, script, strict=True) if cycle < cycles]


def _random_weights(image: Image, rng: np.random.Generator) -> Image:
    """The array with random symmetric weights and biases."""
    limit = image.weight_format.limit
    low = np.minimum(image.owners, image.neighbours).astype(np.int64)
    high = np.maximum(image.owners, image.neighbours)
    _, edge = np.unique(low * image.size + high, return_inverse=True)
    weights = rng.integers(-limit, limit + 1, image.slots // 2).astype(np.int32)[edge]
    biases = rng.integers(-limit, limit + 1, image.size).astype(np.int32)
    return replace(image).with_weights(weights, biases)


def run_program(
    image: Image, cycles: int, seed: int, progress: Callable[[int, int], None] | None = None
) -> dict[str, int]:
    """Run a program's RTL and the simulator in lockstep under random writes.

    Parameters
    ----------
    image : Image
    cycles : int
        Clocks to compare.
    seed : int
        Of the writes.
    progress : callable, optional
        Called with clocks done and clocks in all.

    Returns
    -------
    dict
        What was compared.

    Raises
    ------
    LockstepError
        At the first mismatch.
    """
    writes = random_writes(image, cycles, np.random.default_rng(seed))
    expected = expected_trace(image, writes, cycles)
    compare(image, expected, rtl_trace(ProbedArray(image), writes, cycles, progress))
    return {
        "pbits": image.size,
        "cycles": cycles,
        "bus_writes": len(writes),
        "state_changes": int((np.diff(expected.states, axis=0) != 0).sum()),
    }
