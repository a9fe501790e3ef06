"""The device: bit for bit what the simulator gives, or an error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbit_hw.compiler import compile, library
from pbit_hw.contract import link
from pbit_hw.contract.errors import DigestMismatchError, LinkError, RequestError
from pbit_hw.contract.generator import GENERATOR_NAMES
from pbit_hw.contract.link import Frame, Opcode
from pbit_hw.contract.registers import Control, Region, address, fixed_checksum, identity
from pbit_hw.contract.request import Request
from pbit_hw.host.client import BusyError, Client
from pbit_hw.host.device import Device, _stretches
from pbit_hw.sim.simulator import Simulator
from pbit_hw.sim.virtual import VirtualDevice


def spins(program, replicas, seed=0):
    bits = np.random.default_rng(seed).integers(0, 2, (replicas, program.model.size))
    return bits * (1 + program.model.unit) - program.model.unit


RUNS: dict[str, dict[str, Any]] = {
    "every sweep": {"sweeps": 20},
    "burn-in": {"sweeps": 50, "burn_in": 20, "keep_every": 3},
    "annealed": {"sweeps": 30, "beta": (0.2, 3.0)},
    "annealed and kept": {"sweeps": 30, "beta": (0.2, 0.3), "keep_every": 7},
    "steps of beta": {"sweeps": 12, "beta": [0.5] * 4 + [1.0] * 5 + [0.5] * 3, "keep_every": 2},
}


@pytest.mark.parametrize("name", ["adder", "glass", "rbm", "machine"])
@pytest.mark.parametrize("run", RUNS)
def test_states_are_those_of_the_simulator(programs, clock_hz, name, run):
    program = programs[name]
    labels, start = program.model.labels, spins(program, 5)
    options = dict(RUNS[run], replicas=5)
    clamp = {labels[0]: start[:, 0], labels[3]: start[0, 3]}
    simulator = Simulator(program, seed=7)
    device = Device(program, VirtualDevice(program.image, clock_hz=clock_hz), seed=7)
    for extra in ({}, {"initial": start}, {"clamp": clamp}, {"initial": -start if start.min() < 0 else 1 - start}):
        expected, got = simulator.sample(**options, **extra), device.sample(**options, **extra)
        assert np.array_equal(got.states, expected.states)
        assert got.flips == expected.flips
        assert np.array_equal(got.sweep, expected.sweep)


@pytest.mark.parametrize("generator", GENERATOR_NAMES)
@pytest.mark.parametrize("latency", [0, 1, 3])
@pytest.mark.parametrize("replicas", [1, 7, 13])
def test_states_of_interleaved_arrays_are_those_of_the_simulator(clock_hz, generator, latency, replicas):
    program = compile(library.lattice((6, 6), spin_glass_seed=3), generator=generator)
    program = program.interleaved(max(latency * program.image.colours, 1))
    simulator = Simulator(program, seed=7)
    device = Device(program, VirtualDevice(program.image, clock_hz=clock_hz), seed=7)
    clamp = {3: np.resize([1, -1], replicas)}
    for options in (
        RUNS["steps of beta"],
        RUNS["burn-in"] | {"clamp": clamp},
        {"sweeps": 5, "initial": spins(program, replicas)},
    ):
        expected, got = (sampler.sample(**options, replicas=replicas) for sampler in (simulator, device))
        assert np.array_equal(got.states, expected.states)
        assert got.flips == expected.flips
    chains = [sampler.replicas(replicas) for sampler in (simulator, device)]
    for _ in range(3):
        for chain in chains:
            chain.run(np.full(4, 512, np.int32))
        assert np.array_equal(chains[0].read(), chains[1].read())


class WordsOf:
    """Random words as a source, always the same."""

    def __init__(self):
        self.rng = np.random.default_rng(5)

    def words(self, replicas, n):
        return self.rng.integers(0, 2**16, (n, replicas), np.uint32)


@pytest.mark.parametrize("generator", GENERATOR_NAMES)
def test_a_source_stands_for_any_generator(clock_hz, generator):
    program = compile(library.lattice((5, 5), spin_glass_seed=3), generator=generator)
    device = Device(program, VirtualDevice(program.image, clock_hz=clock_hz), source=WordsOf())
    expected = Simulator(program, source=WordsOf()).sample(12, replicas=3).states
    assert np.array_equal(device.sample(12, replicas=3).states, expected)


def test_a_source_cannot_stand_for_one_that_replicas_share(programs, clock_hz):
    program = programs["glass"].interleaved(4)
    with pytest.raises(RequestError, match="holds 4 replicas that draw from one generator in turn"):
        Device(program, VirtualDevice(program.image, clock_hz=clock_hz), source=WordsOf())


@pytest.mark.parametrize("rotations", range(4))
def test_an_array_left_with_another_replica_at_hand_opens(programs, clock_hz, rotations):
    program = programs["glass"].interleaved(4)
    virtual = VirtualDevice(program.image, clock_hz)
    for _ in range(rotations):
        Client(virtual).write(address(Region.CONTROL, Control.ROTATE), np.ones(1, np.uint32))
    if rotations:
        with pytest.raises(BusyError, match="a run is under way, or `STATE` is not the first replica's"):
            Client(virtual).sample(1, 1, 8, 0.0)
    states = Device(program, virtual, seed=4).sample(30).states
    assert np.array_equal(states, Simulator(program, seed=4).sample(30).states)


def test_an_interrupted_set_of_replicas_is_begun_again(programs, clock_hz):
    program = programs["glass"].interleaved(4)
    transport = Cuttable(program.image, clock_hz)
    device = Device(program, transport, seed=5)
    for writes in range(1, 9):
        transport.writes_left = writes
        with pytest.raises(LinkError, match="disconnected"):
            device.sample(40, replicas=3)
        transport.writes_left = 10**9
    expected = Simulator(program, seed=5).sample(40, replicas=3).states
    assert np.array_equal(device.sample(40, replicas=3).states, expected)


def test_a_device_of_constants_samples_them(programs, clock_hz):
    program = programs["glass"]
    device = Device(program, VirtualDevice(program.image, clock_hz, fixed=True), seed=2)
    assert np.array_equal(device.sample(30).states, Simulator(program, seed=2).sample(30).states)
    with pytest.raises(RequestError, match=r"beta of the device is a constant, 1, and 0\.5 was asked for"):
        device.sample(30, beta=0.5)
    with pytest.raises(DigestMismatchError, match="build the program's own bitstream"):
        device.set_weights(-program.model.couplings, program.model.biases)
    assert device.program is program
    device.set_weights(program.model.couplings, program.model.biases)
    assert device.sample(30).states.shape == (30, 36)


def test_other_constants_are_refused(programs, clock_hz):
    program = programs["glass"]
    other = program.reweighted(-program.model.couplings, program.model.biases)
    with pytest.raises(
        DigestMismatchError, match="weights and biases of the device are constants of checksum 0x"
    ) as caught:
        Device(program, VirtualDevice(other.image, clock_hz, fixed=True))
    assert "\n" not in str(caught.value)
    for image in (program.image, other.image):
        assert f"{fixed_checksum(image, 512):#010x}" in str(caught.value)


def test_new_weights_reach_the_device(programs, clock_hz):
    program = programs["machine"]
    rng = np.random.default_rng(1)
    couplings, biases = rng.normal(0, 1, len(program.model.edges)), rng.normal(0, 1, program.model.size)
    simulator = Simulator(program, seed=2)
    device = Device(program, VirtualDevice(program.image, clock_hz=clock_hz), seed=2)
    before = device.sample(50).states
    assert np.array_equal(before, simulator.sample(50).states)
    for sampler in (simulator, device):
        sampler.set_weights(couplings, biases)
    after = device.sample(50).states
    assert np.array_equal(after, simulator.sample(50).states)
    assert device.program.model.couplings.tolist() == couplings.tolist()


def test_power_up_clamps_are_a_run_s_own(programs, clock_hz):
    """What a device was clamped to before leaves no trace in a run."""
    program = programs["adder"]
    device = Device(program, VirtualDevice(program.image, clock_hz=clock_hz), seed=3)
    device.sample(5, clamp={"A": 1, "B": -1})
    states = device.sample(200, replicas=2, clamp={"S": 1}).states
    assert (states[:, 3] == 1).all()
    assert (states[:, 0] == -1).any()


def request(betas, keep):
    nothing = np.zeros((1, 2), np.uint8)
    return Request(np.array(betas, np.int32), np.array(keep, np.int64), 0, nothing, nothing[0], nothing)


@pytest.mark.parametrize(
    ("betas", "keep", "expected"),
    [
        ([5] * 6, [1, 2, 3, 4, 5, 6], [(5, 1, [1] * 6)]),
        ([5] * 10, [6, 8, 10], [(5, 6, [1]), (5, 2, [1, 1])]),
        ([5] * 10, [4], [(5, 4, [1]), (5, 6, [0])]),
        ([5, 5, 9, 9], [4], [(5, 2, [0]), (9, 2, [1])]),
        ([1, 2, 3], [3], [(1, 1, [0]), (2, 1, [0]), (3, 1, [1])]),
        ([5] * 3 + [9] * 3, [2, 4, 6], [(5, 2, [1]), (5, 1, [0]), (9, 1, [1]), (9, 2, [1])]),
        ([7] * 4, [], [(7, 4, [0])]),
        ([], [], []),
    ],
)
def test_a_run_is_cut_where_it_must_be(betas, keep, expected):
    cuts = [(s.beta, s.sweeps, s.kept.astype(int).tolist()) for s in _stretches(request(betas, keep))]
    assert cuts == expected


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(1, 9)), max_size=6),
    st.sets(st.integers(1, 40)),
)
def test_cuts_add_up_to_the_run(stretches, keep):
    betas = [beta for beta, length in stretches for _ in range(length)]
    keep = sorted(k for k in keep if k <= len(betas))
    replayed, kept = [], []
    for cut in _stretches(request(betas, keep)):
        for wanted in cut.kept:
            replayed += [cut.beta] * cut.sweeps
            kept += [len(replayed)] * int(wanted)
    assert replayed == betas
    assert kept == keep


def test_another_array_is_refused_naming_both(programs, clock_hz):
    ours, theirs = programs["adder"], programs["glass"]
    device = VirtualDevice(theirs.image, clock_hz=clock_hz)
    with pytest.raises(DigestMismatchError) as caught:
        Device(ours, device)
    message = str(caught.value)
    assert "\n" not in message
    for image in (ours.image, theirs.image):
        assert image.digest.hex() in message
        assert f"{image.size} p-bits, {image.slots} weights, {image.colours} colours" in message
    assert "bitstream" in message


def test_loading_another_array_is_refused_and_changes_nothing(programs, clock_hz):
    program = programs["adder"]
    device = Device(program, VirtualDevice(program.image, clock_hz=clock_hz), seed=1)
    with pytest.raises(DigestMismatchError):
        device.load(programs["glass"])
    assert device.program is program
    assert np.array_equal(device.sample(30).states, Simulator(program, seed=1).sample(30).states)


@pytest.mark.parametrize(
    ("register", "word", "message"),
    [(Control.MAGIC, 0x12345678, "no pbit-hw device"), (Control.VERSION, 99, "contract version 99")],
)
def test_a_foreign_device_is_refused(programs, clock_hz, scripted, register, word, message):
    words = {**identity(programs["adder"].image, clock_hz), int(register): word}

    def answer(frame):
        start, count = link.READ.unpack(frame.payload)
        payload = np.array([words[start + k] for k in range(count)], "<u4").tobytes()
        return link.encode(Frame(Opcode.READ, frame.sequence, payload))

    with pytest.raises(LinkError, match=message):
        Device(programs["adder"], scripted(answer))


def test_a_silent_device_is_an_error(programs, scripted):
    with pytest.raises(LinkError, match="silence"):
        Device(programs["adder"], scripted(lambda frame: b""))


def test_a_device_left_with_half_a_frame_opens(programs, clock_hz):
    program = programs["adder"]
    virtual = VirtualDevice(program.image, clock_hz=clock_hz)
    virtual.write(link.encode(Frame(Opcode.WRITE, 1, bytes(200)))[:77])
    assert np.array_equal(
        Device(program, virtual, seed=4).sample(30).states, Simulator(program, seed=4).sample(30).states
    )


class Cuttable:
    """A transport whose device can be pulled out, and plugged in again after a power cycle."""

    def __init__(self, image, clock_hz):
        self.plug(image, clock_hz)

    def plug(self, image, clock_hz):
        self.device = VirtualDevice(image, clock_hz=clock_hz)
        self.writes_left = 10**9

    def write(self, data):
        self.writes_left -= 1
        if self.writes_left < 0:
            raise LinkError("disconnected")
        self.device.write(data)

    def read(self, count, timeout_s):
        if self.writes_left < 0:
            raise LinkError("disconnected")
        return self.device.read(count, timeout_s)

    def close(self):
        self.device.close()


@pytest.mark.parametrize("writes", [0, 1, 3, 6, 10])
def test_a_disconnected_device_gives_no_samples_and_recovers(programs, clock_hz, writes):
    program = programs["adder"]
    transport = Cuttable(program.image, clock_hz)
    device = Device(program, transport, seed=5)
    transport.writes_left = writes
    with pytest.raises(LinkError, match="disconnected"):
        device.sample(40, replicas=3)
    transport.plug(program.image, clock_hz)
    assert np.array_equal(
        device.sample(40, replicas=3).states, Simulator(program, seed=5).sample(40, replicas=3).states
    )


def test_another_board_plugged_in_meanwhile_is_refused(programs, clock_hz):
    transport = Cuttable(programs["adder"].image, clock_hz)
    device = Device(programs["adder"], transport)
    transport.writes_left = 2
    with pytest.raises(LinkError, match="disconnected"):
        device.sample(5)
    transport.plug(programs["glass"].image, clock_hz)
    with pytest.raises(DigestMismatchError):
        device.sample(5)


def test_half_loaded_weights_are_loaded_again(programs, clock_hz):
    program = programs["rbm"]
    transport = Cuttable(program.image, clock_hz)
    device = Device(program, transport, seed=6)
    transport.writes_left = 20
    with pytest.raises(LinkError):
        device.set_weights(np.full(len(program.model.edges), 0.5), np.zeros(program.model.size))
    transport.writes_left = 10**9
    assert device.program is program
    assert np.array_equal(device.sample(10).states, Simulator(program, seed=6).sample(10).states)


faults = st.dictionaries(
    st.integers(0, 400),
    st.one_of(
        st.tuples(st.just("flip"), st.integers(1, 255)),
        st.tuples(st.just("drop"), st.just(0)),
        st.tuples(st.just("insert"), st.integers(0, 255)),
    ),
    max_size=4,
)


@pytest.fixture(scope="module")
def job(programs):
    """A run, and what it must give."""
    program = programs["adder"]
    request = program.request(8, replicas=3, seed=9)
    return program, request, Simulator(program).run(request).states


@settings(max_examples=60, deadline=None, derandomize=True)
@given(to_device=faults, from_device=faults)
def test_damaged_bytes_never_become_samples(job, clock_hz, faulty, to_device, from_device):
    program, request, expected = job
    transport = faulty(VirtualDevice(program.image, clock_hz=clock_hz))
    device = Device(program, transport)
    transport.damage(to_device, from_device)
    outcomes = []
    for _ in range(3 + len(to_device) + len(from_device)):
        try:
            states = device.run(request).states
        except LinkError:
            outcomes.append("error")
        else:
            assert np.array_equal(states, expected)
            outcomes.append("right")
    assert outcomes.count("error") <= len(to_device) + len(from_device)


def test_without_the_crc_damage_would_show(job, clock_hz, faulty, monkeypatch):
    """Negative control: the faults above do reach the samples when nobody checks."""
    program, request, expected = job
    monkeypatch.setattr(link, "crc16", lambda data: 0)
    transport = faulty(VirtualDevice(program.image, clock_hz=clock_hz))
    device = Device(program, transport)
    overhead = link.HEADER.size + link.WRITE.size
    state_frames = 2 * (overhead + 4 + link.CRC.size)
    transport.damage({state_frames + overhead + 1: ("flip", 0xFF)}, {})  # high byte of the first generator's s0
    assert not np.array_equal(device.run(request).states, expected)
