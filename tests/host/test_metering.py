"""The meter: counts against sizes of frames worked out by hand, and nothing changed on the way."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pbit_hw.contract import link
from pbit_hw.contract.errors import LinkError, RequestError
from pbit_hw.contract.link import Frame, Opcode
from pbit_hw.contract.registers import Control, Region, address
from pbit_hw.host.client import Client
from pbit_hw.host.device import Device
from pbit_hw.host.metering import OTHER, Meter, Traffic
from pbit_hw.sim.virtual import VirtualDevice

FRAME = 1 + 2 + 1 + 1 + 2
"""Bytes of a frame without payload: sync, length, opcode, sequence, CRC."""

BAUD = 1_000_000


class Recorder:
    """Passes bytes on, late if asked to, and counts them without looking at them."""

    def __init__(self, inner):
        self.inner = inner
        self.bytes_out = self.bytes_in = self.writes = 0
        self.delay_s = 0.0

    def write(self, data):
        time.sleep(self.delay_s)
        self.inner.write(data)
        self.bytes_out += len(data)
        self.writes += 1

    def read(self, count, timeout_s):
        data = self.inner.read(count, timeout_s)
        self.bytes_in += len(data)
        return data

    def close(self):
        self.inner.close()


class LossyMeter(Meter):
    """A meter that misses a byte of every read."""

    def _count(self, more):
        super()._count(more._replace(bytes_in=more.bytes_in - (more.bytes_in > 0)))


@pytest.fixture
def opened(programs, clock_hz):
    """An array of 36 p-bits in 2 colours, and a meter of the device before it."""

    def opened(kind=Meter, **options):
        image = programs["glass"].image
        recorder = Recorder(VirtualDevice(image, clock_hz))
        return kind(recorder, colours=image.colours, clock_hz=clock_hz, baud=BAUD, **options), recorder

    return opened


def converse(meter):
    """A known sequence of requests: a read, a write of two frames, one of beta, and samples."""
    client = Client(meter)
    client.read(address(Region.CONTROL), 10)
    client.write(address(Region.GENERATOR), np.arange(100))
    client.write(address(Region.CONTROL, Control.BETA), np.array([128]))
    client.sample(5, 3, 2, 0.0)


BY_HAND = {
    "READ CONTROL": Traffic(1, FRAME + 4 + 2, FRAME + 40),
    "WRITE GENERATOR": Traffic(2, 2 * (FRAME + 4) + 400, 2 * FRAME),
    "WRITE CONTROL": Traffic(1, FRAME + 4 + 4, FRAME),
    "SAMPLE": Traffic(1, FRAME + 4 + 2, 3 * (FRAME + 8)),
}


def test_counts_are_those_worked_out_by_hand(opened):
    meter, _ = opened()
    converse(meter)
    cost = meter.total
    assert cost.by_kind == BY_HAND
    assert cost.requests == 5
    assert cost.bytes_out == 463
    assert cost.bytes_in == 47 + 14 + 7 + 45


def test_kinds_add_up_to_what_another_counter_saw(programs, clock_hz):
    """Over a whole run of the host's own device, whose states are what they are without a meter."""
    program = programs["machine"]
    recorder = Recorder(VirtualDevice(program.image, clock_hz))
    meter = Meter(recorder, colours=program.image.colours, clock_hz=clock_hz)
    plain = Device(program, VirtualDevice(program.image, clock_hz), seed=4)
    device = Device(program, meter, seed=4)
    for sampler in (plain, device):
        sampler.set_weights(np.ones(len(program.model.edges)), np.zeros(program.model.size))
    options = {"replicas": 3, "clamp": {program.model.labels[0]: 1}}
    assert np.array_equal(device.sample(20, **options).states, plain.sample(20, **options).states)
    cost = meter.total
    counted = (cost.requests, cost.bytes_out, cost.bytes_in)
    assert counted == (recorder.writes, recorder.bytes_out, recorder.bytes_in)
    assert {"WRITE WEIGHT", "WRITE BIAS", "WRITE STATE", "WRITE CLAMP"} <= set(cost.by_kind)
    assert OTHER not in cost.by_kind


def test_a_miscount_would_be_seen(opened):
    """Negative control."""
    meter, recorder = opened(LossyMeter)
    converse(meter)
    assert meter.total.by_kind != BY_HAND
    assert meter.total.bytes_in < recorder.bytes_in


def test_wire_and_array_are_modelled(opened, clock_hz):
    meter, _ = opened()
    converse(meter)
    cost = meter.total
    assert cost.wire_s == pytest.approx((463 + 113) * 10 / BAUD)
    assert cost.array_s == pytest.approx(5 * 3 * 2 / clock_hz)
    assert cost.total_s == cost.wire_s + cost.array_s + cost.host_s
    slow = replace(cost, baud=BAUD // 10)
    assert slow.wire_s == pytest.approx(10 * cost.wire_s)
    assert (slow.by_kind, slow.array_s, slow.host_s) == (cost.by_kind, cost.array_s, cost.host_s)


def test_an_interleaved_array_takes_as_many_clocks_as_replicas_and_comes_home(programs, clock_hz):
    program = programs["glass"].interleaved(4)
    meter = Meter(VirtualDevice(program.image, clock_hz), colours=2, clock_hz=clock_hz, interleave=4, baud=BAUD)
    client = Client(meter)
    client.sample(5, 3, 4 * 2, 0.0)
    assert meter.total.array_s == pytest.approx((5 + 1) * 3 * 4 / clock_hz)
    client.sample(0, 3, 4 * 2, 0.0)
    assert meter.total.array_s == pytest.approx((5 + 1) * 3 * 4 / clock_hz)


def test_laps_and_means(opened):
    meter, _ = opened()
    converse(meter)
    first = meter.lap()
    Client(meter).read(address(Region.STATE), 2)
    second = meter.lap()
    assert first.by_kind == BY_HAND
    assert second.by_kind == {"READ STATE": Traffic(1, FRAME + 6, FRAME + 8)}
    assert second.array_s == 0
    assert meter.lap().by_kind == {}
    converse(meter)
    converse(meter)
    mean = meter.lap() / 2
    assert mean.by_kind == BY_HAND
    assert mean.array_s == pytest.approx(first.array_s)


def test_host_time_leaves_the_transport_out(opened):
    """A device that takes a fifth of a second for every write, and a host that takes a twentieth."""
    meter, recorder = opened()
    Client(meter).read(address(Region.STATE), 2)
    meter.lap()
    recorder.delay_s = 0.2
    Client(meter).read(address(Region.STATE), 2)
    time.sleep(0.05)
    assert 0.05 <= meter.lap().host_s < 0.2


def test_errors_pass_unchanged_and_what_was_sent_is_counted(scripted):
    """Silence, a device that refuses, and one that is gone."""
    inner = scripted(lambda frame: b"")
    meter = Meter(inner, colours=2, clock_hz=1_000_000)
    with pytest.raises(LinkError, match=r"^silence$"):
        Client(meter).sample(5, 3, 2, 0.0)
    assert meter.total.by_kind == {"SAMPLE": Traffic(1, FRAME + 6, 0)}
    assert inner.timeouts_s == [0.5]

    meter = Meter(
        scripted(lambda frame: link.encode(Frame(Opcode.REFUSE, frame.sequence, b"\4"))), colours=2, clock_hz=1
    )
    with pytest.raises(LinkError, match="no such register"):
        Client(meter).read(address(Region.WEIGHT), 1)
    assert meter.total.by_kind == {"READ WEIGHT": Traffic(1, FRAME + 6, FRAME + 1)}


def test_what_does_not_go_out_is_not_counted(opened):
    meter, _ = opened()
    meter.close()
    with pytest.raises(LinkError, match="closed"):
        converse(meter)
    assert meter.total.by_kind == {}


BROKEN = {
    "noise": b"\0\1\2",
    "damaged": link.encode(Frame(Opcode.WRITE, 1, bytes(8)))[:-1] + b"\0",
    "half a frame": link.encode(Frame(Opcode.WRITE, 1, bytes(8)))[:-3],
    "unknown opcode": link.encode(Frame(9, 1, bytes(8))),
    "unknown region": link.encode(Frame(Opcode.WRITE, 1, link.WRITE.pack(9 << 24) + bytes(4))),
    "no address": link.encode(Frame(Opcode.READ, 1, b"\1")),
    "short sample": link.encode(Frame(Opcode.SAMPLE, 1, b"\1")),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_bytes_that_are_no_request_pass_and_are_counted_apart(opened, data):
    meter, recorder = opened()
    meter.write(data)
    assert recorder.bytes_out == len(data)
    assert meter.total.by_kind == {OTHER: Traffic(0, len(data), 0)}
    assert meter.total.array_s == 0


def test_frames_in_one_write_are_told_apart(opened):
    meter, _ = opened()
    beta = link.WRITE.pack(address(Region.CONTROL, Control.BETA)) + bytes(4)
    state = link.WRITE.pack(address(Region.STATE)) + bytes(8)
    meter.write(link.encode(Frame(Opcode.WRITE, 1, beta)) + link.encode(Frame(Opcode.WRITE, 2, state)) + b"\0")
    assert meter.total.by_kind == {
        "WRITE CONTROL": Traffic(1, FRAME + 8, 0),
        "WRITE STATE": Traffic(1, FRAME + 12, 0),
        OTHER: Traffic(0, 1, 0),
    }


@pytest.mark.parametrize("simulate", [True, False])
def test_a_simulated_wire_takes_its_time(opened, simulate):
    """20,000 bytes or so, which are 0.2 s at this rate; without the simulation they take far less."""
    meter, _ = opened(simulate=simulate)
    client = Client(meter)
    client.read(address(Region.STATE), 2)
    meter.lap()
    started_s = time.perf_counter()
    for _ in range(72):
        client.write(address(Region.GENERATOR), np.zeros(63, np.uint32))
    took_s = time.perf_counter() - started_s
    cost = meter.lap()
    assert cost.wire_s == pytest.approx(72 * (2 * FRAME + 256) * 10 / BAUD)
    assert (took_s > cost.wire_s - 0.01) == simulate
    assert cost.host_s < 0.1


@pytest.mark.parametrize("name", ["colours", "clock_hz", "interleave", "baud"])
def test_a_rate_of_nothing_is_refused(scripted, name):
    rates: dict[str, Any] = {"colours": 2, "clock_hz": 1, "baud": 9_600, name: 0}
    with pytest.raises(RequestError, match=f"{name} is 0"):
        Meter(scripted(lambda frame: b""), **rates)


def test_a_cost_of_no_steps_or_on_no_wire_is_refused(opened):
    cost = opened()[0].total
    with pytest.raises(RequestError, match="the mean is of 0 steps; it must be at least 1"):
        cost / 0
    with pytest.raises(RequestError, match="baud is 0; it must be at least 1"):
        replace(cost, baud=0)
