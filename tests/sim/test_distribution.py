"""What the simulator samples, against exact distributions; the textbook's one-shift LFSR must fail the same gates."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pbit_hw.compiler import compile, library
from pbit_hw.contract.generator import GENERATOR_NAMES
from pbit_hw.contract.request import call_seed
from pbit_hw.sim.exact import exact
from pbit_hw.sim.simulator import Simulator
from pbit_hw.sim.statistics import histogram, mean_with_error, noise_floor, total_variation

SAMPLES = 1_000_000
REPLICAS = 1000
GATE = 3.0

KAUFMAN = {
    4: (-0.456135, -0.844054, -1.379116, -1.565624, -1.755380),
    8: (-0.428368, -0.712467, -1.222321, -1.491589, -1.745683),
    16: (-0.428229, -0.704533, -1.131318, -1.453065, -1.745531),
    32: (-0.428229, -0.704499, -1.107292, -1.433658, -1.745565),
}
CRITICAL = math.log(1 + math.sqrt(2)) / 2
COUPLINGS = (0.2, 0.3, 0.4, CRITICAL, 0.5)


def excess(program, beta, *, keep_every, clamp=None, source=None, seed=1):
    """Total variation of a million samples from the exact distribution of the quantised model, in noise floors."""
    samples = Simulator(program, seed=seed, source=source).sample(
        sweeps=(SAMPLES // REPLICAS + 20) * keep_every,
        burn_in=20 * keep_every,
        keep_every=keep_every,
        replicas=REPLICAS,
        beta=beta,
        clamp=clamp,
    )
    reference = exact(program.quantised, beta, clamp=clamp)
    counts = histogram(samples.states, program.model.size)
    assert counts.sum() == SAMPLES
    floor = noise_floor(reference.probabilities, SAMPLES)
    return total_variation(counts / SAMPLES, reference.probabilities) / floor


@pytest.mark.parametrize(("beta", "keep_every"), [(0.5, 8), (1.0, 16), (1.5, 128), (2.0, 1024)])
@pytest.mark.parametrize("model", [library.and_gate(), library.full_adder()], ids=["and", "adder"])
@pytest.mark.parametrize("generator", ["xoshiro64", "lfsr48", "linear64"])
def test_gates(model, beta, keep_every, generator):
    assert excess(compile(model, generator=generator), beta, keep_every=keep_every) < GATE


def test_one_shift_fails_the_gate(lfsr_source):
    program = compile(library.full_adder())
    leapt, textbook = (lfsr_source(call_seed(1, 0), REPLICAS, 5, shifts) for shifts in (16, 1))
    assert excess(program, 1.0, keep_every=2, source=leapt) < GATE
    assert excess(program, 1.0, keep_every=2, source=textbook) > 5 * GATE


def check_random_graph(random_program, seed):
    """A graph of at most 12 p-bits and at least 3 colours; two in three are clamped in places."""
    rng = np.random.default_rng(seed)
    while True:
        program = random_program(int(rng.integers(2**32)), size=int(rng.integers(3, 13)), scale=0.5)
        if program.image.colours >= 3:
            break
    labels = rng.choice(program.model.size, seed % 3, replace=False)
    low = -1 if program.model.unit else 0
    clamp = {int(label): int(rng.choice((low, 1))) for label in labels}
    assert excess(program, 1.0, keep_every=8, clamp=clamp, seed=seed) < GATE


@pytest.mark.parametrize("seed", range(6))
def test_random_graphs(random_program, seed):
    check_random_graph(random_program, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6, 60))
def test_more_random_graphs(random_program, seed):
    check_random_graph(random_program, seed)


@pytest.mark.parametrize("side", KAUFMAN)
def test_kaufman_reference(kaufman_energy, side):
    """The reference itself: closed form against the table of the literature values."""
    assert [kaufman_energy(side, coupling) for coupling in COUPLINGS] == pytest.approx(KAUFMAN[side], abs=1.1e-6)


def lattice_energy(coupling, *, sweeps, seed=1, generator="lfsr48", source=None):
    """Energy per spin of the 16 x 16 lattice from 64 replicas."""
    program = compile(library.lattice((16, 16)), beta_format="u[2][16]", generator=generator)
    samples = Simulator(program, seed=seed, source=source).sample(
        sweeps=sweeps + 500,
        burn_in=500,
        keep_every=2,
        replicas=64,
        beta=coupling,
        initial=np.ones((64, 256), int),
    )
    return mean_with_error(samples.energies.reshape(-1, 64) / 256)


@pytest.mark.parametrize("coupling", [0.2, 0.3, 0.4, 0.5])
def test_ising_lattice(coupling):
    energy = lattice_energy(coupling, sweeps=4000)
    assert energy.effective_samples > 5_000
    assert abs(energy.value - KAUFMAN[16][COUPLINGS.index(coupling)]) < 3.5 * energy.error


@pytest.mark.slow
@pytest.mark.parametrize("generator", GENERATOR_NAMES)
@pytest.mark.parametrize("coupling", [0.2, 0.3, 0.4, 0.5])
def test_ising_lattice_longer(coupling, generator):
    energy = lattice_energy(coupling, sweeps=12_000, seed=2, generator=generator)
    assert abs(energy.value - KAUFMAN[16][COUPLINGS.index(coupling)]) < 3.5 * energy.error


def test_one_shift_fails_on_the_lattice(lfsr_source):
    leapt, textbook = (
        lattice_energy(0.4, sweeps=1500, source=lfsr_source(call_seed(1, 0), 64, 256, shifts)) for shifts in (16, 1)
    )
    reference = KAUFMAN[16][2]
    assert abs(leapt.value - reference) < 3.5 * leapt.error
    assert abs(textbook.value - reference) > 20 * textbook.error
    assert textbook.value == pytest.approx(-1.4337, abs=0.02)
