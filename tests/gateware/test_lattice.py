"""The lattice engine's RTL and the simulator: equal after every colour, and seen to differ by one bit."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from amaranth.back import rtlil
from amaranth.hdl import Cat, Const, Module
from amaranth_boards.icebreaker import ICEBreakerPlatform

from pbit_hw.cli.engine_lockstep import Job, LatticeProbe, run_jobs
from pbit_hw.cli.lockstep import LockstepError
from pbit_hw.compiler import compile, library
from pbit_hw.contract.activation import NODES, TABLE, argument
from pbit_hw.contract.formats import SignedFormat
from pbit_hw.contract.generator import Generator, streams
from pbit_hw.contract.image import Image
from pbit_hw.contract.lattice import LatticeShape, lay
from pbit_hw.contract.packing import Packing
from pbit_hw.contract.registers import Control, Region, address
from pbit_hw.contract.update import decide
from pbit_hw.gateware import lattice, lattice_lane, thresholds
from pbit_hw.gateware.couplings import CouplingMemory
from pbit_hw.gateware.lattice import Lattice
from pbit_hw.gateware.lattice_lane import COMPARISON, LatticeLane
from pbit_hw.gateware.thresholds import Thresholds

from .stops import sweeps_until_stopped

pytestmark = pytest.mark.usefixtures("undefined_reads")

SHAPE = LatticeShape(8, 2, 4, 7, 16, 3, Generator.LINEAR64)


def lattice_image(shape: LatticeShape, rng: np.random.Generator, kept: float = 0.8, magnitude: int = 1) -> Image:
    """Couplings of one magnitude or 0, with random signs; open at some boundaries where few are kept."""
    model = library.lattice((shape.rows, shape.columns), spin_glass_seed=int(rng.integers(1 << 30)))
    codes = model.couplings * (rng.random(len(model.edges)) < kept) * magnitude
    weight_format = SignedFormat(magnitude.bit_length(), 0)
    image = compile(
        model.with_values(codes, model.biases),
        lanes=shape.lanes,
        generator=shape.generator.name.lower(),
        weight_format=str(weight_format),
    ).image
    assert set(np.abs(image.weights).tolist()) <= {0, magnitude}
    return image


def random_shape(rng: np.random.Generator) -> LatticeShape:
    """Of at most some hundreds of p-bits."""
    kind = tuple(Generator)[int(rng.integers(len(Generator)))]
    lanes = int(rng.choice([8, 8, 12, 32, 64] if kind is Generator.LINEAR64 else [4, 8, 12]))
    segments = 1 if lanes > 12 else int(rng.integers(1, 5))
    return LatticeShape(lanes, segments, int(2 * rng.integers(2, 5)), 8, 19, 5, kind, bool(rng.integers(2)))


def random_jobs(rng: np.random.Generator, shape: LatticeShape, graphs: int, runs: int) -> list[Job]:
    """Lattices one after another; between runs some of what can be loaded is."""
    jobs: list[Job] = []
    for _ in range(graphs):
        image = lattice_image(shape, rng, float(rng.choice([0.0, 0.5, 0.9, 1.0], p=[0.1, 0.3, 0.3, 0.3])))
        for run in range(runs):
            fresh = run == 0
            if not fresh and rng.random() < 0.5:
                image = image.with_weights(-image.weights, np.zeros(image.size, np.int32))
            drawn = rng.random(3)
            jobs.append(
                Job(
                    image,
                    sweeps=int(rng.integers(1, 4)),
                    beta=int(rng.integers(image.beta_format.limit + 1)) >> int(rng.integers(6)),
                    graph=fresh,
                    weights=True,
                    states=rng.integers(0, 2, image.size, np.uint8) if fresh or drawn[0] < 0.5 else None,
                    clamped=(rng.random(image.size) < 0.2).astype(np.uint8) if fresh or drawn[1] < 0.5 else None,
                    registers=streams(image.generator, int(rng.integers(1 << 60)), image.streams)
                    if not jobs or drawn[2] < 0.3
                    else None,
                )
            )
    return jobs


def in_lockstep(seed: int, graphs: int = 1, runs: int = 2) -> None:
    rng = np.random.default_rng(seed)
    shape = random_shape(rng)
    assert run_jobs(shape, random_jobs(rng, shape, graphs, runs), Lattice(shape, blocks=seed % 2 > 0)) > 0


@pytest.mark.parametrize("seed", [*range(10), pytest.param(10, marks=pytest.mark.slow), 11])
def test_random_programs(seed: int) -> None:
    in_lockstep(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12, 112))
def test_many_random_programs(seed: int) -> None:
    in_lockstep(seed, graphs=2, runs=3)


@pytest.mark.slow
def test_random_programs_cover_what_they_are_for() -> None:
    shapes = [random_shape(np.random.default_rng(seed)) for seed in range(112)]
    assert {(each.lanes, each.segments) for each in shapes} >= {(8, place) for place in range(1, 5)} | {(64, 1)}
    assert {each.generator for each in shapes} == set(Generator)
    assert {each.rows for each in shapes} == {4, 6, 8}


@pytest.mark.parametrize("magnitude", [1, 5, 15])
def test_magnitudes_that_are_loaded(magnitude: int) -> None:
    """One after another, each with other thresholds, into the same engine."""
    rng = np.random.default_rng(magnitude)
    shape = replace(SHAPE, bias_bits=9, beta_bits=19, argument_shift=4)
    images = [lattice_image(shape, rng, magnitude=each) for each in (magnitude, 1)]
    assert run_jobs(shape, [job(image, 3) for image in images]) > 0


# Negative controls.


def job(image: Image, sweeps: int = 12) -> Job:
    rng = np.random.default_rng(7)
    bits = rng.integers(0, 2, (2, image.size), np.uint8)
    registers = streams(image.generator, 3, image.streams)
    return Job(image, sweeps, 200, True, True, bits[0], bits[1] & (np.arange(image.size) < 4), registers)


@pytest.fixture
def glass() -> Image:
    return lattice_image(SHAPE, np.random.default_rng(5))


def test_the_glass_is_in_lockstep(glass: Image) -> None:
    assert run_jobs(SHAPE, [job(glass)]) >= 12 * SHAPE.clocks


def damaged(monkeypatch: pytest.MonkeyPatch, region: Region, offset: int, mask: int) -> None:
    """One word that is loaded into the RTL is another."""
    words = Job.words

    def wrong(self: Job, packing: Packing) -> list[tuple[int, int]]:
        place = address(region, offset)
        return [(each, word ^ mask if each == place else word) for each, word in words(self, packing)]

    monkeypatch.setattr(Job, "words", wrong)


STATE_DIFFERS = r"^sweep \d+, colour \d, p-bit \d+: state expected [01], got [01]$"


@pytest.mark.parametrize(
    ("region", "offset", "mask"),
    [
        *((Region.WEIGHT, 5, 1 << 2 * place) for place in range(4)),
        (Region.WEIGHT, 2 << SHAPE.row_bits >> 1, 1 << 24),
        (Region.BIAS, 0, 1 << 2),
        (Region.STATE, 3, 1),
        (Region.CLAMP, 0, 1),
        (Region.CLAMP, 3, 1 << 5),
        (Region.CONTROL, Control.BETA, 1 << 5),
    ],
)
def test_one_bit_of_what_is_loaded_shows(
    glass: Image, monkeypatch: pytest.MonkeyPatch, region: Region, offset: int, mask: int
) -> None:
    damaged(monkeypatch, region, offset, mask)
    with pytest.raises(LockstepError, match=STATE_DIFFERS):
        run_jobs(SHAPE, [job(glass, 40)])


def test_one_bit_of_a_seed_shows_in_the_first_colour(glass: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged(monkeypatch, Region.GENERATOR, 1, 1 << 30)
    with pytest.raises(LockstepError, match=r"^sweep 0, colour 0"):
        run_jobs(SHAPE, [job(glass)])


@pytest.mark.parametrize("missed", ["first", "last", "odd"])
def test_a_place_in_the_line_that_is_missed_shows(glass: Image, monkeypatch: pytest.MonkeyPatch, missed: str) -> None:
    neighbours = Lattice._neighbours

    class Wrong:
        def __init__(self, pacer: Any) -> None:
            self.first, self.last, self.odd = pacer.first, pacer.last, pacer.odd
            setattr(self, missed, Const(0))

    def wrong(self: Lattice, m: Module, pacer: Any, others: Any) -> list[Any]:
        misled: Any = Wrong(pacer)
        return neighbours(self, m, misled, others)

    monkeypatch.setattr(Lattice, "_neighbours", wrong)
    with pytest.raises(LockstepError, match=STATE_DIFFERS):
        run_jobs(SHAPE, [job(glass, 40)])


def test_a_line_that_is_a_row_too_short_shows(glass: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then what is above is what is beside."""
    neighbours = Lattice._neighbours

    def short(self: Lattice, *line: Any) -> list[Any]:
        return [Cat(each[2], each[1:]) for each in neighbours(self, *line)]

    monkeypatch.setattr(Lattice, "_neighbours", short)
    with pytest.raises(LockstepError, match=STATE_DIFFERS):
        run_jobs(SHAPE, [job(glass, 40)])


def test_a_wrong_sum_of_two_pairs_shows(glass: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    of_field = lattice_lane._of_field
    monkeypatch.setattr(lattice_lane, "_of_field", lambda pairs: of_field(pairs) ^ (2 if pairs == 0b010010 else 0))
    with pytest.raises(LockstepError, match=STATE_DIFFERS):
        run_jobs(SHAPE, [job(glass, 40)])


def test_a_table_that_ends_early_shows(glass: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = NODES.copy()
    nodes[8:] = 0
    monkeypatch.setattr(thresholds, "NODES", nodes)
    with pytest.raises(LockstepError, match=STATE_DIFFERS):
        run_jobs(SHAPE, [job(glass, 40)])


@pytest.mark.slow
@pytest.mark.parametrize(("spans", "shows"), [(lattice.SPANS, False), (24, True)])
def test_thresholds_that_reach_lanes_late_show(monkeypatch: pytest.MonkeyPatch, spans: int, shows: bool) -> None:
    """A run of an engine of many lanes that begins as soon as another beta is loaded."""
    monkeypatch.setattr(lattice, "SPANS", spans)
    shape = replace(SHAPE, lanes=64, segments=1)
    first = job(lattice_image(shape, np.random.default_rng(5)), 2)
    jobs = [first, replace(first, beta=700, graph=False)]
    with pytest.raises(LockstepError, match=STATE_DIFFERS) if shows else nullcontext():
        run_jobs(shape, jobs)


def test_a_stop_ends_the_sweep_under_way(glass: Image) -> None:
    assert sweeps_until_stopped(LatticeProbe(SHAPE), job(glass)) == [1, 1, 3]


# Parts.


@pytest.mark.parametrize("beta", [0, 150, 700, 8000])
def test_lanes_decide_as_the_contract_says(simulate: Callable[..., None], beta: int) -> None:
    """All neighbours and couplings, with words around the threshold."""
    lane = LatticeLane()
    magnitude, shift = 3, 2
    chances = [int(TABLE[argument(n * magnitude, beta, shift)]) for n in range(5)]
    rng = np.random.default_rng(beta)
    cases = []
    for states, signs in itertools.product(
        itertools.product((0, 1), repeat=4), itertools.product((-1, 0, 1), repeat=4)
    ):
        field = sum((2 * state - 1) * sign for state, sign in zip(states, signs, strict=True))
        word = (
            max(0, chances[abs(field)] + int(rng.integers(-1, 2))) if rng.random() < 0.7 else int(rng.integers(1 << 16))
        )
        cases.append((states, signs, word, decide(field * magnitude, word, beta, shift)))

    async def bench(ctx: Any) -> None:
        ctx.set(lane.complements, sum((0xFFFF ^ chance) << 16 * place for place, chance in enumerate(chances[1:])))
        decided = []
        for clock in range(len(cases) + COMPARISON + 1):
            if clock < len(cases):
                states, signs, *_ = cases[clock]
                ctx.set(lane.states, sum(state << place for place, state in enumerate(states)))
                ctx.set(lane.couplings, sum((sign & 3) << 2 * place for place, sign in enumerate(signs)))
            if COMPARISON <= clock < len(cases) + COMPARISON:
                ctx.set(lane.word, cases[clock - COMPARISON][2])
            decided.append(ctx.get(lane.decided))
            await ctx.tick()
        assert decided[COMPARISON + 1 :] == [int(case[3]) for case in cases]

    simulate(lane, bench)


@pytest.mark.parametrize(
    ("bias_bits", "beta_bits", "shift"), [(4, 14, 0), (7, 16, 3), (4, 4, 2), (14, 12, 11), (6, 18, 7)]
)
def test_thresholds(simulate: Callable[..., None], bias_bits: int, beta_bits: int, shift: int) -> None:
    """Of random magnitudes at several betas, in as many clocks as they are said to take."""
    component = Thresholds(replace(SHAPE, bias_bits=bias_bits, beta_bits=beta_bits, argument_shift=shift), blocks=True)
    rng = np.random.default_rng(bias_bits)
    largest = (1 << (bias_bits - 3)) - 1

    async def made(ctx: Any) -> list[int]:
        clocks = 0
        while ctx.get(component.making):
            await ctx.tick()
            clocks += 1
        assert clocks == component.clocks
        return [0xFFFF ^ ctx.get(component.complements) >> 16 * place & 0xFFFF for place in range(4)]

    async def bench(ctx: Any) -> None:
        assert await made(ctx) == [TABLE[0]] * 4
        for magnitude in (largest, 1, *rng.integers(largest + 1, size=12).tolist()):
            beta = int(rng.integers(1 << beta_bits)) >> int(rng.integers(beta_bits))
            ctx.set(component.fresh, 1)
            ctx.set(component.load, 1)
            ctx.set(component.magnitude, magnitude)
            await ctx.tick()
            ctx.set(component.fresh, 0)
            ctx.set(component.load, 0)
            ctx.set(component.beta, beta)
            assert await made(ctx) == [TABLE[argument(n * magnitude, beta, shift)] for n in range(1, 5)]

    simulate(component, bench)


def test_single_port_ram_is_two_cells_on_ice40_and_a_memory_elsewhere() -> None:
    texts = [
        rtlil.convert(CouplingMemory(512, spram=spram), platform=platform)
        for spram, platform in ((True, ICEBreakerPlatform()), (True, None), (False, ICEBreakerPlatform()))
    ]
    assert [text.count("cell \\SB_SPRAM256KA") for text in texts] == [2, 0, 0]
    assert ["$memrd_v2" in text for text in texts] == [False, True, True]


# The distribution.

BETA = 0.35
SWEEPS = 400
WARM_UP = 10
LIMIT = 4.5
"""Standard errors."""


def plaquettes(frustrated: bool) -> tuple[Image, np.ndarray]:
    """A lattice that falls apart into squares of four spins, and the p-bits of each, shape (squares, 4)."""
    shape = replace(SHAPE, segments=1)
    model = library.lattice((shape.rows, shape.columns))
    squares = (
        np.arange(model.size).reshape(shape.rows // 2, 2, shape.columns // 2, 2).transpose(0, 2, 1, 3).reshape(-1, 4)
    )
    square = np.argsort(squares.ravel()) // 4
    inside = square[model.edges[:, 0]] == square[model.edges[:, 1]]
    turned = np.isin(model.edges, squares[:, :2]).all(axis=1) & frustrated
    program = compile(
        model.with_values(inside * np.where(turned, -1.0, 1.0), model.biases), lanes=shape.lanes, generator="linear64"
    )
    return program.image, program.pbits[squares]


def exact(frustrated: bool) -> np.ndarray:
    """Boltzmann's distribution of a square, shape (16,); state k has spin s in bit s, which has 0 1 above 2 3."""
    spins = 2 * (np.arange(16)[:, None] >> np.arange(4) & 1) - 1
    bonds = ((0, 1, -1 if frustrated else 1), (2, 3, 1), (0, 2, 1), (1, 3, 1))
    weights = np.exp(BETA * sum(sign * spins[:, a] * spins[:, b] for a, b, sign in bonds))
    return weights / weights.sum()


def deviations(frustrated: bool, chances: np.ndarray) -> np.ndarray:
    """Of the frequency of each state of a square from its chance, in standard errors."""
    image, squares = plaquettes(frustrated)
    (beta,) = image.beta_codes([BETA])
    registers = streams(image.generator, 9, image.streams)
    shape = replace(SHAPE, segments=1)
    nothing = np.zeros(image.size, np.uint8)
    (run,) = LatticeProbe(shape).play([Job(image, SWEEPS, int(beta), True, True, nothing, nothing, registers)])
    states = lay(image, shape).unpack(np.array(run.states[1::2], np.uint32))[WARM_UP:]
    seen = (states[:, squares] @ (1 << np.arange(4)))[:, :, None] == np.arange(16)
    centred = seen - chances
    lags = [(centred[lag:] * centred[: len(centred) - lag]).mean(axis=(0, 1)) for lag in range(8)]
    times = np.maximum(1 + 2 * np.sum(lags[1:], axis=0) / (chances * (1 - chances)), 1)
    errors = np.sqrt(chances * (1 - chances) * times / seen[..., 0].size)
    return np.asarray((seen.mean(axis=(0, 1)) - chances) / errors)


@pytest.mark.parametrize("frustrated", [False, True])
def test_states_are_as_frequent_as_boltzmann_says(frustrated: bool) -> None:
    assert np.abs(deviations(frustrated, exact(frustrated))).max() < LIMIT


def test_another_sign_shows() -> None:
    """Negative control."""
    assert np.abs(deviations(True, exact(False))).max() > 2 * LIMIT
