"""What engines of every kind do when they are stopped."""

from __future__ import annotations

from typing import Any

from amaranth.sim import Simulator as RtlSimulator

from pbit_hw.cli.engine_lockstep import EngineProbe, Job
from pbit_hw.contract.engines import pack
from pbit_hw.contract.registers import Control, Region, address

SWEEPS, STOP = (address(Region.CONTROL, offset) for offset in (Control.SWEEPS, Control.STOP))


def sweeps_until_stopped(probe: EngineProbe, job: Job) -> list[int]:
    """Load a job and stop long runs in their first clock, in the middle of a sweep, and near the end of the third.

    Returns
    -------
    list of int
        Sweeps that each of them made.
    """
    engine, packing = probe.engine, pack(job.image, probe.shape)
    seen = []

    async def bench(ctx: Any) -> None:
        for place, word in job.words(packing):
            await probe._put(ctx, place, word)
        for wait in (1, packing.clocks // 2, 3 * packing.clocks - 20):
            await probe._put(ctx, SWEEPS, 1000)
            await ctx.tick().repeat(wait)
            await probe._put(ctx, STOP, 0)
            await ctx.tick()
            assert ctx.get(engine.sweeps_left) == 1
            run = await probe._watch(ctx)
            seen.append(round((wait + run.clocks) / packing.clocks))
            assert ctx.get(engine.sweeps_left) == 0

    simulator = RtlSimulator(engine)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return seen
