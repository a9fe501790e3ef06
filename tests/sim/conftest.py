"""Random programs, and independent references for what they sample."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pbit_hw.compiler import Model, compile
from pbit_hw.contract.generator import Generator, lfsr_shift, lfsr_word, streams
from pbit_hw.contract.update import Unit


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


def kaufman_log_partition(side, coupling):
    """ln Z of the periodic side x side Ising model (Kaufman, Phys. Rev. 76, 1232, 1949)."""
    t = 2 * coupling
    odd = [math.acosh(math.cosh(t) / math.tanh(t) - math.cos(math.pi * k / side)) for k in range(1, 2 * side, 2)]
    even = [math.acosh(math.cosh(t) / math.tanh(t) - math.cos(math.pi * k / side)) for k in range(2, 2 * side, 2)]
    even.append(t + math.log(math.tanh(coupling)))
    # sums of logarithms, each with its sign: the last factor is negative above the critical temperature
    half = [[side * g / 2 for g in gammas] for gammas in (odd, even)]
    terms = []
    for gammas in half:
        terms.append((1.0, sum(math.log(2 * math.cosh(g)) for g in gammas)))
        terms.append(
            (math.prod(math.copysign(1, g) for g in gammas), sum(math.log(2 * abs(math.sinh(g))) for g in gammas))
        )
    top = max(log for _, log in terms)
    total = sum(sign * math.exp(log - top) for sign, log in terms)
    return side * side / 2 * math.log(2 * math.sinh(t)) + top + math.log(total / 2)


@pytest.fixture(scope="session")
def kaufman_energy():
    """Energy per spin of the periodic lattice: - d ln Z / dK / N, by a five-point difference."""

    def energy(side, coupling):
        h = 1e-3
        logs = [kaufman_log_partition(side, coupling + k * h) for k in (-2, -1, 1, 2)]
        return -(logs[0] - 8 * logs[1] + 8 * logs[2] - logs[3]) / (12 * h) / side**2

    return energy
