"""The tiled engine's RTL and the simulator: equal after every colour, and seen to differ by one bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pbit_hw.cli.engine_lockstep import Job, Run, TiledProbe, run_jobs
from pbit_hw.cli.lockstep import LockstepError
from pbit_hw.contract.activation import NODES, TABLE, argument
from pbit_hw.contract.formats import SignedFormat, UnsignedFormat
from pbit_hw.contract.generator import Generator, streams
from pbit_hw.contract.image import Image
from pbit_hw.contract.registers import Control, Region, address
from pbit_hw.contract.tiled import Shape
from pbit_hw.contract.tiling import Tiling, tile
from pbit_hw.contract.update import Unit
from pbit_hw.gateware import generator, lane, threshold
from pbit_hw.gateware.tiled import Tiled

from .stops import sweeps_until_stopped

pytestmark = pytest.mark.usefixtures("undefined_reads")

MakeImage = Callable[..., Image]
LANES = 8
MAX_DEGREE = 12


def random_graph(
    rng: np.random.Generator, like: Image | None, make: MakeImage, lanes: int, interleave: int = 1, **sizes: int
) -> Image:
    """A random array of up to 64 p-bits in 1 to 6 colours, in the formats of another one."""
    sizes = {"max_size": 64, "max_degree": MAX_DEGREE, **sizes}
    generators = tuple(kind for kind in Generator if kind.share < lanes)
    image = replace(make(rng, latencies=(0,), generators=generators, **sizes), lanes=lanes, interleave=interleave)
    if like is None:
        return image
    own = {name: getattr(like, name) for name in ("weight_format", "beta_format", "generator")}
    limit = like.weight_format.limit
    edges = rng.integers(-limit, limit + 1, image.slots)
    weights = np.where(image.owners < image.neighbours, edges, edges[image.reverse]).astype(np.int32)
    image = replace(image, **own, weights=weights, biases=np.zeros(image.size, np.int32))
    image = image.with_weights(weights, rng.integers(-limit, limit + 1, image.size).astype(np.int32))
    image.check()
    return image


def shape_for(images: Sequence[Image], group: int = 4) -> Shape:
    """The least engine that holds the graphs."""
    shift = max(0, *(image.argument_shift for image in images))
    wide = Shape(
        lanes=images[0].lanes,
        rows=64,
        slots=1 << 12,
        addend_bits=max(image.weight_format.bits + int(image.unit) for image in images),
        bias_bits=max(max(image.bias_bits, image.weight_format.bits + int(image.unit)) for image in images),
        beta_bits=max(image.beta_format.bits + shift - image.argument_shift for image in images),
        argument_shift=shift,
        generator=images[0].generator,
        group=group,
        interleave=images[0].interleave,
    )
    tilings = [tile(image, wide) for image in images]
    rows = max(len(tiling.first) - 1 for tiling in tilings)
    return replace(wide, rows=rows, slots=max(int(tiling.first[-1]) for tiling in tilings))


def random_jobs(rng: np.random.Generator, images: Sequence[Image], runs: int) -> list[Job]:
    """Graphs one after another; between runs some of what can be loaded is."""
    jobs: list[Job] = []
    for image in images:
        for run in range(runs):
            fresh = run == 0
            if not fresh and rng.random() < 0.5:
                limit = image.weight_format.limit
                biases = rng.integers(-limit, limit + 1, image.size).astype(np.int32)
                image = image.with_weights(-image.weights, biases)
            drawn = rng.random(3)
            states = rng.integers(0, 2, (image.interleave, image.size), np.uint8)
            jobs.append(
                Job(
                    image,
                    sweeps=int(rng.integers(1, 4)),
                    beta=int(rng.integers(image.beta_format.limit + 1))
                    >> int(rng.integers(image.beta_format.bits + 1)),
                    graph=fresh,
                    weights=True,
                    states=states if fresh or drawn[0] < 0.5 else None,
                    clamped=(rng.random(image.size) < 0.2).astype(np.uint8) if fresh or drawn[1] < 0.5 else None,
                    registers=streams(image.generator, int(rng.integers(1 << 60)), image.streams)
                    if not jobs or drawn[2] < 0.3
                    else None,
                )
            )
    return jobs


def in_lockstep(
    make: MakeImage, seed: int, lanes: int = LANES, *, graphs: int = 2, runs: int = 2, interleave: int = 1, **sizes: int
) -> Shape:
    rng = np.random.default_rng(seed)
    images = [random_graph(rng, None, make, lanes, interleave, **sizes)]
    images += [random_graph(rng, images[0], make, lanes, interleave, **sizes) for _ in range(graphs - 1)]
    shape = shape_for(images, group=(4, 3, 4, 2)[seed % 4])
    assert run_jobs(shape, random_jobs(rng, images, runs), Tiled(shape, blocks=seed % 3 > 0)) > 0
    return shape


COSTLY = 0, 1, 3, 4, 5, 7, 9, 10, 11, 12, 13, 15, 17
"""Of the first programs those that take longest."""


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=pytest.mark.slow if seed in COSTLY else ()) for seed in range(20)]
)
def test_random_programs(seed: int, random_image: MakeImage) -> None:
    in_lockstep(random_image, seed, graphs=1 + seed % 2, max_size=24 if seed % 4 else 64)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20, 120))
def test_many_random_programs(seed: int, random_image: MakeImage) -> None:
    in_lockstep(random_image, seed, runs=4)


@pytest.mark.slow
def test_random_programs_cover_what_they_are_for(random_image: MakeImage) -> None:
    drawn = [random_graph(np.random.default_rng(seed), None, random_image, LANES) for seed in range(120)]
    assert {each.colours for each in drawn} == set(range(1, 7))
    assert {int(each.degrees.max()) for each in drawn} >= set(range(MAX_DEGREE + 1))
    assert len({(each.unit, each.generator) for each in drawn}) == 2 * len(Generator)
    assert min(each.argument_shift for each in drawn) < 0 < max(each.argument_shift for each in drawn)


@pytest.mark.parametrize("lanes", [5, 34])
def test_lanes_that_fill_no_group_or_more_than_a_word(lanes: int, random_image: MakeImage) -> None:
    in_lockstep(random_image, lanes, lanes, graphs=1, runs=1, min_size=36, max_size=40)


@pytest.mark.parametrize(("seed", "interleave"), [(0, 2), (1, 3), (2, 2)])
def test_replicas(seed: int, interleave: int, random_image: MakeImage) -> None:
    in_lockstep(random_image, seed, graphs=1, interleave=interleave, max_size=24)


def test_entries_in_several_banks(monkeypatch: pytest.MonkeyPatch, random_image: MakeImage) -> None:
    monkeypatch.setattr(lane, "BANK_BITS", 2)
    assert in_lockstep(random_image, 3, graphs=1, min_size=40, max_size=50).slots > 8


# Negative controls.


@pytest.fixture
def ring() -> Image:
    """A frustrated ring of 18 spins in two colours, whose fields are small enough for every update to be random."""
    size = 18
    order = np.argsort(np.arange(size) % 2, kind="stable")
    place = np.argsort(order)
    ends = np.array([[place[k], place[(k + step) % size]] for k in range(size) for step in (-1, 1)])
    ends = ends[np.lexsort((ends[:, 1], ends[:, 0]))]
    image = Image(
        unit=Unit.SPIN,
        generator=Generator.LINEAR64,
        weight_format=SignedFormat(1, 3),
        beta_format=UnsignedFormat(2, 8),
        colour_first=np.array([0, 9, 18], np.int32),
        slot_first=np.arange(0, 2 * size + 1, 2, dtype=np.int32),
        neighbours=ends[:, 1].astype(np.int32),
        weights=np.full(2 * size, 5, np.int32),
        biases=np.zeros(size, np.int32),
        clamped=np.zeros(size, np.uint8),
        clamp_values=np.zeros(size, np.uint8),
        lanes=LANES,
    )
    image = image.with_weights(image.weights, np.arange(size, dtype=np.int32) % 3 - 1)
    image.check()
    return image


def job(image: Image, sweeps: int = 12) -> Job:
    rng = np.random.default_rng(7)
    bits = rng.integers(0, 2, (2, image.size), np.uint8)
    registers = streams(image.generator, 3, image.streams)
    return Job(image, sweeps, 200, True, True, bits[0], bits[1] & (np.arange(image.size) < 4), registers)


def test_the_ring_is_in_lockstep(ring: Image) -> None:
    assert run_jobs(shape_for([ring]), [job(ring)]) >= 12 * tile(ring, shape_for([ring])).clocks


def damaged(monkeypatch: pytest.MonkeyPatch, region: Region, offset: int, mask: int) -> None:
    """One word that is loaded into the RTL is another."""
    words = Job.words

    def wrong(self: Job, tiling: Tiling) -> list[tuple[int, int]]:
        place = address(region, offset)
        return [(each, word ^ mask if each == place else word) for each, word in words(self, tiling)]

    monkeypatch.setattr(Job, "words", wrong)


@pytest.mark.parametrize(
    ("region", "offset", "mask"),
    [
        (Region.WEIGHT, 0, 1 << 5),
        (Region.WEIGHT, 0, 1),
        (Region.BIAS, 4, 1 << 4),
        (Region.STATE, 2, 1),
        (Region.CLAMP, 0, 1 << 4),
        (Region.CLAMP, 0, 1),
        (Region.CONTROL, Control.BETA, 1 << 5),
    ],
)
def test_one_bit_of_what_is_loaded_shows(
    ring: Image, monkeypatch: pytest.MonkeyPatch, region: Region, offset: int, mask: int
) -> None:
    damaged(monkeypatch, region, offset, mask)
    with pytest.raises(LockstepError, match=r"^sweep \d+, colour \d, p-bit \d+: state expected [01], got [01]$"):
        run_jobs(shape_for([ring]), [job(ring, 30)])


def test_one_bit_of_a_seed_shows_in_the_first_colour(ring: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged(monkeypatch, Region.GENERATOR, 1, 1 << 30)
    with pytest.raises(LockstepError, match=r"^sweep 0, colour 0"):
        run_jobs(shape_for([ring]), [job(ring)])


def test_a_pbit_that_is_said_to_be_absent_shows(ring: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged(monkeypatch, Region.BIAS, 0, 1)
    with pytest.raises(LockstepError, match=r"^sweep \d, colour 0, (p-bit 0: state|generator 0: register) expected"):
        run_jobs(shape_for([ring]), [job(ring)])


def test_a_table_that_ends_early_shows(ring: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = NODES.copy()
    nodes[24:] = 0
    monkeypatch.setattr(threshold, "NODES", nodes)
    with pytest.raises(LockstepError, match=r"p-bit \d+: state expected"):
        run_jobs(shape_for([ring]), [job(ring, 60)])


def test_one_tap_of_the_generator_in_the_rtl_shows(ring: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    masks = dict(generator.diagonals(Generator.LINEAR64))
    masks[next(iter(masks))] ^= 1 << 40
    monkeypatch.setattr(generator, "diagonals", lambda kind: masks)
    with pytest.raises(LockstepError, match=r"^sweep 0"):
        run_jobs(shape_for([ring]), [job(ring)])


def test_a_copy_that_misses_a_bit_shows(ring: Image) -> None:
    shape = shape_for([ring])
    engine = Tiled(shape)

    class Broken(TiledProbe):
        async def _watch(self, ctx: Any) -> Run:
            (copy,) = engine.lanes[5].copies
            ctx.set(copy.data[3], ctx.get(copy.data[3]) ^ 16)
            return await super()._watch(ctx)

    with pytest.raises(LockstepError, match="copy of the states in lane 5 differs"):
        Broken(shape, engine).play([job(ring)])


def test_a_stop_ends_the_sweep_under_way(ring: Image) -> None:
    assert sweeps_until_stopped(TiledProbe(shape_for([ring])), job(ring)) == [1, 1, 3]


@pytest.mark.parametrize("blocks", [False, True])
@pytest.mark.parametrize(("total_bits", "beta_bits", "shift"), [(9, 12, 5), (5, 7, 0), (14, 18, 11)])
def test_thresholds(simulate: Callable[..., None], total_bits: int, beta_bits: int, shift: int, blocks: bool) -> None:
    """Of random fields at several betas, one per clock."""
    component = threshold.Threshold(total_bits, beta_bits, shift, blocks=blocks)
    rng = np.random.default_rng(total_bits)
    half = 1 << (total_bits - 1)

    async def bench(ctx: Any) -> None:
        for _ in range(6):
            beta = int(rng.integers(1 << beta_bits)) >> int(rng.integers(beta_bits))
            totals = [-half, half - 1, 0, -1, *rng.integers(-half, half, 60).tolist()]
            ctx.set(component.beta, beta)
            got = []
            for total in [*totals, *[0] * threshold.STAGES]:
                ctx.set(component.total, total)
                got.append((ctx.get(component.threshold), ctx.get(component.negative)))
                await ctx.tick()
            expected = [(int(TABLE[argument(abs(total), beta, shift)]), int(total < 0)) for total in totals]
            assert got[threshold.STAGES :] == expected

    simulate(component, bench)
