"""A virtual device: bytes in, bytes out, as a board would answer them, with the simulator for an array."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ..contract import link
from ..contract.errors import LinkError, RequestError
from ..contract.image import Image
from ..contract.link import Frame, Opcode, Refusal
from ..contract.registers import Control, Region, address, fixed_checksum, identity
from ..contract.request import in_turn
from ..contract.schedule import STEP_WORDS, STEPS, counted
from .ensemble import Ensemble
from .network import Network
from .registers import ArrayRegisters, Words, pack

CLOCK_HZ = 12_000_000
"""Clock that the device says it has; its time to forget half a frame follows from it."""

_MAX_PAYLOAD = 0xFFFF
_SWEEPS = address(Region.CONTROL, Control.SWEEPS)
_STEPS = address(Region.CONTROL, Control.STEPS)
_PIECE = 1 << 24


class _RefusedError(Exception):
    """A request that is answered by a refusal."""


class VirtualDevice:
    """A transport to a p-bit array that exists in memory only.

    Frames are parsed, checked and answered as the gateware does. Runs are over
    when the frame that started them has been written, so the array is never
    busy with one, and refuses a start for no reason but the replica at hand. States, weights and generators persist
    from frame to frame.

    Parameters
    ----------
    image : Image
        The array, with its weights, biases and clamps at power-up.
    clock_hz : int
        Clock that the device claims, in Hz.
    fixed : bool
        Whether weights, biases and beta are constants: writes to them do nothing.
    counting : bool
        Whether there are a schedule and counters.
    """

    def __init__(self, image: Image, clock_hz: int = CLOCK_HZ, *, fixed: bool = False, counting: bool = False) -> None:
        self._array = _SweptArray(image, fixed, counting)
        self._identity = identity(image, clock_hz, fixed_checksum(image, image.reset_beta) if fixed else 0)
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
        place, count = link.READ.unpack(payload)
        if not 0 < 4 * count <= _MAX_PAYLOAD:
            raise _RefusedError(Refusal.LENGTH)
        try:
            region, offset = self._array.locate(place, count, "r")
        except RequestError as error:
            raise _RefusedError(Refusal.ADDRESS) from error
        if region == Region.STATE:
            return _to_bytes(pack(self._array.states[self._array.at_hand])[offset : offset + count])
        if region == Region.COUNT:
            return _to_bytes(self._array.counts[offset : offset + count])
        control = {**self._identity, Control.SWEEPS: self._array.sweeps_left, Control.BETA: self._array.beta}
        control[Control.STEPS] = 0
        return _to_bytes([control[word] for word in range(offset, offset + count)])

    def _write(self, payload: bytes) -> bytes:
        data = payload[link.WRITE.size :]
        if not data or len(data) % 4 or len(payload) > link.MAX_REQUEST:
            raise _RefusedError(Refusal.LENGTH)
        (place,) = link.WRITE.unpack(payload[: link.WRITE.size])
        words = np.frombuffer(data, "<u4")
        try:
            self._array.locate(place, len(words), "w")
        except RequestError as error:
            raise _RefusedError(Refusal.ADDRESS) from error
        if place in (_SWEEPS, _STEPS):
            self._check_start()
        self._array.write(place, words)
        self._array.settle()
        return b""

    def _sample(self, payload: bytes) -> list[bytes]:
        if len(payload) != link.SAMPLE.size:
            raise _RefusedError(Refusal.LENGTH)
        sweeps, samples = link.SAMPLE.unpack(payload)
        if samples == 0:
            raise _RefusedError(Refusal.LENGTH)
        self._check_start()
        return [b"".join(_to_bytes(pack(row)) for row in states) for states in self._array.sweep(sweeps, samples)]

    def _check_start(self) -> None:
        if self._array.at_hand:
            raise _RefusedError(Refusal.BUSY)


class _SweptArray(ArrayRegisters):
    """The array between the clocks that a host can tell apart: idle, all that it was told to do done."""

    def __init__(self, image: Image, fixed: bool, counting: bool) -> None:
        super().__init__(image, counting=counting)
        self._fixed = fixed
        self._ensemble: Ensemble | None = None

    def _write_control(self, offset: int, word: int) -> None:
        if offset == Control.STEPS:
            self._carry_out(min(word, STEPS))
        elif not (self._fixed and offset == Control.BETA):
            super()._write_control(offset, word)

    def _carry_out(self, steps: int) -> None:
        """The schedule's first steps."""
        for beta, sweeps, repeats, count in self.schedule.reshape(STEPS, STEP_WORDS)[:steps].tolist():
            self._write_control(Control.BETA, beta)
            piece = max(_PIECE // self.states.size, 1)
            for first in range(0, repeats, piece):
                states = self.sweep(sweeps, min(piece, repeats - first))
                if count & 1:
                    self.counts[:] = counted(self.image, self.counts, states)

    def _write_region(self, region: Region, offset: int, words: Words) -> None:
        coupling = region in (Region.WEIGHT, Region.BIAS)
        if coupling and self._fixed:
            return
        super()._write_region(region, offset, words)
        if coupling:
            self._ensemble = None

    def settle(self) -> None:
        """Let clocks pass until the array is idle."""
        home = 1 if self.image.home_slots else 0
        if self.sweeps_left > home:
            self.sweep(self.sweeps_left - home, 1)
        self.sweeps_left = 0

    def sweep(self, sweeps: int, samples: int) -> npt.NDArray[np.uint8]:
        """States after each of ``samples`` runs of ``sweeps`` sweeps, shape (samples, interleave, n)."""
        if sweeps == 0:
            return np.repeat(self.states[None], samples, axis=0)
        if self._ensemble is None:
            self._ensemble = Ensemble(Network(self.image, self.weights, self.biases), self.image.interleave)
        ensemble = self._ensemble
        ensemble.load(self.states, in_turn(self.image, self.registers[None]), self.clamped)
        out = np.empty((samples, *self.states.shape), np.uint8)
        step = max(_PIECE // (self.image.interleave * (self.image.size + self.image.slots)), 1)
        for first in range(0, sweeps * samples, step):
            last = min(first + step, sweeps * samples)
            kept, kept_last = first // sweeps, last // sweeps
            keep = sweeps * np.arange(kept + 1, kept_last + 1) - first
            out[kept:kept_last] = ensemble.sweep(np.full(last - first, self.beta, np.int32), keep)
        self.states[:], self.registers[:] = ensemble.states, ensemble.registers[0]
        return out


def _to_bytes(words: npt.ArrayLike) -> bytes:
    return np.asarray(words, "<u4").tobytes()
