"""Two-layer graphs in the memories of a dense engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pbit_hw.contract import engines
from pbit_hw.contract.dense import DenseShape, fill
from pbit_hw.contract.engine import identity
from pbit_hw.contract.errors import FitError
from pbit_hw.contract.generator import Generator
from pbit_hw.contract.image import Image
from pbit_hw.contract.registers import Control, Region, address, find
from pbit_hw.contract.update import Unit, field

MakeImage = Callable[..., Image]

SIZES = (45, 13)
LANES = 8


def machine(make_image: MakeImage, **changes: Any) -> Image:
    options = {"sizes": SIZES, "seed": 1, "density": 0.8, "generator": Generator.LINEAR64, **changes}
    return replace(make_image(**options), lanes=LANES)


@pytest.fixture(params=list(Unit), ids=lambda unit: unit.name)
def image(make_image: MakeImage, request: pytest.FixtureRequest) -> Image:
    return machine(make_image, unit=request.param)


def shape_of(image: Image, **changes: Any) -> DenseShape:
    """A shape with some room to spare."""
    widths = image.weight_format.bits + 2, image.bias_bits + 1, image.beta_format.bits + 8
    shape = DenseShape(70, 40, image.lanes, *widths, max(image.argument_shift, 0) + 2, image.generator)
    return replace(shape, **changes)


def signed(values: np.ndarray, bits: int) -> np.ndarray:
    return (values.astype(np.int64) ^ 1 << bits - 1) - (1 << bits - 1)


def memories(image: Image, shape: DenseShape) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights, shape (rows, columns), biases, shape (n,), and extents, as the engine reads the words loaded."""
    (rows, columns), each = np.diff(image.colour_first), shape.word_weights
    weights = np.zeros((1 << shape.number_bits, shape.row_words * each), np.int64)
    biases = np.zeros(2 << shape.number_bits, np.int64)
    extents = np.zeros(2, np.int64)
    for first, words in fill(image, shape).loads(image):
        number, row = divmod(first & 0xFFFFFF, 1 << shape.number_bits)
        if first >> 24 == Region.BIAS:
            place = first & 0xFFFFFF
            biases[place : place + len(words)] = signed(words, shape.bias_bits)
        elif number == shape.row_words:
            extents[:] = int(words[0]) & 0xFFFF, int(words[0]) >> 16
        else:
            parts = words[:, None] >> shape.addend_bits * np.arange(each) & ((1 << shape.addend_bits) - 1)
            weights[row : row + len(words), number * each : (number + 1) * each] = signed(parts, shape.addend_bits)
    used = np.concatenate([biases[:rows], biases[1 << shape.number_bits :][:columns]])
    return weights[:rows, :columns], used, extents


def test_weights_and_biases_add_up_to_the_fields(image: Image) -> None:
    """What the engine does with its memories, in Python, is what the contract says of a field."""
    shape = shape_of(image)
    weights, biases, extents = memories(image, shape)
    bits = np.random.default_rng(3).integers(0, 2, image.size)
    fields = biases + np.concatenate([weights @ bits[SIZES[0] :], bits[: SIZES[0]] @ weights])
    network = image.weights, image.neighbours, bits
    ends = zip(image.slot_first, image.slot_first[1:], strict=False)
    expected = [
        int(field(bias, *network, *slots, int(image.unit))) for bias, slots in zip(image.biases, ends, strict=True)
    ]
    shift = shape.argument_shift - image.argument_shift - (fill(image, shape).beta(1).bit_length() - 1)
    assert fields.tolist() == [total << shift for total in expected]
    assert extents.tolist() == [SIZES[0] - 1, SIZES[1] - 1]


def test_more_significant_weights_come_before_a_larger_beta(image: Image) -> None:
    """Two fraction bits more are dropped: weights and biases make up for one, which biases have to spare."""
    assert fill(image, shape_of(image)).beta(5) == 5 << 1
    assert fill(image, shape_of(image, argument_shift=image.argument_shift)).beta(5) == 5


@pytest.mark.parametrize("sizes", [(1, 1), (32, 33), (70, 40)])
def test_states_come_back(make_image: MakeImage, sizes: tuple[int, int]) -> None:
    image = machine(make_image, sizes=sizes, density=1.0)
    shape = shape_of(image, bias_bits=20)
    filling = fill(image, shape)
    bits = np.random.default_rng(1).integers(0, 2, (3, image.size), np.uint8)
    words = filling.pack(bits)
    assert words.shape == (3, filling.state_words)
    assert np.array_equal(filling.unpack(words), bits)
    columns = words[:, shape.layer_words :].copy().view(np.uint8)
    assert np.unpackbits(columns).sum() == bits[:, sizes[0] :].sum()  # those that are not in use are 0


def test_loads_fall_into_the_map(image: Image) -> None:
    shape = shape_of(image)
    extents = address(Region.WEIGHT, shape.row_words << shape.number_bits)
    for first, words in fill(image, shape).loads(image):
        rows = [find(first + place, shape) for place in (0, len(words) - 1)]
        assert all(row is not None and "w" in row.access for row in rows)
    firsts = [[first for first, _ in fill(image, shape).loads(image, graph=graph)] for graph in (True, False)]
    assert firsts[0] == [extents, *firsts[1]]


def test_a_row_of_weights_takes_few_words(image: Image) -> None:
    shape = shape_of(image, addend_bits=8)
    loads = list(fill(image, shape).loads(image))
    weights = [words for first, words in loads if first >> 24 == Region.WEIGHT]
    assert sum(map(len, weights)) == 1 + SIZES[0] * -(-SIZES[1] // 4)


def test_the_registers_say_the_shape(image: Image) -> None:
    shape = shape_of(image)
    words = identity(shape, 1)
    assert engines.shape_of([words[Control.SHAPE + place] for place in range(len(shape.words))]) == shape
    assert words[Control.COLOURS] == 0
    assert engines.pack(image, shape).clocks == fill(image, shape).clocks


def test_every_part_of_the_shape_is_in_its_digest(image: Image) -> None:
    shape = shape_of(image)
    names = ("rows", "columns", "lanes", "addend_bits", "bias_bits", "beta_bits", "argument_shift")
    others = [replace(shape, **{name: getattr(shape, name) + 1}) for name in names]
    others += [replace(shape, generator=other) for other in Generator if other is not shape.generator]
    assert len({each.digest for each in [shape, *others]}) == len(others) + 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": 44}, "needs 45 rows, the engine has 44: use a larger engine"),
        ({"columns": 12}, "needs 13 columns, the engine has 12: .* first unit lies in the rows"),
        ({"addend_bits": 6}, "weights of the program need 7 bits, the engine has 6: use fewer weight bits"),
        ({"bias_bits": 9}, r"biases of the program need \d+ bits, the engine has 9: use fewer"),
        ({"beta_bits": 12}, "beta of the program need 13 bits, the engine has 12"),
        ({"argument_shift": 0}, "1 fraction bits more than the engine drops"),
        ({"lanes": 9}, "for 8 lanes, the engine has 9; compile it with lanes=9"),
        ({"generator": Generator.LFSR48}, "generator linear64, the engine has lfsr48"),
    ],
)
def test_what_the_engine_cannot_hold_is_refused(make_image: MakeImage, changes: dict[str, int], message: str) -> None:
    spins = machine(make_image)
    fill(spins, shape_of(spins))
    with pytest.raises(FitError, match=message):
        fill(spins, shape_of(spins, **changes))


@pytest.mark.parametrize("sizes", [(5,), (5, 4, 3)])
def test_a_graph_of_other_than_two_layers_is_refused(make_image: MakeImage, sizes: tuple[int, ...]) -> None:
    image = machine(make_image, sizes=sizes)
    with pytest.raises(FitError, match=f"graph has {len(sizes)} colours, a dense engine holds two layers: use"):
        fill(image, shape_of(machine(make_image)))


@pytest.mark.parametrize(
    "changes", [{"lanes": 4}, {"lanes": 65}, {"rows": 0}, {"columns": 0}, {"addend_bits": 25}, {"bias_bits": 32}]
)
def test_impossible_shapes_are_refused(image: Image, changes: dict[str, int]) -> None:
    with pytest.raises(FitError, match="of a dense engine is"):
        shape_of(image, **changes)


def test_weights_that_have_no_addresses_are_refused(image: Image) -> None:
    with pytest.raises(FitError, match="65536 rows and 4096 columns have no addresses"):
        shape_of(image, rows=1 << 16, columns=1 << 12)


def test_a_sweep_takes_a_clock_per_pbit_and_two_drains(image: Image) -> None:
    shape = shape_of(image)
    filling = fill(image, shape)
    assert filling.clocks == image.size + 2 * shape.drain == image.size + 2 * (15 + 5 + 2)
    assert filling.flips_per_second(1e6) == pytest.approx(1e6 * image.size / filling.clocks)


def test_columns_of_a_large_machine_add_most_of_the_time(make_image: MakeImage) -> None:
    """Each has two additions per clock, which it has no use for while columns are updated."""
    image = machine(make_image, sizes=(784, 256), density=1.0)
    filling = fill(image, DenseShape(784, 256, LANES, 9, 20, 16, 3, Generator.LINEAR64))
    assert filling.clocks == 1096
    assert 0.7 < filling.utilisation < 784 / 1096  # of the random weights some are 0
