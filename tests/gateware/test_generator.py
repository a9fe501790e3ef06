"""The generators' RTL against the contract's functions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from pbit_hw.contract import array
from pbit_hw.contract.generator import Generator, next_rows, powered_up, seeded, seeds, streams, xoshiro_word
from pbit_hw.gateware.generator import RandomGenerator, SharedGenerator, diagonals

OWN = pytest.mark.parametrize("kind", [kind for kind in Generator if kind.share == 1])
WORD = 0xFFFFFFFF


def packed(row: Iterable[int]) -> int:
    return sum(int(word) << 32 * place for place, word in enumerate(row))


@pytest.mark.parametrize("kind", list(Generator))
def test_diagonals_are_the_next_state(kind):
    rng = np.random.default_rng(3)
    rows = rng.integers(0, 1 << 32, (100, kind.words), np.uint32)
    for row, following in zip(rows, next_rows(kind)(rows), strict=True):
        register, result = packed(row), 0
        for distance, mask in diagonals(kind).items():
            result ^= (register >> distance if distance >= 0 else register << -distance) & mask
        assert result == packed(following)


@OWN
def test_words_and_registers_follow_the_contract(kind, simulate):
    row = streams(kind, 5, 1)[0]
    dut = RandomGenerator(kind, row)

    async def bench(ctx):
        ctx.set(dut.step, 1)
        for _ in range(300):
            assert ctx.get(dut.register) == packed(row)
            assert ctx.get(dut.word) == array.word(int(kind), row, 0)
            array.move(int(kind), row)
            await ctx.tick()

    simulate(dut, bench)


@OWN
def test_holds_without_step_and_a_load_wins(kind, simulate):
    seed = streams(kind, 9, 1)[0]
    moved = next_rows(kind)(seed[None])[0]
    dut = RandomGenerator(kind, seed)

    async def bench(ctx):
        await ctx.tick().repeat(3)
        assert ctx.get(dut.register) == packed(seed)
        ctx.set(dut.step, 1)
        ctx.set(dut.load, 1 << (kind.words - 1))
        ctx.set(dut.data, 0x12345678)
        await ctx.tick()
        assert ctx.get(dut.register) == packed([*moved[:-1], 0x12345678]) & ((1 << kind.bits) - 1)

    simulate(dut, bench)


CARRIES = [(WORD, 1), (1, WORD), (WORD, WORD), (0x80000000, 0x80000000), (0x01FFFFFF, 0), (0, WORD)]


@pytest.mark.parametrize(("low", "high"), [(0xFFFFFF, 1), (1, 0xFFFFFF), (0xFFFFFF, 0xFFFFFF), (0x80, 0x80)])
def test_lfsr48_output_carries_from_the_lowest_bit(low, high, simulate):
    register = high << 24 | low
    dut = RandomGenerator(Generator.LFSR48, [register & WORD, register >> 32])

    async def bench(ctx):
        assert ctx.get(dut.word) == ((low + high) & 0xFFFFFF) >> 8

    simulate(dut, bench)


@pytest.mark.parametrize("kind", [Generator.XOSHIRO128, Generator.XOSHIRO64])
def test_output_carries_across_all_bits(kind, simulate):
    """Registers whose sums carry from bit 0 to the top."""
    dut = RandomGenerator(kind, [0] * kind.words)
    bits = 8 * kind.words

    async def bench(ctx):
        for s0, s3 in ((s0 >> (32 - bits), s3 >> (32 - bits)) for s0, s3 in CARRIES):
            row = [s0, 0, 0, s3] if bits == 32 else [s0, s3 << 16]
            for place, word in enumerate(row):
                ctx.set(dut.load, 1 << place)
                ctx.set(dut.data, word)
                await ctx.tick()
            assert ctx.get(dut.word) == xoshiro_word(bits, s0, s3)

    simulate(dut, bench)


async def seed_shared(ctx: Any, dut: SharedGenerator, seed: Iterable[int]) -> None:
    """Clear the register, and let a seed in, lowest bit first."""
    ctx.set(dut.clear, 1)
    await ctx.tick()
    ctx.set(dut.clear, 0)
    ctx.set(dut.step, 1)
    for place in range(64):
        ctx.set(dut.inject, packed(seed) >> place & 1)
        await ctx.tick()
    ctx.set(dut.inject, 0)
    ctx.set(dut.step, 0)


def test_shared_words_and_registers_follow_the_contract(simulate):
    """Four words per clock, while it steps; none of them else."""
    row, dut = streams(Generator.LINEAR64, 5, 1)[0], SharedGenerator()
    rng = np.random.default_rng(1)

    async def bench(ctx):
        await seed_shared(ctx, dut, seeds(Generator.LINEAR64, row[None])[0])
        held = row.copy()
        for _ in range(400):
            step = int(rng.integers(2))
            ctx.set(dut.step, step)
            words = [array.word(int(Generator.LINEAR64), held, taken) for taken in range(4)]
            register = ctx.get(dut.register)
            assert [register >> 16 * taken & 0xFFFF for taken in range(4)] == words
            await ctx.tick()
            held = next_rows(Generator.LINEAR64)(held[None])[0] if step else held
            assert ctx.get(dut.register) == packed(held)

    simulate(dut, bench)


def test_a_shared_generator_is_zero_until_it_is_seeded(simulate):
    dut = SharedGenerator()

    async def bench(ctx):
        ctx.set(dut.step, 1)
        for _ in range(5):
            assert ctx.get(dut.register) == packed(powered_up(Generator.LINEAR64, 1)[0]) == 0
            await ctx.tick()

    simulate(dut, bench)


def test_clearing_wins(simulate):
    dut = SharedGenerator()

    async def bench(ctx):
        await seed_shared(ctx, dut, [1, 2])
        assert ctx.get(dut.register)
        for name in ("clear", "step", "inject"):
            ctx.set(getattr(dut, name), 1)
        await ctx.tick()
        assert ctx.get(dut.register) == 0
        ctx.set(dut.clear, 0)
        ctx.set(dut.step, 0)
        await ctx.tick()
        assert ctx.get(dut.register) == 0

    simulate(dut, bench)


@pytest.mark.parametrize("written", [(1, 0), (0, 0x80000000), (WORD, WORD), (0x12345678, 0x9ABCDEF0), (0, 0)])
def test_a_shared_generator_is_seeded_as_the_contract_says(written, simulate):
    """Cleared, then 64 updates with the seed's bits, lowest first; `seeds` says what leads to a register."""
    row, dut = streams(Generator.LINEAR64, 5, 1)[0], SharedGenerator()
    words = np.array([written, seeds(Generator.LINEAR64, row[None])[0]], np.uint32)
    expected = seeded(Generator.LINEAR64, words)
    assert expected[1].tolist() == row.tolist()

    async def bench(ctx):
        for seed, wanted in zip(words, expected, strict=True):
            await seed_shared(ctx, dut, seed)
            assert ctx.get(dut.register) == packed(wanted)

    simulate(dut, bench)
