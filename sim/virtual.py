"""A virtual device: bytes in, bytes out, as a board would answer them, with the simulator for an array."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ..contract import link
from ..contract.errors import LinkError, RequestError
from ..contract.image import Image
from ..contract.link import Frame, Opcode, Refusal
from ..contract.registers import OFFSET_BITS, Control, Region, identity
from .ensemble import Ensemble
from .network import Network
from .registers import ArrayRegisters, pack

CLOCK_HZ = 12_000_000
"""Clock that the device says it has; its time to forget half a frame follows from it."""

_MAX_PAYLOAD = 0xFFFF
_PIECE = 1 << 24


class _RefusedError(Exception):
    """A request that is answered by a refusal."""


class VirtualDevice:
    """A transport to a p-bit array that exists in memory only.

    Frames are parsed, checked and answered as the gateware does. Runs are over
    when the frame that started them has been written, so the array is never
    busy. States, weights and generators persist from frame to frame.

    Parameters
    ----------
    image : Image
        The array, with its weights, biases and clamps at power-up.
    clock_hz : int
        Clock that the device claims, in Hz.
    """

    def __init__(self, image: Image, clock_hz: int = CLOCK_HZ) -> None:
        self._array = _SweptArray(image)
        self._identity = identity(image, clock_hz)
        self._idle_s = link.IDLE_CYCLES / clock_hz
        self._silence_s = 0.0
        self._received = bytearray()
        self._answers = bytearray()
        self._open = True

    def write(self, data: bytes) -> None:
        """Send bytes to the device.

        Raises
        ------
        LinkError
            If the device is closed.
        """
        self._check_open()
        self._silence_s = 0.0
        self._received += data
        for raw in self._frames():
            for answer in self._answer(raw):
                self._answers += link.encode(answer)

    def read(self, count: int, timeout_s: float) -> bytes:
        """Take bytes that the device has sent.

        It answers at once, so nobody waits: time passes for the device when a
        read times out, and after `link.IDLE_CYCLES` clocks it forgets half a frame.

        Parameters
        ----------
        count : int
            How many.
        timeout_s : float
            How long a board would be waited for, in seconds.

        Raises
        ------
        LinkError
            If there are fewer, which are then dropped, or if the device is closed.
        """
        self._check_open()
        data = bytes(self._answers[:count])
        del self._answers[:count]
        if len(data) < count:
            self._silence_s += timeout_s
            if self._silence_s >= self._idle_s:
                self._received.clear()
            raise LinkError(
                f"the virtual device sent {len(data)} of {count} bytes (timeout {timeout_s:g} s); try again"
            )
        return data

    def close(self) -> None:
        """Let go of the device; closing twice is harmless."""
        self._open = False

    def _check_open(self) -> None:
        if not self._open:
            raise LinkError("the virtual device is closed; make another")

    def _frames(self) -> Iterator[bytes]:
        """Whole frames, intact or not; bytes before a sync byte are dropped."""
        while True:
            start = self._received.find(link.SYNC)
            del self._received[: start if start >= 0 else len(self._received)]
            if len(self._received) < link.HEADER.size:
                return
            length = link.payload_length(bytes(self._received[: link.HEADER.size]))
            size = link.HEADER.size + length + link.CRC.size
            if len(self._received) < size:
                return
            raw = bytes(self._received[:size])
            del self._received[:size]
            yield raw

    def _answer(self, raw: bytes) -> list[Frame]:
        _, _, opcode, sequence = link.HEADER.unpack(raw[: link.HEADER.size])
        try:
            try:
                payload = link.decode(raw).payload
            except LinkError as error:
                raise _RefusedError(Refusal.CRC) from error
            return [Frame(opcode, sequence, data) for data in self._execute(opcode, payload)]
        except _RefusedError as refused:
            return [Frame(Opcode.REFUSE, sequence, bytes(refused.args))]

    def _execute(self, opcode: int, payload: bytes) -> list[bytes]:
        """Payloads of the answers to a request, or `_RefusedError` with the first reason in the order of `Refusal`."""
        if opcode == Opcode.READ:
            return [self._read(payload)]
        if opcode == Opcode.WRITE:
            return [self._write(payload)]
        if opcode == Opcode.SAMPLE:
            return self._sample(payload)
        raise _RefusedError(Refusal.OPCODE)

    def _read(self, payload: bytes) -> bytes:
        if len(payload) != link.READ.size:
            raise _RefusedError(Refusal.LENGTH)
        address, count = link.READ.unpack(payload)
        if not 0 < 4 * count <= _MAX_PAYLOAD:
            raise _RefusedError(Refusal.LENGTH)
        try:
            region, offset = self._array.locate(address, count, "r")
        except RequestError as error:
            raise _RefusedError(Refusal.ADDRESS) from error
        if region == Region.STATE:
            return _to_bytes(pack(self._array.states)[offset : offset + count])
        control = {**self._identity, Control.SWEEPS: self._array.sweeps_left, Control.BETA: self._array.beta}
        return _to_bytes([control[place] for place in range(offset, offset + count)])

    def _write(self, payload: bytes) -> bytes:
        data = payload[link.WRITE.size :]
        if not data or len(data) % 4 or len(payload) > link.MAX_REQUEST:
            raise _RefusedError(Refusal.LENGTH)
        (address,) = link.WRITE.unpack(payload[: link.WRITE.size])
        try:
            self._array.write(address, np.frombuffer(data, "<u4"))
        except RequestError as error:
            raise _RefusedError(Refusal.ADDRESS) from error
        self._array.settle()
        return b""

    def _sample(self, payload: bytes) -> list[bytes]:
        if len(payload) != link.SAMPLE.size:
            raise _RefusedError(Refusal.LENGTH)
        sweeps, samples = link.SAMPLE.unpack(payload)
        if samples == 0:
            raise _RefusedError(Refusal.LENGTH)
        return [_to_bytes(pack(states)) for states in self._array.sweep(sweeps, samples)]


class _SweptArray(ArrayRegisters):
    """The array between the clocks that a host can tell apart: idle, all that it was told to do done."""

    def __init__(self, image: Image) -> None:
        super().__init__(image)
        self._ensemble: Ensemble | None = None
        self.settle()

    def write(self, address: int, words: npt.ArrayLike) -> None:
        """Write words to consecutive addresses; see `ArrayRegisters.write`."""
        super().write(address, words)
        if address >> OFFSET_BITS in (Region.WEIGHT, Region.BIAS):
            self._ensemble = None

    def settle(self) -> None:
        """Let clocks pass until the array is idle and its clamps have acted."""
        np.copyto(self.states, self.clamp_values, where=self.clamped.view(np.bool_))
        if self.sweeps_left:
            self.sweep(self.sweeps_left, 1)
            self.sweeps_left = 0

    def sweep(self, sweeps: int, samples: int) -> npt.NDArray[np.uint8]:
        """States after each of ``samples`` runs of ``sweeps`` sweeps, shape (samples, n)."""
        if sweeps == 0:
            return np.repeat(self.states[None], samples, axis=0)
        if self._ensemble is None:
            self._ensemble = Ensemble(Network(self.image, self.weights, self.biases), 1)
        ensemble = self._ensemble
        ensemble.load(self.states[None], self.registers[None], self.clamped)
        out = np.empty((samples, self.image.size), np.uint8)
        step = max(_PIECE // (self.image.size + self.image.slots), 1)
        for first in range(0, sweeps * samples, step):
            last = min(first + step, sweeps * samples)
            kept, kept_last = first // sweeps, last // sweeps
            keep = sweeps * np.arange(kept + 1, kept_last + 1) - first
            out[kept:kept_last] = ensemble.sweep(np.full(last - first, self.beta, np.int32), keep)[:, 0]
        self.states[:], self.registers[:] = ensemble.states[0], ensemble.registers[0]
        return out


def _to_bytes(words: npt.ArrayLike) -> bytes:
    return np.asarray(words, "<u4").tobytes()
