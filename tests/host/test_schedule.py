"""Moments that a device counts alone are those of the states that it would send."""

from __future__ import annotations

import numpy as np
import pytest

from pbit_hw.compiler import Ising, compile
from pbit_hw.contract.errors import RequestError
from pbit_hw.contract.schedule import STEPS, Step, words
from pbit_hw.host.device import Device
from pbit_hw.sim.simulator import Simulator
from pbit_hw.sim.virtual import VirtualDevice


def program(interleave=1):
    rng = np.random.default_rng(3)
    couplings = np.triu(rng.normal(size=(9, 9)) * (rng.random((9, 9)) < 0.4), 1)
    model = Ising(rng.normal(size=9), couplings + couplings.T)
    made = compile(model, generator="linear64")
    return made.interleaved(interleave * made.image.colours if interleave else 1)


def counts_of(sampler, made, **options):
    return sampler.count(made.request(seed=5, **options))


RUNS = [
    {"sweeps": 40, "replicas": 7},
    {"sweeps": 60, "replicas": 12, "burn_in": 13, "keep_every": 4},
    {"sweeps": 6, "replicas": 6, "beta": [0.2, 0.2, 0.5, 1, 1, 1], "keep_every": 2},
    {"sweeps": 5, "replicas": 1, "clamp": {0: 1, 4: -1}},
]


@pytest.mark.parametrize("options", RUNS)
@pytest.mark.parametrize("interleave", [0, 1, 2])
def test_a_device_counts_what_the_simulator_does(interleave, options):
    made = program(interleave)
    wanted = counts_of(Simulator(made), made, **options)
    assert wanted.states == len(made.request(**options).keep) * options["replicas"]
    for counting in (True, False):
        got = counts_of(Device(made, VirtualDevice(made.image, counting=counting)), made, **options)
        assert got.states == wanted.states
        assert np.array_equal(got.ones, wanted.ones)
        assert np.array_equal(got.both, wanted.both)


def test_no_state_travels():
    """Ten times as many samples take as many bytes."""
    made = program(2)
    sent = []
    for sweeps in (100, 1000):
        transport = Counted(VirtualDevice(made.image, counting=True))
        counts_of(Device(made, transport), made, sweeps=sweeps, replicas=made.image.interleave)
        sent.append(transport.bytes)
    assert sent[0] == sent[1]


def test_a_run_of_many_temperatures_is_read_state_by_state():
    """It has more steps than the schedule; the counts are the same."""
    made = program(2)
    options = {"sweeps": STEPS + 5, "replicas": 8, "beta": (0.1, 2.0), "keep_every": 1}
    wanted = counts_of(Simulator(made), made, **options)
    got = counts_of(Device(made, VirtualDevice(made.image, counting=True)), made, **options)
    assert np.array_equal(got.both, wanted.both)


@pytest.mark.parametrize("steps", [[], [Step(1, 1)] * (STEPS + 1), [Step(1, 0)], [Step(1, 1, 0)], [Step(1, 1 << 32)]])
def test_what_is_no_schedule(steps):
    with pytest.raises(RequestError, match="schedule"):
        words(steps)


class Counted:
    """A transport that counts bytes."""

    def __init__(self, inner):
        self._inner, self.bytes = inner, 0

    def write(self, data):
        self.bytes += len(data)
        self._inner.write(data)

    def read(self, count, timeout_s):
        self.bytes += count
        return self._inner.read(count, timeout_s)

    def close(self):
        self._inner.close()
