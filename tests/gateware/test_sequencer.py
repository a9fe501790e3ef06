"""The counters in RTL against the contract's functions, clock by clock."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pbit_hw.compiler import Ising, compile
from pbit_hw.contract import array
from pbit_hw.contract.image import Image
from pbit_hw.gateware.sequencer import Sequencer

SHAPES = pytest.mark.parametrize(("size", "latency"), [(1, 0), (4, 0), (5, 0), (1, 2), (4, 1), (4, 2), (5, 1), (5, 3)])


def ring(size: int, latency: int) -> Image:
    """A ring of p-bits, of two or three colours; one p-bit alone has one."""
    edges = [(p, (p + 1) % size) for p in range(size) if size > 1]
    image = compile(Ising.from_edges(size, edges, np.ones(len(edges)))).image
    return replace(image, interleave=max(latency * image.colours, 1))


class Counters:
    """The contract's counters."""

    def __init__(self, image: Image) -> None:
        self.image = image
        self.phase = self.left = self.under_way = 0

    def turns(self) -> int:
        """Which colours have a turn, as bits."""
        if not self.left:
            return 0
        own = (self.phase, self.left, self.under_way, self.image.colours, self.image.interleave)
        return sum((array.turn(colour, *own) >= 0) << colour for colour in range(self.image.colours))

    def clock(self, start: int, sweeps: int, stop: int, wait: int) -> None:
        """One clock with these inputs."""
        ran = self.left != 0
        shape = (self.image.colours, self.image.interleave)
        if ran and not wait:
            self.phase, self.left, self.under_way = array.advance(self.phase, self.left, self.under_way, *shape)
        if start and not ran:
            self.left = array.start(sweeps, self.image.interleave)
        elif stop:
            self.left = array.stop(self.phase, self.left, self.image.interleave)


def set_all(ctx: Any, dut: Sequencer, start: int, sweeps: int, stop: int, wait: int) -> None:
    for name, value in (("start", start), ("sweeps", sweeps), ("stop", stop), ("wait", wait)):
        ctx.set(getattr(dut, name), value)


def equal(ctx: Any, dut: Sequencer, counters: Counters, wait: int) -> None:
    assert ctx.get(dut.phase) == counters.phase
    assert ctx.get(dut.sweeps_left) == counters.left
    assert ctx.get(dut.active) == (counters.left != 0 and not wait)
    assert ctx.get(dut.turns) == (0 if wait else counters.turns())


@SHAPES
def test_counts_as_the_contract_says(size, latency, simulate):
    """Starts in every clock of a run, stops, and clocks that wait, at random."""
    dut, counters = Sequencer(image := ring(size, latency)), Counters(ring(size, latency))
    rng = np.random.default_rng(size + latency)
    runs = 0

    async def bench(ctx):
        nonlocal runs
        for _ in range(1500):
            start, sweeps = int(rng.random() < 0.3), int(rng.integers(0, 5))
            stop, wait = int(rng.random() < 0.5 / (2 * image.period)), int(rng.random() < 0.2)
            stop &= ~start
            set_all(ctx, dut, start, sweeps, stop, wait)
            equal(ctx, dut, counters, wait)
            runs += counters.left == 0 and start and sweeps > 0
            counters.clock(start, sweeps, stop, wait)
            await ctx.tick()

    simulate(dut, bench)
    assert runs > 5


@SHAPES
def test_a_run_takes_the_clocks_that_it_says_and_gives_every_colour_a_turn_per_sweep(size, latency, simulate):
    """Idle at reset; S sweeps take S times the colours, or S + 1 times the replicas."""
    dut = Sequencer(image := ring(size, latency))

    async def bench(ctx):
        assert ctx.get(dut.sweeps_left) == ctx.get(dut.phase) == ctx.get(dut.turns) == 0
        set_all(ctx, dut, 1, 3, 0, 0)
        await ctx.tick()
        ctx.set(dut.start, 0)
        clocks, turns = 0, np.zeros(image.colours, int)
        while ctx.get(dut.active):
            turns += [ctx.get(dut.turns) >> colour & 1 for colour in range(image.colours)]
            clocks += 1
            await ctx.tick()
        assert clocks == 3 * image.period + image.home_slots
        assert turns.tolist() == [3 * image.interleave] * image.colours

    simulate(dut, bench)


@SHAPES
def test_a_stop_in_any_clock_finishes_the_sweep_under_way(size, latency, simulate):
    dut = Sequencer(image := ring(size, latency))

    async def bench(ctx):
        for clock in range(2 * image.period):
            set_all(ctx, dut, 1, 100, 0, 0)
            await ctx.tick()
            ctx.set(dut.start, 0)
            for _ in range(clock):
                await ctx.tick()
            ctx.set(dut.stop, 1)
            await ctx.tick()
            ctx.set(dut.stop, 0)
            left = -(clock + 1) % image.period + image.home_slots
            for _ in range(left):
                assert ctx.get(dut.active)
                await ctx.tick()
            assert ctx.get(dut.sweeps_left) == ctx.get(dut.phase) == 0

    simulate(dut, bench)


def test_every_bit_of_a_number_of_sweeps_counts(simulate):
    dut = Sequencer(ring(4, 2))

    async def bench(ctx):
        set_all(ctx, dut, 1, 0x80000000, 0, 0)
        await ctx.tick()
        assert ctx.get(dut.sweeps_left) == 0x80000001

    simulate(dut, bench)
