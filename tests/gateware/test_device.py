"""Whole devices in RTL, spoken to by the real host and compared with the simulator and the virtual device."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from pbit_hw.compiler import RBM, Program, compile, library
from pbit_hw.contract import link
from pbit_hw.contract.errors import DigestMismatchError, LinkError, RequestError
from pbit_hw.contract.forms import Form
from pbit_hw.contract.generator import GENERATOR_NAMES
from pbit_hw.contract.image import Image
from pbit_hw.contract.link import Frame, Opcode
from pbit_hw.contract.registers import REGISTERS, Control, Region, address
from pbit_hw.gateware.device import LinkedArray, PbitDevice
from pbit_hw.gateware.uart import UARTReceiver, UARTTransmitter
from pbit_hw.host import Device
from pbit_hw.sim.devices.recording import Recording
from pbit_hw.sim.devices.telegraph import Telegraph, TelegraphWords
from pbit_hw.sim.simulator import Simulator
from pbit_hw.sim.virtual import VirtualDevice

from .rtl_transport import RTLTransport

CLOCK_HZ = 10_000
ROTATION = link.WRITE.pack(address(Region.CONTROL, Control.ROTATE)) + bytes(4)


class SerialLine(wiring.Component):
    """A `PbitDevice` and the host's end of its serial line."""

    def __init__(self, image: Image, clock_hz: int, baud: int) -> None:
        self._device = PbitDevice(image, clock_hz, baud)
        self._divisor = clock_hz // baud
        super().__init__({"rx": In(stream.Signature(8)), "tx": Out(stream.Signature(8))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.device = device = self._device
        m.submodules.transmitter = transmitter = UARTTransmitter(self._divisor)
        m.submodules.receiver = receiver = UARTReceiver(self._divisor)
        wiring.connect(m, wiring.flipped(self.rx), transmitter.bytes)
        wiring.connect(m, receiver.bytes, wiring.flipped(self.tx))
        m.d.comb += [device.rx.eq(transmitter.tx), receiver.rx.eq(device.tx)]
        return m


def rbm() -> RBM:
    """Bits instead of spins, 34 of them: a state of two words, and three requests of weights."""
    rng = np.random.default_rng(5)
    return RBM(rng.normal(size=(32, 2)), rng.normal(size=32), rng.normal(size=2))


def linked(image: Image, form: Form = Form.ADDER) -> RTLTransport:
    return RTLTransport(LinkedArray(image, CLOCK_HZ, form), CLOCK_HZ)


def interleaved(form: Form, generator: str = "xoshiro64") -> Program:
    """A full adder whose array holds so many replicas that any form can be built."""
    program = compile(library.full_adder(), generator=generator)
    return program if form is Form.ADDER else program.interleaved(2 * program.image.colours)


def same_samples(program: Program, transport: Any, **run: Any) -> bool:
    """Whether the device and the simulator, given the same seed, take the same samples in two runs."""
    device, simulator = Device(program, transport, seed=11), Simulator(program, seed=11)
    pairs = [(device.sample(**run).states, simulator.sample(**run).states) for _ in range(2)]
    assert not np.array_equal(pairs[0][1], pairs[1][1])
    return all(np.array_equal(*pair) for pair in pairs)


@pytest.mark.parametrize("generator", GENERATOR_NAMES)
def test_host_samples_the_full_adder(generator):
    program = compile(library.full_adder(), generator=generator)
    assert same_samples(program, linked(program.image), sweeps=40, replicas=3, burn_in=7)


@pytest.mark.parametrize(
    ("form", "generator"),
    [(Form.TABLE, "linear64"), (Form.TABLE, "lfsr48"), (Form.BAKED, "xoshiro64")],
)
def test_host_samples_every_form(form, generator):
    """More replicas than the array holds, and no multiple of them."""
    program = interleaved(form, generator)
    replicas = program.image.interleave + 2
    assert same_samples(program, linked(program.image, form), sweeps=8, replicas=replicas, burn_in=3)


def test_host_anneals_tables():
    program = interleaved(Form.TABLE)
    assert same_samples(program, linked(program.image, Form.TABLE), sweeps=6, replicas=2, beta=(0.2, 3.0))


def test_host_refuses_constants_that_are_not_the_programs():
    program = interleaved(Form.BAKED)
    other = program.reweighted(-program.model.couplings, program.model.biases)
    with pytest.raises(DigestMismatchError, match="constants of checksum"):
        Device(other, linked(program.image, Form.BAKED))
    device = Device(program, linked(program.image, Form.BAKED))
    with pytest.raises(DigestMismatchError, match="constants of checksum"):
        device.set_weights(-program.model.couplings, program.model.biases)
    with pytest.raises(RequestError, match="beta of the device is a constant, 1, and 2 was asked for"):
        device.sample(sweeps=1, beta=2.0)


@pytest.mark.slow
def test_host_rewinds_a_device_that_was_left_at_another_replica():
    """At the last one: the client waits out every refusal, for 65,536 clocks."""
    program = interleaved(Form.TABLE)
    transport = linked(program.image, Form.TABLE)
    for sequence in range(program.image.interleave - 1):
        transport.write(link.encode(Frame(Opcode.WRITE, sequence, ROTATION)))
        transport.read(link.HEADER.size + link.CRC.size, 1.0)
    assert same_samples(program, transport, sweeps=5)


@pytest.mark.parametrize(
    "generator",
    [
        "xoshiro64",
        "linear64",
        pytest.param("lfsr48", marks=pytest.mark.slow),
        pytest.param("xoshiro128", marks=pytest.mark.slow),
    ],
)
def test_recorded_entropy_in_lockstep(generator):
    """What junctions gave drives the gateware and the simulator to the same states; ten other bits do not."""
    program = compile(library.full_adder(), generator=generator)
    recorded = Recording.of_source(TelegraphWords(Telegraph(2.0), 20.0, seed=4), sweeps=15, replicas=2, n=5).recorded
    device = Device(program, linked(program.image), source=Recording(recorded))
    states = device.sample(15, replicas=2).states
    assert np.array_equal(states, Simulator(program, source=Recording(recorded)).sample(15, replicas=2).states)
    damaged = recorded ^ (np.arange(recorded.size) < 10).astype(np.uint16) * 0x8000
    assert not np.array_equal(states, Simulator(program, source=Recording(damaged)).sample(15, replicas=2).states)


@pytest.mark.parametrize(
    "run",
    [
        {"sweeps": 12, "replicas": 2, "beta": (0.2, 3.0)},
        {"sweeps": 12, "replicas": 2, "keep_every": 5, "clamp": {"Cin": [1, -1], "S": 1}},
    ],
)
def test_host_anneals_and_clamps(run):
    program = compile(library.full_adder())
    assert same_samples(program, linked(program.image), **run)


def test_host_samples_a_machine_of_bits():
    program = compile(rbm())
    assert same_samples(program, linked(program.image), sweeps=10, replicas=2)


def test_host_reweights():
    program = compile(library.full_adder())
    device, simulator = Device(program, linked(program.image)), Simulator(program)
    for sampler in (device, simulator):
        sampler.set_weights(-program.model.couplings, np.arange(5) - 2.0)
    assert np.array_equal(device.sample(sweeps=30).states, simulator.sample(sweeps=30).states)


def test_another_seed_gives_other_samples():
    """Negative control of the comparisons above."""
    program = compile(library.full_adder())
    device, simulator = Device(program, linked(program.image), seed=1), Simulator(program, seed=2)
    assert not np.array_equal(device.sample(sweeps=30).states, simulator.sample(sweeps=30).states)


def test_host_over_the_serial_line():
    program = compile(library.full_adder())
    transport = RTLTransport(SerialLine(program.image, 40_000, 10_000), 40_000)
    assert same_samples(program, transport, sweeps=5)


def test_host_refuses_another_array():
    transport = linked(compile(library.and_gate()).image)
    with pytest.raises(DigestMismatchError, match=r"3 p-bits.*5 p-bits"):
        Device(compile(library.full_adder()), transport)


@pytest.mark.slow
def test_host_recovers_from_a_lost_byte():
    """Half a request makes the next exchange fail; the one after it waits until the device forgot."""
    program = compile(library.and_gate())
    transport = linked(program.image)
    device, simulator = Device(program, transport), Simulator(program)
    transport.write(link.encode(Frame(Opcode.WRITE, 1, bytes(250)))[:-1])
    transport.pass_clocks(300)
    with pytest.raises(LinkError):
        device.sample(sweeps=1)
    assert np.array_equal(device.sample(sweeps=4).states, simulator.sample(sweeps=4).states)


def random_frame(image: Image, rng: np.random.Generator) -> bytes:
    """Any request but one whose effect hangs on when it comes; one in eight damaged."""
    if image.interleave > 1 and rng.random() < 0.2:
        return link.encode(Frame(Opcode.WRITE, int(rng.integers(256)), ROTATION))
    row = REGISTERS[rng.integers(len(REGISTERS))]
    at = max(address(row.region, row.offset) + int(rng.integers(-1, row.words(image) + 1)), 0)
    words = int(rng.integers(0, 7))
    starts = at in (address(Region.CONTROL, Control.SWEEPS), address(Region.CONTROL, Control.STOP))
    data = rng.integers(0, 4 if starts else 1 << 32, min(words, 1) if starts else words).astype("<u4").tobytes()
    if row.region is Region.WEIGHT:  # unchanged: the virtual device takes both slots of an edge to be equal
        first = at - address(Region.WEIGHT)
        data = image.weights[max(first, 0) : first + words].astype("<i4").tobytes()
    payloads = {
        Opcode.READ: link.READ.pack(at, words),
        Opcode.WRITE: link.WRITE.pack(at) + data,
        Opcode.SAMPLE: link.SAMPLE.pack(int(rng.integers(5)), int(rng.integers(4))),
        int(rng.integers(4, 256)): data,
    }
    opcode = list(payloads)[rng.choice(len(payloads), p=(0.4, 0.4, 0.15, 0.05))]
    payload = payloads[opcode] + bytes(int(rng.choice([0, 0, 0, 0, 0, 0, 0, 1])))
    frame = bytearray(link.encode(Frame(opcode, int(rng.integers(256)), payload)))
    if rng.random() < 0.125:
        frame[rng.integers(3, len(frame))] ^= 1 << int(rng.integers(8))
    return bytes(frame)


def everything(transport: Any) -> bytes:
    """All bytes that have come."""
    data = b""
    with contextlib.suppress(LinkError):
        while True:
            data += transport.read(1, 0.0)
    return data


@pytest.mark.parametrize(
    ("make_model", "form", "generator", "seed"),
    [
        (library.full_adder, Form.ADDER, "xoshiro64", 1),
        (rbm, Form.ADDER, "xoshiro64", 2),
        (library.and_gate, Form.TABLE, "linear64", 3),
    ],
)
def test_answers_equal_the_virtual_devices(make_model, form, generator, seed):
    """Byte for byte, to 100 random requests, refusals of every kind among them.

    An interleaved array is busy for a start wherever another replica than the first is at hand.
    """
    image = compile(make_model(), generator=generator).image
    if form is Form.TABLE:
        image = image.interleaved(2 * image.colours)
    virtual, rtl = VirtualDevice(image, CLOCK_HZ), linked(image, form)
    rng = np.random.default_rng(seed)
    reasons = set()
    for _ in range(100):
        frame = random_frame(image, rng)
        virtual.write(frame)
        rtl.write(frame)
        expected = everything(virtual)
        assert rtl.read(len(expected), 1.0) == expected, frame.hex(" ")
        rtl.pass_clocks(patience(image))
        assert everything(rtl) == b"", frame.hex(" ")
        if expected[3] == Opcode.REFUSE:
            reasons.add(expected[link.HEADER.size])
    assert reasons == set(link.Refusal) - (set() if image.interleave > 1 else {link.Refusal.BUSY})


def patience(image: Image) -> int:
    """Clocks after the last answer in which all is done that a request asks for: four sweeps, and tables."""
    tables = image.size * (24 + (1 << int(image.degrees.max()))) if image.interleave > 1 else 0
    return 20 + tables + 5 * image.period
