"""Schedules and counters in RTL, through the link, against the virtual device and the simulator."""

from __future__ import annotations

import numpy as np
import pytest

from pbit_hw.compiler import compile, library
from pbit_hw.contract.forms import Form
from pbit_hw.contract.generator import seeds
from pbit_hw.contract.registers import Control, Region, address
from pbit_hw.contract.request import replica_streams
from pbit_hw.contract.schedule import COUNT_LIMIT, CountingImage, Step, words
from pbit_hw.gateware.device import LinkedArray
from pbit_hw.host import schedule
from pbit_hw.host.client import Client, RefusedError
from pbit_hw.host.device import Device
from pbit_hw.sim.simulator import Simulator
from pbit_hw.sim.virtual import VirtualDevice

from .rtl_transport import RTLTransport

pytestmark = pytest.mark.usefixtures("undefined_reads")

CLOCK_HZ = 1_000_000
STEPS = address(Region.CONTROL, Control.STEPS)


def rtl(image, form, *, counting=True):
    return RTLTransport(LinkedArray(image, CLOCK_HZ, form, counting=counting), CLOCK_HZ)


def program(form):
    made = compile(library.full_adder(), generator="linear64" if form is Form.TABLE else "lfsr48")
    return made.interleaved(form.interleave(made.image))


@pytest.mark.parametrize("form", [Form.ADDER, Form.TABLE])
def test_host_counts(form, monkeypatch):
    """Ten runs at two temperatures, counted on the device, are the simulator's counts; no state is sent."""
    monkeypatch.setattr(schedule, "ANSWER_S", 300.0)  # the RTL's second is longer than ours
    made = program(form)
    request = made.request(sweeps=24, replicas=made.image.interleave, burn_in=4, keep_every=2, seed=8)
    device = Device(made, rtl(made.image, form), seed=8)
    monkeypatch.setattr(Device, "run", None)
    got, wanted = device.count(request), Simulator(made, seed=8).count(request)
    assert got.states == wanted.states == 10 * made.image.interleave
    assert np.array_equal(got.ones, wanted.ones)
    assert np.array_equal(got.both, wanted.both)
    assert got.both.max() > 0


@pytest.mark.slow
@pytest.mark.parametrize("form", [Form.ADDER, Form.TABLE])
def test_ten_thousand_sweeps(form, monkeypatch):
    monkeypatch.setattr(schedule, "ANSWER_S", 3000.0)
    made = program(form)
    request = made.request(sweeps=10_000, replicas=made.image.interleave, seed=9)
    got = Device(made, rtl(made.image, form), seed=9).count(request)
    wanted = Simulator(made, seed=9).count(request)
    assert got.states == wanted.states == 10_000 * made.image.interleave
    assert np.array_equal(got.ones, wanted.ones)
    assert np.array_equal(got.both, wanted.both)


def session(transport, made):
    """Counters that are nearly full, a schedule of three steps, and what they are then."""
    client, image = Client(transport), made.image
    full = np.full(CountingImage(image).counters, COUNT_LIMIT - 3, np.uint32)
    full[::3] = 7
    client.write(address(Region.GENERATOR), seeds(image.generator, replica_streams(image, 4, 1)).reshape(-1))
    client.write(address(Region.COUNT), full)
    client.write(address(Region.SCHEDULE), words([Step(100, 2), Step(600, 1, 6, True), Step(900, 3, 2, True)]))
    client.write(STEPS, np.array([3]))
    while client.read(STEPS, 1)[0]:
        continue
    beta = client.read(address(Region.CONTROL, Control.BETA), 1)
    return np.concatenate([client.read(address(Region.COUNT), len(full)), beta])


@pytest.mark.parametrize("form", [Form.ADDER, Form.TABLE])
def test_counters_saturate(form):
    made = program(form)
    wanted = session(VirtualDevice(made.image, CLOCK_HZ, counting=True), made)
    assert (wanted[:-1] == COUNT_LIMIT).any()
    assert (wanted[::3] < 1000).all()
    assert np.array_equal(session(rtl(made.image, form), made), wanted)


def test_a_stop_ends_a_schedule():
    """After the run under way, which is not counted."""
    made = program(Form.ADDER)
    transport = rtl(made.image, Form.ADDER)
    client = Client(transport)
    client.write(address(Region.SCHEDULE), words([Step(500, 1_000_000, 5, True), Step(500, 1, 1, True)]))
    client.write(STEPS, np.array([2]))
    assert client.read(STEPS, 1)[0] == 2
    with pytest.raises(RefusedError, match="under way"):
        client.write(STEPS, np.array([1]))
    client.write(address(Region.CONTROL, Control.STOP), np.array([1]))
    transport.pass_clocks(200)
    assert client.read(STEPS, 1)[0] == 0
    counters = CountingImage(made.image).counters
    assert not client.read(address(Region.COUNT), counters).any()


def test_a_device_without_counters_has_no_such_registers():
    made = program(Form.ADDER)
    client = Client(rtl(made.image, Form.ADDER, counting=False))
    with pytest.raises(RefusedError, match="no such register"):
        client.read(STEPS, 1)
    assert client.clean
