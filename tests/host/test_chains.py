"""Chains in the model's order and units, against the states that they read and against other samplers."""

from __future__ import annotations

import numpy as np
import pytest

from pbit_hw.compiler import RBM, BoltzmannMachine, Ising, compile
from pbit_hw.compiler.polynomial import Polynomial
from pbit_hw.compiler.sparsify import sampling_strength, sparsify
from pbit_hw.contract.errors import ModelError
from pbit_hw.contract.replicas import Replicas
from pbit_hw.contract.update import Unit
from pbit_hw.host.chains import Chains
from pbit_hw.host.device import Device
from pbit_hw.host.moments import Moments
from pbit_hw.sim.exact import exact
from pbit_hw.sim.simulator import Simulator
from pbit_hw.sim.virtual import VirtualDevice

UNITS = pytest.mark.parametrize("unit", list(Unit), ids=[unit.name.lower() for unit in Unit])


def machine(unit):
    """Seven units with some of the couplings, so that the order on the array is another than the model's."""
    rng = np.random.default_rng(1)
    edges = np.array([(i, j) for i in range(7) for j in range(i + 1, 7)])[rng.random(21) < 0.7]
    draft = BoltzmannMachine(4, 3, unit=unit, edges=edges)
    return draft.with_values(rng.normal(0, 0.5, len(draft.edges)), rng.normal(0, 0.5, 7))


def sparsified(model):
    """A program of the model on p-bits with three neighbours, whose copies part now and then, so that they move."""
    return compile(sparsify(model, 3, sampling_strength(model, 3, broken=0.4)))


def random_states(model, count, seed=2):
    return np.random.default_rng(seed).choice(model.allowed, (count, model.size)).astype(np.int8)


def both_programs(unit):
    return [compile(machine(unit)), sparsified(machine(unit))]


def test_the_programs_have_another_order_and_several_copies():
    """What the tests below would not notice otherwise."""
    plain, copied = both_programs(Unit.SPIN)
    assert not np.array_equal(plain.pbits, np.arange(7))
    counts = np.diff(copied.expansion.first)
    assert counts.max() > counts.min() >= 1


@UNITS
def test_what_is_written_is_read(unit):
    for program in both_programs(unit):
        states = random_states(program.model, 70)
        chains = Chains(Simulator(program, seed=3), 70)
        chains.write(np.arange(7), states)
        assert np.array_equal(chains.read(), states)
        chosen = np.array([5, 0, 3])
        assert np.array_equal(chains.read(chosen), states[:, chosen])
        states[:, chosen] = -states[:, chosen] if unit is Unit.SPIN else 1 - states[:, chosen]
        chains.write(chosen, states[:, chosen])
        assert np.array_equal(chains.read(), states)
        assert chains.read().dtype == np.int8


@UNITS
def test_states_on_the_array_are_those_of_a_request(unit):
    """`Program.request` knows the physical order too; a control: another order would be seen."""
    for program in both_programs(unit):
        states = random_states(program.model, 20)
        chains = Chains(Simulator(program), 20)
        chains.write(np.arange(7), states)
        initial = program.request(1, replicas=20, initial=states).initial
        assert np.array_equal(chains.snapshot()["states"], initial)
        assert not np.array_equal(chains.snapshot()["states"], initial[:, ::-1])


def test_fewer_rows_than_chains_begin_anew():
    program = compile(machine(Unit.SPIN))
    states = random_states(program.model, 3)
    chains = Chains(Simulator(program), 8)
    chains.write(np.arange(7), states)
    assert np.array_equal(chains.read(), states[[0, 1, 2, 0, 1, 2, 0, 1]])
    chains.write(np.array([6, 1]), states[:2, [1, 6]])
    assert np.array_equal(chains.read(np.array([6, 1])), np.tile(states[:2, [1, 6]], (4, 1)))
    assert np.array_equal(chains.read(np.array([0])), states[[0, 1, 2, 0, 1, 2, 0, 1]][:, [0]])


@UNITS
def test_what_is_held_stays_and_the_rest_moves(unit):
    held, free = np.array([6, 0, 2]), np.array([1, 3, 4, 5])
    for program in both_programs(unit):
        chains = Chains(Simulator(program, seed=4), 100)
        chains.hold(held)
        before = chains.read()
        chains.run(20)
        assert np.array_equal(chains.read(held), before[:, held])
        assert (chains.read(free) != before[:, free]).any(axis=0).all()
        chains.hold(free)
        between = chains.read()
        chains.run(20)
        assert np.array_equal(chains.read(free), between[:, free])
        assert (chains.read(held) != between[:, held]).any(axis=0).all()
        chains.hold(np.empty(0, np.intp))
        chains.run(20)
        assert (chains.read() != between).any(axis=0).all()


@UNITS
@pytest.mark.parametrize("count", [1, 64, 100, 130])
def test_moments_are_those_of_the_states(unit, count):
    for program in both_programs(unit):
        chains = Chains(Simulator(program, seed=5), 130)
        chains.run(3)
        states = chains.read()[:count]
        for got, expected in zip(chains.moments(count), Moments(program.model)(states), strict=True):
            assert got.dtype == np.float32
            np.testing.assert_allclose(got, expected, atol=1e-6)


def test_moments_of_layers():
    """Their pairs are counted in stretches."""
    rng = np.random.default_rng(6)
    program = compile(RBM(rng.normal(0, 1, (9, 5)), rng.normal(0, 1, 9), rng.normal(0, 1, 5)))
    chains = Chains(Simulator(program, seed=5), 200)
    chains.run(3)
    for got, expected in zip(chains.moments(150), Moments(program.model)(chains.read()[:150]), strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-6)


@UNITS
def test_chains_sample_the_exact_distribution(unit):
    """Of the quantised model; a control: the moments at half of beta are other ones."""
    program = compile(machine(unit))
    chains = Chains(Simulator(program, seed=7), 40_000)
    chains.run(60)
    got = np.concatenate(chains.moments(40_000))
    noise = (1 if unit is Unit.SPIN else 0.5) / 40_000**0.5
    cold, warm = (exact(program.quantised, beta) for beta in (1.0, 0.5))
    assert np.abs(got - np.concatenate([cold.correlation, cold.mean])).max() < 5 * noise
    assert np.abs(got - np.concatenate([warm.correlation, warm.mean])).max() > 20 * noise
    chains.run(60, 0.5)
    got = np.concatenate(chains.moments(40_000))
    assert np.abs(got - np.concatenate([warm.correlation, warm.mean])).max() < 5 * noise


@pytest.mark.parametrize("leaves", [30, 200])
def test_a_majority_of_many_copies(leaves):
    """200 leaves around a hub need 198 copies of it, more than a byte can count; the first of them decides a tie."""
    first = np.zeros(leaves, int)
    star = Ising.from_edges(leaves + 1, np.stack([first, first + np.arange(1, leaves + 1)], axis=1), np.ones(leaves))
    copies = sparsify(star, 3)
    program = compile(copies)
    chains = Chains(Simulator(program, seed=1), 300)
    bits = np.random.default_rng(8).integers(0, 2, (300, program.image.size), np.uint8)
    bits[:100] |= np.random.default_rng(9).integers(0, 2, (100, program.image.size), np.uint8)
    bits[0] = 1
    snapshot = chains.snapshot()
    chains.restore({**snapshot, "states": bits})
    decoded = copies.decode(bits[:, program.pbits]).astype(np.int8)
    assert np.array_equal(chains.read(), 2 * decoded - 1)
    assert np.array_equal(chains.read(np.array([5, 0])), 2 * decoded[:, [5, 0]] - 1)
    assert 0 < decoded[:, 0].mean() < 1


@UNITS
def test_followers_stand_where_the_others_do_and_hold_nothing(unit):
    for program in both_programs(unit):
        simulator = Simulator(program, seed=9)
        leaders, followers = Chains(simulator, 90), Chains(simulator, 90)
        followers.hold(np.arange(7))
        leaders.run(2)
        assert not np.array_equal(followers.read(), leaders.read())
        followers.follow(leaders)
        before = leaders.read()
        assert np.array_equal(followers.read(), before)
        followers.run(10)
        assert (followers.read() != before).any(axis=0).all()
        assert np.array_equal(leaders.read(), before)


def test_chains_have_the_weights_that_the_sampler_has():
    program = compile(BoltzmannMachine(3), weight_format="s[3][4]")
    simulator = Simulator(program, seed=10)
    chains = Chains(simulator, 1000)
    simulator.set_weights(np.zeros(3), np.array([7.0, -7.0, 0.0]))
    chains.run(1)
    means = chains.moments(1000)[1]
    assert means[0] > 0.99
    assert means[1] < -0.99
    assert abs(means[2]) < 5 / 1000**0.5


def history(sampler):
    """States and moments of chains that are written, held, run and followed."""
    first, second = Chains(sampler, 5), Chains(sampler, 5)
    first.write(np.array([3, 1]), random_states(first._program.model, 2)[:, :2])
    first.hold(np.array([3]))
    first.run(3)
    second.follow(first)
    second.run(2, (0.2, 1.0))
    first.hold(np.array([0, 6]))
    first.run(1)
    return [first.read(), second.read(), *first.moments(4), *second.moments(5)]


@UNITS
def test_device_and_simulators_agree(unit, clock_hz):
    for program in both_programs(unit):
        device = Device(program, VirtualDevice(program.image, clock_hz=clock_hz), seed=11)
        simulator = Simulator(program, seed=11)
        assert type(device.replicas(1)) is Replicas is not type(simulator.replicas(1))
        for one, other in zip(history(device), history(simulator), strict=True):
            assert np.array_equal(one, other)


@UNITS
def test_a_snapshot_is_gone_on_from(unit):
    for program in both_programs(unit):
        chains = Chains(Simulator(program, seed=12), 20)
        chains.run(2)
        snapshot = chains.snapshot()
        chains.run(2)
        other = Chains(Simulator(program, seed=13), 20)
        other.restore(snapshot)
        other.run(2)
        assert np.array_equal(other.read(), chains.read())
        other.run(1)
        assert not np.array_equal(other.read(), chains.read())


def test_clamps_of_the_program_are_held_throughout():
    program = compile(BoltzmannMachine(4, 2), clamp={"v1": 1, "h0": -1})
    chains = Chains(Simulator(program, seed=1), 200)
    for held in ([], [0], [2, 3]):
        chains.hold(np.array(held, np.intp))
        chains.run(3)
        states = chains.read()
        assert (states[:, 1] == 1).all()
        assert (states[:, 4] == -1).all()
        assert 0 < (states[:, 5] == 1).mean() < 1
    other = Chains(Simulator(program, seed=2), 200)
    other.follow(chains)
    other.run(2)
    assert (other.read()[:, 1] == 1).all()


def test_polynomials_have_no_chains():
    program = compile(Polynomial.of_terms({("a", "b", "c"): 1.0}, Unit.SPIN))
    with pytest.raises(ModelError, match="a polynomial cannot be trained"):
        Chains(Simulator(program), 3)
