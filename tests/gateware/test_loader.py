"""The array's side of the bus: which strobes a word makes, and when."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pbit_hw.compiler import Ising, compile
from pbit_hw.contract.generator import Generator
from pbit_hw.contract.image import Image
from pbit_hw.contract.registers import REGISTERS, Control, Region, address
from pbit_hw.contract.schedule import CountingImage
from pbit_hw.gateware.loader import Loader, OffsetDecoder

STROBES = (
    "start",
    "stop",
    "rotate",
    "beta",
    "clamp",
    "bias",
    "weight",
    "generator",
    "schedule",
    "count",
    "steps",
    "push",
    "replace",
    "clear",
    "seed",
)
SHAPES = pytest.mark.parametrize(
    ("kind", "interleave"), [(Generator.LFSR48, 1), (Generator.XOSHIRO128, 6), (Generator.LINEAR64, 4)]
)


def ring(kind: Generator, interleave: int) -> Image:
    """Six p-bits of two colours."""
    image = compile(Ising.from_edges(6, [(p, (p + 1) % 6) for p in range(6)], np.ones(6))).image
    return replace(image, generator=kind, interleave=interleave)


async def carried_out(ctx: Any, dut: Loader, at: int, word: int) -> list[dict[str, int]]:
    """Write a word; the strobes of each clock until it is ready again, the one that takes it first."""
    ctx.set(dut.write, 1)
    ctx.set(dut.address, at)
    ctx.set(dut.data_in, word)
    assert ctx.get(dut.ready)
    seen = [{name: ctx.get(getattr(dut, name)) for name in STROBES}]
    await ctx.tick()
    ctx.set(dut.address, 0xFFFFFFFF)
    ctx.set(dut.data_in, ~word & 0xFFFFFFFF)
    ctx.set(dut.write, 0)
    while not ctx.get(dut.ready):
        seen.append({name: ctx.get(getattr(dut, name)) for name in STROBES})
        assert ctx.get(dut.data) == word
        assert ctx.get(dut.offset) == at & 0xFFFFFF
        await ctx.tick()
    return [{name: 1 for name, value in row.items() if value} for row in seen]


def expected_strobes(image: Image, region: Region, offset: int, *, home: bool) -> list[dict[str, int]]:
    """What a word makes when the array is idle: after the clock that takes it and one that decodes it."""
    if region is Region.CONTROL:
        if offset in (Control.SWEEPS, Control.STEPS) and not home:
            return [{}, {}]
        if offset == Control.ROTATE:
            return [{}, {"rotate": 1}, {}]
        names = {Control.SWEEPS: "start", Control.STOP: "stop", Control.BETA: "beta", Control.STEPS: "steps"}
        return [{}, {names[Control(offset)]: 1}]
    if region is Region.STATE:
        return [{}, {}, {"push": 1, "replace": 1}, *[{"push": 1}] * (image.interleave - 1)]
    if region is Region.GENERATOR and image.generator is Generator.LINEAR64:
        return [{}, {}, {"clear": 1}, *[{"seed": 1}] * 64] if offset % 2 else [{}, {}, {}]
    return [{}, {}, {region.name.lower(): 1}]


def writable(image: Image) -> list[tuple[Region, int]]:
    rows = [row for row in REGISTERS if "w" in row.access]
    mapped = CountingImage(image)
    return [(row.region, row.offset + place) for row in rows for place in range(row.words(mapped))]


@SHAPES
def test_every_writable_word_makes_its_strobes_in_its_clocks(kind, interleave, simulate):
    dut = Loader(image := ring(kind, interleave), 64)

    async def bench(ctx):
        at_hand = 0
        for region, offset in writable(image):
            seen = await carried_out(ctx, dut, address(region, offset), 0x89ABCDEF)
            assert seen == expected_strobes(image, region, offset, home=at_hand == 0), (region, offset)
            at_hand = (at_hand + (region is Region.CONTROL and offset == Control.ROTATE)) % interleave
            assert ctx.get(dut.home) == (at_hand == 0)

    simulate(dut, bench)


@SHAPES
def test_a_running_array_is_told_of_a_stop_alone(kind, interleave, simulate):
    dut = Loader(image := ring(kind, interleave), 64)

    async def bench(ctx):
        ctx.set(dut.running, 1)
        for region, offset in writable(image):
            stops = region is Region.CONTROL and offset == Control.STOP
            assert await carried_out(ctx, dut, address(region, offset), 1) == [{}, {"stop": 1} if stops else {}]
        assert ctx.get(dut.home)

    simulate(dut, bench)


@SHAPES
def test_other_addresses_make_no_strobe_that_a_register_hears(kind, interleave, simulate):
    """Read-only control registers and regions that there are not."""
    dut = Loader(ring(kind, interleave), 64)
    foreign = [address(Region.CONTROL, place) for place in (*range(10), Control.INTERLEAVE, Control.FIXED, 17, 1 << 23)]
    foreign += [region << 24 | offset for region in (3, 9, 0x41, 0x81, 0xFF) for offset in (0, 1)]

    async def bench(ctx):
        for at in foreign:
            assert not any(await carried_out(ctx, dut, at, 1)), hex(at)

    simulate(dut, bench)


@pytest.mark.parametrize("interleave", [2, 6])
def test_a_start_is_passed_on_where_the_first_replica_is_at_hand(interleave, simulate):
    """Once round: home again after as many rotations as there are replicas."""
    dut = Loader(ring(Generator.LFSR48, interleave), 64)

    async def bench(ctx):
        for turn in range(2 * interleave):
            seen = await carried_out(ctx, dut, address(Region.CONTROL, Control.SWEEPS), 3)
            assert seen[-1] == ({} if turn % interleave else {"start": 1})
            await carried_out(ctx, dut, address(Region.CONTROL, Control.ROTATE), 0)

    simulate(dut, bench)


def test_a_seed_goes_in_lowest_bit_first(simulate):
    """The low word waits; the next one may be any register's."""
    dut = Loader(ring(Generator.LINEAR64, 4), 64)
    seed = 0x9ABCDEF0_12345679

    async def bench(ctx):
        await carried_out(ctx, dut, address(Region.GENERATOR, 2), seed & 0xFFFFFFFF)
        await carried_out(ctx, dut, address(Region.BIAS, 1), 0)
        ctx.set(dut.write, 1)
        ctx.set(dut.address, address(Region.GENERATOR, 3))
        ctx.set(dut.data_in, seed >> 32)
        await ctx.tick()
        ctx.set(dut.write, 0)
        bits = []
        while not ctx.get(dut.ready):
            bits += [ctx.get(dut.inject)] if ctx.get(dut.seed) else []
            await ctx.tick()
        assert sum(bit << place for place, bit in enumerate(bits)) == seed

    simulate(dut, bench)


@pytest.mark.parametrize("count", [1, 16, 17, 40])
def test_offsets_are_decoded_one_hot_a_clock_later(count, simulate):
    dut = OffsetDecoder(count)

    async def bench(ctx):
        for offset in [*range(count), *(1 << bit for bit in range(6, 24)), 0xFFFFFF]:
            ctx.set(dut.offset, offset)
            await ctx.tick()
            row, column = divmod(offset, 16)
            assert ctx.get(dut.columns) == 1 << column
            assert ctx.get(dut.rows) == (1 << row if row < len(dut.rows) else 0)

    simulate(dut, bench)
