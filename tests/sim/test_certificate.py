"""Certificates of runs whose answer is known: good ones pass every limit, and each fault trips its own."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from pbit_hw.compiler import BoltzmannMachine, Ising, compile, library
from pbit_hw.compiler.samples import Samples
from pbit_hw.contract.errors import RequestError
from pbit_hw.contract.request import call_seed
from pbit_hw.contract.update import Unit
from pbit_hw.sim import kaufman
from pbit_hw.sim.certificate import MAX_FLOORS, MAX_RHAT, MAX_SIGMA, certify
from pbit_hw.sim.exact import exact, states
from pbit_hw.sim.simulator import Simulator
from pbit_hw.sim.variables import look_at


@pytest.fixture(scope="module")
def adder():
    return compile(library.full_adder())


def run(program, *, source=None, seed=1, kept=1000, keep_every=8, replicas=100, **options):
    return Simulator(program, seed=seed, source=source).sample(
        sweeps=100 + kept * keep_every, burn_in=100, keep_every=keep_every, replicas=replicas, **options
    )


def drawn(model, kept, replicas, *, seed=1, pick=None):
    """Independent samples, from the exact distribution unless ``pick`` says which states."""
    rng = np.random.default_rng(seed)
    if pick is None:
        pick = rng.choice(1 << model.size, kept * replicas, p=exact(model).probabilities)
    rows = states(model, 0, 1 << model.size)[pick]
    sweeps, replica = np.repeat(np.arange(1, kept + 1), replicas), np.tile(np.arange(replicas), kept)
    return Samples(model, rows, sweeps, replica, rows.size, 1)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_full_adder(adder, seed):
    certificate = certify(run(adder, seed=seed), adder, beta=1.0)
    assert certificate.warnings == ()
    assert certificate.distance is not None
    assert certificate.distance.floors < MAX_FLOORS
    assert certificate.distance.kl < 3 * certificate.distance.kl_floor
    assert certificate.variables.rhat < MAX_RHAT
    assert abs(certificate.energy.value - exact(adder.quantised).mean_energy) < 4 * certificate.energy.error
    assert (certificate.n_samples, certificate.keep_every) == (100_000, 8)


def test_one_shift_is_flagged(adder, lfsr_source):
    """The chains of the textbook's LFSR agree with each other, and on the wrong distribution."""
    leapt, textbook = (lfsr_source(call_seed(1, 0), 100, 5, shifts) for shifts in (16, 1))
    assert certify(run(adder, source=leapt), adder, beta=1.0).warnings == ()
    certificate = certify(run(adder, source=textbook), adder, beta=1.0)
    assert len(certificate.warnings) == 1
    assert "noise floors, above 3: another distribution" in certificate.warnings[0]
    assert certificate.distance is not None
    assert certificate.distance.floors > 2 * MAX_FLOORS


def test_noise_floors_of_independent_samples():
    """Total variation and KL of perfect samples are their noise floors on average, neither above nor below."""
    model = library.full_adder()
    distances = [certify(drawn(model, 250, 8, seed=seed), beta=1.0).distance for seed in range(40)]
    assert np.mean([distance.floors for distance in distances if distance]) == pytest.approx(1, abs=0.08)
    assert np.mean([distance.kl / distance.kl_floor for distance in distances if distance]) == pytest.approx(
        1, abs=0.12
    )


def test_a_wrong_beta_is_flagged(adder):
    certificate = certify(run(adder, beta=0.9), adder, beta=1.0)
    assert any("another distribution" in warning for warning in certificate.warnings)


def test_a_stuck_pair_is_flagged():
    """Two replicas in opposite states of a ferromagnet: their energies agree, and so do both halves of each."""
    program = compile(library.lattice((4, 4)))
    initial = np.array([np.ones(16), -np.ones(16)], int)
    certificate = certify(run(program, kept=500, replicas=2, beta=2.0, initial=initial), program, beta=2.0)
    assert certificate.rhat < MAX_RHAT
    assert certificate.variables.rhat > 10
    assert certificate.effective_samples < 5
    assert any(warning.startswith("R-hat of a variable is") for warning in certificate.warnings)
    assert any("autocorrelation times long" in warning for warning in certificate.warnings)


def test_a_frozen_chain_is_flagged():
    """One replica alone cannot disagree with another, but it never moves."""
    program = compile(library.lattice((4, 4)))
    certificate = certify(run(program, kept=500, replicas=1, beta=6.0, initial=np.ones((1, 16), int)), beta=6.0)
    assert certificate.variables.constant == 16
    assert certificate.variables.slowest is None
    assert any("16 of 16 variables never changed" in warning for warning in certificate.warnings)


def test_burn_in_is_seen(adder):
    """Replicas that all start far from equilibrium and drift."""
    program = compile(library.lattice((16, 16)), beta_format="u[2][16]")
    sampler = Simulator(program, seed=1)
    certificate = certify(sampler.sample(60, replicas=32, beta=0.44), program, beta=0.44)
    assert certificate.rhat > 1.1
    assert any(warning.startswith("R-hat of the energy is") for warning in certificate.warnings)


@pytest.fixture(scope="module")
def lattice_run():
    program = compile(library.lattice((16, 16)), beta_format="u[2][16]")
    samples = Simulator(program, seed=1).sample(sweeps=4500, burn_in=500, keep_every=2, replicas=32, beta=0.4)
    return program, samples


def test_ising_lattice(lattice_run):
    program, samples = lattice_run
    certificate = certify(samples, program, beta=0.4)
    assert certificate.distance is None
    assert certificate.lattice is not None
    assert abs(certificate.lattice.z) < MAX_SIGMA
    assert certificate.lattice.exact == pytest.approx(-1.131318, abs=1e-4)
    assert certificate.lattice.coupling == pytest.approx(0.4, abs=2**-17)
    assert certificate.autocorrelation_time == pytest.approx(10, rel=0.2)
    assert not any("Kaufman" in warning for warning in certificate.warnings)
    wrong = certify(samples, program, beta=0.41)
    assert any("from Kaufman's" in warning for warning in wrong.warnings)


def test_lattice_units(lattice_run):
    """A model with couplings of 2.5 and an offset, at a beta that makes it the same lattice."""
    _, samples = lattice_run
    given = samples.model
    scaled = Ising.from_edges(256, given.edges, 2.5 * given.couplings, offset=7.0)
    lattice = certify(replace(samples, model=scaled), beta=0.16).lattice
    assert lattice is not None
    assert lattice.exact == pytest.approx(2.5 * kaufman.energy_per_spin(16, 0.4))
    assert abs(lattice.z) < MAX_SIGMA


@pytest.mark.parametrize("side", [3, 4])
@pytest.mark.parametrize("coupling", [0.01, 0.3, math.log(1 + math.sqrt(2)) / 2, 0.8])
def test_kaufman_against_enumeration(side, coupling):
    reference = exact(library.lattice((side, side)), coupling)
    assert kaufman.log_partition(side, coupling) == pytest.approx(reference.log_partition)
    assert kaufman.energy_per_spin(side, coupling) == pytest.approx(reference.mean_energy / side**2, abs=1e-7)


def test_kaufman_of_a_large_lattice_is_onsagers():
    """At criticality the energy is -sqrt(2) (Onsager, Phys. Rev. 65, 117, 1944), approached as 1 / side."""
    critical = math.log(1 + math.sqrt(2)) / 2
    gaps = [side * (-math.sqrt(2) - kaufman.energy_per_spin(side, critical)) for side in (64, 1000)]
    assert gaps == pytest.approx([0.6231, 0.6231], abs=3e-3)
    with pytest.raises(RequestError, match="coupling K is -1"):
        kaufman.log_partition(4, -1.0)


def test_only_a_torus_is_a_torus():
    assert kaufman.torus(library.lattice((5, 5), 0.7)) == (5, 0.7)
    assert kaufman.torus(library.lattice((4, 4), -0.7)) == (4, 0.7)
    open_edges = [(k, k + 1) for k in range(24)]
    for other in (
        library.lattice((5, 5), -0.7),
        library.lattice((4, 4), 0.0),
        library.lattice((4, 4), spin_glass_seed=1),
        library.lattice((3, 3, 3)),
        library.lattice((3, 12)),
        library.lattice((16,)),
        library.full_adder(),
        Ising.from_edges(25, open_edges, np.ones(24)),
        Ising.from_edges(16, library.lattice((4, 4)).edges, np.ones(32), biases=np.eye(1, 16)[0]),
    ):
        assert kaufman.torus(other) is None


def test_clamps_condition_the_reference(adder):
    samples = run(adder, clamp={"S": 1, "Cout": -1})
    certificate = certify(samples, adder, beta=1.0, clamp={"S": 1, "Cout": -1})
    assert certificate.warnings == ()
    assert certificate.variables.examined == 3
    forgotten = certify(samples, adder, beta=1.0)
    assert any("2 of 5 variables never changed" in warning for warning in forgotten.warnings)
    assert any("another distribution" in warning for warning in forgotten.warnings)
    with pytest.raises(RequestError, match="samples contradict the clamp S=-1"):
        certify(samples, adder, beta=1.0, clamp={"S": -1})


def test_compiled_clamps_are_known():
    program = compile(library.full_adder(), clamp={"A": -1, "Cin": 1})
    certificate = certify(run(program), program, beta=1.0)
    assert certificate.warnings == ()
    assert certificate.variables.examined == 3


def test_bits():
    machine = BoltzmannMachine(3, 0, J=[[0, 1, -1], [1, 0, 0.5], [-1, 0.5, 0]], h=[0.3, -0.2, 0], unit=Unit.BIT)
    program = compile(machine)
    assert certify(run(program), program, beta=1.0).warnings == ()


def test_the_reference_is_of_the_quantised_model():
    """Couplings of 0.3 in steps of a half: the array samples another model, and its own certificate knows."""
    program = compile(Ising(np.zeros(4), 0.3 * (1 - np.eye(4))), weight_format="s[2][1]")
    samples = run(program)
    assert certify(samples, program, beta=1.0).warnings == ()
    assert any("another distribution" in warning for warning in certify(samples, beta=1.0).warnings)


def test_without_beta_nothing_is_compared(adder, lattice_run):
    certificate = certify(run(adder), adder)
    assert (certificate.beta, certificate.distance, certificate.lattice) == (None, None, None)
    assert certify(lattice_run[1]).lattice is None


@pytest.mark.parametrize("beta", [(0.2, 3.0), np.linspace(0.2, 3, 50)])
def test_annealing_is_refused(adder, beta):
    with pytest.raises(RequestError, match=r"beta varies from 0.2 to 3: .* sample at one beta"):
        certify(drawn(adder.model, 10, 2), adder, beta=beta)
    assert certify(drawn(adder.model, 10, 2), adder, beta=[1.0, 1.0]).beta == 1.0


def test_wrong_rows_are_refused(adder):
    samples = drawn(adder.model, 10, 2)
    short = replace(samples, states=samples.states[:-1], sweep=samples.sweep[:-1], replica=samples.replica[:-1])
    with pytest.raises(RequestError, match="19 rows are not 10 sweeps of 2 replicas"):
        certify(short)
    with pytest.raises(RequestError, match="3 kept sweeps are too few"):
        certify(drawn(adder.model, 3, 2))


def test_many_variables_are_sampled_evenly():
    rng = np.random.default_rng(1)
    states = rng.integers(0, 2, (20, 3, 1000)).astype(np.int8)
    found = look_at(states, range(1000), clamped=range(500))
    assert found.examined == 256
    assert isinstance(found.slowest, int)
    assert found.slowest >= 500
    assert look_at(states, range(1000), clamped=range(1000)).examined == 0


def strict(constant):
    raise AssertionError(f"{constant} is no JSON")


def test_json(adder, lattice_run):
    fields = json.loads(json.dumps(certify(run(adder), adder, beta=1.0).to_json()), parse_constant=strict)
    assert fields["n_samples"] == 100_000
    assert sum(fields["energy_histogram"]["counts"]) == 100_000
    assert len(fields["by_replica"]["energy_mean"]) == 100
    assert fields["exact"]["total_variation"] < 3 * fields["exact"]["total_variation_noise_floor"]
    assert fields["warnings"] == []
    assert certify(lattice_run[1], beta=0.4).to_json()["kaufman"]["side"] == 16


def test_json_of_what_is_infinite():
    """Frozen in opposite states: R-hat is null, and so is z at an energy that never changed."""
    model = library.lattice((4, 4))
    pick = np.tile([0, (1 << 16) - 1], 10)
    certificate = certify(drawn(model, 10, 2, pick=pick), beta=1.0)
    fields = json.loads(json.dumps(certificate.to_json()), parse_constant=strict)
    assert fields["variables_max_split_rhat"] is None
    assert fields["kaufman"]["z_standard_errors"] is None
    assert any("R-hat of a variable is inf" in warning for warning in fields["warnings"])


def test_the_model_is_duck_typed(adder):
    """Anything with the columns of `Samples` will do, such as what a file holds."""
    samples = drawn(adder.model, 100, 4)
    plain = SimpleNamespace(
        **{name: getattr(samples, name) for name in ("model", "states", "sweep", "replica", "energies")}
    )
    assert certify(plain, beta=1.0).to_json() == certify(samples, beta=1.0).to_json()
