"""The link client: right answers or a `LinkError`."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbit_hw.contract import link
from pbit_hw.contract.errors import LinkError
from pbit_hw.contract.link import Frame, Opcode, Refusal
from pbit_hw.contract.registers import Control, Region, address, identity
from pbit_hw.host import client as client_module
from pbit_hw.host.client import Client
from pbit_hw.sim.virtual import VirtualDevice

IDENTITY_WORDS = Control.CLOCK_HZ + 1


@pytest.fixture
def device(programs, clock_hz):
    return VirtualDevice(programs["glass"].image, clock_hz=clock_hz)


def echo(frame: Frame) -> bytes:
    """A device that answers READ by the addresses themselves and WRITE by nothing."""
    if frame.opcode == Opcode.READ:
        start, count = link.READ.unpack(frame.payload)
        return link.encode(Frame(frame.opcode, frame.sequence, np.arange(start, start + count, dtype="<u4").tobytes()))
    return link.encode(Frame(frame.opcode, frame.sequence))


def test_identity_is_read(device, programs, clock_hz):
    words = Client(device).read(address(Region.CONTROL), IDENTITY_WORDS)
    expected = identity(programs["glass"].image, clock_hz)
    assert words.tolist() == [expected[k] for k in range(IDENTITY_WORDS)]


def test_long_reads_and_writes_are_split(scripted):
    transport = scripted(echo)
    client = Client(transport)
    assert client.read(1000, 200).tolist() == list(range(1000, 1200))
    client.write(500, np.arange(-100, 100))
    writes = [frame.payload for frame in transport.frames if frame.opcode == Opcode.WRITE]
    assert len(writes) == -(-200 // link.MAX_WRITE_WORDS)
    assert [link.WRITE.unpack(payload[:4])[0] for payload in writes] == [500 + k for k in range(0, 200, 63)]
    assert np.frombuffer(b"".join(payload[4:] for payload in writes), "<i4").tolist() == list(range(-100, 100))
    assert max(len(frame.payload) for frame in transport.frames) <= link.MAX_REQUEST


def test_every_request_has_its_own_number(scripted):
    transport = scripted(echo)
    client = Client(transport)
    for _ in range(600):
        client.read(0, 1)
    numbers = [frame.sequence for frame in transport.frames]
    assert all((b - a) % 256 == 1 for a, b in pairwise(numbers))


def test_samples_beyond_one_frame(scripted, monkeypatch):
    monkeypatch.setattr(client_module, "_MAX_SAMPLES", 100)

    def answer(frame):
        sweeps, samples = link.SAMPLE.unpack(frame.payload)
        return link.encode(Frame(frame.opcode, frame.sequence, np.uint32(sweeps).tobytes())) * samples

    transport = scripted(answer)
    words = Client(transport).sample(3, 250, 1, run_s=0.0)
    assert words.shape == (250, 1)
    assert (words == 3).all()
    assert [link.SAMPLE.unpack(frame.payload)[1] for frame in transport.frames] == [100, 100, 50]


def test_a_sample_may_take_as_long_as_its_sweeps(scripted):
    transport = scripted(lambda frame: link.encode(Frame(frame.opcode, frame.sequence, bytes(4))))
    client = Client(transport)
    client.read(0, 1)
    client.sample(1_000_000, 1, 1, run_s=30.0)
    assert transport.timeouts_s[0] == client_module.ANSWER_S
    assert 30.0 < transport.timeouts_s[2] < 40.0


@pytest.mark.parametrize("reason", Refusal)
def test_refusals_say_what_to_do(scripted, reason):
    client = Client(scripted(lambda frame: link.encode(Frame(Opcode.REFUSE, frame.sequence, bytes([reason])))))
    with pytest.raises(LinkError, match=r"^the device refused READ: .+;.+$"):
        client.read(0, 1)


def test_an_unknown_refusal_is_still_one(scripted):
    client = Client(scripted(lambda frame: link.encode(Frame(Opcode.REFUSE, frame.sequence, bytes([99])))))
    with pytest.raises(LinkError, match="unknown reason, 99"):
        client.read(0, 1)


def test_the_device_refuses_what_it_has_not(device):
    client = Client(device)
    with pytest.raises(LinkError, match="no such register"):
        client.read(address(Region.STATE, 2), 1)
    with pytest.raises(LinkError, match="no such register"):
        client.write(address(Region.CONTROL, Control.MAGIC), np.array([1]))
    assert client.read(address(Region.CONTROL), 1).size == 1


BAD_ANSWERS = {
    "other number": (lambda frame: link.encode(Frame(frame.opcode, frame.sequence ^ 1, bytes(4))), "stale answer"),
    "other opcode": (lambda frame: link.encode(Frame(Opcode.SAMPLE, frame.sequence, bytes(4))), "stale answer"),
    "other length": (lambda frame: link.encode(Frame(frame.opcode, frame.sequence, bytes(8))), "8 bytes instead of 4"),
    "huge length": (lambda frame: b"\xb5\xff\xff" + bytes(40), "65535 bytes instead of 4"),
    "no sync": (lambda frame: b"hello, world", "start with 0xb5"),
    "damaged": (lambda frame: link.encode(Frame(frame.opcode, frame.sequence, bytes(4)))[:-1] + b"\x00", "CRC"),
    "cut short": (lambda frame: link.encode(Frame(frame.opcode, frame.sequence, bytes(4)))[:-1], "silence"),
    "nothing": (lambda frame: b"", "silence"),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_bad_answers_raise_and_the_next_exchange_is_clean(scripted, name):
    answer, message = BAD_ANSWERS[name]
    transport = scripted(answer)
    client = Client(transport)
    with pytest.raises(LinkError, match=message):
        client.read(7, 1)
    assert not client.clean
    transport.answer = echo
    assert client.read(7, 1).tolist() == [7]
    assert client.clean


def test_a_late_answer_is_thrown_away(scripted):
    late = []

    def withhold(frame):
        late.append(echo(frame))
        return b""

    transport = scripted(withhold)
    client = Client(transport)
    with pytest.raises(LinkError):
        client.read(7, 1)
    transport.waiting = late[0]  # arrives before the next request
    transport.answer = echo
    assert client.read(8, 1).tolist() == [8]


def test_an_answer_that_is_later_still_is_stale(scripted):
    transport = scripted(lambda frame: echo(Frame(frame.opcode, (frame.sequence - 1) % 256, frame.payload)))
    with pytest.raises(LinkError, match=r"stale answer: asked READ number 1, got opcode 1 number 0"):
        Client(transport).read(7, 1)


def test_a_device_that_never_falls_silent(scripted, monkeypatch):
    monkeypatch.setattr(client_module, "_DRAIN_S", 0.02)
    transport = scripted(lambda frame: b"")
    client = Client(transport)
    with pytest.raises(LinkError, match="silence"):
        client.read(0, 1)
    transport.read = lambda count, timeout_s: bytes(count)
    with pytest.raises(LinkError, match=r"keeps sending.*reset it"):
        client.read(0, 1)


def test_half_a_frame_is_forgotten(device, programs):
    """A request whose tail is lost leaves the device waiting; the next one must not be taken for that tail."""
    client = Client(device)
    device.write(link.encode(Frame(Opcode.WRITE, 9, link.WRITE.pack(address(Region.BIAS)) + bytes(200)))[:50])
    with pytest.raises(LinkError):
        client.read(address(Region.CONTROL), IDENTITY_WORDS)
    assert client.read(address(Region.CONTROL, Control.SIZE), 1).tolist() == [programs["glass"].image.size]


faults = st.dictionaries(
    st.integers(0, 120),
    st.one_of(
        st.tuples(st.just("flip"), st.integers(1, 255)),
        st.tuples(st.just("drop"), st.just(0)),
        st.tuples(st.just("insert"), st.integers(0, 255)),
    ),
    max_size=3,
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(to_device=faults, from_device=faults)
def test_right_answers_or_an_error_whatever_befalls_the_bytes(programs, clock_hz, faulty, to_device, from_device):
    image = programs["glass"].image
    transport = faulty(VirtualDevice(image, clock_hz=clock_hz))
    transport.damage(to_device, from_device)
    client = Client(transport)
    client.clock_hz = clock_hz
    expected = identity(image, clock_hz)
    values, ones = np.array([0xA5A5A5A5, 0x5], np.uint32), np.array([0xFFFFFFFF, 0xF], np.uint32)
    failures = 0
    for _ in range(8):
        try:
            words = client.read(address(Region.CONTROL), IDENTITY_WORDS)
            client.write(address(Region.CLAMP), ones)
            client.write(address(Region.STATE), values)
            states = client.read(address(Region.STATE), 2)
        except LinkError:
            failures += 1
            continue
        assert words.tolist() == [expected[k] for k in range(IDENTITY_WORDS)]
        assert states.tolist() == values.tolist()
    assert failures <= len(to_device) + len(from_device)
