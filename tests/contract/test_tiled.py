"""Graphs in the memories of a tiled engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from pbit_hw.contract import engines
from pbit_hw.contract.array import clock
from pbit_hw.contract.engine import identity
from pbit_hw.contract.errors import FitError, ImageError, RequestError
from pbit_hw.contract.generator import Generator
from pbit_hw.contract.image import Image
from pbit_hw.contract.registers import REGISTERS, Control, Region, address, find
from pbit_hw.contract.request import shown
from pbit_hw.contract.tiled import SWEEP_ENDS, Shape
from pbit_hw.contract.tiling import tile
from pbit_hw.contract.update import Unit, field

MakeImage = Callable[..., Image]

SIZES = (21, 3, 8)
LANES = 8


@pytest.fixture(params=list(Generator), ids=lambda kind: kind.name)
def image(make_image: MakeImage, request: pytest.FixtureRequest) -> Image:
    return replace(make_image(SIZES, seed=1, density=0.3, generator=request.param), lanes=LANES)


@pytest.fixture
def spins(make_image: MakeImage) -> Image:
    return replace(make_image(SIZES, seed=1, density=0.3, generator=Generator.LINEAR64), lanes=LANES)


def shape_of(image: Image, **changes: Any) -> Shape:
    """A shape with some room to spare."""
    widths = image.weight_format.bits + 1, image.bias_bits + 1, image.beta_format.bits + 8
    shape = Shape(image.lanes, 16, 128, *widths, max(image.argument_shift, 0) + 2, image.generator)
    return replace(shape, **changes)


def test_pbits_take_turns_at_lanes(image: Image) -> None:
    tiling = tile(image, shape_of(image))
    assert tiling.lanes.tolist() == [*range(8), *range(8), *range(5), *range(3), *range(8)]
    assert tiling.rows.tolist() == [0] * 8 + [1] * 8 + [2] * 5 + [3] * 3 + [4] * 8
    assert (np.diff(tiling.first) >= 4).all()


def test_generators_belong_to_lanes(image: Image) -> None:
    tiling, share = tile(image, shape_of(image)), image.generator.share
    assert image.streams == tiling.shape.streams == LANES // share
    assert np.array_equal(image.stream * share + image.taken, tiling.lanes)


def test_a_register_moves_in_rounds_in_which_one_of_its_lanes_has_a_pbit(image: Image) -> None:
    """The contract's own rule, of arrays whose p-bits do not take turns, says just that."""
    moves = np.zeros(image.streams, int)
    for colour in range(image.colours):
        first, last = image.colour_first[colour : colour + 2]
        for pbit in range(first, last):
            moves[image.stream[pbit]] += pbit + 1 == last or image.stream[pbit + 1] != image.stream[pbit]
    pairs = {
        (int(row), int(stream)) for row, stream in zip(tile(image, shape_of(image)).rows, image.stream, strict=True)
    }
    assert moves.tolist() == [sum(stream == each for _, stream in pairs) for each in range(image.streams)]


@pytest.mark.parametrize("unit", Unit)
def test_entries_add_up_to_the_field(make_image: MakeImage, unit: Unit) -> None:
    """What the engine does with its memories, in Python, is what the contract says of a field."""
    image = replace(make_image(SIZES, seed=2, density=0.4, unit=unit), lanes=LANES)
    shape = shape_of(image)
    tiling = tile(image, shape)
    bits = np.random.default_rng(3).integers(0, 2, image.size, np.uint8)
    states = np.zeros((shape.rows, LANES), int)
    states[tiling.rows, tiling.lanes] = bits
    entries, biases = tiling.entries(image.weights), tiling.biases(image.biases)
    for pbit in range(image.size):
        lane, row = tiling.lanes[pbit], tiling.rows[pbit]
        word = int(biases[lane // shape.group, row, lane % shape.group])
        assert word & 1
        total = signed(word >> 1, shape.bias_bits)
        for entry in entries[lane, tiling.first[row] : tiling.first[row + 1]].tolist():
            neighbour = states[entry >> shape.lane_bits & 15, entry & (LANES - 1)]
            total += signed(entry >> (shape.lane_bits + shape.row_bits), shape.addend_bits) * int(neighbour)
        slots = slice(image.slot_first[pbit], image.slot_first[pbit + 1])
        expected = field(image.biases[pbit], image.weights, image.neighbours, bits, slots.start, slots.stop, int(unit))
        assert total == expected << tiling.weight_shift
    assert biases[..., 0].size * shape.group - (biases & 1).sum() == tiling.first.size * LANES - LANES - image.size


def signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


def test_the_schedule_says_what_ends(image: Image) -> None:
    tiling = tile(image, shape_of(image))
    ends = tiling.schedule
    assert ends[ends > 0].tolist() == [1, 1, 2, 2, SWEEP_ENDS]
    assert (np.flatnonzero(ends) + 1).tolist() == tiling.first[1:].tolist()


@pytest.mark.parametrize("lanes", [8, 32, 36])
def test_states_come_back(make_image: MakeImage, lanes: int) -> None:
    image = replace(make_image((70, 9), density=0.02), lanes=lanes)
    tiling = tile(image, shape_of(image))
    bits = np.random.default_rng(1).integers(0, 2, (3, image.size), np.uint8)
    words = tiling.pack(bits)
    assert words.shape == (3, tiling.shape.row_words * (len(tiling.first) - 1))
    assert np.array_equal(tiling.unpack(words), bits)
    room = np.zeros((3, tiling.shape.register_counts["packed"]), np.uint32)
    room[:, : words.shape[1]] = words
    assert np.array_equal(tiling.unpack(room), bits)


def test_loads_fall_into_the_map(image: Image) -> None:
    shape = shape_of(image)
    for first, words in tile(image, shape).loads(image):
        rows = [find(first + place, shape) for place in (0, len(words) - 1)]
        assert all(row is not None and "w" in row.access for row in rows)
    again = [first for first, _ in tile(image, shape).loads(image, graph=False)]
    assert address(Region.WEIGHT, LANES << shape.slot_bits) not in again


def test_the_registers_say_the_shape(image: Image) -> None:
    shape = shape_of(image)
    words = identity(shape, 1)
    assert engines.shape_of([words[Control.SHAPE + place] for place in range(len(shape.words))]) == shape
    assert words[Control.COLOURS] == 0
    readable = [row for row in REGISTERS if row.region is Region.CONTROL and row.access == "r"]
    assert set(words) == {row.offset + place for row in readable for place in range(row.words(shape))}


def test_every_part_of_the_shape_is_in_its_digest(image: Image) -> None:
    shape = shape_of(image)
    others = [replace(shape, **{name: getattr(shape, name) + 1}) for name in ("lanes", "rows", "slots", "addend_bits")]
    others += [
        replace(shape, **{name: getattr(shape, name) + 1}) for name in ("bias_bits", "beta_bits", "argument_shift")
    ]
    others += [replace(shape, generator=other) for other in Generator if other is not shape.generator]
    digests = {each.digest for each in [shape, *others, replace(shape, group=5), replace(shape, interleave=2)]}
    assert len(digests) == len(others) + 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": 4}, "needs 5 rows of 8 lanes, the engine has 4: use an engine of more lanes"),
        ({"slots": 20}, r"needs \d+ slots per lane, the engine has 20: use"),
        ({"addend_bits": 6}, "weights of the program need 7 bits, the engine has 6: use fewer weight bits"),
        ({"bias_bits": 7}, r"biases of the program need \d+ bits, the engine has 7: use fewer"),
        ({"beta_bits": 13}, "beta of the program need 14 bits, the engine has 13"),
        ({"argument_shift": 0}, "1 fraction bits more than the engine drops"),
        ({"lanes": 9}, "for 8 lanes, the engine has 9; compile it with lanes=9"),
        ({"interleave": 2}, "1 replicas in the array, the engine holds 2; compile it with interleave=2"),
        ({"generator": Generator.LFSR48}, "generator linear64, the engine has lfsr48"),
    ],
)
def test_what_the_engine_cannot_hold_is_refused(spins: Image, changes: dict[str, int], message: str) -> None:
    tile(spins, shape_of(spins))
    with pytest.raises(FitError, match=message):
        tile(spins, shape_of(spins, **changes))


def test_a_program_without_lanes_is_refused(spins: Image) -> None:
    with pytest.raises(FitError, match="for no lanes, the engine has 8; compile it with lanes=8"):
        tile(replace(spins, lanes=0), shape_of(spins))


@pytest.mark.parametrize(
    "changes",
    [
        {"lanes": 4},
        {"lanes": 65},
        {"rows": 0},
        {"group": 1},
        {"group": 9},
        {"slots": 3},
        {"addend_bits": 25},
        {"interleave": 0},
        {"interleave": 2, "group": 2},
    ],
)
def test_impossible_shapes_are_refused(spins: Image, changes: dict[str, int]) -> None:
    with pytest.raises(FitError, match="of a tiled engine"):
        shape_of(spins, **changes)


def test_entries_fit_a_word(spins: Image) -> None:
    with pytest.raises(FitError, match="entries of a tiled engine have 33 bits"):
        shape_of(spins, rows=1 << 13, addend_bits=17, bias_bits=20)


def test_samples_fit_an_answer(spins: Image) -> None:
    shape_of(spins, interleave=2, rows=8191)
    with pytest.raises(FitError, match=r"a sample of 65,536 bytes, an answer of the link holds 65,535; use fewer"):
        shape_of(spins, interleave=2, rows=8192)


def test_images_with_lanes_are_checked(spins: Image) -> None:
    spins.check()
    replace(spins, interleave=2).check()  # not a multiple of the colours: they follow nobody
    with pytest.raises(ImageError, match="cannot hold 0 replicas; use 1 or more"):
        replace(spins, interleave=0).check()
    with pytest.raises(ImageError, match="4 lanes with generators of 4 p-bits each; use more than 4"):
        replace(spins, lanes=4).check()


def test_lanes_are_of_the_digest_and_of_the_file(spins: Image) -> None:
    assert len({replace(spins, lanes=lanes).digest for lanes in (0, 8, 9)}) == 3
    assert Image.from_parts(*spins.parts()).lanes == 8


def test_no_source_stands_for_generators_of_lanes(spins: Image) -> None:
    with pytest.raises(RequestError, match="take turns at 8 lanes"):
        shown(spins, np.zeros(spins.size, np.uint16))


def test_clocks_are_those_of_rounds_and_colours(image: Image) -> None:
    tiling = tile(image, shape_of(image))
    assert tiling.clocks == tiling.first[-1] + 3 * tiling.shape.drain
    assert tiling.flips_per_second(1e6) == pytest.approx(1e6 * image.size / tiling.clocks)
    assert 0 < tiling.utilisation < 1


def test_one_pbit_of_a_shared_register_less_leaves_the_others_words(spins: Image) -> None:
    """A sweep draws a lane's words from its own register whatever the other lanes do."""
    registers = np.arange(4, dtype=np.uint32).reshape(2, 2) + 7
    before = registers.copy()
    states = np.zeros((1, spins.size), np.uint8)
    network = spins.biases, spins.weights, spins.neighbours, spins.slot_first, spins.colour_first
    constants = 100, spins.argument_shift, int(spins.unit), int(spins.generator), 1
    clock(1, 1, 0, states, registers, spins.clamped, *network, spins.stream, spins.taken, *constants)
    assert (registers[0] != before[0]).any()
    assert np.array_equal(registers[1], before[1])


def test_registers_move_once_per_replica(image: Image) -> None:
    three = replace(image, interleave=3)
    turns = set(zip(tile(image, shape_of(image)).rows.tolist(), image.stream.tolist(), strict=True))
    assert image.updates.sum() == len(turns)
    assert np.array_equal(three.updates, 3 * image.updates)


def test_a_round_has_time_for_every_decision(image: Image) -> None:
    one, three = (replace(image, interleave=replicas) for replicas in (1, 3))
    lengths = [np.diff(tile(each, shape_of(each, interleave=each.interleave)).first) for each in (one, three)]
    assert np.array_equal(np.maximum(lengths[0], 12), lengths[1])


def test_a_generator_of_another_version_is_refused(spins: Image) -> None:
    words = list(shape_of(spins).words)
    words[1 + [each.name for each in fields(Shape)].index("generator")] = 9
    with pytest.raises(FitError, match="generator 9, which this version does not know"):
        engines.shape_of(words)
    with pytest.raises(FitError, match="kind 77, which this version does not know"):
        engines.shape_of([77, *words[1:]])
