"""The reference sampler, against exact distributions and against the array that it is a reference for."""

from __future__ import annotations

import numpy as np
import pytest

from pbit_hw.compiler import Ising, compile, library
from pbit_hw.contract.errors import FormatError, RequestError
from pbit_hw.contract.update import Unit
from pbit_hw.sim import metropolis
from pbit_hw.sim.exact import exact
from pbit_hw.sim.kaufman import energy_per_spin
from pbit_hw.sim.metropolis import Metropolis
from pbit_hw.sim.simulator import Simulator
from pbit_hw.sim.statistics import histogram, mean_with_error, noise_floor, total_variation

SAMPLES = 200_000
REPLICAS = 200
GATE = 3.0


def excess(program, beta, *, keep_every=16, clamp=None, replicas=REPLICAS, expected_beta=None):
    """Total variation of the samples from the exact distribution of the quantised model, in noise floors."""
    samples = Metropolis(program, seed=1).sample(
        (SAMPLES // replicas + 20) * keep_every,
        burn_in=20 * keep_every,
        keep_every=keep_every,
        replicas=replicas,
        beta=beta,
        clamp=clamp,
    )
    wanted = exact(program.quantised, beta if expected_beta is None else expected_beta, clamp=clamp).probabilities
    counts = histogram(samples.states, program.model.size)
    assert counts.sum() == SAMPLES
    return total_variation(counts / SAMPLES, wanted) / noise_floor(wanted, SAMPLES)


@pytest.mark.parametrize(("beta", "keep_every"), [(0.5, 8), (1.0, 16)])
@pytest.mark.parametrize("model", [library.and_gate(), library.full_adder()], ids=["and", "adder"])
def test_gates(model, beta, keep_every):
    assert excess(compile(model), beta, keep_every=keep_every) < GATE


def test_a_clamped_gate():
    assert excess(compile(library.full_adder()), 1.0, clamp={"S": 1, "Cout": -1}) < GATE


@pytest.mark.parametrize("clamp", [None, {3: 1, 5: 0}], ids=["free", "clamped"])
def test_bits(random_program, clamp):
    program = random_program(7, size=8, unit=Unit.BIT)
    assert excess(program, 1.0, clamp=clamp) < GATE


def test_a_wrong_beta_fails_the_gates(random_program):
    """Negative control, with twice the gate; bits have weak couplings, so that beta is further off."""
    assert excess(compile(library.full_adder()), 1.0, expected_beta=1.1) > 2 * GATE
    assert excess(random_program(7, size=8, unit=Unit.BIT), 1.0, expected_beta=1.3) > 2 * GATE


@pytest.mark.parametrize("size", [1, 4])
def test_one_chain_without_fields_sees_every_state(size):
    """Where every flip is free, and n flips a sweep would never change the parity."""
    program = compile(Ising(np.zeros(size), np.zeros((size, size))))
    assert excess(program, 1.0, replicas=1, keep_every=8) < GATE


@pytest.mark.parametrize("coupling", [0.25, 0.375])
def test_ising_lattice(coupling):
    samples = Metropolis(compile(library.lattice((8, 8))), seed=1).sample(
        4200, burn_in=200, keep_every=4, replicas=32, beta=coupling
    )
    energy = mean_with_error(samples.energies.reshape(-1, 32) / 64)
    assert energy.effective_samples > 3_000
    assert abs(energy.value - energy_per_spin(8, coupling)) < 3.5 * energy.error


@pytest.mark.parametrize("unit", list(Unit))
def test_agrees_with_the_array(random_program, unit):
    """Beyond enumeration; a beta that is 5 % off does not agree."""
    program = random_program(3, size=60, unit=unit)

    def energy(sampler, beta):
        samples = sampler.sample(2100, burn_in=100, keep_every=4, replicas=64, beta=beta)
        return mean_with_error(samples.energies.reshape(-1, 64))

    array, same, off = (
        energy(sampler, beta)
        for sampler, beta in (
            (Simulator(program, seed=1), 1.0),
            (Metropolis(program), 1.0),
            (Metropolis(program), 1.05),
        )
    )
    error = np.hypot(array.error, same.error)
    assert abs(array.value - same.value) < 3.5 * error
    assert abs(array.value - off.value) > 7 * error


def test_replicas_have_streams_of_their_own():
    program = compile(library.lattice((8, 8)))
    initial = np.ones((40, 64), int)
    states = Metropolis(program, seed=1).sample(5, replicas=40, beta=0.3, keep_every=5, initial=initial).states
    assert len(np.unique(states, axis=0)) == 40
    few = Metropolis(program, seed=1).sample(5, replicas=3, beta=0.3, keep_every=5).states
    assert np.array_equal(few, Metropolis(program, seed=1).sample(5, replicas=40, beta=0.3, keep_every=5).states[:3])


def test_seeds():
    program = compile(library.lattice((4, 4)))
    one, again, other = (Metropolis(program, seed=seed) for seed in (-1, -1, 2))
    first = one.sample(30, replicas=4).states
    assert np.array_equal(first, again.sample(30, replicas=4).states)
    assert not np.array_equal(first, other.sample(30, replicas=4).states)
    assert not np.array_equal(first, one.sample(30, replicas=4).states)


def test_pieces_do_not_show(random_program, monkeypatch):
    program = random_program(11, size=20)
    options = {"replicas": 3, "beta": (0.2, 2.0), "keep_every": 3, "burn_in": 4}
    whole = Metropolis(program, seed=1).sample(50, **options)
    monkeypatch.setattr(metropolis, "PIECE", 5 * (program.image.size + program.image.slots))
    pieces = Metropolis(program, seed=1).sample(50, **options)
    assert len(whole.states) == 15 * 3
    assert whole.flips == 50 * 20 * 3
    assert np.array_equal(whole.states, pieces.states)


def test_clamps_of_each_replica_and_where_they_leave_nothing_free():
    program = compile(library.and_gate())
    wanted = {"A": [1, -1, 1], "B": 1, "C": [-1, -1, 1]}
    samples = Metropolis(program, seed=1).sample(10, replicas=3, clamp=wanted)
    assert np.array_equal(samples.states[-3:], [[1, 1, -1], [-1, 1, -1], [1, 1, 1]])
    assert samples.flips == 0


def test_finds_the_ground_state_of_a_small_glass():
    model = library.lattice((4, 4), spin_glass_seed=2)
    samples = Metropolis(compile(model), seed=1).sample(300, replicas=32, beta=(0.1, 4.0))
    assert len(samples.states) == 32
    assert samples.best.energy == exact(model).energies.min()


def test_new_weights_and_programs():
    sampler = Metropolis(compile(library.lattice((4, 4))), seed=1)

    def energy():
        return sampler.sample(200, replicas=4, beta=3.0, keep_every=200, initial=np.ones((4, 16), int)).energies

    assert (energy() == -32).all()
    sampler.set_weights(np.zeros(32), -np.ones(16))
    assert (energy() == -16).all()
    sampler.load(compile(library.lattice((4, 4), coupling=0.5)))
    assert (energy() == -16).all()


def test_refusals():
    sampler = Metropolis(compile(library.and_gate()))
    with pytest.raises(FormatError, match="beta 9 is outside"):
        sampler.sample(10, beta=9.0)
    with pytest.raises(RequestError, match="replicas is 0; it must be at least 1"):
        sampler.sample(10, replicas=0)
