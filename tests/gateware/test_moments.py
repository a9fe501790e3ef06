"""Counters of moments against the contract's counts."""

from __future__ import annotations

import numpy as np
import pytest
from amaranth import Module
from amaranth.lib.wiring import Component, In, Out

from pbit_hw.contract.schedule import COUNT_LIMIT, counted, edges
from pbit_hw.gateware.moments import Moments

pytestmark = pytest.mark.usefixtures("undefined_reads")

LATENCY = 2


class Shown(Component):
    """Moments of states that stand in a row of words."""

    def __init__(self, image, states):
        self.moments = Moments(image, LATENCY)
        self._states = [int.from_bytes(np.packbits(row, bitorder="little").tobytes(), "little") for row in states]
        super().__init__({"replica": Out(range(image.interleave)), "unused": In(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.moments = moments = self.moments
        from amaranth import Array, C, Signal

        bits = 32 * (2 ** len(moments.word))
        rows = Array([C(row, bits) for row in self._states])
        first, second = Signal(32), Signal(32)
        m.d.sync += [first.eq(rows[self.replica].word_select(moments.word, 32)), second.eq(first)]
        m.d.comb += moments.states.eq(second)
        with m.If(moments.rotate):
            m.d.sync += self.replica.eq((self.replica + 1) % len(self._states))
        return m


@pytest.mark.parametrize(("seed", "replicas"), [(0, 1), (1, 3), (2, 1), (3, 2)])
def test_counts_are_the_contracts(seed, replicas, random_image, simulate):
    """Counters that begin anywhere, some of them nearly full, after two counts of the same states."""
    rng = np.random.default_rng(seed)
    image = random_image(rng, min_size=20, max_size=70)
    image = image.interleaved(1 if replicas == 1 else replicas * image.colours)
    states = rng.integers(0, 2, (image.interleave, image.size), np.uint8)
    total = image.size + len(edges(image)[0])
    counts = rng.integers(0, COUNT_LIMIT, total, np.uint32, endpoint=True)
    counts[rng.random(total) < 0.3] = COUNT_LIMIT - 1
    shown = Shown(image, states)

    async def bench(ctx):
        moments = shown.moments
        for place, count in enumerate(counts.tolist()):
            ctx.set(moments.offset, place)
            ctx.set(moments.data, count)
            ctx.set(moments.load, 1)
            await ctx.tick()
        ctx.set(moments.load, 0)
        for _ in range(2):
            ctx.set(moments.begin, 1)
            await ctx.tick()
            ctx.set(moments.begin, 0)
            assert ctx.get(moments.busy)
            await ctx.tick().until(~moments.busy)
        expected = counted(image, counted(image, counts, states), states)
        assert (expected == COUNT_LIMIT).any()
        for place, count in enumerate(expected.tolist()):
            ctx.set(moments.offset, place)
            await ctx.tick().repeat(2)
            assert ctx.get(moments.counter) == count, place

    simulate(shown, bench)
