"""Lattices in the memories of a lattice engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pbit_hw.compiler import Ising, compile, library
from pbit_hw.contract import engines
from pbit_hw.contract.engine import identity
from pbit_hw.contract.errors import FitError
from pbit_hw.contract.generator import Generator
from pbit_hw.contract.image import Image
from pbit_hw.contract.lattice import DRAIN, LatticeShape, lay
from pbit_hw.contract.registers import Control, Region, find
from pbit_hw.contract.update import Unit

SHAPE = LatticeShape(8, 2, 6, 8, 16, 3, Generator.LINEAR64)
FERROMAGNET = library.lattice((6, 32))


def program(model: Any = FERROMAGNET, **options: Any) -> Image:
    return compile(model, **{"lanes": 8, "generator": "linear64", **options}).image


def glass(seed: int = 1, shape: LatticeShape = SHAPE) -> Ising:
    """Couplings -1, 0 and 1 at random."""
    model = library.lattice((shape.rows, shape.columns), spin_glass_seed=seed)
    kept = np.random.default_rng(seed).random(len(model.edges)) < 0.8
    return model.with_values(model.couplings * kept, model.biases)


@pytest.fixture(scope="module")
def image() -> Image:
    return program(glass())


def places(shape: LatticeShape) -> Iterator[tuple[int, int, int, int]]:
    """Row and column of every p-bit in physical order, its lane and its round, as the module's docstring has them."""
    for colour in range(2):
        for y in range(shape.rows):
            for j in range(shape.lanes * shape.segments):
                yield y, 2 * j + (y + colour) % 2, j % shape.lanes, y * shape.segments + j // shape.lanes


def test_compiled_lattices_are_in_the_order_of_the_engine() -> None:
    variables = [y * SHAPE.columns + x for y, x, _, _ in places(SHAPE)]
    assert compile(FERROMAGNET, lanes=8, generator="linear64").order.tolist() == variables


@pytest.mark.parametrize(("segments", "rows"), [(1, 4), (3, 6), (2, 10)])
def test_neighbours_are_those_above_below_and_beside(segments: int, rows: int) -> None:
    shape = replace(SHAPE, segments=segments, rows=rows)
    sites = [(y, x) for y, x, _, _ in places(shape)]
    for (y, x), neighbours in zip(sites, shape.neighbours.tolist(), strict=True):
        above, below, *sides = (sites[each] for each in neighbours)
        assert above == ((y - 1) % rows, x)
        assert below == ((y + 1) % rows, x)
        assert set(sides) == {(y, (x - 1) % shape.columns), (y, (x + 1) % shape.columns)}


def test_couplings_are_where_lanes_look_for_them(image: Image) -> None:
    words = lay(image, SHAPE).couplings(image.weights)
    assert words.shape == (2 * SHAPE.rounds, SHAPE.banks)
    weights = {
        (int(owner), int(neighbour)): int(weight)
        for owner, neighbour, weight in zip(image.owners, image.neighbours, image.weights, strict=True)
    }
    half = SHAPE.size // 2
    for pbit, (_, _, lane, place) in enumerate(places(SHAPE)):
        byte = int(words[2 * place + pbit // half, lane // 4]) >> 8 * (lane % 4)
        codes = [byte >> 2 * direction & 3 for direction in range(4)]
        expected = [weights[pbit, int(neighbour)] & 3 for neighbour in SHAPE.neighbours[pbit]]
        assert codes == expected


@pytest.mark.parametrize("lanes", [8, 12, 32, 64, 96])
def test_states_come_back(lanes: int) -> None:
    shape = replace(SHAPE, lanes=lanes, segments=1)
    laid = lay(program(library.lattice((6, 2 * lanes)), lanes=lanes), shape)
    bits = np.random.default_rng(1).integers(0, 2, (3, shape.size), np.uint8)
    words = laid.pack(bits)
    assert words.shape == (3, laid.state_words)
    assert laid.state_words == 12 * {8: 1, 12: 1, 32: 1, 64: 2, 96: 4}[lanes]
    assert np.array_equal(laid.unpack(words), bits)
    assert np.array_equal(laid.unpack(words[0]), bits[0])


def test_a_state_is_in_the_bit_of_its_lane_and_the_row_of_its_round_and_colour() -> None:
    laid = lay(program(), SHAPE)
    half = SHAPE.size // 2
    for pbit, (_, _, lane, place) in enumerate(places(SHAPE)):
        words = laid.pack((np.arange(SHAPE.size) == pbit).astype(np.uint8))
        assert words.nonzero()[0].tolist() == [2 * place + pbit // half]
        assert words.sum() == 1 << lane


def test_loads_fall_into_the_map(image: Image) -> None:
    loads = list(lay(image, SHAPE).loads(image))
    for first, words in loads:
        rows = [find(first + place, SHAPE) for place in (0, len(words) - 1)]
        assert all(row is not None and "w" in row.access for row in rows)
    assert [first >> 24 for first, _ in loads] == [Region.BIAS, Region.WEIGHT, Region.WEIGHT]


@pytest.mark.parametrize(("coupling", "step", "shift"), [(1.0, 16, 1), (0.25, 8, 0), (-0.1, 4, 0)])
def test_magnitude_and_beta_are_moved_up_to_what_the_engine_drops(coupling: float, step: int, shift: int) -> None:
    image = program(library.lattice((6, 32), coupling=coupling))
    laid = lay(image, SHAPE)
    (_, words), *_ = laid.loads(image)
    assert (int(words[0]), laid.beta(5)) == (step, 5 << shift)
    assert image.argument_shift + step.bit_length() - 1 + shift == SHAPE.argument_shift


def test_clocks_of_a_sweep() -> None:
    laid = lay(program(), SHAPE)
    assert laid.clocks == 2 * (8 * 2 + DRAIN)
    assert laid.flips_per_second(1e6) == pytest.approx(1e6 * 192 / laid.clocks)
    assert laid.utilisation == 24 / laid.clocks


def test_the_registers_say_the_shape() -> None:
    for shape in (SHAPE, replace(SHAPE, spram=True)):
        words = identity(shape, 1)
        read = engines.shape_of([words[Control.SHAPE + place] for place in range(len(shape.words))])
        assert read == shape
        assert engines.pack(program(), read).clocks == read.clocks
        assert words[Control.COLOURS] == 0
        assert words[Control.SIZE] == 192


def test_every_part_of_the_shape_is_in_its_digest() -> None:
    changes: dict[str, Any] = {
        "lanes": 12,
        "segments": 3,
        "rows": 8,
        "bias_bits": 9,
        "beta_bits": 15,
        "argument_shift": 2,
    }
    others = [replace(SHAPE, **{name: value}) for name, value in changes.items()]
    others += [replace(SHAPE, generator=Generator.LFSR48), replace(SHAPE, spram=True)]
    assert len({each.digest for each in [SHAPE, *others]}) == len(others) + 1


def with_bias() -> Ising:
    biases = np.zeros(FERROMAGNET.size)
    biases[7] = 1
    return FERROMAGNET.with_values(FERROMAGNET.couplings, biases)


def with_weights(*values: float) -> Ising:
    couplings = np.ones(len(FERROMAGNET.edges))
    couplings[: len(values)] = values
    return FERROMAGNET.with_values(couplings, FERROMAGNET.biases)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (library.lattice((32, 6)), r"p-bit 0 has a neighbour that it has not in a lattice of 6 rows and 32 columns"),
        (library.lattice((8, 32)), r"256 p-bits in 2 colours, the engine is for a lattice of 6 rows and 32 columns"),
        (library.lattice((6, 31)), r"186 p-bits in \d colours, the engine is for a lattice"),
        (with_weights(0.5), "weights of the program have 2 magnitudes, in a lattice engine all but 0 have one"),
        (with_weights(1, -2, 3), "weights of the program have 3 magnitudes"),
        (with_bias(), "program has biases at 1 p-bits, a lattice engine has spins without biases"),
    ],
    ids=["turned", "larger", "odd", "two magnitudes", "three", "bias"],
)
def test_what_is_no_such_lattice_is_refused(model: Ising, message: str) -> None:
    with pytest.raises(FitError, match=message):
        lay(program(model), replace(SHAPE, bias_bits=12, argument_shift=6))


def test_bits_are_refused() -> None:
    image = replace(program(), unit=Unit.BIT, biases=np.zeros(SHAPE.size, np.int32))
    with pytest.raises(FitError, match="program is of bits, a lattice engine has spins"):
        lay(image, SHAPE)


def test_an_edge_to_elsewhere_is_refused() -> None:
    edges = FERROMAGNET.edges.copy()
    edges[5] = (0, 98)
    with pytest.raises(FitError, match=r"p-bit \d+ has a neighbour that it has not.*open boundaries as couplings of 0"):
        lay(program(Ising.from_edges(FERROMAGNET.size, edges, np.ones(len(edges)))), SHAPE)


def test_other_weights_are_refused_when_they_are_loaded(image: Image) -> None:
    laid = lay(image, SHAPE)
    weights = image.weights.copy()
    (edge,) = np.flatnonzero(weights)[:1]
    wide = replace(image, weight_format=image.weight_format.parse("s[2][0]"), weights=weights)
    weights[edge] = weights[image.reverse[edge]] = 2
    with pytest.raises(FitError, match="2 magnitudes"):
        list(laid.loads(wide))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lanes": 12}, "for 8 lanes, the engine has 12; compile it with lanes=12"),
        ({"generator": Generator.LFSR48}, "generator linear64, the engine has lfsr48"),
        ({"beta_bits": 12}, "beta of the program need 13 bits, the engine has 12"),
        ({"bias_bits": 4}, "beta of the program need 17 bits, the engine has 16"),
    ],
)
def test_what_the_engine_cannot_hold_is_refused(image: Image, changes: dict[str, Any], message: str) -> None:
    lay(image, SHAPE)
    with pytest.raises(FitError, match=message):
        lay(image, replace(SHAPE, **changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lanes": 4}, "lanes of a lattice engine is 4; use 5 to 256"),
        ({"lanes": 10}, "lanes of a lattice engine are 10; use a multiple of 4 up to 32, or of 32"),
        ({"lanes": 36}, "use a multiple of 4 up to 32, or of 32"),
        ({"rows": 7}, "rows of a lattice engine are 7, which two colours cannot go round"),
        ({"rows": 2}, "rows of a lattice engine is 2; use 4"),
        ({"segments": 0}, "segments of a lattice engine is 0"),
        ({"bias_bits": 3}, "bias_bits of a lattice engine is 3"),
        ({"argument_shift": 12}, "argument_shift of a lattice engine is 12; use 0 to 11"),
        ({"rows": 4096, "segments": 3, "spram": True}, "a sample of 98,304 bytes, an answer of the link holds 65,535"),
    ],
)
def test_impossible_shapes_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(FitError, match=message):
        replace(SHAPE, **changes)
