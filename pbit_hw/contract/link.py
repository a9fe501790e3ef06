"""Frames of the link between host and device.

A frame is ``sync, length (u16), opcode (u8), sequence (u8), payload, crc (u16)``,
little-endian. The length counts the payload. The CRC is CRC-16/IBM-3740 (the
catalogue's check value is 0x29B1) over everything between sync and CRC. The
device answers every request with a frame of the same opcode and sequence
number, or with a `REFUSE`. A request whose CRC is wrong is never carried out.
"""

from __future__ import annotations

import binascii
import enum
import struct
from dataclasses import dataclass

from .errors import LinkError

SYNC = 0xB5
MAX_REQUEST = 256
"""Longest payload of a request in bytes: what the device can buffer."""

MAX_ANSWER = (1 << 16) - 1
"""Longest payload of an answer in bytes: what its length can say."""

HEADER = struct.Struct("<BHBB")
CRC = struct.Struct("<H")

IDLE_CYCLES = 1 << 16
"""Device clocks without a byte after which a half-received frame is forgotten."""


class Opcode(enum.IntEnum):
    """What a frame asks for; the answer carries the same opcode."""

    READ = 1
    """address u32, words u16 -> that many words."""
    WRITE = 2
    """address u32, words -> empty."""
    SAMPLE = 3
    """sweeps u32, samples u16 -> one answer per sample: the packed state of each replica after ``sweeps`` sweeps."""
    REFUSE = 0x7F
    """answer only: reason u8."""


class Refusal(enum.IntEnum):
    """Why a request was refused: the first of these that holds."""

    CRC = 1
    """The request came damaged."""
    OPCODE = 2
    """There is no such opcode."""
    LENGTH = 3
    """The payload's length is wrong for the opcode, or it asks for no word or no sample."""
    ADDRESS = 4
    """One of the words is no register, or none that may be accessed so."""
    BUSY = 5
    """A run is under way and more than a stop is asked for, or one is to begin and `STATE` is not the first replica."""


READ = struct.Struct("<IH")
WRITE = struct.Struct("<I")
SAMPLE = struct.Struct("<IH")

MAX_WRITE_WORDS = (MAX_REQUEST - WRITE.size) // 4


@dataclass(frozen=True)
class Frame:
    """One frame without its sync, length and CRC.

    Parameters
    ----------
    opcode : int
        An `Opcode`; an unknown one is kept so that it can be refused.
    sequence : int
        0 to 255.
    payload : bytes
        At most 65,535 bytes.
    """

    opcode: int
    sequence: int
    payload: bytes = b""


def crc16(data: bytes) -> int:
    """CRC-16/IBM-3740: polynomial 0x1021, initial value 0xFFFF, not reflected."""
    return binascii.crc_hqx(data, 0xFFFF)


def encode(frame: Frame) -> bytes:
    """The bytes of a frame on the wire."""
    body = HEADER.pack(SYNC, len(frame.payload), frame.opcode, frame.sequence) + frame.payload
    return body + CRC.pack(crc16(body[1:]))


def payload_length(header: bytes) -> int:
    """Payload length announced by the first `HEADER.size` bytes of a frame.

    Raises
    ------
    LinkError
        If the header is short or does not start with the sync byte.
    """
    if len(header) < HEADER.size:
        raise LinkError(f"{len(header)} bytes of a frame came, its header alone has {HEADER.size}")
    sync, length, _, _ = HEADER.unpack(header)
    if sync != SYNC:
        raise LinkError(f"expected a frame to start with {SYNC:#04x}, got {sync:#04x}; is this a pbit-hw device?")
    return length


def decode(data: bytes) -> Frame:
    """Check and take apart the bytes of one whole frame.

    Raises
    ------
    LinkError
        If sync, length or CRC are wrong.
    """
    length = payload_length(data[: HEADER.size])
    if len(data) != HEADER.size + length + CRC.size:
        raise LinkError(f"frame announces {length} payload bytes, {len(data) - HEADER.size - CRC.size} came")
    (expected,) = CRC.unpack(data[-CRC.size :])
    if (got := crc16(data[1 : -CRC.size])) != expected:
        raise LinkError(f"CRC error: frame says {expected:#06x}, its bytes give {got:#06x}")
    _, _, opcode, sequence = HEADER.unpack(data[: HEADER.size])
    return Frame(opcode, sequence, data[HEADER.size : -CRC.size])
