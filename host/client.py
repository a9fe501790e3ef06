"""Requests over the link, one at a time: right answers or a `LinkError`, nothing between."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from ..contract import link
from ..contract.errors import LinkError
from ..contract.link import Frame, Opcode, Refusal
from .transport import Transport

Words = npt.NDArray[np.uint32]

ANSWER_S = 0.5
"""Longest wait for an answer, beyond the wire and the array's own run time."""

SLOWEST_CLOCK_HZ = 1_000_000
"""Clock that a device is taken to have until it has said its own."""

_QUIET_S = 0.05
_DRAIN_S = 5.0
_MAX_SAMPLES = 0xFFFF

_REFUSALS = {
    Refusal.CRC: "it came damaged (CRC); check the cable and the baud rate, then try again",
    Refusal.OPCODE: "the device does not know it; build its bitstream again with this version of pbit-hw",
    Refusal.LENGTH: "its length is wrong; build the bitstream again with this version of pbit-hw",
    Refusal.ADDRESS: "the device has no such register; build the bitstream again from this program",
    Refusal.BUSY: "a run is under way, or `STATE` is not the first replica's; wait for its end or reset the board",
}


class RefusedError(LinkError):
    """The device refused, and said so well."""


class BusyError(RefusedError):
    """The device refused because a run is under way, or a run was to begin while `STATE` is not the first replica's."""


class Client:
    """Frames to a device and back.

    Every request carries a sequence number of its own and is followed by its
    answer. An exchange that fails for whatever reason raises; the one after it
    first waits until the device is silent and has forgotten half a frame.

    Parameters
    ----------
    transport : Transport
        The byte stream.

    Attributes
    ----------
    clock_hz : int
        Clock of the device in Hz; sets how long it needs to forget half a frame.
    clean : bool
        Whether the last exchange ended as it should: well, or refused for what it asks.
    """

    def __init__(self, transport: Transport) -> None:
        self.clock_hz = SLOWEST_CLOCK_HZ
        self.clean = True
        self._transport = transport
        self._sequence = 0

    def read(self, address: int, count: int) -> Words:
        """Read consecutive registers.

        Parameters
        ----------
        address : int
            Of the first.
        count : int
            How many words.

        Returns
        -------
        ndarray of uint32, shape (count,)

        Raises
        ------
        LinkError
            If the link fails or the device refuses.
        """
        chunks = []
        for first in range(0, count, link.MAX_WRITE_WORDS):
            words = min(link.MAX_WRITE_WORDS, count - first)
            chunks += self._exchange(Opcode.READ, link.READ.pack(address + first, words), 4 * words)
        return _words(b"".join(chunks))

    def write(self, address: int, words: npt.NDArray[np.integer]) -> None:
        """Write consecutive registers.

        Parameters
        ----------
        address : int
            Of the first.
        words : ndarray of int32 or uint32, shape (count,)
            Their contents; negative ones go in two's complement.

        Raises
        ------
        LinkError
            If the link fails or the device refuses; some registers may then be written and others not.
        """
        data = np.asarray(words).astype("<u4", casting="unsafe").tobytes()
        for first in range(0, len(data), 4 * link.MAX_WRITE_WORDS):
            chunk = data[first : first + 4 * link.MAX_WRITE_WORDS]
            self._exchange(Opcode.WRITE, link.WRITE.pack(address + first // 4) + chunk, 0)

    def sample(self, sweeps: int, samples: int, state_words: int, run_s: float) -> Words:
        """Run the array and read its state again and again.

        Parameters
        ----------
        sweeps : int
            Sweeps before each sample.
        samples : int
            How many samples.
        state_words : int
            Words of a packed state.
        run_s : float
            Time that the array needs for those sweeps, in seconds.

        Returns
        -------
        ndarray of uint32, shape (samples, state_words)

        Raises
        ------
        LinkError
            If the link fails or the device refuses.
        """
        chunks = []
        for first in range(0, samples, _MAX_SAMPLES):
            count = min(_MAX_SAMPLES, samples - first)
            payload = link.SAMPLE.pack(sweeps, count)
            chunks += self._exchange(Opcode.SAMPLE, payload, 4 * state_words, count, ANSWER_S + 1.1 * run_s)
        return _words(b"".join(chunks)).reshape(samples, state_words)

    def _exchange(
        self, opcode: Opcode, payload: bytes, length: int, answers: int = 1, timeout_s: float = ANSWER_S
    ) -> list[bytes]:
        if not self.clean:
            self._drain()
        self.clean = False
        self._sequence = (self._sequence + 1) % 256
        self._transport.write(link.encode(Frame(opcode, self._sequence, payload)))
        payloads = [self._answer(opcode, length, timeout_s) for _ in range(answers)]
        self.clean = True
        return payloads

    def _answer(self, opcode: Opcode, length: int, timeout_s: float) -> bytes:
        header = self._transport.read(link.HEADER.size, timeout_s)
        announced = link.payload_length(header)
        # Checked before the CRC, so that a damaged length is not waited for.
        if announced != length and (announced, header[3]) != (1, Opcode.REFUSE):
            raise LinkError(f"{opcode.name} was answered by {announced} bytes instead of {length}; try again")
        frame = link.decode(header + self._transport.read(announced + link.CRC.size, ANSWER_S))
        if frame.opcode == Opcode.REFUSE:
            # a request that came damaged may have been another host's, so nothing is sure after that
            self.clean = frame.payload != bytes([Refusal.CRC]) and frame.sequence == self._sequence
            kind = BusyError if frame.payload == bytes([Refusal.BUSY]) else RefusedError
            raise kind(f"the device refused {opcode.name}: {_reason(frame.payload)}")
        if (frame.opcode, frame.sequence) != (opcode, self._sequence):
            raise LinkError(
                f"stale answer: asked {opcode.name} number {self._sequence}, got opcode {frame.opcode} number "
                f"{frame.sequence}; try again"
            )
        return frame.payload

    def _drain(self) -> None:
        quiet_s = _QUIET_S + link.IDLE_CYCLES / self.clock_hz
        heard_s = time.monotonic()
        deadline_s = heard_s + _DRAIN_S
        while heard_s < deadline_s:
            try:
                self._transport.read(1, quiet_s)
            except LinkError:  # silence, or no device, which comes at once: the write that follows tells which
                time.sleep(max(0.0, heard_s + quiet_s - time.monotonic()))
                return
            heard_s = time.monotonic()
        raise LinkError(f"the device keeps sending after {_DRAIN_S:g} s; wait for the end of its run or reset it")


def _words(data: bytes) -> Words:
    return np.frombuffer(data, "<u4").astype(np.uint32)


def _reason(payload: bytes) -> str:
    code = payload[0] if payload else 0
    return _REFUSALS[Refusal(code)] if code in set(Refusal) else f"for an unknown reason, {code}"
