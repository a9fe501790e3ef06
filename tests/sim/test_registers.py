"""The bus of a simulated array."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbit_hw.contract.errors import RequestError
from pbit_hw.contract.generator import seeded, streams
from pbit_hw.contract.registers import REGISTERS, Control, Region, address
from pbit_hw.sim.registers import ArrayRegisters, pack, sign_extend, unpack


@pytest.fixture(scope="module")
def image(random_program):
    return random_program(4, size=40, generator="xoshiro128", weight_format="s[2][3]").image


def test_reset(image):
    array = ArrayRegisters(image, seed=9)
    assert (array.states == 0).all()
    assert array.states.shape == (1, image.size)
    assert np.array_equal(array.registers, streams(image.generator, 9, image.streams))
    assert (array.phase, array.sweeps_left, array.beta) == (0, 0, image.reset_beta)
    assert array.beta * image.beta_format.step == 1
    assert np.array_equal(array.weights, image.weights)
    assert np.array_equal(array.biases, image.biases)


def test_writes_do_not_reach_the_image(image):
    array = ArrayRegisters(image)
    array.write(address(Region.WEIGHT), np.arange(image.slots) % 7)
    array.write(address(Region.BIAS), np.arange(image.size))
    array.write(address(Region.CLAMP), [2**32 - 1] * 2)
    fresh = ArrayRegisters(image)
    assert np.array_equal(fresh.weights, image.weights)
    assert np.array_equal(fresh.biases, image.biases)
    assert not fresh.clamped.any()


def test_narrow_registers_take_the_low_bits(image):
    array = ArrayRegisters(image)
    array.write(address(Region.WEIGHT, 3), [0xFFFFFF00 | 0x3E, 0x1F, 0x20])
    assert array.weights[3:6].tolist() == [-2, 31, -32]
    array.write(address(Region.BIAS, 1), -5)
    assert array.biases[1] == -5
    array.write(address(Region.BIAS, 1), 1 << image.bias_bits)
    assert array.biases[1] == 0
    array.write(address(Region.CONTROL, Control.BETA), 0xABCD0123)
    assert array.beta == 0xABCD0123 & image.beta_format.limit


def test_packed_registers(image):
    array = ArrayRegisters(image)
    array.write(address(Region.CLAMP), [0b101, 0xFFFFFFFF])
    assert np.flatnonzero(array.clamped).tolist() == [0, 2, *range(32, 40)]
    array.write(address(Region.STATE, 1), 0b10)
    assert np.flatnonzero(array.states[0]).tolist() == [33]


def test_clamped_pbits_have_their_values_at_reset(image):
    clamped, values = np.zeros(40, np.uint8), np.zeros(40, np.uint8)
    clamped[[1, 35]], values[[35, 36]] = 1, 1
    array = ArrayRegisters(image.with_clamps(clamped, values).interleaved(2 * image.colours))
    assert array.states.shape == (2 * image.colours, 40)
    assert all(np.flatnonzero(row).tolist() == [35] for row in array.states)


def test_generator_registers_word_by_word(image):
    array = ArrayRegisters(image)
    array.write(address(Region.GENERATOR, 4 * 7 + 1), [11, 12, 13, 14])
    assert array.registers[7, 1:].tolist() == [11, 12, 13]
    assert array.registers[8, 0] == 14


@pytest.fixture(scope="module")
def shared(random_program):
    return random_program(4, size=40, generator="linear64").image


@pytest.mark.parametrize("sizes", [(20,), (1, 3, 16), (3, 3, 14), (5,), (1, 1)])
def test_shared_generators_are_seeded_pair_by_pair(shared, sizes):
    """However the words come; what is not written keeps its register."""
    rng = np.random.default_rng(sum(sizes))
    array, wanted = ArrayRegisters(shared), ArrayRegisters(shared).registers.copy()
    pairs = rng.integers(0, 2**32, (sum(sizes) // 2, 2), np.uint32)
    words, first = pairs.ravel(), 0
    for size in sizes:
        array.write(address(Region.GENERATOR, first), words[first : first + size])
        first += size
    wanted[: len(pairs)] = seeded(shared.generator, pairs)
    assert np.array_equal(array.registers, wanted)


def test_a_high_word_alone_takes_the_low_word_before(shared):
    """The one that was written last, to whatever register; 0 at reset."""
    array = ArrayRegisters(shared)
    expected = {(3, 7): (0, 7), (4, 5): None, (0, 6): None, (5, 9): (6, 9), (3, 8): (6, 8)}
    for (place, word), pair in expected.items():
        before = array.registers.copy()
        array.write(address(Region.GENERATOR, place), word)
        if pair is not None:
            before[place // 2] = seeded(shared.generator, np.array([pair], np.uint32))[0]
        assert np.array_equal(array.registers, before)


def test_consecutive_control_registers(image):
    array = ArrayRegisters(image)
    array.write(address(Region.CONTROL, Control.SWEEPS), 5)
    array.write(address(Region.CONTROL, Control.SWEEPS), 6)
    assert array.sweeps_left == 5
    array.write(address(Region.CONTROL, Control.STOP), [1, 77])
    assert (array.sweeps_left, array.beta) == (0, 77)


def test_while_it_runs_nothing_but_a_stop_is_written(image):
    array = ArrayRegisters(image)
    array.write(address(Region.CONTROL, Control.SWEEPS), 5)
    array.write(address(Region.BIAS), image.biases[:1] + 1)
    array.write(address(Region.CONTROL, Control.BETA), 77)
    assert np.array_equal(array.biases, image.biases)
    assert array.beta == image.reset_beta
    array.write(address(Region.CONTROL, Control.STOP), 1)
    array.write(address(Region.BIAS), image.biases[:1] + 1)
    assert array.biases[0] == image.biases[0] + 1


def test_locate_agrees_with_the_map(image):
    """Every edge of every register, against the table read row by row."""
    array = ArrayRegisters(image)
    access = {}
    for register in REGISTERS:
        start = address(register.region, register.offset)
        access.update(dict.fromkeys(range(start, start + register.words(image)), register.access))
    for start in {place + step for place in access for step in (-1, 0, 1)} - {-1}:
        for count in (1, 2, 3):
            for want in "rw":
                if all(want in access.get(start + k, "") for k in range(count)):
                    region, offset = array.locate(start, count, want)
                    assert address(region, offset) == start
                else:
                    with pytest.raises(RequestError, match="able register of this array"):
                        array.locate(start, count, want)


def test_a_refused_write_writes_nothing(image):
    array = ArrayRegisters(image)
    with pytest.raises(RequestError):
        array.write(address(Region.BIAS, image.size - 1), [1, 2])
    assert np.array_equal(array.biases, image.biases)


@given(st.lists(st.integers(0, 1), min_size=1, max_size=70))
def test_pack_and_unpack(bits):
    words = pack(np.array(bits, np.uint8))
    assert [int(words[p // 32]) >> (p % 32) & 1 for p in range(len(bits))] == bits
    assert unpack(words)[: len(bits)].tolist() == bits
    assert not unpack(words)[len(bits) :].any()


@given(st.integers(2, 31), st.integers())
def test_sign_extend(bits, value):
    word = np.array([value % 2**32], np.uint32)
    wanted = value % 2**bits
    assert sign_extend(word, bits)[0] == (wanted - 2**bits if wanted >> (bits - 1) else wanted)
