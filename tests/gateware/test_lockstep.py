"""RTL and simulator under the same bus writes: equal in every register and clock, and seen to differ by one bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pbit_hw.cli.lockstep import LockstepError, Write, compare, expected_trace, random_writes, rtl_trace, run_program
from pbit_hw.compiler import Ising, compile
from pbit_hw.contract.activation import NODES
from pbit_hw.contract.generator import Generator
from pbit_hw.contract.registers import REGISTERS, Control, Region, address
from pbit_hw.gateware import activation, generator
from pbit_hw.gateware.array import ProbedArray

CYCLES = 1000
START = [Write(0, address(Region.CONTROL, Control.SWEEPS), CYCLES)]


@pytest.fixture
def image():
    """A frustrated ring of five spins whose fields are small enough for every clock to be random."""
    couplings = np.roll(np.eye(5), 1, axis=1)
    return compile(Ising([0.25, 0, 0, 0, 0], -0.5 * (couplings + couplings.T)), generator="lfsr48").image


def in_lockstep(random_image, seed, **sizes):
    """Every fourth program multiplies in logic, and every fourth in both ways."""
    rng = np.random.default_rng(seed)
    drawn = random_image(rng, **sizes)
    writes = random_writes(drawn, CYCLES, rng)
    expected = expected_trace(drawn, writes, CYCLES)
    multipliers = (None, 0, None, drawn.size // 2)[seed % 4]
    compare(drawn, expected, rtl_trace(ProbedArray(drawn, multipliers=multipliers), writes, CYCLES))
    return expected


@pytest.mark.parametrize("seed", range(12))
def test_random_programs(seed, random_image):
    expected = in_lockstep(random_image, seed, max_size=10)
    assert (expected.sweeps_left > 0).mean() > 0.3
    assert len(np.unique(expected.registers[:, 0, 0])) > 20


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12, 196))
def test_many_random_programs(seed, random_image):
    in_lockstep(random_image, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(196, 200))
def test_larger_random_programs(seed, random_image):
    in_lockstep(random_image, seed, min_size=17, max_size=40)


@pytest.mark.slow
def test_random_programs_cover_the_bar(random_image):
    """What the 200 programs above are made of."""
    drawn = [random_image(np.random.default_rng(seed), max_size=10 if seed < 12 else 16) for seed in range(196)]
    assert {each.colours for each in drawn} == set(range(1, 7))
    assert {int(each.degrees.max()) for each in drawn} >= set(range(14))
    assert len({(each.unit, each.generator) for each in drawn}) == 6
    assert min(each.argument_shift for each in drawn) < 0 < max(each.argument_shift for each in drawn)
    assert any(each.clamped.any() for each in drawn)


def test_random_writes_are_legal_and_reach_every_register(image):
    image = replace(image, generator=Generator.XOSHIRO128)
    writes = random_writes(image, 20_000, np.random.default_rng(0))
    clocks = [write.cycle for write in writes]
    assert clocks == sorted(set(clocks))
    assert clocks[-1] < 20_000
    writable = [row for row in REGISTERS if "w" in row.access]
    assert {write.address for write in writes} == {
        address(row.region, row.offset) + place for row in writable for place in range(row.words(image))
    }


def test_run_program_reports_what_it_compared(image):
    calls = []
    result = run_program(image, 300, 4, lambda done, total: calls.append((done, total)))
    assert result["cycles"] == 300
    assert result["pbits"] == 5
    assert min(result["bus_writes"], result["state_changes"]) > 50
    assert calls[-1] == (300, 300)


def test_one_bit_of_a_weight_in_the_rtl_shows(image):
    weights = image.weights.copy()
    weights[2] ^= 1
    with pytest.raises(LockstepError, match=r"^cycle \d+, colour \d, p-bit \d: states expected 0x[01], got 0x[01]$"):
        compare(image, expected_trace(image, START, CYCLES), trace(replace(image, weights=weights)))


def test_one_bit_of_a_bias_in_the_simulator_shows(image):
    biases = image.biases.copy()
    biases[4] ^= 1
    with pytest.raises(LockstepError, match=r"p-bit \d: states expected"):
        compare(image, expected_trace(replace(image, biases=biases), START, CYCLES), trace(image))


def test_one_bit_of_a_node_in_the_rtl_shows(image, monkeypatch):
    nodes = NODES.copy()
    nodes[32] ^= 1 << 8
    monkeypatch.setattr(activation, "NODES", nodes)
    with pytest.raises(LockstepError, match=r"p-bit \d: states expected"):
        compare(image, expected_trace(image, START, CYCLES), trace(image))


def test_one_tap_of_the_lfsr_in_the_rtl_shows_at_once(image, monkeypatch):
    masks = dict(generator.diagonals(Generator.LFSR48))
    masks[7] ^= 1 << 7
    monkeypatch.setattr(generator, "diagonals", lambda kind: masks)
    pattern = r"^cycle [1-9], colour \d, p-bit \d: registers expected( 0x[0-9a-f]+){2}, got( 0x[0-9a-f]+){2}$"
    with pytest.raises(LockstepError, match=pattern):
        compare(image, expected_trace(image, START, CYCLES), trace(image))


@pytest.mark.parametrize("name", ["phase", "sweeps_left"])
def test_one_bit_of_a_counter_shows_with_its_cycle(name, image):
    expected = expected_trace(image, START, 100)
    wrong = getattr(expected, name).copy()
    wrong[[37, 60]] ^= 1
    pattern = f"^cycle 37: {name} expected {wrong[37] ^ 1}, got {wrong[37]}$"
    with pytest.raises(LockstepError, match=pattern):
        compare(image, expected, expected._replace(**{name: wrong}))


def trace(image):
    return rtl_trace(ProbedArray(image), START, CYCLES)
