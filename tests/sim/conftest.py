"""Random programs, and independent references for what they sample."""

from __future__ import annotations

import numpy as np
import pytest

from pbit_hw.compiler import Model, compile
from pbit_hw.contract.generator import Generator, lfsr_shift, lfsr_word, streams
from pbit_hw.contract.update import Unit
from pbit_hw.sim.kaufman import energy_per_spin


@pytest.fixture(scope="session")
def random_program():
    """Maker of compiled random graphs."""

    def make(seed, size=None, generator=None, unit=None, degree=4.0, scale=0.7, **options):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(1, 25)) if size is None else size
        pairs = np.stack(np.triu_indices(n, 1), axis=1).astype(np.int32)
        edges = pairs[rng.random(len(pairs)) < degree / max(n - 1, 1)]
        chosen = Unit(int(rng.integers(2))) if unit is None else unit
        couplings, biases = rng.normal(0, scale, len(edges)), rng.normal(0, scale / 2, n)
        kind = ("lfsr32", "xoshiro128")[int(rng.integers(2))] if generator is None else generator
        return compile(Model(chosen, tuple(range(n)), edges, couplings, biases), generator=kind, **options)

    return make


class LfsrSource:
    """The words of the simulator's own LFSR streams, shifted ``shifts`` times per sweep: 16 as the contract has it."""

    def __init__(self, seed, replicas, n, shifts):
        self.states = streams(Generator.LFSR32, seed, replicas * n).reshape(replicas, n).T.copy()
        self.shifts = shifts

    def words(self, replicas, n):
        assert self.states.shape == (n, replicas)
        words = lfsr_word(self.states)
        for count in [8] * (self.shifts // 8) + [1] * (self.shifts % 8):
            self.states = lfsr_shift(self.states, count)
        return words


@pytest.fixture(scope="session")
def lfsr_source():
    return LfsrSource


@pytest.fixture(scope="session")
def kaufman_energy():
    """Energy per spin of the periodic lattice."""
    return energy_per_spin
