"""Lockstep: the array's RTL and the simulator under the same bus writes, compared in every register in every clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from amaranth.sim import Simulator as RtlSimulator

from ..contract.errors import PbitError
from ..contract.image import Image
from ..contract.registers import REGISTERS, Control, Region, Register, address
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
        The array.
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
    if done < cycles:
        parts.append(array.trace(cycles - done))
    return Trace(*(np.concatenate(rows) for rows in zip(*parts, strict=True)))


def rtl_trace(
    array: ProbedArray, writes: Iterable[Write], cycles: int, progress: Callable[[int, int], None] | None = None
) -> Trace:
    """Registers after each clock, by Amaranth's simulator of the RTL.

    Parameters
    ----------
    array : ProbedArray
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
            if progress is not None and ((cycle + 1) % PROGRESS_CYCLES == 0 or cycle + 1 == cycles):
                progress(cycle + 1, cycles)

    simulator = RtlSimulator(array)
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
    """Compare two traces register by register.

    Raises
    ------
    LockstepError
        At the first mismatch; names cycle, colour, p-bit, expected and got.
    """
    clocks = len(expected.phase)
    wrong = {
        name: (getattr(expected, name) != getattr(got, name)).reshape(clocks, -1).any(axis=1) for name in Trace._fields
    }
    if any(rows.any() for rows in wrong.values()):
        cycle = min(int(rows.argmax()) for rows in wrong.values() if rows.any())
        name = next(name for name, rows in wrong.items() if rows[cycle])
        raise LockstepError(_mismatch(image, name, cycle, getattr(expected, name), getattr(got, name)))


def _mismatch(image: Image, name: str, cycle: int, expected: npt.NDArray[Any], got: npt.NDArray[Any]) -> str:
    """What differs in a cycle, in one line."""
    wanted, seen = expected[cycle], got[cycle]
    if not wanted.ndim:
        return f"cycle {cycle}: {name} expected {wanted}, got {seen}"
    pbit = int(np.flatnonzero((wanted != seen).reshape(image.size, -1).any(axis=1))[0])
    texts = [" ".join(f"{word:#x}" for word in np.atleast_1d(row[pbit])) for row in (wanted, seen)]
    return f"cycle {cycle}, colour {image.colour[pbit]}, p-bit {pbit}: {name} expected {texts[0]}, got {texts[1]}"


# How often a random write goes where: data mostly, and starts more often than stops.
_REGION_CHANCES = {Region.WEIGHT: 6, Region.BIAS: 4, Region.CLAMP: 3, Region.VALUE: 3, Region.GENERATOR: 3}
_CONTROL_CHANCES = {Control.BETA: 4, Control.STOP: 2, Control.SWEEPS: 5}
_LONGEST_RUN_SWEEPS = 40
WRITE_CHANCE = 0.3
"""Of a random write in a clock."""


def random_writes(image: Image, cycles: int, rng: np.random.Generator) -> list[Write]:
    """A script that starts, stops and reloads every kind of register, in mid-run mostly.

    Parameters
    ----------
    image : Image
        The array.
    cycles : int
        Clocks, at least 1.
    rng : numpy.random.Generator
        Where the writes come from.

    Returns
    -------
    list of Write
        In ascending order of cycle; the first one starts the array.
    """
    places = [register for register in REGISTERS if _chance(register) and register.words(image)]
    chances = np.array([_chance(register) for register in places], float)
    writes = [Write(0, address(Region.CONTROL, Control.SWEEPS), _LONGEST_RUN_SWEEPS)]
    for cycle in (np.flatnonzero(rng.random(cycles - 1) < WRITE_CHANCE) + 1).tolist():
        register = places[rng.choice(len(places), p=chances / chances.sum())]
        offset = register.offset + int(rng.integers(register.words(image)))
        writes.append(Write(cycle, address(register.region, offset), _random_word(register, rng)))
    return writes


def _chance(register: Register) -> int:
    if register.region is Region.CONTROL:
        return _CONTROL_CHANCES.get(Control(register.offset), 0)
    return _REGION_CHANCES.get(register.region, 0)


def _random_word(register: Register, rng: np.random.Generator) -> int:
    """A word for a register; numbers are of every order of magnitude that 32 bits hold."""
    word, other, shift = int(rng.integers(1 << 32)), int(rng.integers(1 << 32)), int(rng.integers(32))
    if register.region in (Region.VALUE, Region.GENERATOR):
        return word
    if register.region is Region.CLAMP:
        return word & other
    if register.region in (Region.WEIGHT, Region.BIAS):
        return (word - (1 << 31) >> shift) & 0xFFFFFFFF
    return word >> shift if register.offset == Control.BETA else word % (_LONGEST_RUN_SWEEPS + 1)


def run_program(
    image: Image, cycles: int, seed: int, progress: Callable[[int, int], None] | None = None
) -> dict[str, int]:
    """Run a program's RTL and the simulator in lockstep under random writes.

    Parameters
    ----------
    image : Image
        The array.
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
