"""Where p-bits and replicas lie, and back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pbit_hw.compiler import compile, library
from pbit_hw.contract.generator import Generator
from pbit_hw.sim.codegen import LANES
from pbit_hw.sim.lanes import PbitLanes, ReplicaLanes, to_bits, to_words

IMAGE = compile(library.lattice((15, 11), spin_glass_seed=0)).image


@pytest.mark.parametrize("layout", [PbitLanes, ReplicaLanes])
@pytest.mark.parametrize("replicas", [1, 5, 64, 65, 130])
def test_there_and_back(layout, replicas):
    lanes = layout(replicas, IMAGE)
    rng = np.random.default_rng(replicas)
    values = rng.integers(1, 100, (replicas, IMAGE.size)).astype(np.int16)
    spread = lanes.spread(values)
    assert spread.shape == (lanes.sets, lanes.rows, LANES)
    assert spread.ctypes.data % 64 == 0
    assert np.count_nonzero(spread) == values.size
    np.testing.assert_array_equal(lanes.collect(spread), values)
    several = np.stack([values, 2 * values, 3 * values], axis=-1)
    spread = lanes.spread(several)
    assert spread.shape == (lanes.sets, lanes.rows, 3, LANES)
    np.testing.assert_array_equal(lanes.collect(spread.swapaxes(1, 2)), np.moveaxis(several, -1, 0))


@pytest.mark.parametrize("layout", [PbitLanes, ReplicaLanes])
@pytest.mark.parametrize("replicas", [1, 65])
@pytest.mark.parametrize("generator", list(Generator))
def test_registers_there_and_back(layout, replicas, generator):
    image = replace(IMAGE, generator=generator)
    lanes = layout(replicas, image)
    registers = np.random.default_rng(replicas).integers(1, 100, (replicas, image.streams, 4)).astype(np.uint16)
    spread = lanes.spread_registers(registers)
    assert spread.ctypes.data % 64 == 0
    assert np.count_nonzero(spread) == registers.size
    np.testing.assert_array_equal(lanes.collect_registers(spread), registers)


def test_pbits_in_lanes_draw_from_the_registers_of_their_row():
    image = replace(IMAGE, generator=Generator.LINEAR64)
    lanes = PbitLanes(1, image)
    spread = lanes.spread_registers((1 + np.arange(4 * image.streams, dtype=np.uint16)).reshape(1, -1, 4))
    assert spread.shape == (1, lanes.rows, 4, LANES // 4)
    for pbit, place in enumerate(lanes.places):
        row, lane = divmod(int(place), LANES)
        assert spread[0, row, lane % 4, lane // 4] == 1 + 4 * image.stream[pbit] + image.taken[pbit]


def test_pbits_in_rows_know_their_vectors():
    image = replace(IMAGE, generator=Generator.LINEAR64)
    drawn = ReplicaLanes(3, image).drawn
    assert drawn.dtype == np.int32
    assert drawn.tolist() == [*(4 * image.stream + image.taken).tolist(), 0]


def test_a_row_of_pbits_has_one_colour():
    """And a p-bit's slots are those of the image, seen from its new place."""
    lanes = PbitLanes(1, IMAGE)
    assert len(np.unique(lanes.places)) == IMAGE.size
    for row in range(lanes.rows):
        assert len(np.unique(IMAGE.colour[lanes.places // LANES == row])) == 1
    for pbit, place in enumerate(lanes.places):
        slots = slice(lanes.slot_first[place], lanes.slot_first[place + 1])
        own = slice(IMAGE.slot_first[pbit], IMAGE.slot_first[pbit + 1])
        np.testing.assert_array_equal(lanes.neighbours[slots], lanes.places[IMAGE.neighbours[own]])


def test_words_and_bits():
    bits = np.random.default_rng(0).integers(0, 2, (3, 2, LANES), np.uint8)
    words = to_words(bits)
    assert words.shape == (3, 2)
    assert int(words[1, 1]) == sum(int(bit) << place for place, bit in enumerate(bits[1, 1]))
    np.testing.assert_array_equal(to_bits(words), bits)


@pytest.mark.parametrize("layout", [PbitLanes, ReplicaLanes])
def test_indices_are_what_machine_code_reads(layout):
    """Of any image: one whose indices are wider, or lie apart in memory."""
    wide = replace(IMAGE, slot_first=IMAGE.slot_first.astype(np.int64), neighbours=np.repeat(IMAGE.neighbours, 2)[::2])
    lanes, wanted = layout(3, wide), layout(3, IMAGE)
    for name in ("slot_first", "neighbours"):
        array = getattr(lanes, name)
        assert array.dtype == np.int32
        assert array.flags.c_contiguous
        np.testing.assert_array_equal(array, getattr(wanted, name))
