"""Time and energy of physical arrays: by hand, as they scale, and never without the word that they are a model."""

from dataclasses import replace

import pytest

from pbit_hw.compiler import compile
from pbit_hw.compiler.library import lattice
from pbit_hw.contract.errors import ModelError, RequestError
from pbit_hw.sim.devices.accounting import LABEL, Costs, PhysicalArray, account, table
from pbit_hw.sim.simulator import Simulator

COSTS = Costs(update_fj=300.0, synapse_fj=25.0, static_uw=2.0, source="assumed")
DYNAMIC = replace(COSTS, static_uw=0.0)
ARRAY = PhysicalArray(pbits=64, couplings=128, sweep_ns=20.0)


def test_by_hand():
    """64 p-bits with 4 neighbours: 300 + 4 x 25 = 400 fJ per update, and 128 uW that leak for 2 us."""
    found = account(ARRAY, COSTS, flips=6_400, samples=50)
    assert found.time_ns == pytest.approx(2_000)
    assert found.flips_per_s == pytest.approx(3.2e9)
    assert found.time_per_sample_ns == pytest.approx(40)
    assert found.energy_j == pytest.approx(6_400 * 400e-15 + 64 * 2e-6 * 2e-6)
    assert found.energy_per_sample_j == pytest.approx((2.56e-9 + 0.256e-9) / 50)
    assert found.power_w == pytest.approx(1.28e-3 + 0.128e-3)


@pytest.mark.parametrize("shape", [(4, 4), (8, 8)])
def test_a_clocked_array_takes_a_phase_for_each_colour(shape):
    program = compile(lattice(shape))
    array = PhysicalArray.clocked(program, phase_ns=5.0)
    n = shape[0] * shape[1]
    assert program.image.colours == 2
    assert array == PhysicalArray(n, 2 * n, 10.0)
    assert array.flips_per_s == pytest.approx(n * 1e8)


def test_digital_logic_takes_a_clock_for_each_colour():
    """docs/contract.md: n p-bits at f Hz make n f / C flips per second."""
    program = compile(lattice((8, 8)))
    assert PhysicalArray.clocked(program, phase_ns=1e9 / 12.5e6).flips_per_s == pytest.approx(64 * 12.5e6 / 2)


def test_an_autonomous_array_attempts_a_flip_of_each_pbit_per_dwell_time():
    array = PhysicalArray.autonomous(lattice((8, 8)), tau_ns=8.0)
    assert array.flips_per_s == pytest.approx(64 / 8e-9)
    assert account(array, COSTS, flips=64 * 1_000, samples=1).time_ns == pytest.approx(8_000)


def test_a_run_of_the_simulator_is_accounted_with_its_burn_in():
    program = compile(lattice((4, 4)))
    samples = Simulator(program).sample(110, replicas=3, burn_in=10, keep_every=5)
    array = PhysicalArray.clocked(program, phase_ns=5.0)
    found = account(array, COSTS, flips=samples.flips, samples=len(samples.states))
    assert (found.flips, found.samples) == (110 * 3 * 16, 20 * 3)
    assert found.time_ns == pytest.approx(110 * 3 * 10.0)


def test_scaling():
    """A faster array takes the same energy for its events and less for what leaks; power is what it loses in time."""
    base, fast = (account(array, DYNAMIC, flips=1e6, samples=10) for array in (ARRAY, replace(ARRAY, sweep_ns=2.0)))
    assert fast.time_ns == pytest.approx(base.time_ns / 10)
    assert fast.energy_j == pytest.approx(base.energy_j)
    assert fast.power_w == pytest.approx(10 * base.power_w)
    leaking = [
        account(array, COSTS, flips=1e6, samples=10).energy_j - base.energy_j
        for array in (ARRAY, replace(ARRAY, sweep_ns=2.0))
    ]
    assert leaking[0] == pytest.approx(10 * leaking[1])
    more = account(ARRAY, COSTS, flips=3e6, samples=10)
    assert more.energy_per_sample_j == pytest.approx(3 * account(ARRAY, COSTS, flips=1e6, samples=10).energy_j / 10)
    assert more.flips_per_s == pytest.approx(ARRAY.flips_per_s)


def test_couplings_are_read_from_both_ends():
    sparse, dense = (
        account(replace(ARRAY, couplings=couplings), DYNAMIC, flips=64, samples=1) for couplings in (0, 128)
    )
    assert dense.energy_j - sparse.energy_j == pytest.approx(2 * 128 * 25e-15)


def test_every_account_says_that_it_is_a_model_and_of_what():
    found = account(ARRAY, COSTS, flips=6_400, samples=50)
    assert LABEL == "model, not measured"
    assert found.label == "model, not measured; energies: assumed"
    assert str(found) == (
        "3.2e+09 flips/s, 40 ns and 5.63e-11 J per sample, 0.00141 W (model, not measured; energies: assumed)"
    )
    lines = table({"FPGA": found, "sMTJ": replace(found, source="elsewhere")}).splitlines()
    assert lines[0].split("  ")[0] == LABEL
    assert [line.split()[0] for line in lines[1:]] == ["FPGA", "sMTJ"]
    assert [line.split()[-1] for line in lines[1:]] == ["assumed", "elsewhere"]
    assert len({line.index(word) for line, word in zip(lines, ("energies", "assumed", "elsewhere"), strict=True)}) == 1


def test_energies_must_be_stated():
    with pytest.raises(TypeError):
        Costs()  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"update_fj": -1.0}, r"update_fj is -1\.0; give a finite number of at least 0"),
        ({"synapse_fj": float("nan")}, "synapse_fj is nan"),
        ({"static_uw": float("inf")}, "static_uw is inf"),
        ({"source": " "}, "have no source"),
    ],
)
def test_impossible_costs_are_refused(change, message):
    with pytest.raises(ModelError, match=message):
        replace(COSTS, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pbits": 0}, "array of 0 p-bits"),
        ({"couplings": -1}, "-1 couplings"),
        ({"sweep_ns": 0.0}, r"sweep of 0\.0 ns is impossible"),
        ({"sweep_ns": float("inf")}, "sweep of inf ns"),
    ],
)
def test_impossible_arrays_are_refused(change, message):
    with pytest.raises(ModelError, match=message):
        replace(ARRAY, **change)


@pytest.mark.parametrize("numbers", [(0, 1), (1, 0), (float("nan"), 1), (1, float("inf"))])
def test_an_empty_run_is_refused(numbers):
    flips, samples = numbers
    with pytest.raises(RequestError, match="make no account; give a positive and finite number"):
        account(ARRAY, COSTS, flips=flips, samples=samples)
