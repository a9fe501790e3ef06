"""The array's bus, counters and reset against the contract; `test_lockstep` compares the rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pbit_hw.compiler import Ising, compile
from pbit_hw.contract.generator import Generator, streams
from pbit_hw.contract.image import Image
from pbit_hw.contract.registers import REGISTERS, Control, Region, address
from pbit_hw.gateware.array import Array, OffsetDecoder, ProbedArray
from pbit_hw.sim.cycle import CycleArray

SWEEPS, STOP, BETA = (address(Region.CONTROL, place) for place in (Control.SWEEPS, Control.STOP, Control.BETA))


def ring(size: int) -> Image:
    """A ring of p-bits: two colours if ``size`` is even, three if odd; single p-bits have one."""
    edges = {tuple(sorted((p, (p + 1) % size))) for p in range(size) if size > 1}
    ends = np.array(sorted(edges), int).reshape(-1, 2)
    couplings = np.zeros((size, size))
    couplings[ends[:, 0], ends[:, 1]] = couplings[ends[:, 1], ends[:, 0]] = 1
    return compile(Ising(np.linspace(-1, 1, size), couplings), generator="lfsr48").image


async def write(ctx, dut, at, word):
    """One clock with a write strobe."""
    ctx.set(dut.write, 1)
    ctx.set(dut.address, at)
    ctx.set(dut.data, word)
    await ctx.tick()
    ctx.set(dut.write, 0)


async def clocks(ctx, count):
    for _ in range(count):
        await ctx.tick()


@pytest.mark.parametrize("count", [1, 16, 17, 40])
def test_offsets_are_decoded_one_hot(count, simulate):
    dut = OffsetDecoder(count)

    async def bench(ctx):
        for offset in [*range(count), *(1 << bit for bit in range(6, 24)), 0xFFFFFF]:
            ctx.set(dut.offset, offset)
            row, column = divmod(offset, 16)
            assert ctx.get(dut.columns) == 1 << column
            assert ctx.get(dut.rows) == (1 << row if row < len(dut.rows) else 0)

    simulate(dut, bench, clocked=False)


@pytest.mark.parametrize("kind", list(Generator))
@pytest.mark.parametrize("size", [1, 2, 33])
def test_reset_values(size, kind, simulate):
    image = replace(ring(size), generator=kind)
    dut = ProbedArray(image)

    async def bench(ctx):
        assert ctx.get(dut.states) == ctx.get(dut.phase) == ctx.get(dut.sweeps_left) == 0
        assert ctx.get(dut.beta) == image.reset_beta
        words = streams(kind, 0, size).ravel().tolist()
        assert ctx.get(dut.registers) == sum(word << 32 * place for place, word in enumerate(words))

    simulate(dut, bench)


@pytest.mark.parametrize("size", [1, 4, 5])
def test_runs_so_many_sweeps_one_colour_per_clock(size, simulate):
    dut = Array(image := ring(size))

    async def bench(ctx):
        await write(ctx, dut, SWEEPS, 3)
        for clock in range(3 * image.colours):
            assert ctx.get(dut.phase) == clock % image.colours
            assert ctx.get(dut.sweeps_left) == 3 - clock // image.colours
            await ctx.tick()
        await ctx.tick().repeat(5)
        assert ctx.get(dut.phase) == ctx.get(dut.sweeps_left) == 0

    simulate(dut, bench)


def test_a_start_is_ignored_while_running(simulate):
    """In every clock of a run, its last one too; the first idle clock takes it."""
    dut = Array(image := ring(5))

    async def bench(ctx):
        await write(ctx, dut, SWEEPS, 2)
        for clock in range(2 * image.colours):
            await write(ctx, dut, SWEEPS, 9)
            assert ctx.get(dut.sweeps_left) == 2 - (clock + 1) // image.colours
        await write(ctx, dut, SWEEPS, 9)
        assert ctx.get(dut.sweeps_left) == 9

    simulate(dut, bench)


@pytest.mark.parametrize("clock", range(6))
def test_a_stop_finishes_the_sweep_under_way(clock, simulate):
    """Stopped in each clock of two sweeps of three colours."""
    dut = Array(image := ring(5))
    assert image.colours == 3

    async def bench(ctx):
        await write(ctx, dut, SWEEPS, 100)
        await clocks(ctx, clock)
        await write(ctx, dut, STOP, 0)
        left = -(clock + 1) % 3
        assert ctx.get(dut.sweeps_left) == (1 if left else 0)
        await clocks(ctx, left)
        assert ctx.get(dut.phase) == ctx.get(dut.sweeps_left) == 0

    simulate(dut, bench)


def test_clamps_act_in_the_clock_after_their_write_running_or_not(simulate):
    """P-bits on both sides of a packed word's end; states move one clock after their clamp, and hold when it goes."""
    dut = Array(ring(34))

    async def bench(ctx):
        await write(ctx, dut, address(Region.VALUE, 1), 0xFFFFFFFF)
        await write(ctx, dut, address(Region.VALUE, 0), 0x80000001)
        await write(ctx, dut, address(Region.CLAMP, 1), 0b10)
        assert ctx.get(dut.states) == 0
        await write(ctx, dut, address(Region.CLAMP, 0), 0x80000002)
        assert ctx.get(dut.states) == 1 << 33
        await write(ctx, dut, address(Region.CLAMP, 0), 0)
        assert ctx.get(dut.states) == 1 << 33 | 1 << 31
        await ctx.tick().repeat(2)
        assert ctx.get(dut.states) == 1 << 33 | 1 << 31

    simulate(dut, bench)


@pytest.mark.parametrize("kind", list(Generator))
def test_addresses_without_a_writable_register_do_nothing(kind, simulate):
    """Every region's neighbourhood and single high bits: nothing aliases, though all of it is written while running."""
    image = replace(ring(5), generator=kind)
    dut, reference = ProbedArray(image), CycleArray(image)
    writable = {
        address(row.region, row.offset) + place
        for row in REGISTERS
        if "w" in row.access
        for place in range(row.words(image))
    }
    ends = {address(row.region, row.offset) + row.words(image) + beyond for row in REGISTERS for beyond in range(3)}
    high = {at | 1 << bit for at in writable for bit in range(5, 32)}
    foreign = sorted((ends | high) - writable)[:: 1 + 3 * kind.words]
    assert len(foreign) > 50

    async def bench(ctx):
        await write(ctx, dut, SWEEPS, 10_000)
        reference.clock()
        reference.write(SWEEPS, 10_000)
        for at in foreign:
            await write(ctx, dut, at, 0xFFFFFFFF)
        reference.clock(len(foreign))
        words = reference.registers.ravel().tolist()
        assert ctx.get(dut.registers) == sum(word << 32 * place for place, word in enumerate(words))
        assert ctx.get(dut.states) == sum(int(bit) << place for place, bit in enumerate(reference.states))
        assert (ctx.get(dut.sweeps_left), ctx.get(dut.phase)) == (reference.sweeps_left, reference.phase)
        assert ctx.get(dut.beta) == image.reset_beta

    simulate(dut, bench)


def test_a_generator_load_wins_over_its_update(simulate):
    dut = ProbedArray(ring(1))

    async def bench(ctx):
        await write(ctx, dut, SWEEPS, 2)
        await write(ctx, dut, address(Region.GENERATOR, 0), 0x87654321)
        assert ctx.get(dut.registers) & 0xFFFFFFFF == 0x87654321
        assert ctx.get(dut.sweeps_left) == 1

    simulate(dut, bench)


@pytest.mark.parametrize("kind", list(Generator))
def test_a_generator_takes_the_bits_that_it_has(kind, simulate):
    """In the simulator too: bits written beyond them read as zero and draw nothing."""
    image = replace(ring(1), generator=kind)
    dut, reference = ProbedArray(image), CycleArray(image)
    words = [0x87654321 + place for place in range(kind.words)]

    async def bench(ctx):
        for place, word in enumerate(words):
            await write(ctx, dut, address(Region.GENERATOR, place), word)
        reference.write(address(Region.GENERATOR), words)
        packed = sum(word << 32 * place for place, word in enumerate(words)) & ((1 << kind.bits) - 1)
        assert ctx.get(dut.registers) == packed
        assert sum(int(word) << 32 * place for place, word in enumerate(reference.registers[0])) == packed

    simulate(dut, bench)


def test_beta_takes_the_low_bits(simulate):
    dut = Array(image := ring(2))

    async def bench(ctx):
        await write(ctx, dut, BETA, 0xFFFFF123)
        assert ctx.get(dut.beta) == 0xFFFFF123 & image.beta_format.limit

    simulate(dut, bench)
