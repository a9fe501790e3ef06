"""Fields, their widths and thresholds against the contract's functions."""

from __future__ import annotations

import numpy as np
import pytest

from pbit_hw.compiler import Ising, compile, library
from pbit_hw.contract.activation import TABLE, argument
from pbit_hw.contract.generator import Generator
from pbit_hw.contract.update import Unit, field
from pbit_hw.sim.network import Network


def contract_field(image, pbit, states):
    slots = (image.slot_first[pbit], image.slot_first[pbit + 1])
    return field(int(image.biases[pbit]), image.weights, image.neighbours, states, *slots, int(image.unit))


@pytest.mark.parametrize("unit", list(Unit))
def test_fields(random_program, unit):
    image = random_program(3, size=20, unit=unit).image
    states = np.random.default_rng(0).integers(0, 2, (4, 20), np.uint8)
    fields = Network(image).fields(states)
    for replica, pbit in np.ndindex(fields.shape):
        assert fields[replica, pbit] == contract_field(image, pbit, states[replica])


@pytest.mark.parametrize(("weights", "bits"), [(15, 8), (16, 16), (4095, 16), (4096, 32)])
def test_the_width_holds_the_largest_field(weights, bits):
    """A ring of eight neighbours that all pull one way: 8 * 15 + 7 = 127 is the largest field of 8 bits."""
    star = np.zeros((9, 9))
    star[0, 1:] = weights
    biases = np.zeros(9)
    biases[0] = 7
    image = compile(Ising(biases, star), weight_format="s[13][0]").image
    network = Network(image)
    assert network.field_bits == bits
    largest = max(abs(contract_field(image, pbit, np.full(9, bit, np.uint8))) for pbit in range(9) for bit in (0, 1))
    assert largest == 8 * weights + 7 < 1 << (bits - 1)


def test_written_weights_count():
    """Two ends of an edge, written differently."""
    image = compile(Ising([0, 0], np.array([[0, 1], [1, 0]])), weight_format="s[9][0]").image
    weights = np.array([1, 300], np.int32)
    assert Network(image).field_bits == 8
    network = Network(image, weights, np.array([0, -300], np.int32))
    assert network.field_bits == 16
    np.testing.assert_array_equal(network.fields(np.array([[1, 1]], np.uint8)), [[2, 300]])


def test_thresholds_of_short_fields_are_the_contracts():
    image = compile(library.full_adder()).image
    table, rows = Network(image).thresholds(np.array([512, 0, 4095, 512, 77], np.int32))
    assert table.shape == (4, 128)
    for beta, row in zip((512, 0, 4095, 512, 77), rows, strict=True):
        wanted = [TABLE[argument(magnitude, beta, image.argument_shift)] for magnitude in range(128)]
        np.testing.assert_array_equal(table[row], wanted)


def test_kinds_hold_their_products():
    wide = compile(Ising(np.zeros(2), np.array([[0, 1.5], [1.5, 0]])), weight_format="s[1][20]", beta_format="u[3][18]")
    assert Network(wide.image).kind(True, Generator.LFSR48).product_bits == 64
    steep = compile(Ising(np.zeros(2), np.array([[0, 1.5], [1.5, 0]])), weight_format="s[2][8]", beta_format="u[1][0]")
    assert Network(steep.image).kind(True, Generator.LFSR48).shift < 0
    narrow = compile(Ising(np.zeros(2), np.array([[0, 1.5], [1.5, 0]])), weight_format="s[1][9]")
    assert Network(narrow.image).kind(True, Generator.LFSR48).product_bits == 32
