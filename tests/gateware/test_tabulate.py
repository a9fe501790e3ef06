"""The engine that fills tables, against the contract's entries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pbit_hw.contract.formats import SignedFormat, UnsignedFormat
from pbit_hw.contract.image import Image
from pbit_hw.contract.update import Unit, entry, field
from pbit_hw.gateware.tabulate import Tabulator
from pbit_hw.sim.registers import sign_extend

EXTREMES = (0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0, 1, 0xAAAAAAAA)


def expected_entries(image: Image, weights: Any, biases: Any, beta: int) -> dict[tuple[int, int], int]:
    """Entry of every p-bit and set of its neighbours."""
    rows = {}
    for pbit in range(image.size):
        first, last = image.slot_first[pbit : pbit + 2].tolist()
        for chosen in range(1 << (last - first)):
            states = np.concatenate([np.zeros(first, int), chosen >> np.arange(last - first) & 1])
            total = int(field(int(biases[pbit]), weights, range(last), states, first, last, int(image.unit)))
            rows[pbit, chosen] = entry(total, beta, image.argument_shift)
    return rows


async def made(ctx: Any, dut: Tabulator, image: Image) -> tuple[dict[tuple[int, int], int], int]:
    """Begin, and collect what is written to the tables that p-bits have, and for how many clocks it is busy."""
    ctx.set(dut.begin, 1)
    await ctx.tick()
    ctx.set(dut.begin, 0)
    rows: dict[tuple[int, int], int] = {}
    clocks = 0
    while ctx.get(dut.busy):
        if ctx.get(dut.write):
            pbit, address = ctx.get(dut.pbit), ctx.get(dut.address)
            place = pbit, address & ((1 << int(image.degrees[pbit])) - 1)
            assert rows.get(place, ctx.get(dut.entry)) == ctx.get(dut.entry)
            rows[place] = ctx.get(dut.entry)
        clocks += 1
        await ctx.tick()
    for _ in range(2 * dut.entry_stages):
        assert not ctx.get(dut.write)
        assert not ctx.get(dut.busy)
        await ctx.tick()
    return rows, clocks


def documented_clocks(dut: Tabulator, image: Image) -> int:
    degree = int(image.degrees.max(initial=0))
    return image.size * (2 * degree + 2 + (1 << degree)) + dut.entry_stages + 2


async def load(ctx: Any, dut: Tabulator, strobe: str, offset: int, word: int) -> None:
    ctx.set(getattr(dut, strobe), 1)
    ctx.set(dut.offset, offset)
    ctx.set(dut.data, int(word) & 0xFFFFFFFF)
    await ctx.tick()
    ctx.set(getattr(dut, strobe), 0)


IMAGES = [*((5, seed) for seed in range(6)), *((3, seed) for seed in (6, 22, 31)), (1, 8), (0, 1), (0, 2)]
"""Largest degree that is drawn, and seed."""


def drawn(random_image: Any, max_degree: int, seed: int) -> Image:
    return random_image(np.random.default_rng(seed), max_size=8, max_degree=max_degree, latencies=[2])


@pytest.mark.parametrize(("max_degree", "seed"), IMAGES)
def test_every_entry_is_the_contracts(max_degree, seed, random_image, simulate):
    """Of the image at reset, and of extreme and random registers; in the clocks that are documented."""
    rng = np.random.default_rng(seed)
    image = drawn(random_image, max_degree, seed)
    weight_words = rng.choice([*EXTREMES, *rng.integers(0, 1 << 32, 4)], image.slots).astype(np.uint32)
    bias_words = rng.choice([*EXTREMES, *rng.integers(0, 1 << 32, 4)], image.size).astype(np.uint32)
    beta = int(rng.integers(1 << 32))
    dut = Tabulator(image)

    async def bench(ctx):
        assert not ctx.get(dut.busy)
        assert ctx.get(dut.beta) == image.reset_beta
        rows, clocks = await made(ctx, dut, image)
        assert rows == expected_entries(image, image.weights, image.biases, image.reset_beta)
        assert clocks == documented_clocks(dut, image)
        for slot, word in enumerate(weight_words):
            await load(ctx, dut, "load_weight", slot, word)
        for pbit, word in enumerate(bias_words):
            await load(ctx, dut, "load_bias", pbit, word)
        await load(ctx, dut, "load_beta", 0, beta)
        assert ctx.get(dut.beta) == beta & image.beta_format.limit
        weights = sign_extend(weight_words, image.weight_format.bits)
        biases = sign_extend(bias_words, image.bias_bits)
        rows, clocks = await made(ctx, dut, image)
        assert rows == expected_entries(image, weights, biases, beta & image.beta_format.limit)
        assert clocks == documented_clocks(dut, image)

    simulate(dut, bench)


@pytest.mark.parametrize("unit", list(Unit))
@pytest.mark.parametrize("fractions", [(-2, 0), (0, 0), (6, 5), (3, 14), (9, 14)])
def test_the_binary_point_may_be_anywhere(fractions, unit, random_image, simulate):
    """Arguments are shifted to the left as well as to the right, and saturate."""
    weight_frac, beta_frac = fractions
    formats = SignedFormat(6 - weight_frac, weight_frac), UnsignedFormat(12 - beta_frac, beta_frac)
    image = random_image(np.random.default_rng(3), 6, 6, max_degree=4, latencies=[2])
    image = replace(image, unit=unit, weight_format=formats[0], beta_format=formats[1], biases=np.zeros(6, np.int32))
    weights = np.random.default_rng(1).integers(-63, 64, image.slots).astype(np.int32)
    weights = np.where(image.owners < image.neighbours, weights, weights[image.reverse])
    image = image.with_weights(weights, np.arange(-3, 3, dtype=np.int32) * 20)
    dut = Tabulator(image)

    async def bench(ctx):
        await load(ctx, dut, "load_beta", 0, 777)
        rows, _ = await made(ctx, dut, image)
        assert rows == expected_entries(image, image.weights, image.biases, 777)

    simulate(dut, bench)


def test_degrees_are_mixed(random_image):
    """What the arrays above are: p-bits without neighbours beside others, and all of their kind."""
    images = [drawn(random_image, *each) for each in IMAGES]
    assert any(each.degrees.min() == 0 < each.degrees.max() for each in images)
    assert any(len(set(each.degrees.tolist())) > 2 for each in images)
    assert any(each.degrees.max() == 0 for each in images)
    assert any(each.degrees.max() >= 4 for each in images)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_tables_of_p_bits_without_neighbours_are_made_without_a_pause(size, random_image, simulate):
    image = random_image(np.random.default_rng(1), size, size, max_degree=0, latencies=[2])
    dut = Tabulator(image)

    async def bench(ctx):
        rows, clocks = await made(ctx, dut, image)
        assert rows == expected_entries(image, image.weights, image.biases, image.reset_beta)
        assert clocks == documented_clocks(dut, image)

    simulate(dut, bench)


def test_a_begin_is_ignored_while_tables_are_made(random_image, simulate):
    image = random_image(np.random.default_rng(2), 5, 5, max_degree=3, latencies=[2])
    dut = Tabulator(image)

    async def bench(ctx):
        ctx.set(dut.begin, 1)
        await ctx.tick()
        clocks = 0
        while ctx.get(dut.busy):
            ctx.set(dut.begin, int(clocks < documented_clocks(dut, image) // 2))
            clocks += 1
            await ctx.tick()
        assert clocks == documented_clocks(dut, image)

    simulate(dut, bench)
