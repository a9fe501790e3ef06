"""Max-cut of 800 p-bits in compiled RTL, as an array of its own and on a tiled engine, against the simulator.

The array is the ULX3S-85F's: table p-bits, a `LINEAR64` register for every four of them, four replicas that follow one
another. The engine is the iCEBreaker's, of 8 lanes on an iCE40UP5K. Each is built once, and all that is of an instance
is loaded over the bus. Then it anneals under cocotb, from p-bits that are all 0 to the cut, and all states and random
registers are compared: the array's after each of 10,020 clocks, and the engine's after each colour of 446,000.

G11 is of Rinaldi's G-set (Helmberg and Rendl, SIAM J. Optim. 10, 673, 2000): couplings of 1 and -1 on a torus of
100 x 8, with 564 as the largest cut known. The glass is of the same lattice, and 564 is the largest that annealing
finds of it, too. The seed is one with which 1,000 sweeps of a single chain are enough: about two in three are.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pbit_hw.cli import engine_lockstep
from pbit_hw.cli.engine_lockstep import Job
from pbit_hw.cli.lockstep import LockstepError, Run, Script, Write, expected_trace
from pbit_hw.compiler import MaxCut, Program, compile, library
from pbit_hw.contract.engines import ENGINES, pack
from pbit_hw.contract.forms import Form
from pbit_hw.contract.generator import seeds, streams
from pbit_hw.contract.registers import Control, Region, address
from pbit_hw.gateware.probed import ProbedArray
from pbit_hw.gateware.tiled import Tiled
from pbit_hw.sim.schedule import geometric

from . import cocotb_engine, verilate
from .test_cocotb import lockstep

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(verilate.missing() is not None, reason=str(verilate.missing())),
]

FILE = Path(__file__).resolve().parents[3] / "shared" / "data" / "gset" / "G11.txt"
SIDES = (100, 8)
GENERATOR = "linear64"
CUT = 556
CLOCKS = 10_000
SEED = 8
BETAS = 0.4, 2.0
UP5K: Any = ENGINES["icebreaker-tiled"].shape
STAGES = {"array": (5, 500), "engine": (50, 20)}
"""Betas of a run, and sweeps at each of them."""


def glass(seed: int) -> MaxCut:
    """An instance of G11's kind."""
    drawn = library.lattice(SIDES, spin_glass_seed=seed)
    return MaxCut.from_edges(drawn.size, drawn.edges, drawn.couplings)


@pytest.fixture(params=["glass", "G11"])
def model(request: pytest.FixtureRequest) -> MaxCut:
    if request.param == "glass":
        return glass(11)
    if not FILE.is_file():
        pytest.skip(f"no G-set files: {FILE} does not exist")
    return MaxCut.from_gset(FILE)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    return tmp_path_factory.mktemp


@pytest.fixture(scope="module")
def array(folders: Callable[[str], Path]) -> Path:
    """The array's RTL, built for other weights."""
    image = compiled_array(glass(0)).image
    return verilate.build(ProbedArray(image, Form.TABLE), folders("array"), folders("runtime"))


@pytest.fixture(scope="module")
def engine(folders: Callable[[str], Path]) -> Path:
    return verilate.build(Tiled(UP5K), folders("engine"), folders("runtime"), cocotb_engine.INNER)


def compiled_array(model: MaxCut) -> Program:
    return compile(model, generator=GENERATOR, interleave=4)


def stages(program: Program, machine: str) -> list[tuple[int, int]]:
    """Codes of betas, and sweeps at each of them."""
    count, sweeps = STAGES[machine]
    return [(code, sweeps) for code in program.image.beta_codes(geometric(*BETAS, count)).tolist()]


def best_cut(model: MaxCut, program: Program, states: npt.NDArray[np.uint8]) -> float:
    """The largest of states in physical order, shape (..., n)."""
    spins = 2 * states.reshape(-1, model.size)[:, program.pbits].astype(np.int8) - 1
    return float(model.cut(spins).max())


def words(region: Region, values: npt.NDArray[np.integer]) -> list[Write]:
    """Words for a region from its first on."""
    return [Write(address(region, place), int(value) & 0xFFFFFFFF) for place, value in enumerate(values.reshape(-1))]


def array_script(program: Program) -> Script:
    image = program.image
    registers = seeds(image.generator, streams(image.generator, SEED, image.streams))
    script: Script = [
        *words(Region.GENERATOR, registers),
        *words(Region.WEIGHT, image.weights),
        *words(Region.BIAS, image.biases),
    ]
    for beta, sweeps in stages(program, "array"):
        script += [Write(address(Region.CONTROL, Control.BETA), beta), Run(sweeps)]
    return script


def test_array(model: MaxCut, array: Path) -> None:
    program = compiled_array(model)
    assert program.image.digest == compiled_array(glass(0)).image.digest
    script = array_script(program)
    expected = expected_trace(program.image, script)
    assert len(expected.phase) >= CLOCKS
    lockstep(program.image, array, script, expected)
    assert best_cut(model, program, expected.states[expected.sweeps_left == 0]) >= CUT


def engine_jobs(program: Program) -> list[Job]:
    image = program.image
    nothing = np.zeros(image.size, np.uint8)
    (beta, sweeps), *others = stages(program, "engine")
    registers = streams(image.generator, SEED, image.streams)
    first = Job(image, sweeps, beta, True, True, states=nothing, clamped=nothing, registers=registers)
    return [first, *(Job(image, sweeps, beta) for beta, sweeps in others)]


def play(simulation: Path, jobs: list[Job]) -> list[engine_lockstep.Run]:
    """What the engine's RTL does in the jobs."""
    own = [simulation.parent / name for name in ("job", "notes")]
    start = address(Region.CONTROL, Control.SWEEPS)
    own[0].write_text(json.dumps([([*job.words(pack(job.image, UP5K))], (start, job.sweeps)) for job in jobs]))
    variables = {cocotb_engine.JOB: str(own[0]), cocotb_engine.NOTES: str(own[1])}
    verilate.run(simulation, "cocotb_engine", Path(__file__).parent, variables)
    return [engine_lockstep.Run(**each) for each in json.loads(own[1].read_text())]


def test_engine(model: MaxCut, engine: Path) -> None:
    program = compile(model, generator=GENERATOR, lanes=UP5K.lanes)
    packing, jobs = pack(program.image, UP5K), engine_jobs(program)
    runs = play(engine, jobs)
    assert sum(run.clocks for run in runs) >= CLOCKS
    for job, expected, run in zip(jobs, engine_lockstep.expected_trace(jobs), runs, strict=True):
        engine_lockstep.compare(job, packing, expected, run)
    ends = np.stack([engine_lockstep.unpack_run(packing, run)[0][-1] for run in runs])
    assert best_cut(model, program, ends) >= CUT


@pytest.mark.parametrize("what", ["weight", "seed"])
def test_another_bit_shows_in_the_engine(what: str, engine: Path) -> None:
    """Negative control: the RTL gets another weight, or another seed, than the simulator."""
    program = compile(glass(11), generator=GENERATOR, lanes=UP5K.lanes)
    image, job = program.image, engine_jobs(program)[0]
    assert job.registers is not None
    edge = np.isin(np.arange(image.slots), (0, image.reverse[0]))
    others: dict[str, dict[str, Any]] = {
        "weight": {"image": image.with_weights(np.where(edge, -image.weights, image.weights), image.unfold())},
        "seed": {"registers": job.registers ^ np.eye(*job.registers.shape, dtype=np.uint32)},
    }
    (run,) = play(engine, [replace(job, **others[what])])
    (expected,) = engine_lockstep.expected_trace([job])
    with pytest.raises(LockstepError, match=r"^sweep 0, colour \d, (p-bit \d+: state|generator \d: register) expected"):
        engine_lockstep.compare(job, pack(image, UP5K), expected, run)
