"""The array's bus, reset and tables against the contract; `test_lockstep` compares the rest."""

from __future__ import annotations

import gc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pbit_hw.compiler import Ising, compile
from pbit_hw.contract.errors import FitError
from pbit_hw.contract.forms import Form
from pbit_hw.contract.generator import Generator, powered_up, seeds
from pbit_hw.contract.image import Image
from pbit_hw.contract.registers import REGISTERS, Control, Region, address
from pbit_hw.gateware.array import DELAY, Array
from pbit_hw.gateware.probed import ProbedArray
from pbit_hw.gateware.tabulate import Tabulator
from pbit_hw.sim.cycle import CycleArray

CONTROLS = (Control.SWEEPS, Control.STOP, Control.BETA, Control.ROTATE)
SWEEPS, STOP, BETA, ROTATE = (address(Region.CONTROL, place) for place in CONTROLS)
FORMS = pytest.mark.parametrize("form", list(Form))


def ring(size: int, latency: int = 0) -> Image:
    """A ring of p-bits: two colours if ``size`` is even, three if odd; single p-bits have one."""
    edges = [(p, (p + 1) % size) for p in range(size) if size > 1]
    model = Ising.from_edges(size, edges, np.ones(len(edges)), biases=np.linspace(-1, 1, size))
    image = compile(model, generator="lfsr48").image
    return replace(image, interleave=max(latency * image.colours, 1))


async def write(ctx: Any, dut: Any, at: int, word: int) -> None:
    """Write a word, and wait until it is carried out."""
    ctx.set(dut.address, at)
    ctx.set(dut.data, word & 0xFFFFFFFF)
    ctx.set(dut.write, 1)
    while not ctx.get(dut.ready):
        await ctx.tick()
    await ctx.tick()
    ctx.set(dut.write, 0)
    while not ctx.get(dut.ready):
        await ctx.tick()


async def finished(ctx: Any, dut: Any) -> int:
    """Clocks until the array is idle."""
    clocks = 0
    while ctx.get(dut.running):
        clocks += 1
        await ctx.tick()
    return clocks


async def rotate(ctx: Any, dut: Any) -> None:
    """Rotate; the rings turn for a few clocks, in which words are ignored."""
    await write(ctx, dut, ROTATE, 0)
    await finished(ctx, dut)


async def seed(ctx: Any, dut: Any, reference: CycleArray) -> None:
    """Seed all generators of both."""
    for place, word in enumerate(seeds(reference.image.generator, reference.registers).ravel().tolist()):
        await write(ctx, dut, address(Region.GENERATOR, place), word)


async def turned(ctx: Any, dut: Any, interleave: int) -> list[int]:
    """What is shown of each replica."""
    shown = []
    for _ in range(interleave):
        shown.append(ctx.get(dut.shown))
        await rotate(ctx, dut)
    assert ctx.get(dut.home)
    return shown


def entry_stages(image: Image) -> int:
    """Of a tabulator, which is used here for nothing else."""
    tabulator = Tabulator(image)
    tabulator._MustUse__used = True
    return tabulator.entry_stages


def packed(bits: np.ndarray) -> int:
    return sum(int(bit) << place for place, bit in enumerate(bits))


@pytest.mark.parametrize("kind", list(Generator))
@pytest.mark.parametrize(("size", "latency"), [(1, 0), (2, 2), (33, 1)])
def test_reset_values(size, latency, kind, simulate):
    """Clamped p-bits have their value in every replica, the others are 0."""
    image = replace(ring(size, latency), generator=kind)
    clamped = np.arange(size) % 3 != 1
    image = image.with_clamps(clamped.astype(np.uint8), (np.arange(size) % 2).astype(np.uint8))
    dut = ProbedArray(image)

    async def bench(ctx):
        await ctx.tick()
        assert ctx.get(dut.phase) == ctx.get(dut.sweeps_left) == ctx.get(dut.running) == 0
        assert ctx.get(dut.home)
        assert ctx.get(dut.ready)
        assert ctx.get(dut.beta) == image.reset_beta
        states = image.clamped & image.clamp_values
        assert ctx.get(dut.states) == packed(np.repeat(states, image.interleave))
        assert ctx.get(dut.shown) == packed(states)
        words = powered_up(kind, image.streams).ravel().tolist()
        assert ctx.get(dut.registers) == sum(word << 32 * place for place, word in enumerate(words))

    simulate(dut, bench)


@pytest.mark.parametrize(("size", "latency"), [(1, 0), (4, 0), (5, 0), (5, 1), (4, 3)])
@pytest.mark.parametrize("kind", [Generator.LFSR48, Generator.LINEAR64])
def test_a_run_takes_the_clocks_that_it_says(kind, size, latency, simulate):
    """S sweeps: S times the colours, or S + 1 times the replicas; p-bits follow the counters."""
    dut = Array(image := replace(ring(size, latency), generator=kind))

    async def bench(ctx):
        await write(ctx, dut, SWEEPS, 3)
        assert await finished(ctx, dut) == 1 + 3 * image.period + image.home_slots + DELAY
        assert ctx.get(dut.sweeps_left) == 0

    simulate(dut, bench)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of an array that is never used
@pytest.mark.parametrize("form", [Form.TABLE, Form.BAKED])
@pytest.mark.parametrize("latency", [0, 1])
def test_memories_take_two_clocks(form, latency):
    with pytest.raises(FitError, match="interleave 6 replicas or use adder p-bits"):
        Array(ring(5, latency), form)
    gc.collect()


def test_tables_are_made_once_after_something_was_written(simulate):
    """Before the first run, and before those after a weight, a bias or a beta, but no other word."""
    dut = Array(image := ring(5, 2), Form.TABLE)
    degree, stages = int(image.degrees.max()), entry_stages(image)
    tables = image.size * (2 * degree + 2 + (1 << degree)) + stages + 2
    plain = 1 + image.period + image.home_slots + DELAY

    async def clocks_of_a_run(ctx: Any) -> int:
        await write(ctx, dut, SWEEPS, 1)
        return await finished(ctx, dut) - plain

    async def bench(ctx):
        assert await clocks_of_a_run(ctx) == tables
        assert await clocks_of_a_run(ctx) == 0
        for at in (address(Region.WEIGHT, 3), address(Region.BIAS, 1), BETA):
            await write(ctx, dut, at, 1)
            assert await clocks_of_a_run(ctx) == tables
            assert await clocks_of_a_run(ctx) == 0
        for at in (address(Region.STATE), address(Region.CLAMP), address(Region.GENERATOR), STOP):
            await write(ctx, dut, at, 1)
        assert await clocks_of_a_run(ctx) == 0

    simulate(dut, bench)


def test_a_run_of_no_sweeps_makes_no_tables(simulate):
    """They would be made while words may still be written, and a start after these would find the engine busy."""
    dut = Array(image := ring(5, 2), Form.TABLE)
    reference = CycleArray(image)

    async def bench(ctx):
        await write(ctx, dut, SWEEPS, 0)
        assert not ctx.get(dut.running)
        for pbit in range(5):
            await write(ctx, dut, address(Region.BIAS, pbit), 999 - 400 * pbit)
            reference.write(address(Region.BIAS, pbit), 999 - 400 * pbit)
        await write(ctx, dut, SWEEPS, 4)
        reference.write(SWEEPS, 4)
        await finished(ctx, dut)
        while reference.sweeps_left:
            reference.clock()
        assert await turned(ctx, dut, image.interleave) == [packed(row) for row in reference.states]

    simulate(dut, bench)


@pytest.mark.parametrize("wait", [0, 5, 60])
def test_a_stop_while_tables_are_made_leaves_the_states(wait, simulate):
    """The run is over when they are made, and they are good for the next one."""
    dut = Array(image := ring(5, 2), Form.TABLE)
    reference = CycleArray(image)

    async def bench(ctx):
        for _ in range(2):
            await write(ctx, dut, address(Region.STATE), 0b10110)
            reference.write(address(Region.STATE), 0b10110)
        await write(ctx, dut, SWEEPS, 1000)
        for _ in range(wait):
            await ctx.tick()
        await write(ctx, dut, STOP, 0)
        assert ctx.get(dut.running)
        await finished(ctx, dut)
        assert ctx.get(dut.shown) == 0b10110
        await write(ctx, dut, SWEEPS, 7)
        reference.write(SWEEPS, 7)
        await finished(ctx, dut)
        while reference.sweeps_left:
            reference.clock()
        assert await turned(ctx, dut, image.interleave) == [packed(row) for row in reference.states]

    simulate(dut, bench)


@pytest.mark.parametrize("latency", [0, 1, 2])
def test_states_of_every_replica_can_be_written_and_clamps_keep_them(latency, simulate):
    """P-bits on both sides of a packed word's end; clamped ones are written too."""
    dut = Array(image := ring(34, latency))
    replicas = np.random.default_rng(1).integers(0, 2, (image.interleave, 34), np.uint8)

    async def bench(ctx):
        for word in range(2):
            await write(ctx, dut, address(Region.CLAMP, word), 0xFFFFFFFF)
        for row in replicas:
            for word in range(2):
                await write(ctx, dut, address(Region.STATE, word), packed(row) >> 32 * word)
            await rotate(ctx, dut)
        assert await turned(ctx, dut, image.interleave) == [packed(row) for row in replicas]
        await write(ctx, dut, SWEEPS, 3)
        await finished(ctx, dut)
        assert await turned(ctx, dut, image.interleave) == [packed(row) for row in replicas]
        await write(ctx, dut, address(Region.CLAMP, 1), 0)
        await write(ctx, dut, SWEEPS, 3)
        await finished(ctx, dut)
        kept = [shown & 0xFFFFFFFF for shown in await turned(ctx, dut, image.interleave)]
        assert kept == [packed(row[:32]) for row in replicas]

    simulate(dut, bench)


@FORMS
@pytest.mark.parametrize("kind", list(Generator))
def test_a_running_array_heeds_no_write(kind, form, simulate):
    """Every register of the map but the stop, registers that there are not, and single flipped bits of addresses."""
    image = replace(ring(5, 2), generator=kind)
    dut, reference = ProbedArray(image, form), CycleArray(image)
    writable = {
        address(row.region, row.offset) + place
        for row in REGISTERS
        if "w" in row.access
        for place in range(row.words(image))
    }
    ends = {address(row.region, row.offset) + row.words(image) + beyond for row in REGISTERS for beyond in range(3)}
    high = {at | 1 << bit for at in writable for bit in range(5, 32)}
    foreign = sorted((ends | high | writable) - {STOP})[:: 1 + 3 * kind.words]
    assert len(foreign) > 50

    async def bench(ctx):
        await seed(ctx, dut, reference)
        sweeps = 3 * len(foreign) // image.period + 2
        await write(ctx, dut, SWEEPS, sweeps)
        for at in foreign:
            await write(ctx, dut, at, 0xFFFFFFFF)
        assert ctx.get(dut.running)
        await finished(ctx, dut)
        reference.write(SWEEPS, sweeps)
        while reference.sweeps_left:
            reference.clock()
        assert ctx.get(dut.registers) == packed_registers(reference)
        assert ctx.get(dut.beta) == image.reset_beta
        assert ctx.get(dut.home)
        assert await turned(ctx, dut, image.interleave) == [packed(row) for row in reference.states]

    simulate(dut, bench)


def packed_registers(reference: CycleArray) -> int:
    return sum(word << 32 * place for place, word in enumerate(reference.registers.ravel().tolist()))


@pytest.mark.parametrize("kind", list(Generator))
def test_writes_beside_the_map_change_nothing(kind, simulate):
    """While idle: addresses that are no register, and single flipped bits of addresses that are."""
    image = replace(ring(5, 2), generator=kind)
    dut, reference = ProbedArray(image), CycleArray(image)
    writable = {
        address(row.region, row.offset) + place
        for row in REGISTERS
        if "w" in row.access
        for place in range(row.words(image))
    }
    ends = {address(row.region, row.offset) + row.words(image) + beyond for row in REGISTERS for beyond in range(3)}
    high = {at | 1 << bit for at in writable for bit in range(5, 32)}

    async def bench(ctx):
        await seed(ctx, dut, reference)
        for at in sorted((ends | high) - writable)[:: 1 + kind.words]:
            await write(ctx, dut, at, 0xFFFFFFFF)
        assert ctx.get(dut.registers) == packed_registers(reference)
        assert ctx.get(dut.states) == 0
        assert ctx.get(dut.sweeps_left) == ctx.get(dut.phase) == 0
        assert ctx.get(dut.beta) == image.reset_beta
        await write(ctx, dut, SWEEPS, 5)
        await finished(ctx, dut)
        reference.write(SWEEPS, 5)
        while reference.sweeps_left:
            reference.clock()
        assert await turned(ctx, dut, image.interleave) == [packed(row) for row in reference.states]

    simulate(dut, bench)


@pytest.mark.parametrize("kind", list(Generator))
def test_a_generator_takes_the_bits_that_it_has(kind, simulate):
    """In the simulator too: bits written beyond them read as zero and draw nothing."""
    image = replace(ring(1), generator=kind)
    dut, reference = ProbedArray(image), CycleArray(image)
    register = np.array([0x87654321 + place for place in range(kind.words)], np.uint32)
    words = seeds(kind, register).tolist()

    async def bench(ctx):
        for place, word in enumerate(words):
            await write(ctx, dut, address(Region.GENERATOR, place), word)
        await ctx.tick().repeat(DELAY)
        reference.write(address(Region.GENERATOR), words)
        expected = sum(int(word) << 32 * place for place, word in enumerate(register)) & ((1 << kind.bits) - 1)
        assert ctx.get(dut.registers) == expected
        assert packed_registers(reference) == expected

    simulate(dut, bench)


@pytest.mark.parametrize("form", [Form.ADDER, Form.TABLE])
def test_beta_takes_the_low_bits(form, simulate):
    dut = Array(image := ring(2, 2), form)

    async def bench(ctx):
        await write(ctx, dut, BETA, 0xFFFFF123)
        assert ctx.get(dut.beta) == 0xFFFFF123 & image.beta_format.limit

    simulate(dut, bench)
