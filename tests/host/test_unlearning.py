"""Unlearning: its steps against the rule, what it does to spurious minima, and counting them."""

from __future__ import annotations

import numpy as np
import pytest

from pbit_hw.compiler import RBM, Hopfield, Ising, compile
from pbit_hw.compiler.polynomial import Polynomial
from pbit_hw.contract.errors import ModelError, RequestError
from pbit_hw.contract.update import Unit
from pbit_hw.host.device import Device
from pbit_hw.host.unlearning import Minima, count_minima, unlearn
from pbit_hw.sim.descent import descend
from pbit_hw.sim.exact import states
from pbit_hw.sim.simulator import Simulator
from pbit_hw.sim.virtual import VirtualDevice

FORMAT = "s[0][14]"


def random_patterns(count, size, seed=1):
    return np.random.default_rng(seed).choice([-1, 1], (count, size))


def array_of(patterns, **options):
    model = Hopfield(patterns, all_pairs=True)
    return Simulator(compile(model, weight_format=FORMAT, colouring="fast"), seed=1, **options)


def matrix(model):
    square = np.zeros((model.size, model.size))
    square[model.edges[:, 0], model.edges[:, 1]] = model.couplings
    return square + square.T


def test_a_step_is_the_rule_s():
    """dJ = -rate / n sum_r x_r x_r^T of the very states that the same sampler falls into, off the diagonal."""
    array, again = array_of(random_patterns(3, 20)), array_of(random_patterns(3, 20))
    before = matrix(array.program.model)
    unlearn(array, 1, rate=0.02, replicas=5, sweeps=8, beta=(1.0, 4.0))
    fallen = again.sample(8, replicas=5, beta=(1.0, 4.0)).states.astype(float)
    expected = before - 0.02 / 20 * fallen.T @ fallen
    np.fill_diagonal(expected, 0)
    assert matrix(array.program.model) == pytest.approx(expected, abs=1e-12)
    assert not array.program.model.biases.any()


def test_steps_add_up():
    """Two calls are one, in float on the host: calling again continues."""
    once, twice = array_of(random_patterns(3, 20)), array_of(random_patterns(3, 20))
    unlearn(once, 6, rate=1e-4)
    unlearn(twice, 2, rate=1e-4)
    unlearn(twice, 4, rate=1e-4)
    assert np.array_equal(once.program.model.couplings, twice.program.model.couplings)


def test_a_device_unlearns_the_same():
    simulator = array_of(random_patterns(3, 12))
    device = Device(simulator.program, VirtualDevice(simulator.program.image), seed=1)
    for sampler in (simulator, device):
        unlearn(sampler, 3, replicas=2)
    assert np.array_equal(simulator.program.model.couplings, device.program.model.couplings)


def test_one_pattern_is_unlearned_exactly():
    """A lone pattern and its inverse are the only minima, so k states leave J = (1 - rate k) x x^T / n."""
    pattern = random_patterns(1, 30)
    array = array_of(pattern)
    before = array.program.model.couplings
    unlearn(array, 10, rate=0.005, replicas=3)
    assert array.program.model.couplings == pytest.approx((1 - 0.005 * 30) * before)


def test_couplings_stay_within_the_format():
    array = array_of(random_patterns(1, 10))
    unlearn(array, 50, rate=10.0)
    bound = array.program.image.grid.largest
    assert np.abs(array.program.model.couplings).max() <= bound


def share(program, patterns):
    return count_minima(descend(program, replicas=1000, seed=2).states, patterns)


def test_spurious_minima_lose_their_share():
    """15 patterns of 100 spins are above Hebb's capacity: 400 unlearned states free them, 4,000 are too many."""
    patterns = random_patterns(15, 100)
    array = array_of(patterns)
    before = share(array.program, patterns)
    unlearn(array, 40, replicas=10)
    after = share(array.program, patterns)
    unlearn(array, 360, replicas=10)
    ruined = share(array.program, patterns)
    assert before.spurious_share > 0.95
    assert after.spurious_share < 0.7
    assert before.spurious_share - after.spurious_share > 10 * np.hypot(before.error, after.error)
    assert after.patterns == 15 > before.patterns
    assert ruined.pattern_share < 0.05


def test_random_states_do_not_unlearn():
    """Negative control: what is weakened must be minima; at beta = 0 it is noise, and the share stays."""
    patterns = random_patterns(15, 100)
    array = array_of(patterns)
    before = share(array.program, patterns)
    unlearn(array, 40, replicas=10, beta=0.0)
    after = share(array.program, patterns)
    assert abs(before.spurious_share - after.spurious_share) < 0.05


def test_minima_are_counted_as_enumeration_counts_them():
    """All minima of 14 spins, each found by some of many descents."""
    patterns = random_patterns(3, 14)
    program = compile(Hopfield(patterns, "pseudo-inverse"))
    model = program.quantised
    every = states(model, 0, 1 << 14)
    fields = every @ matrix(model)
    strict = every[(fields * every > 0).all(axis=1)]
    counted = share(program, patterns)
    assert counted.distinct == len(strict) // 2  # with each its inverse
    assert counted.patterns == 3
    assert counted.spurious == len(strict) // 2 - 3 > 0


def test_patterns_and_their_inverses_are_one():
    patterns = np.array([[1, 1, -1, -1], [1, -1, 1, -1]])
    ends = [[1, 1, -1, -1], [-1, -1, 1, 1], [-1, 1, -1, 1], [1, 1, 1, -1], [1, 1, 1, -1], [-1, -1, -1, 1], [1, 1, 1, 1]]
    counted = count_minima(ends, patterns)
    assert counted == Minima(7, 2, 2, 3 / 7, 4 / 7)
    assert counted.distinct == 4
    assert counted.error == pytest.approx((3 / 7 * 4 / 7 / 7) ** 0.5)


@pytest.mark.parametrize(
    ("ends", "message"),
    [
        (np.zeros((0, 3)), "there are no states to count"),
        (np.ones((2, 4)), r"states has shape \(2, 4\); the model needs \(any, 3\)"),
        (np.zeros((2, 3)), "states hold something else"),
    ],
)
def test_other_states_are_refused(ends, message):
    with pytest.raises(ModelError, match=message):
        count_minima(ends, [[1, -1, 1]])


def test_bits_and_higher_terms_are_refused():
    bits = compile(RBM(np.ones((2, 2)), np.zeros(2), np.zeros(2)))
    terms = compile(Polynomial.of_terms({(0, 1, 2): 1.0}, Unit.SPIN))
    for program, name in ((bits, "RBM of bits"), (terms, "Polynomial of spins")):
        with pytest.raises(ModelError, match=f"a {name} cannot unlearn, that takes spins"):
            unlearn(Simulator(program), 1)


def test_no_step_is_refused():
    with pytest.raises(RequestError, match="steps is 0; it must be at least 1"):
        unlearn(Simulator(compile(Ising([0.0, 0.0], [[0, 1], [1, 0]]))), 0)
