"""The dense engine's RTL and the simulator: equal after every colour, and seen to differ by one bit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from pbit_hw.cli.engine_lockstep import DenseProbe, Job, Run, run_jobs
from pbit_hw.cli.lockstep import LockstepError
from pbit_hw.compiler import BoltzmannMachine, compile
from pbit_hw.contract.activation import NODES
from pbit_hw.contract.dense import DenseShape, fill
from pbit_hw.contract.formats import SignedFormat, UnsignedFormat
from pbit_hw.contract.generator import Generator, streams
from pbit_hw.contract.image import Image
from pbit_hw.contract.registers import Control, Region
from pbit_hw.contract.update import Unit
from pbit_hw.gateware import generator, threshold
from pbit_hw.gateware.dense import Dense

from .stops import sweeps_until_stopped
from .test_distribution import LIMIT, deviations, exact
from .test_tiled import damaged, random_jobs

pytestmark = pytest.mark.usefixtures("undefined_reads")

MAX_ROWS, MAX_COLUMNS = 24, 12


def formats(rng: np.random.Generator) -> tuple[SignedFormat, UnsignedFormat]:
    """Widths of 1 to 8 and 1 to 12 bits, the binary points from far left to far right."""
    weight_bits, beta_bits = int(rng.integers(1, 9)), int(rng.integers(1, 13))
    weight_frac, beta_frac = int(rng.integers(-2, weight_bits + 2)), int(rng.integers(0, beta_bits + 2))
    return SignedFormat(weight_bits - weight_frac, weight_frac), UnsignedFormat(beta_bits - beta_frac, beta_frac)


def random_machine(
    rng: np.random.Generator, like: Image | None = None, rows: int = MAX_ROWS, columns: int = MAX_COLUMNS
) -> Image:
    """A random image of two layers of up to so many p-bits, some edges missing, in the formats of another one."""
    sizes = int(rng.integers(1, rows + 1)), int(rng.integers(1, columns + 1))
    weight_format, beta_format = formats(rng) if like is None else (like.weight_format, like.beta_format)
    limit = weight_format.limit
    there = rng.random(sizes) < rng.choice([0.5, 1.0])
    matrix = rng.integers(-limit, limit + 1, sizes)
    weights = np.concatenate([matrix[there], matrix.T[there.T]]).astype(np.int32)
    degrees = np.concatenate([there.sum(axis=1), there.sum(axis=0)])
    size = sum(sizes)
    kind = list(Generator)[int(rng.integers(len(Generator)))] if like is None else like.generator
    image = Image(
        unit=Unit(int(rng.integers(2))) if like is None else like.unit,
        generator=kind,
        weight_format=weight_format,
        beta_format=beta_format,
        colour_first=np.cumsum([0, *sizes]).astype(np.int32),
        slot_first=np.concatenate([[0], np.cumsum(degrees)]).astype(np.int32),
        neighbours=np.concatenate([np.nonzero(there)[1] + sizes[0], np.nonzero(there.T)[1]]).astype(np.int32),
        weights=weights,
        biases=np.zeros(size, np.int32),
        clamped=np.zeros(size, np.uint8),
        clamp_values=np.zeros(size, np.uint8),
        lanes=int(rng.integers(kind.share + 1, kind.share + 6)) if like is None else like.lanes,
    )
    image = image.with_weights(weights, rng.integers(-limit, limit + 1, size).astype(np.int32))
    image.check()
    return image


def shape_for(images: Sequence[Image]) -> DenseShape:
    """The least engine that holds the machines."""
    shift = max(0, *(image.argument_shift for image in images))
    addend_bits = max(image.weight_format.bits + int(image.unit) for image in images)
    rows, columns = np.max([np.diff(image.colour_first) for image in images], axis=0).tolist()
    return DenseShape(
        rows=rows,
        columns=columns,
        lanes=images[0].lanes,
        addend_bits=addend_bits,
        bias_bits=max(addend_bits, *(image.bias_bits for image in images)),
        beta_bits=max(image.beta_format.bits + shift - image.argument_shift for image in images),
        argument_shift=shift,
        generator=images[0].generator,
    )


def in_lockstep(seed: int, machines: int = 2, runs: int = 2, rows: int = MAX_ROWS, columns: int = MAX_COLUMNS) -> None:
    rng = np.random.default_rng(seed)
    images = [random_machine(rng, None, rows, columns)]
    images += [random_machine(rng, images[0], rows, columns) for _ in range(machines - 1)]
    shape = shape_for(images)
    assert run_jobs(shape, random_jobs(rng, images, runs), Dense(shape, blocks=seed % 3 > 0)) > 0


@pytest.mark.parametrize("seed", range(12))
def test_random_machines(seed: int) -> None:
    in_lockstep(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12, 112))
def test_many_random_machines(seed: int) -> None:
    in_lockstep(seed, rows=40, columns=36)


@pytest.mark.slow
def test_random_machines_cover_what_they_are_for() -> None:
    drawn = [random_machine(np.random.default_rng(seed)) for seed in range(112)]
    assert len({(each.unit, each.generator) for each in drawn}) == 2 * len(Generator)
    assert {1, 2} < {int(size) for each in drawn for size in np.diff(each.colour_first)}
    assert min(each.argument_shift for each in drawn) < 0 < max(each.argument_shift for each in drawn)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 40), (40, 1), (33, 65)])
def test_layers_of_one_pbit_and_of_several_words(rows: int, columns: int) -> None:
    rng = np.random.default_rng(columns)
    image = glass(rows, columns)
    bits = rng.integers(0, 2, (2, image.size), np.uint8)
    assert run_jobs(shape_for([image]), [Job(image, 3, 200, True, True, bits[0], bits[1] & bits[0])]) > 0


@pytest.mark.parametrize("layer", [0, 1])
def test_a_layer_that_is_clamped_keeps_its_states_and_draws_on(layer: int) -> None:
    image = glass(9, 6)
    states = np.arange(image.size, dtype=np.uint8) % 2
    held = (image.colour == layer).astype(np.uint8)
    registers = streams(image.generator, 5, image.streams)
    assert run_jobs(shape_for([image]), [Job(image, 4, 200, True, True, states, held, registers)]) > 0


# Negative controls.


def glass(rows: int = 10, columns: int = 8) -> Image:
    """Spins with random couplings small enough for every update to be random."""
    rng = np.random.default_rng(6)
    like = random_machine(np.random.default_rng(0))
    like = replace(
        like,
        unit=Unit.SPIN,
        generator=Generator.LINEAR64,
        weight_format=SignedFormat(1, 3),
        beta_format=UnsignedFormat(2, 8),
        lanes=6,
    )
    image = random_machine(rng, like, 1, 1)
    while tuple(np.diff(image.colour_first)) != (rows, columns) or image.slots < 2 * rows * columns:
        image = random_machine(rng, like, rows, columns)
    return image


@pytest.fixture(scope="module")
def machine() -> Image:
    return glass()


def job(image: Image, sweeps: int = 12) -> Job:
    bits = np.random.default_rng(7).integers(0, 2, (2, image.size), np.uint8)
    registers = streams(image.generator, 3, image.streams)
    return Job(image, sweeps, 200, True, True, bits[0], bits[1] & (np.arange(image.size) < 4), registers)


def test_the_machine_is_in_lockstep(machine: Image) -> None:
    assert run_jobs(shape_for([machine]), [job(machine)]) >= 12 * fill(machine, shape_for([machine])).clocks


@pytest.mark.parametrize(
    ("region", "offset", "mask"),
    [
        (Region.WEIGHT, 4, 1 << 4),
        (Region.WEIGHT, 1 << 5 | 9, 1 << 4),
        (Region.BIAS, 4, 1 << 4),
        (Region.BIAS, 1 << 5 | 7, 1 << 4),
        (Region.STATE, 1, 1 << 7),
        (Region.CLAMP, 0, 1 << 3),
        (Region.CLAMP, 1, 1),
        (Region.CONTROL, Control.BETA, 1 << 6),
    ],
)
def test_one_bit_of_what_is_loaded_shows(
    machine: Image, monkeypatch: pytest.MonkeyPatch, region: Region, offset: int, mask: int
) -> None:
    damaged(monkeypatch, region, offset, mask)
    with pytest.raises(LockstepError, match=r"^sweep \d+, colour \d, p-bit \d+: state expected [01], got [01]$"):
        run_jobs(shape_for([machine]), [job(machine, 30)])


@pytest.mark.parametrize("mask", [1, 1 << 16])
def test_a_layer_of_one_pbit_less_shows(machine: Image, monkeypatch: pytest.MonkeyPatch, mask: int) -> None:
    """Its last p-bit is not updated."""
    shape = shape_for([machine])
    damaged(monkeypatch, Region.WEIGHT, shape.row_words << shape.number_bits, mask)
    with pytest.raises(LockstepError, match=r"^sweep \d+, colour \d"):
        run_jobs(shape, [job(machine)])


def test_one_bit_of_a_seed_shows_in_the_first_colour(machine: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged(monkeypatch, Region.GENERATOR, 1, 1 << 30)
    with pytest.raises(LockstepError, match=r"^sweep 0, colour 0"):
        run_jobs(shape_for([machine]), [job(machine)])


def test_a_table_that_ends_early_shows(machine: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = NODES.copy()
    nodes[24:] = 0
    monkeypatch.setattr(threshold, "NODES", nodes)
    with pytest.raises(LockstepError, match=r"p-bit \d+: state expected"):
        run_jobs(shape_for([machine]), [job(machine, 60)])


def test_one_tap_of_the_generator_in_the_rtl_shows(machine: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    masks = dict(generator.diagonals(Generator.LINEAR64))
    masks[next(iter(masks))] ^= 1 << 40
    monkeypatch.setattr(generator, "diagonals", lambda kind: masks)
    with pytest.raises(LockstepError, match=r"^sweep 0"):
        run_jobs(shape_for([machine]), [job(machine)])


def test_a_copy_that_misses_a_bit_shows(machine: Image) -> None:
    shape = shape_for([machine])
    engine = Dense(shape)

    class Broken(DenseProbe):
        async def _watch(self, ctx: Any) -> Run:
            ctx.set(engine.columns[0].states, ctx.get(engine.columns[0].states) ^ 16)
            return await super()._watch(ctx)

    with pytest.raises(LockstepError, match="copy of the states in span 0 differs"):
        Broken(shape, engine).play([job(machine)])


def test_a_stop_ends_the_sweep_under_way(machine: Image) -> None:
    assert sweeps_until_stopped(DenseProbe(shape_for([machine])), job(machine)) == [1, 1, 3]


# The distribution.

SWEEPS, WARM_UP = 1200, 20


def small_machine() -> Image:
    """Of three visible and two hidden spins, which mixes within few sweeps."""
    couplings = np.zeros((5, 5))
    couplings[:3, 3:] = [[0.75, -0.5], [-0.5, 0.25], [0.25, 0.75]]
    model = BoltzmannMachine(3, 2, couplings + couplings.T, [-0.5, 0.25, 0, 0.25, 0])
    return compile(model, generator="linear64", weight_format="s[2][5]", lanes=5).image


@cache
def sampled() -> np.ndarray:
    """States of the RTL after each sweep, shape (sweeps, 1)."""
    image = small_machine()
    shape = shape_for([image])
    states = np.zeros(image.size, np.uint8)
    registers = streams(image.generator, 7, image.streams)
    run = Job(image, SWEEPS, image.reset_beta, True, True, states, states, registers)
    words = np.array(DenseProbe(shape).play([run])[0].states, np.uint32)[1::2]
    return (fill(image, shape).unpack(words) @ (1 << np.arange(image.size)))[WARM_UP:, None]


def test_states_are_as_frequent_as_boltzmann_says() -> None:
    assert np.abs(deviations(sampled(), exact(small_machine()))).max() < LIMIT


def test_a_wrong_weight_shows_in_the_frequencies() -> None:
    """Negative control: against the distribution of a machine of which one coupling is 0."""
    image = small_machine()
    weights = image.weights.copy()
    weights[0] = weights[image.reverse[0]] = 0
    assert np.abs(deviations(sampled(), exact(image.with_weights(weights, image.unfold())))).max() > LIMIT
