"""The array fed by junctions: right when they are read seldom, wrong when they are read often or are driven."""

import pytest

from pbit_hw.compiler import compile
from pbit_hw.sim.devices.telegraph import Telegraph, TelegraphWords
from pbit_hw.sim.exact import exact
from pbit_hw.sim.simulator import Simulator
from pbit_hw.sim.statistics import histogram, noise_floor, total_variation

REPLICAS = 1_000
SWEEPS = 1_100
BURN_IN = 100


def distance(model, source):
    """Total variation from exact of 10^6 samples of the array, in units of the noise floor."""
    simulator = Simulator(compile(model), seed=1, source=source)
    samples = simulator.sample(sweeps=SWEEPS, replicas=REPLICAS, burn_in=BURN_IN, beta=1.0)
    counts = histogram(samples.states, model.size)
    assert counts.sum() == REPLICAS * (SWEEPS - BURN_IN)
    probabilities = exact(model, 1.0).probabilities
    return total_variation(counts / counts.sum(), probabilities) / noise_floor(probabilities, counts.sum())


@pytest.mark.parametrize("periods", [10.0, 100.0])
def test_junctions_read_seldom_sample_the_right_distribution(adder, periods):
    device = Telegraph(barrier_kt=2.0)
    period_ns = periods * device.mean_dwell_ns[0]
    assert distance(adder, TelegraphWords(device, period_ns, seed=2)) < 3


def test_negative_control_junctions_read_often_sample_another_distribution(adder):
    """Read twice per dwell time, a junction gives its p-bit a word that remembers the last one."""
    device = Telegraph(barrier_kt=2.0)
    period_ns = device.mean_dwell_ns[0] / 2
    assert distance(adder, TelegraphWords(device, period_ns, seed=2)) > 8


def test_negative_control_driven_junctions_sample_another_distribution(adder):
    device = Telegraph(barrier_kt=2.0, drive=0.1)
    period_ns = 10 * device.mean_dwell_ns[0]
    assert distance(adder, TelegraphWords(device, period_ns, seed=2)) > 20
