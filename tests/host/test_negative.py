"""Both sides of a step against exact distributions, which chains that stay in one mode miss."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbit_hw.compiler import RBM, BoltzmannMachine, compile
from pbit_hw.compiler.sparsify import sparsify
from pbit_hw.contract.errors import ModelError, RequestError
from pbit_hw.contract.update import Unit
from pbit_hw.host.chains import Chains
from pbit_hw.host.device import Device
from pbit_hw.host.negative import Clamped, FromData, Persistent, Tempered, packed, unpack
from pbit_hw.sim.exact import exact
from pbit_hw.sim.simulator import Simulator
from pbit_hw.sim.virtual import VirtualDevice

COUNT = 40_000
LADDER = (0.125, 0.25, 0.5, 0.75, 1.0)
ALL = np.arange(4)


def machine(unit=Unit.SPIN):
    """Four visible and two hidden units, all coupled, with weights that are exact in the format."""
    rng = np.random.default_rng(1)
    draft = BoltzmannMachine(4, 2, unit=unit)
    couplings, biases = (np.round(rng.normal(0, 0.5, count) * 16) / 16 for count in (len(draft.edges), 6))
    return compile(draft, weight_format="s[3][4]").reweighted(couplings, biases)


def two_modes(beta_format="u[3][9]"):
    """Eight spins that are all up with 0.73, all down with 0.26, and seldom change over."""
    model = BoltzmannMachine(6, 2)
    program = compile(model, weight_format="s[1][6]", beta_format=beta_format)
    return program.reweighted(np.full(28, 0.5), np.full(8, 1 / 16))


def joined(both):
    return np.concatenate(both)


def held_moments(model, columns, row):
    """Exact moments with these visible units held."""
    clamp = {model.labels[model.visible[k]]: row[k] for k in columns}
    reference = exact(model, clamp=clamp)
    return np.concatenate([reference.correlation, reference.mean])


def free_moments(program, beta=1.0):
    reference = exact(program.quantised, beta)
    return np.concatenate([reference.correlation, reference.mean])


ROWS = np.array([[1, 1, 0, 1], [0, 1, 1, 0]])


@pytest.mark.parametrize("unit", list(Unit))
@pytest.mark.parametrize("columns", [ALL, np.array([2, 0]), np.array([], int)], ids=["all", "some", "none"])
@pytest.mark.parametrize("averaged", [1, 3])
def test_clamped_chains_have_the_conditional_distribution(unit, columns, averaged):
    program = machine(unit)
    rows = ROWS * (1 + unit) - unit
    side = Clamped(Simulator(program, seed=2), 40, averaged, columns)
    tiled = np.tile(rows, (COUNT // 2, 1)).astype(np.int8)
    chains, moments = side.advance(tiled)
    visible = chains.read(program.model.visible)
    assert np.array_equal(visible[:, columns], tiled[:, columns])
    others = np.setdiff1d(ALL, columns)
    assert (visible[:, others] != tiled[:, others]).any(axis=0).all()
    noise = (1 if unit is Unit.SPIN else 0.5) / COUNT**0.5
    expected = np.mean([held_moments(program.model, columns, row) for row in rows], axis=0)
    assert np.abs(joined(moments) - expected).max() < 5 * noise
    assert np.abs(joined(moments) - held_moments(program.model, ALL, rows[1])).max() > 20 * noise


def test_a_smaller_batch_is_held_by_the_first_chains():
    side = Clamped(Simulator(machine(), seed=3), 2, 1, ALL)
    chains, _ = side.advance(np.ones((10, 4), np.int8))
    hidden = chains.read(np.array([4, 5]))
    smaller = np.array([[1, -1, 1, -1], [-1, -1, 1, 1], [-1, 1, 1, -1]], np.int8)
    same = side.hold(smaller)
    assert same is chains
    assert np.array_equal(same.read(ALL)[:3], smaller)
    assert np.array_equal(same.read(np.array([4, 5])), hidden)  # they go on from where they were
    np.testing.assert_allclose(side.advance(smaller)[1][1][:4], smaller.mean(axis=0), atol=1e-6)
    assert len(side.advance(np.ones((12, 4), np.int8))[0].read()) == 12


def data_chains(program, rows, seed=4):
    simulator = Simulator(program, seed=seed)
    return simulator, Clamped(simulator, 1, 1, ALL).advance(rows)[0]


def test_from_data_forgets_them_after_many_sweeps_only():
    program = machine()
    simulator, data = data_chains(program, np.ones((COUNT, 4), np.int8))
    expected, noise = free_moments(program), 1 / COUNT**0.5
    assert np.abs(joined(FromData(simulator, 40, 1).advance(data, COUNT)) - expected).max() < 5 * noise
    assert np.abs(joined(FromData(simulator, 1, 1).advance(data, COUNT)) - expected).max() > 20 * noise


def test_from_data_draws_the_hidden_units_last():
    """Visible units stay while they are drawn, so that many draws on average are their means given those."""
    rng = np.random.default_rng(5)
    program = compile(RBM(rng.normal(0, 1, (4, 2)), rng.normal(0, 1, 4), rng.normal(0, 1, 2)), weight_bits=8)
    simulator, data = data_chains(program, np.tile(ROWS, (50, 1)).astype(np.int8))
    side = FromData(simulator, 2, 2_000)
    _, means = side.advance(data, 100)
    visible = side._sets[0].read(ALL)
    np.testing.assert_allclose(means[:4], visible.mean(axis=0), atol=1e-4)
    model = program.quantised
    weights = model.couplings.reshape(4, 2)
    expected = (1 / (1 + np.exp(-(model.biases[4:] + visible @ weights)))).mean(axis=0)
    noise = 0.5 / (100 * 2_000) ** 0.5
    assert np.abs(means[4:] - expected).max() < 5 * noise
    assert np.abs(FromData(simulator, 2, 1).advance(data, 100)[1][4:] - expected).max() > 5 * noise


def test_from_data_leaves_the_data_where_they_are():
    simulator, data = data_chains(machine(), np.ones((20, 4), np.int8))
    before = data.read()
    FromData(simulator, 3, 1).advance(data, 20)
    assert np.array_equal(data.read(), before)


def test_without_hidden_units_from_data_ends_with_its_sweeps():
    program = compile(BoltzmannMachine(4), weight_format="s[3][4]")
    simulator = Simulator(program, seed=6)
    data = Clamped(simulator, 1, 1, ALL).hold(np.ones((COUNT, 4), np.int8))
    correlation, mean = FromData(simulator, 1, 1).advance(data, COUNT)
    assert np.abs(joined((correlation, mean))).max() < 5 / COUNT**0.5


@pytest.mark.parametrize("unit", list(Unit))
@pytest.mark.parametrize("averaged", [1, 5])
def test_persistent_chains_reach_the_model(unit, averaged):
    program = machine(unit)
    side = Persistent(Simulator(program, seed=7), 5, averaged, COUNT)
    first = joined(side.advance(None, 3))
    for _ in range(10):
        last = joined(side.advance(None, 3))
    noise = (1 if unit is Unit.SPIN else 0.5) / COUNT**0.5
    assert np.abs(last - free_moments(program)).max() < 5 * noise
    assert not np.array_equal(first, last)


def test_persistent_chains_go_on_and_are_averaged_over_the_last_sweeps():
    """Sweep by sweep by another sampler of the same seed."""
    program = machine()
    side = Persistent(Simulator(program, seed=8), 5, 3, 100)
    chains = Chains(Simulator(program, seed=8), 100)
    for _ in range(2):
        moments = []
        for _ in range(5):
            chains.run(1)
            moments.append(joined(chains.moments(100)))
        np.testing.assert_allclose(joined(side.advance(None, 1)), np.mean(moments[2:], axis=0), atol=1e-6)


CHAINS = 4_000
STEPS = 40


def test_two_modes_are_as_described():
    up, down = exact(two_modes().model).probabilities[[255, 0]]
    assert up == pytest.approx(0.73, abs=0.01)
    assert down == pytest.approx(0.26, abs=0.01)


def test_tempered_chains_find_the_weights_of_the_modes():
    """Moments of the coldest chains, and those of all others at their own beta, are exact."""
    program = two_modes()
    side = Tempered(Simulator(program, seed=9), 2, 1, CHAINS, LADDER, (9,))
    for _ in range(STEPS):
        coldest = joined(side.advance(None, 1))
    assert np.abs(coldest - free_moments(program)).max() < 5 / CHAINS**0.5
    for beta, rung in zip(LADDER, side._sets, strict=True):
        assert np.abs(joined(rung.moments(CHAINS)) - free_moments(program, beta)).max() < 5 / CHAINS**0.5


def test_plain_persistent_chains_do_not():
    """Negative control of the test above: as many sweeps as of all its chains together."""
    program = two_modes()
    side = Persistent(Simulator(program, seed=9), 2 * len(LADDER), 1, CHAINS)
    for _ in range(STEPS):
        moments = joined(side.advance(None, 1))
    assert np.abs(moments - free_moments(program)).max() > 20 / CHAINS**0.5


def test_exchanges_that_are_always_accepted_are_noticed(monkeypatch):
    """Negative control of the exchange rule."""

    class Eager:
        def random(self, shape):
            return np.full(shape, 1e-300)

    program = two_modes()
    side = Tempered(Simulator(program, seed=9), 2, 1, CHAINS, LADDER, (9,))
    monkeypatch.setattr(side, "_rng", Eager())
    for _ in range(STEPS):
        coldest = joined(side.advance(None, 1))
    assert np.abs(coldest - free_moments(program)).max() > 20 / CHAINS**0.5


def test_exchanges_go_by_the_betas_that_the_array_has():
    """In steps of 1/4, 0.38 becomes 0.5: chains at either are noticed."""
    program = two_modes("u[1][2]")
    side = Tempered(Simulator(program, seed=9), 1, 1, CHAINS, (0.25, 0.38, 0.62, 1.0), (9,))
    for _ in range(60):
        side.advance(None, 1)
    for beta, rung in zip((0.25, 0.5, 0.5, 1.0), side._sets, strict=True):
        assert np.abs(joined(rung.moments(CHAINS)) - free_moments(program, beta)).max() < 5 / CHAINS**0.5


def test_copies_cannot_be_tempered():
    program = compile(sparsify(two_modes().model, 4))
    with pytest.raises(ModelError, match="needs one p-bit for each variable"):
        Tempered(Simulator(program), 1, 1, 10, LADDER, (1,)).advance(None, 10)


@pytest.mark.parametrize("ladder", [(1.0,), (0.5, 0.9), (0.5, 0.5, 1.0), (0.9, 0.5, 1.0), (-0.5, 1.0), (0.5, np.nan)])
def test_a_ladder_that_does_not_ascend_to_1_is_refused(ladder):
    with pytest.raises(RequestError, match="give at least two betas from 0 on that ascend to 1"):
        Tempered(Simulator(machine()), 1, 1, 10, ladder, (1,))


def sides(seed):
    """A maker of each side, and how it is moved on."""
    rows = np.random.default_rng(3).choice([-1, 1], (30, 4)).astype(np.int8)
    simulator = Simulator(machine(), seed=seed)
    data = Clamped(simulator, 1, 1, ALL).advance(rows)[0]
    data.restore(data_chains(machine(), rows)[1].snapshot())
    return {
        "clamped": (Clamped(simulator, 2, 1, ALL[:2]), lambda side: side.advance(rows)[1]),
        "from data": (FromData(simulator, 2, 2), lambda side: side.advance(data, 30)),
        "persistent": (Persistent(simulator, 2, 1, 70), lambda side: side.advance(None, 30)),
        "tempered": (Tempered(simulator, 2, 2, 70, LADDER, (seed,)), lambda side: side.advance(None, 30)),
    }


@pytest.mark.parametrize("name", ["clamped", "from data", "persistent", "tempered"])
@pytest.mark.parametrize("steps", [0, 1, 2])
def test_a_side_goes_on_from_a_snapshot(name, steps):
    """Exchanges of even and of odd neighbours included; a control: sides of other seeds differ without it."""
    one, advance_one = sides(1)[name]
    other, advance_other = sides(2)[name]
    for _ in range(steps):
        advance_one(one)
    if steps:
        other.restore(one.snapshot())
    for _ in range(3):
        same = np.array_equal(joined(advance_one(one)), joined(advance_other(other)))
        assert same is (steps > 0)


@pytest.mark.parametrize("on_device", [False, True])
def test_a_side_that_has_grown_goes_back(clock_hz, on_device):
    """To as many chains as there were, with and without lanes."""
    few, many = np.ones((5, 4), np.int8), np.ones((9, 4), np.int8)
    program = machine()
    device = Device(program, VirtualDevice(program.image, clock_hz=clock_hz), seed=3)
    side = Clamped(device if on_device else Simulator(program, seed=3), 2, 1, ALL[:2])
    side.advance(few)
    snapshot = side.snapshot()
    expected = side.advance(few)[0].read()
    side.advance(many)
    side.restore(snapshot)
    assert np.array_equal(side.advance(few)[0].read(), expected)
    assert len(side.advance(many)[0].read()) == 9


@given(st.integers(0, 2**128 - 1), st.integers(0, 7), st.integers(0, 3))
def test_generators_are_packed_whole(seed, doubles, halves):
    """Also one that holds back half a draw."""
    rng, other = np.random.default_rng(seed), np.random.default_rng(seed + 1)
    rng.random(doubles)
    rng.integers(0, 2**32, halves, np.uint32)
    words = packed(rng)
    assert words.dtype == np.int64
    assert not np.array_equal(other.random(3), rng.random(3))
    unpack(words, rng)
    unpack(words, other)
    assert np.array_equal(other.integers(0, 2**32, 5, np.uint32), rng.integers(0, 2**32, 5, np.uint32))
    assert np.array_equal(other.random(3), rng.random(3))
    assert other.bit_generator.state == rng.bit_generator.state
