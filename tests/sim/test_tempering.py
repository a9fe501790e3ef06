"""Parallel tempering against exact distributions and known ground states."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pbit_hw.compiler import Ising, compile, library
from pbit_hw.contract.errors import RequestError
from pbit_hw.contract.update import Unit
from pbit_hw.sim import tempering
from pbit_hw.sim.ensemble import Ensemble
from pbit_hw.sim.exact import exact
from pbit_hw.sim.statistics import histogram, noise_floor, total_variation
from pbit_hw.sim.tempering import temper

GLASSES = Path(__file__).resolve().parents[3] / "shared" / "data" / "ea3d"
GROUND = {
    "L08_0000": -858, "L08_0001": -864, "L08_0002": -878, "L08_0003": -862, "L08_0004": -872,
    "L10_0000": -1731, "L10_0001": -1731,
}  # fmt: skip


def floors(program, clamp=None, **options):
    """Distance of the coldest rung's states from exact, in noise floors."""
    run = temper(program, rounds=4_000, rungs=5, beta=(0.2, 1.2), keep_every=4, clamp=clamp, seed=2, **options)
    beta = run.betas[-1]
    wanted = exact(program.quantised, beta, clamp=clamp).probabilities
    found = histogram(run.samples.states, program.image.size)
    return total_variation(found / found.sum(), wanted) / noise_floor(wanted, found.sum())


@pytest.mark.parametrize("clusters", [True, False])
@pytest.mark.parametrize("unit", list(Unit))
def test_samples_the_boltzmann_distribution(random_program, unit, clusters):
    assert floors(random_program(4, size=8, unit=unit), clusters=clusters) < 2


def test_samples_conditionals(random_program):
    assert floors(random_program(5, size=8, unit=Unit.SPIN), clamp={2: 1, 6: -1}) < 2


def test_exchanges_without_a_test_show(random_program, monkeypatch):
    """Negative control: with all energies equal, all exchanges are accepted."""
    monkeypatch.setattr(Ensemble, "energies", lambda ensemble: np.zeros((ensemble.layout.sets, 64)))
    assert floors(random_program(4, size=8, unit=Unit.SPIN)) > 10


def test_the_ladder_adapts_to_equal_rejection(monkeypatch):
    """Against the geometric one that it begins with."""
    program = compile(library.lattice((6, 6, 6), spin_glass_seed=1))
    run = temper(program, rounds=1200, rungs=12, seed=1)
    monkeypatch.setattr(tempering._Ladder, "space", tempering._Ladder._forget)
    fixed = temper(program, rounds=1200, rungs=12, seed=1)
    assert (np.diff(run.betas) > 0).all()
    assert (run.betas[0], run.betas[-1]) == (fixed.betas[0], fixed.betas[-1])
    assert run.swap_rates.std() < fixed.swap_rates.std() / 2
    assert run.swap_rates.min() > 1.5 * fixed.swap_rates.min()


def test_best_is_what_it_says():
    program = compile(library.lattice((4, 4), spin_glass_seed=3))
    run = temper(program, rounds=60, rungs=4, seed=1)
    ground = exact(program.model).energies.min()
    assert run.best.best.energy == ground
    assert run.samples.states.shape == (64, 16)
    stopped = temper(program, rounds=10_000, rungs=4, seed=1, stop_at=ground)
    assert stopped.best.best.energy == ground
    assert stopped.samples.flips < 10_000 * 4 * 64 * 16 / 50


def test_seeds():
    program = compile(library.full_adder())
    runs = [
        temper(program, rounds=30, rungs=3, seed=seed, threads=threads) for seed, threads in ((1, 1), (1, 2), (2, 1))
    ]
    states = [run.samples.states for run in runs]
    assert np.array_equal(states[0], states[1])
    assert not np.array_equal(states[0], states[2])


def test_refusals():
    program = compile(library.full_adder())
    with pytest.raises(RequestError, match="at least 2"):
        temper(program, rungs=1)
    coarse = compile(Ising(np.zeros(2), np.array([[0, 1], [1, 0]])), beta_format="u[2][1]")
    with pytest.raises(RequestError, match=r"24 rungs from beta 0\.5 to .* u\[2\]\[1\] has"):
        temper(coarse, beta=(0.5, 3.0))


@pytest.mark.slow
@pytest.mark.skipif(not GLASSES.is_dir(), reason="the data folder is not here")
@pytest.mark.parametrize("name", GROUND)
def test_ground_states_of_glasses(name):
    rows = np.loadtxt(GLASSES / f"{name}.txt")
    i, j = rows[:, :2].astype(int).T
    size = 1000 if name.startswith("L10") else 512
    model = Ising.from_edges(size, np.stack([i, j], axis=1)[i < j], -rows[i < j, 2] / 4)
    program = compile(model)
    runs = [temper(program, rounds=4_000, seed=seed, stop_at=GROUND[name]) for seed in range(10)]
    assert sum(run.best.best.energy == GROUND[name] for run in runs) >= 9
    assert max(run.samples.wall_ns for run in runs) < 60e9
