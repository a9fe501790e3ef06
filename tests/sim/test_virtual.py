"""The virtual device: frames, refusals, and an array that does what the register-exact one does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbit_hw.contract import link
from pbit_hw.contract.errors import LinkError
from pbit_hw.contract.link import Frame, Opcode, Refusal
from pbit_hw.contract.registers import REGISTERS, Control, Region, address, fixed_checksum, identity
from pbit_hw.sim import virtual
from pbit_hw.sim.cycle import CycleArray
from pbit_hw.sim.registers import pack
from pbit_hw.sim.virtual import VirtualDevice

SWEEPS = address(Region.CONTROL, Control.SWEEPS)


class Host:
    """Exchanges whole frames with a device."""

    def __init__(self, device):
        self.device = device
        self.sequence = 0

    def exchange(self, opcode, payload, answers=1):
        self.sequence = (self.sequence + 1) % 256
        self.device.write(link.encode(Frame(opcode, self.sequence, payload)))
        frames = [self.receive() for _ in range(answers)]
        assert all(frame.sequence == self.sequence for frame in frames)
        return frames

    def receive(self):
        header = self.device.read(link.HEADER.size, 1)
        return link.decode(header + self.device.read(link.payload_length(header) + link.CRC.size, 1))

    def read(self, place, count):
        (frame,) = self.exchange(Opcode.READ, link.READ.pack(place, count))
        assert frame.opcode == Opcode.READ
        return np.frombuffer(frame.payload, "<u4").tolist()

    def write(self, place, words):
        data = np.asarray(words, np.int64).astype("<u4").tobytes()
        (frame,) = self.exchange(Opcode.WRITE, link.WRITE.pack(place) + data)
        assert (frame.opcode, frame.payload) == (Opcode.WRITE, b"")

    def sample(self, sweeps, samples):
        frames = self.exchange(Opcode.SAMPLE, link.SAMPLE.pack(sweeps, samples), samples)
        assert {frame.opcode for frame in frames} == {Opcode.SAMPLE}
        return [np.frombuffer(frame.payload, "<u4").tolist() for frame in frames]

    def refusal(self, opcode, payload):
        (frame,) = self.exchange(opcode, payload)
        assert frame.opcode == Opcode.REFUSE
        assert len(frame.payload) == 1
        return Refusal(frame.payload[0])

    def silent(self):
        with pytest.raises(LinkError):
            self.device.read(1, 0.0)
        return True


@pytest.fixture(scope="module")
def image(random_program):
    return random_program(3, size=37).image


@pytest.fixture
def host(image):
    return Host(VirtualDevice(image, clock_hz=1_000_000))


def test_identity(host, image):
    words = identity(image, 1_000_000)
    assert [host.read(address(Region.CONTROL, place), 1)[0] for place in words] == list(words.values())


def test_reset_values(host, image):
    assert host.read(address(Region.CONTROL, Control.BETA), 1) == [image.reset_beta]
    assert host.read(SWEEPS, 1) == [0]
    assert host.read(address(Region.STATE), 2) == [0, 0]


def settled(array):
    """Let the register-exact array finish what it was told."""
    array.clock(array.image.period * array.sweeps_left + 1)


REGIONS = [register.region for register in REGISTERS if register.region != Region.CONTROL and "w" in register.access]


CONTROLS = {"sweeps": Control.SWEEPS, "beta": Control.BETA, "rotate": Control.ROTATE}
START = link.WRITE.pack(SWEEPS) + b"\1\0\0\0"


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32), data=st.data())
def test_like_the_register_exact_array(random_program, seed, data):
    """The same random requests to both; states, generators and counters agree after each."""
    image = random_program(seed).image
    image = image.interleaved(max(data.draw(st.integers(0, 2)) * image.colours, 1))
    rng = np.random.default_rng(seed)
    host, array = Host(VirtualDevice(image)), CycleArray(image)
    packed = (image.size + 31) // 32
    for _ in range(data.draw(st.integers(1, 12))):
        kind = data.draw(st.sampled_from(["sample", "sweeps", "beta", "rotate", *REGIONS]))
        if kind in ("sample", "sweeps") and array.at_hand:
            started = (Opcode.SAMPLE, link.SAMPLE.pack(1, 1)) if kind == "sample" else (Opcode.WRITE, START)
            assert host.refusal(*started) is Refusal.BUSY
        elif kind == "sample":
            sweeps, samples = data.draw(st.integers(0, 5)), data.draw(st.integers(1, 4))
            for words in host.sample(sweeps, samples):
                array.write(SWEEPS, sweeps)
                settled(array)
                assert np.concatenate([pack(row) for row in array.states]).tolist() == words
        elif kind in CONTROLS:
            place, word = address(Region.CONTROL, CONTROLS[kind]), 7 if kind == "sweeps" else seed
            host.write(place, [word])
            array.write(place, [word])
        else:
            register = next(register for register in REGISTERS if register.region == kind)
            if (count := register.words(image)) == 0:
                continue
            first = data.draw(st.integers(0, count - 1))
            words = draw_words(rng, image, kind)[first:count][: link.MAX_WRITE_WORDS]
            host.write(address(kind, first), words)
            array.write(address(kind, first), words)
        settled(array)
        assert host.read(address(Region.STATE), packed) == pack(array.states[array.at_hand]).tolist()
        assert host.read(SWEEPS, 1) == [0]
        assert host.read(address(Region.CONTROL, Control.BETA), 1) == [array.beta]


def draw_words(rng, image, region):
    """Contents for a whole region that hosts would write."""
    limit = image.weight_format.limit
    if region == Region.WEIGHT:
        return rng.integers(-limit, limit + 1, image.slots)
    if region == Region.BIAS:
        return rng.integers(-limit, limit + 1, image.size)
    return rng.integers(1, 2**32, max(image.size, image.streams * image.generator.words))


def test_samples_in_small_pieces(image, monkeypatch):
    requests = [(7, 5), (0, 2), (1, 9), (30, 1)]
    whole = Host(VirtualDevice(image))
    wanted = [whole.sample(*request) for request in requests]
    monkeypatch.setattr(virtual, "_PIECE", 4 * (image.size + image.slots))
    pieces = Host(VirtualDevice(image))
    assert [pieces.sample(*request) for request in requests] == wanted


def test_power_up_clamps(image):
    clamped, values = np.zeros(image.size, np.uint8), np.zeros(image.size, np.uint8)
    clamped[[1, 35]] = values[[1, 35]] = 1
    host = Host(VirtualDevice(image.with_clamps(clamped, values)))
    assert host.read(address(Region.STATE), 2) == [2, 8]


def test_constants_cannot_be_written(image):
    """And the device says which they are."""
    fixed, loaded = Host(VirtualDevice(image, fixed=True)), Host(VirtualDevice(image))
    assert fixed.read(address(Region.CONTROL, Control.FIXED), 1) == [fixed_checksum(image, image.reset_beta)]
    wanted = loaded.sample(5, 3)
    beta = address(Region.CONTROL, Control.BETA)
    for place, words in ((address(Region.WEIGHT), [3, 3]), (address(Region.BIAS), [9]), (beta, [7])):
        fixed.write(place, words)
    assert fixed.read(beta, 1) == [image.reset_beta]
    assert fixed.sample(5, 3) == wanted


def test_answers_hold_all_replicas(image):
    deep = image.interleaved(2 * image.colours)
    host = Host(VirtualDevice(deep))
    (sample,) = host.sample(3, 1)
    assert len(sample) == 2 * deep.interleave
    for replica in range(deep.interleave):
        assert host.read(address(Region.STATE), 2) == sample[2 * replica : 2 * replica + 2]
        host.write(address(Region.CONTROL, Control.ROTATE), [0])
    assert host.read(address(Region.STATE), 2) == sample[:2]


def test_refusals(host, image):
    end = address(Region.STATE, 2)
    bias = link.WRITE.pack(address(Region.BIAS, image.size - 1))
    cases = [
        (9, b"", Refusal.OPCODE),
        (0, b"", Refusal.OPCODE),
        (Opcode.REFUSE, b"\1", Refusal.OPCODE),
        (Opcode.READ, b"", Refusal.LENGTH),
        (Opcode.READ, link.READ.pack(0, 1) + b"\0", Refusal.LENGTH),
        (Opcode.READ, link.READ.pack(0, 0), Refusal.LENGTH),
        (Opcode.READ, link.READ.pack(address(Region.STATE), 0xFFFF), Refusal.LENGTH),
        (Opcode.READ, link.READ.pack(end, 1), Refusal.ADDRESS),
        (Opcode.READ, link.READ.pack(end - 1, 2), Refusal.ADDRESS),
        (Opcode.READ, link.READ.pack(address(Region.WEIGHT), 1), Refusal.ADDRESS),
        (Opcode.READ, link.READ.pack(SWEEPS, 2), Refusal.ADDRESS),
        (Opcode.WRITE, b"", Refusal.LENGTH),
        (Opcode.WRITE, link.WRITE.pack(SWEEPS), Refusal.LENGTH),
        (Opcode.WRITE, link.WRITE.pack(SWEEPS) + b"\0\0\0", Refusal.LENGTH),
        (Opcode.WRITE, link.WRITE.pack(address(Region.WEIGHT)) + bytes(link.MAX_REQUEST), Refusal.LENGTH),
        (Opcode.WRITE, link.WRITE.pack(address(Region.STATE, 2)) + bytes(4), Refusal.ADDRESS),
        (Opcode.WRITE, link.WRITE.pack(3 << 24) + bytes(4), Refusal.ADDRESS),
        (Opcode.WRITE, link.WRITE.pack(address(Region.CONTROL)) + bytes(4), Refusal.ADDRESS),
        (Opcode.WRITE, link.WRITE.pack(0xFF000000) + bytes(4), Refusal.ADDRESS),
        (Opcode.WRITE, bias + bytes(8), Refusal.ADDRESS),
        (Opcode.SAMPLE, link.SAMPLE.pack(1, 1)[:-1], Refusal.LENGTH),
        (Opcode.SAMPLE, link.SAMPLE.pack(1, 0), Refusal.LENGTH),
    ]
    for opcode, payload, reason in cases:
        assert host.refusal(opcode, payload) is reason, (opcode, payload)
    assert host.silent()


def test_a_damaged_request_is_refused_and_not_carried_out(host, image):
    place = address(Region.CONTROL, Control.BETA)
    good = link.encode(Frame(Opcode.WRITE, 5, link.WRITE.pack(place) + b"\1\0\0\0"))
    for position in range(link.HEADER.size, len(good)):
        bad = bytearray(good)
        bad[position] ^= 0x10
        host.device.write(bytes(bad))
        answer = host.receive()
        assert (answer.opcode, answer.sequence, answer.payload) == (Opcode.REFUSE, 5, bytes([Refusal.CRC]))
    assert host.read(place, 1) == [image.reset_beta]


def test_bytes_between_frames_are_dropped(host):
    noise = bytes(byte for byte in range(256) if byte != link.SYNC)
    host.device.write(noise)
    assert host.silent()
    host.device.write(noise + link.encode(Frame(Opcode.READ, 3, link.READ.pack(SWEEPS, 1))) + noise)
    assert host.receive() == Frame(Opcode.READ, 3, bytes(4))
    assert host.silent()


def test_frames_may_come_byte_by_byte_or_together(host):
    frames = [link.encode(Frame(Opcode.READ, k, link.READ.pack(SWEEPS, 1))) for k in range(3)]
    for byte in frames[0]:
        host.device.write(bytes([byte]))
    assert host.receive().sequence == 0
    host.device.write(b"".join(frames))
    assert [host.receive().sequence for _ in range(3)] == [0, 1, 2]


def test_half_a_frame_is_forgotten_in_silence(host):
    """65,536 clocks of 1 MHz are 65.5 ms."""
    request = link.encode(Frame(Opcode.READ, 1, link.READ.pack(SWEEPS, 1)))
    host.device.write(request[:6])
    for _ in range(2):
        with pytest.raises(LinkError):
            host.device.read(1, 0.03)
    host.device.write(request[6:])
    assert host.receive().sequence == 1, "60 ms are not long enough"
    host.device.write(request[:6])
    with pytest.raises(LinkError):
        host.device.read(1, 0.07)
    host.device.write(request)
    assert host.receive().sequence == 1
    assert host.silent()


def test_a_short_read_raises_and_drops(host):
    host.device.write(link.encode(Frame(Opcode.READ, 1, link.READ.pack(SWEEPS, 1))))
    with pytest.raises(LinkError, match="sent 11 of 12 bytes"):
        host.device.read(12, 0.5)
    assert host.silent()
    assert host.read(SWEEPS, 1) == [0]


def test_closed(host):
    host.device.close()
    host.device.close()
    for use in (lambda: host.device.write(b"x"), lambda: host.device.read(1, 0.1)):
        with pytest.raises(LinkError, match="closed"):
            use()
