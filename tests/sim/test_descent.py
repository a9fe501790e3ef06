"""Descent ends in local minima, all of them, and in nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pbit_hw.compiler import Ising, compile, library
from pbit_hw.contract.errors import RequestError
from pbit_hw.sim.descent import descend
from pbit_hw.sim.exact import exact


def gains(model, states):
    """Energy that each single flip costs, recomputed from whole energies, shape (k, n); exact for quantised models."""
    before = model.energies(states)
    costs = np.empty(states.shape)
    for variable in range(model.size):
        flipped = states.copy()
        flipped[:, variable] = sum(model.allowed) - states[:, variable]
        costs[:, variable] = model.energies(flipped) - before
    return costs


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32 - 1), st.integers(2, 12), st.booleans())
def test_every_row_is_a_local_minimum(random_program, seed, weight_bits, clamped):
    program = random_program(seed, weight_bits=weight_bits)
    model = program.quantised
    rng = np.random.default_rng(seed)
    clamp = {label: rng.choice(model.allowed, 5) for label in model.labels if clamped and rng.random() < 0.3}
    samples = descend(program, replicas=5, seed=seed, clamp=clamp)
    free = [label not in clamp for label in model.labels]
    assert (gains(model, samples.states)[:, free] >= 0).all()
    for label, values in clamp.items():
        assert np.array_equal(samples.states[:, label], values)


def test_random_states_are_no_local_minima():
    """Negative control of the check."""
    program = compile(library.lattice((6, 6), spin_glass_seed=1))
    states = np.random.default_rng(1).choice([-1, 1], (50, 36))
    assert (gains(program.quantised, states) < 0).any(axis=1).all()


def test_ground_states_of_easy_models():
    for model in (library.and_gate(), library.full_adder(), library.lattice((4, 4), spin_glass_seed=3)):
        samples = descend(compile(model), seed=1)
        assert samples.best.energy == exact(model).energies.min()
    fields = Ising(np.array([1.0, -2.0, 0.5]), np.zeros((3, 3)))
    assert (descend(compile(fields), seed=1).states == [1, -1, 1]).all()


def test_ties_are_not_flipped():
    """A ring of two domains, whose walls could move at no cost, and p-bits without a field."""
    domains = np.where(np.arange(8) < 4, 1, -1)
    for model in (library.lattice((8,)), Ising(np.zeros(8), np.zeros((8, 8)))):
        samples = descend(compile(model), replicas=2, initial=[domains, domains], seed=1)
        assert np.array_equal(samples.states, [domains, domains])
        assert (samples.sweep == 1).all()


def test_it_ends_below_where_it_began():
    program = compile(library.lattice((6, 6), spin_glass_seed=1))
    initial = np.random.default_rng(1).choice([-1, 1], (50, 36))
    samples = descend(program, replicas=50, initial=initial, seed=1)
    assert (samples.energies < program.model.energies(initial)).all()
    assert (samples.sweep > 1).all()
    assert samples.flips == samples.sweep.sum() * 36
    assert samples.wall_ns > 0


def test_orders_and_seeds():
    program = compile(library.lattice((8, 8), spin_glass_seed=1))
    same = np.random.default_rng(1).choice([-1, 1], 64)
    states = descend(program, replicas=20, initial=[same] * 20).states
    assert len(np.unique(states, axis=0)) > 15  # from one state, in orders of their own
    runs = [descend(program, replicas=replicas, seed=seed).states for seed, replicas in ((-1, 9), (-1, 4), (2, 9))]
    assert np.array_equal(runs[0][:4], runs[1])
    assert not np.array_equal(runs[0], runs[2])


def test_clamps_of_the_program_and_of_all():
    program = compile(library.full_adder(), clamp={"S": -1})
    assert (descend(program).states[:, 3] == -1).all()
    everything = dict.fromkeys(library.FULL_ADDER_LABELS, 1)
    samples = descend(program, replicas=2, clamp=everything)
    assert (samples.states == 1).all()
    assert samples.flips == 0


def test_refusals():
    program = compile(library.and_gate())
    with pytest.raises(RequestError, match="replicas is 0; it must be at least 1"):
        descend(program, replicas=0)
    with pytest.raises(RequestError, match="initial holds 1 states for 2 replicas"):
        descend(program, replicas=2, initial=[[1, 1, 1]])
    with pytest.raises(RequestError, match="cannot clamp 'Z'"):
        descend(program, clamp={"Z": 1})
