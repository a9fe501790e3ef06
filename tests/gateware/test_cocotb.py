"""Lockstep under a compiled simulator, for programs that are too large for Amaranth's."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pbit_hw.cli.lockstep import LockstepError, Write, compare, expected_trace, random_writes
from pbit_hw.contract.image import Image
from pbit_hw.contract.registers import OFFSET_BITS, Region
from pbit_hw.gateware.array import ProbedArray
from pbit_hw.sim.cycle import Trace

from . import verilate
from .cocotb_lockstep import JOB, save_job

CYCLES = 2000
QUICK_SEEDS = (1, 7)
SIZES = {"min_size": 25, "max_size": 64}

pytestmark = pytest.mark.skipif(verilate.missing() is not None, reason=str(verilate.missing()))


@pytest.fixture(scope="module")
def compiled(
    tmp_path_factory: pytest.TempPathFactory, random_image: Callable[..., Image]
) -> Callable[[int], tuple[Image, Path]]:
    """A function of a seed that makes a random program and compiles its RTL, once."""
    runtime = tmp_path_factory.mktemp("runtime")
    done: dict[int, tuple[Image, Path]] = {}

    def make(seed: int) -> tuple[Image, Path]:
        if seed not in done:
            image = random_image(np.random.default_rng(seed), **SIZES)
            done[seed] = image, verilate.build(ProbedArray(image), tmp_path_factory.mktemp("rtl"), runtime)
        return done[seed]

    return make


def lockstep(image: Image, simulation: Path, writes: list[Write], expected: Trace) -> None:
    """Give the RTL some writes, and compare every register with the expected one in every clock."""
    job = simulation.parent / "job"
    save_job(job, image, writes, expected)
    verilate.run(simulation, "cocotb_lockstep", Path(__file__).parent, {JOB: str(job)})


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=() if seed in QUICK_SEEDS else pytest.mark.slow) for seed in range(22)]
)
def test_random_programs(seed, compiled):
    image, simulation = compiled(seed)
    writes = random_writes(image, CYCLES, np.random.default_rng(seed))
    expected = expected_trace(image, writes, CYCLES)
    assert (expected.sweeps_left > 0).mean() > 0.3
    lockstep(image, simulation, writes, expected)


@pytest.mark.parametrize("region", [Region.GENERATOR, Region.WEIGHT])
def test_one_bit_shows(region, compiled):
    """Negative control: one bit of one write is another for the RTL, which fails where the simulator says it should."""
    image, simulation = compiled(QUICK_SEEDS[0])
    writes = random_writes(image, CYCLES, np.random.default_rng(QUICK_SEEDS[0]))
    expected = expected_trace(image, writes, CYCLES)
    changed, message = first_visible_change(image, writes, expected, region)
    assert re.match(r"cycle \d+, colour \d, p-bit \d+: (states|registers) expected 0x", message)
    with pytest.raises(AssertionError, match=re.escape(message)):
        lockstep(image, simulation, changed, expected)


def first_visible_change(image: Image, writes: list[Write], expected: Trace, region: Region) -> tuple[list[Write], str]:
    """The first write to a region whose lowest bit matters, changed, and the mismatch that it makes."""
    for place, write in enumerate(writes):
        if write.address >> OFFSET_BITS == region:
            changed = [*writes[:place], write._replace(data=write.data ^ 1), *writes[place + 1 :]]
            try:
                compare(image, expected, expected_trace(image, changed, CYCLES))
            except LockstepError as error:
                return changed, str(error)
    raise ValueError(f"no write to {region.name} matters")
