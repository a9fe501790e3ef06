"""Replica exchange between programs against exact distributions, of copies of variables above all."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import pytest

from pbit_hw.compiler import Model, compile
from pbit_hw.compiler.sparsify import sparsify
from pbit_hw.contract.errors import RequestError
from pbit_hw.contract.update import Unit
from pbit_hw.sim.ensemble import Ensemble
from pbit_hw.sim.exact import exact, states
from pbit_hw.sim.exchange import exchange
from pbit_hw.sim.simulator import Simulator
from pbit_hw.sim.statistics import histogram, noise_floor, total_variation

STRENGTHS = (0.7, 1.2, 1.9, 3.0)


def dense(unit=Unit.SPIN, size=5):
    """Everything coupled to everything, with biases."""
    rng = np.random.default_rng(0)
    edges = np.stack(np.triu_indices(size, 1), axis=1).astype(np.int32)
    return Model(unit, tuple(range(size)), edges, rng.normal(0, 0.6, len(edges)), rng.normal(0, 0.3, size))


def ladder(model):
    """The model with copies of degree 3, by strength."""
    return [compile(sparsify(model, 3, strength), weight_bits=12) for strength in STRENGTHS]


def decoded(program, beta, clamp=None):
    """Exact distribution of the majorities of a program's copies."""
    bits = (states(program.target, 0, 1 << program.target.size) > 0).astype(np.uint8)
    rows = program.expansion.decode(bits) @ (1 << np.arange(program.model.size))
    first = program.expansion.first
    held: dict[Hashable, float] = {
        int(copy): value
        for label, value in (clamp or {}).items()
        for copy in program.expansion.copies[first[label] : first[label + 1]]
    }
    probabilities = exact(program.quantised, beta, clamp=held).probabilities
    return np.bincount(rows, probabilities, 1 << program.model.size)


def floors(programs, beta=1.0, clamp=None):
    """Distance of every program's samples from its exact distribution, in noise floors."""
    run = exchange(programs, rounds=1_600, burn_in=100, sweeps_per_round=10, beta=beta, clamp=clamp, seed=1, threads=1)
    found = []
    for program, samples in zip(programs, run.samples, strict=True):
        counts, wanted = histogram(samples.states, program.model.size), decoded(program, beta, clamp)
        found.append(total_variation(counts / counts.sum(), wanted) / noise_floor(wanted, counts.sum()))
    return np.array(found)


@pytest.mark.parametrize(("size", "unit"), [(5, Unit.SPIN), (5, Unit.BIT), (6, Unit.SPIN)])
def test_every_strength_samples_its_own_distribution(size, unit):
    programs = ladder(dense(unit, size))
    assert programs[0].image.size == size * (size - 3)  # copies
    assert floors(programs).max() < 2


def test_other_betas_and_clamps():
    assert floors(ladder(dense()), beta=0.5, clamp={1: 1, 3: -1}).max() < 2


def test_exchanges_without_a_test_show(monkeypatch):
    """Negative control: with all energies equal, all exchanges are accepted."""
    monkeypatch.setattr(Ensemble, "energies", lambda ensemble: np.zeros((ensemble.layout.sets, 64)))
    assert floors(ladder(dense())).max() > 5


def test_a_program_that_is_stuck_moves_by_exchange():
    """All up or all down: the strong chain keeps to where it starts, for itself."""
    size, start = 12, np.ones((64, 12), int)
    edges = np.stack([np.arange(size - 1), np.arange(1, size)], axis=1).astype(np.int32)
    programs = [
        compile(Model(Unit.SPIN, tuple(range(size)), edges, np.full(size - 1, coupling), np.zeros(size)))
        for coupling in (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.5)
    ]
    alone = Simulator(programs[-1], seed=1).sample(4_000, replicas=64, initial=start, burn_in=2_000, keep_every=200)
    run = exchange(programs, rounds=200, burn_in=100, keep_every=10, initial=start, seed=1)
    assert alone.states.mean() > 0.7
    assert abs(run.samples[-1].states.mean()) < 0.15
    assert (run.swap_rates > 0.1).all()


def test_what_comes_back():
    programs = ladder(dense())
    ticks: list[tuple[int, int]] = []
    run = exchange(programs, rounds=6, sweeps_per_round=7, burn_in=2, keep_every=2, progress=lambda *t: ticks.append(t))
    assert [len(run.samples), run.swap_rates.shape] == [4, (3,)]
    for samples in run.samples:
        assert samples.states.shape == (2 * 64, 5)
        assert np.unique(samples.sweep).tolist() == [28, 42]
        assert samples.flips == 64 * 10 * 42
        assert 0 < samples.broken.max() <= 1
    assert ticks == [(done, 6) for done in range(1, 7)]


def test_seeds():
    programs = ladder(dense())
    runs = [exchange(programs, rounds=4, seed=seed, threads=threads) for seed, threads in ((1, 1), (1, 3), (2, 1))]
    first, again, other = (np.array([samples.states for samples in run.samples]) for run in runs)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first[0], first[1])


def test_refusals():
    programs = ladder(dense())
    with pytest.raises(RequestError, match="1 programs have none to exchange with; give at least 2"):
        exchange(programs[:1], rounds=1)
    with pytest.raises(RequestError, match="different p-bits"):
        exchange([programs[0], compile(dense())], rounds=1)
    with pytest.raises(RequestError, match="nothing would be kept"):
        exchange(programs, rounds=5, burn_in=5)
