"""Annealing with its defaults."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pbit_hw.compiler import MaxCut, compile, library
from pbit_hw.sim.annealing import anneal
from pbit_hw.sim.exact import exact

GSET = Path(__file__).resolve().parents[3] / "shared" / "data" / "gset"
BARS = {"G1": 11_612, "G11": 564, "G14": 3_055, "G22": 13_340, "G43": 6_655}


def test_finds_the_ground_state_of_a_small_glass():
    model = library.lattice((4, 4), spin_glass_seed=3)
    samples = anneal(compile(model), sweeps=300, replicas=32, seed=1)
    assert len(samples.states) == 32
    assert samples.best.energy == exact(model).energies.min()


def test_seeds_and_clamps():
    program = compile(library.full_adder())
    runs = [anneal(program, sweeps=50, replicas=8, seed=seed, clamp={"S": 1}).states for seed in (1, 1, 2)]
    assert np.array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])
    assert (runs[0][:, 3] == 1).all()


def test_progress():
    calls = []
    anneal(compile(library.full_adder()), sweeps=20, replicas=2, progress=lambda *numbers: calls.append(numbers))
    assert calls == [(20, 20)]


@pytest.mark.slow
@pytest.mark.skipif(not GSET.is_dir(), reason="the data folder is not here")
@pytest.mark.parametrize("graph", BARS)
def test_cuts_of_the_gset(graph):
    model = MaxCut.from_gset(GSET / f"{graph}.txt")
    program = compile(model)
    cuts = [model.cut(anneal(program, seed=seed).states).max() for seed in range(5)]
    assert np.median(cuts) >= BARS[graph]
