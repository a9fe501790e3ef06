"""Random programs, and independent references for what they sample."""

from __future__ import annotations

import numpy as np
import pytest

from pbit_hw.compiler import Model, compile
from pbit_hw.contract.generator import GENERATOR_NAMES
from pbit_hw.contract.update import Unit
from pbit_hw.sim.devices.lfsr import LfsrWords
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
        kind = GENERATOR_NAMES[int(rng.integers(len(GENERATOR_NAMES)))] if generator is None else generator
        return compile(Model(chosen, tuple(range(n)), edges, couplings, biases), generator=kind, **options)

    return make


@pytest.fixture(scope="session")
def lfsr_source():
    return LfsrWords


@pytest.fixture(scope="session")
def kaufman_energy():
    """Energy per spin of the periodic lattice."""
    return energy_per_spin
