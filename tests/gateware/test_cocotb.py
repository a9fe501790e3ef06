"""Lockstep under a compiled simulator, for programs that are too large for Amaranth's."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pbit_hw.cli.lockstep import LockstepError, Script, Write, compare, expected_trace, random_script
from pbit_hw.contract.forms import Form
from pbit_hw.contract.image import Image
from pbit_hw.contract.registers import OFFSET_BITS, Region
from pbit_hw.gateware.probed import ProbedArray
from pbit_hw.sim.cycle import Trace

from . import verilate
from .cocotb_lockstep import JOB, save_job

CLOCKS = 2000
SIZES = {"min_size": 25, "max_size": 64}
LIMITS: dict[Form, dict[str, Any]] = {
    Form.ADDER: {},
    Form.TABLE: {"max_degree": 6, "latencies": (2, 3)},
    Form.BAKED: {"max_degree": 6, "latencies": (2, 3)},
}
PROGRAMS = [
    *((Form.ADDER, seed) for seed in (*range(9), 23)),
    *((Form.TABLE, seed) for seed in (*range(5), 30)),
    *((Form.BAKED, seed) for seed in range(6)),
]
SMALLEST = (Form.ADDER, 23), (Form.TABLE, 30)
QUICK = SMALLEST[0]
"""What is compiled by default: one, since that takes longest."""

pytestmark = pytest.mark.skipif(verilate.missing() is not None, reason=str(verilate.missing()))

Compiled = Callable[[Form, int], tuple[Image, Path]]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory, random_image: Callable[..., Image]) -> Compiled:
    """A function of a form and a seed that makes a random program and compiles its RTL, once."""
    runtime = tmp_path_factory.mktemp("runtime")
    done: dict[tuple[Form, int], tuple[Image, Path]] = {}

    def make(form: Form, seed: int) -> tuple[Image, Path]:
        if (form, seed) not in done:
            image = random_image(np.random.default_rng(seed), **SIZES, **LIMITS[form])
            folder = tmp_path_factory.mktemp("rtl")
            done[form, seed] = image, verilate.build(ProbedArray(image, form), folder, runtime)
        return done[form, seed]

    return make


def lockstep(image: Image, simulation: Path, script: Script, expected: Trace) -> None:
    """Play a script to the RTL, and compare every register with the expected one in every clock."""
    job = simulation.parent / "job"
    save_job(job, image, script, expected)
    verilate.run(simulation, "cocotb_lockstep", Path(__file__).parent, {JOB: str(job)})


@pytest.mark.parametrize(
    ("form", "seed"),
    [pytest.param(*each, marks=() if each == QUICK else pytest.mark.slow) for each in PROGRAMS],
)
def test_random_programs(form, seed, compiled):
    image, simulation = compiled(form, seed)
    script = random_script(image, CLOCKS, np.random.default_rng(seed), form)
    expected = expected_trace(image, script)
    assert len(expected.phase) > 0.8 * CLOCKS
    lockstep(image, simulation, script, expected)


@pytest.mark.parametrize(
    ("program", "region"),
    [
        (QUICK, Region.WEIGHT),
        pytest.param(QUICK, Region.GENERATOR, marks=pytest.mark.slow),
        pytest.param(SMALLEST[1], Region.WEIGHT, marks=pytest.mark.slow),
    ],
)
def test_one_bit_shows(program, region, compiled):
    """Negative control: one bit of one write is another for the RTL, which fails where the simulator says it should."""
    image, simulation = compiled(*program)
    script = random_script(image, CLOCKS, np.random.default_rng(program[1]), program[0])
    expected = expected_trace(image, script)
    changed, message = first_visible_change(image, script, expected, region)
    kinds = r"colour \d, replica \d+, p-bit \d+: states|generator \d+: registers"
    assert re.match(rf"clock \d+, ({kinds}) expected \w+", message)
    with pytest.raises(AssertionError, match=re.escape(message)):
        lockstep(image, simulation, changed, expected)


def first_visible_change(image: Image, script: Script, expected: Trace, region: Region) -> tuple[Script, str]:
    """The first write to a region whose lowest bit matters, changed, and the mismatch that it makes."""
    for place, step in enumerate(script):
        if isinstance(step, Write) and step.address >> OFFSET_BITS == region:
            changed = [*script[:place], step._replace(data=step.data ^ 1), *script[place + 1 :]]
            try:
                compare(image, expected, expected_trace(image, changed))
            except LockstepError as error:
                return changed, str(error)
    raise ValueError(f"no write to {region.name} matters")
