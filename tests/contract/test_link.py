"""Frames: what is sent arrives or is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbit_hw.contract import link
from pbit_hw.contract.errors import LinkError
from pbit_hw.contract.link import Frame, Opcode

frames = st.builds(Frame, st.integers(0, 255), st.integers(0, 255), st.binary(max_size=300))
SHORT = link.encode(Frame(Opcode.WRITE, 7, b"\x00\x00\x00\x05abcd"))


def crc_bit_by_bit(data: bytes) -> int:
    """CRC-16/IBM-3740 as its definition reads."""
    crc = 0xFFFF
    for byte in data:
        for bit in range(7, -1, -1):
            carry = (crc >> 15) ^ (byte >> bit & 1)
            crc = (crc << 1 & 0xFFFF) ^ (0x1021 if carry else 0)
    return crc


def flipped(data: bytes, *positions: int) -> bytes:
    damaged = bytearray(data)
    for position in positions:
        damaged[position // 8] ^= 1 << position % 8
    return bytes(damaged)


def test_crc_gives_the_catalogue_value() -> None:
    assert link.crc16(b"123456789") == 0x29B1


@given(st.binary(max_size=64))
def test_crc_is_its_definition(data: bytes) -> None:
    assert link.crc16(data) == crc_bit_by_bit(data)


@given(frames)
def test_frames_round_trip(frame: Frame) -> None:
    data = link.encode(frame)
    assert link.decode(data) == frame
    assert link.payload_length(data[: link.HEADER.size]) == len(frame.payload)
    assert len(data) == link.HEADER.size + len(frame.payload) + link.CRC.size


def test_a_frame_on_the_wire() -> None:
    data = link.encode(Frame(Opcode.READ, 3, b"\x01\x02"))
    assert data[:-2] == bytes([0xB5, 2, 0, 1, 3, 1, 2])
    assert int.from_bytes(data[-2:], "little") == crc_bit_by_bit(data[1:-2])


def test_the_longest_payload() -> None:
    longest = Frame(Opcode.READ, 0, bytes(65535))
    assert link.decode(link.encode(longest)) == longest


def test_every_flipped_bit_is_detected() -> None:
    for position in range(8 * len(SHORT)):
        with pytest.raises(LinkError):
            link.decode(flipped(SHORT, position))


@given(frames, st.data())
def test_two_flipped_bits_and_bursts_are_detected(frame: Frame, data: st.DataObject) -> None:
    sent = link.encode(frame)
    places = st.integers(8, 8 * len(sent) - 1)
    pair = data.draw(st.lists(places, min_size=2, max_size=2, unique=True))
    with pytest.raises(LinkError):
        link.decode(flipped(sent, *pair))
    first = data.draw(st.integers(8, 8 * len(sent) - 16))
    burst = data.draw(st.sets(st.integers(first, first + 15), min_size=1))
    with pytest.raises(LinkError):
        link.decode(flipped(sent, *burst))


def test_every_truncation_and_every_extension_is_refused() -> None:
    for length in range(len(SHORT)):
        with pytest.raises(LinkError):
            link.decode(SHORT[:length])
    with pytest.raises(LinkError, match="frame announces 8 payload bytes, 9 came"):
        link.decode(SHORT + b"\0")


def test_errors_name_what_came() -> None:
    with pytest.raises(LinkError, match="start with 0xb5, got 0x55; is this a pbit-hw device"):
        link.decode(b"U" + SHORT[1:])
    with pytest.raises(LinkError, match=r"CRC error: frame says 0x.{4}, its bytes give 0x.{4}"):
        link.decode(SHORT[:-1] + bytes([SHORT[-1] ^ 1]))
    with pytest.raises(LinkError, match="3 bytes of a frame came"):
        link.decode(SHORT[:3])


def test_the_largest_write_fits_the_device_buffer() -> None:
    assert link.WRITE.size + 4 * link.MAX_WRITE_WORDS <= link.MAX_REQUEST
    assert link.WRITE.size + 4 * (link.MAX_WRITE_WORDS + 1) > link.MAX_REQUEST
