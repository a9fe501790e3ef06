"""The generators' RTL against the contract's functions."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from pbit_hw.contract import array
from pbit_hw.contract.generator import Generator, next_rows, streams, xoshiro_word
from pbit_hw.gateware.generator import RandomGenerator, diagonals

KINDS = pytest.mark.parametrize("kind", list(Generator))
WORD = 0xFFFFFFFF


def packed(row: Iterable[int]) -> int:
    return sum(int(word) << 32 * place for place, word in enumerate(row))


@KINDS
def test_diagonals_are_the_next_state(kind):
    rng = np.random.default_rng(3)
    rows = rng.integers(0, 1 << 32, (100, kind.words), np.uint32)
    for row, following in zip(rows, next_rows(kind)(rows), strict=True):
        register, result = packed(row), 0
        for distance, mask in diagonals(kind).items():
            result ^= (register >> distance if distance >= 0 else register << -distance) & mask
        assert result == packed(following)


@KINDS
def test_words_and_registers_follow_the_contract(kind, simulate):
    row = streams(kind, 5, 1)[0]
    dut = RandomGenerator(kind, row)

    async def bench(ctx):
        ctx.set(dut.step, 1)
        for _ in range(300):
            assert ctx.get(dut.register) == packed(row)
            assert ctx.get(dut.word) == array.draw(int(kind), row)
            await ctx.tick()

    simulate(dut, bench)


@KINDS
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
