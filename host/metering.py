"""What a link costs: a transport that counts bytes, models their time on the wire, and times the host beside it."""

from __future__ import annotations

import struct
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ..contract import link
from ..contract.errors import LinkError, RequestError
from ..contract.link import Opcode
from ..contract.registers import OFFSET_BITS, Region
from .transport import BAUD, BITS_PER_BYTE, Transport

OTHER = "OTHER"
"""Kind of bytes that are no intact request of the contract."""

_PACE_S = 1e-3


class Traffic(NamedTuple):
    """Requests and bytes of one kind; whole numbers in a count, means in an average."""

    requests: float = 0
    bytes_out: float = 0
    bytes_in: float = 0


@dataclass(frozen=True)
class Cost:
    """Traffic and time between two moments; costs of one meter subtract, and divide by a number of steps.

    Parameters
    ----------
    by_kind : mapping of str to Traffic
        Keys are an opcode and a region, as in ``"WRITE GENERATOR"``, or ``"SAMPLE"``, or `OTHER`.
    baud : int
        Bits per second that ``wire_s`` is for. Counts do not depend on it: ``dataclasses.replace(cost, baud=...)``
        is the same traffic on another wire.
    array_s : float
        Time that the array sweeps, in seconds, modelled.
    host_s : float
        Time that passed outside the transport, in seconds, measured.

    Raises
    ------
    RequestError
        If baud, or the number of steps that a cost is divided by, is not at least 1.
    """

    by_kind: Mapping[str, Traffic]
    baud: int
    array_s: float
    host_s: float

    def __post_init__(self) -> None:
        if not self.baud >= 1:
            raise RequestError(f"baud is {self.baud}; it must be at least 1")

    @property
    def requests(self) -> float:
        """Requests written, answered or not."""
        return sum(traffic.requests for traffic in self.by_kind.values())

    @property
    def bytes_out(self) -> float:
        """Bytes to the device, frames whole."""
        return sum(traffic.bytes_out for traffic in self.by_kind.values())

    @property
    def bytes_in(self) -> float:
        """Bytes from the device, frames whole."""
        return sum(traffic.bytes_in for traffic in self.by_kind.values())

    @property
    def wire_s(self) -> float:
        """Seconds on the wire. Requests and answers take turns, so both directions add up."""
        return (self.bytes_out + self.bytes_in) * BITS_PER_BYTE / self.baud

    @property
    def total_s(self) -> float:
        """Wire, array and host in seconds, one after the other."""
        return self.wire_s + self.array_s + self.host_s

    def __sub__(self, earlier: Cost) -> Cost:
        """What came after an earlier total of the same meter; kinds that did not occur are left out."""
        none = Traffic()
        pairs = {kind: zip(now, earlier.by_kind.get(kind, none), strict=True) for kind, now in self.by_kind.items()}
        rest = {kind: Traffic(*(now - then for now, then in pair)) for kind, pair in pairs.items()}
        used = {kind: traffic for kind, traffic in rest.items() if traffic != none}
        return Cost(used, self.baud, self.array_s - earlier.array_s, self.host_s - earlier.host_s)

    def __truediv__(self, steps: int) -> Cost:
        """The mean of so many steps."""
        if not steps >= 1:
            raise RequestError(f"the mean is of {steps} steps; it must be at least 1")
        means = {kind: Traffic(*(count / steps for count in traffic)) for kind, traffic in self.by_kind.items()}
        return Cost(means, self.baud, self.array_s / steps, self.host_s / steps)


class Meter:
    """A transport that passes everything on to another one and counts it.

    Answers are counted to the kind of the last request, since one is answered
    before the next is written. A read that fails returns no bytes and counts
    none; the request before it stays counted. So does the array's time, which
    is what `SAMPLE` requests ask for: sweeps x samples x colours clocks, and of an interleaved array (sweeps + 1) x
    samples x interleave.

    Host time is the wall-clock time outside `write` and `read`. What passes
    inside is left out, be it the emulation by a virtual device, a board's own
    wire and array, or the meter's counting; wire and array are modelled instead.
    The model knows nothing of what an operating system and a USB adapter add to
    every request.

    Parameters
    ----------
    transport : Transport
        The byte stream that is metered.
    colours : int
        Clocks of a sweep, as in ``program.image.colours``; of an engine as in `Packing.clocks`.
    clock_hz : int
        Clock of the array in Hz.
    interleave : int
        Replicas that follow one another, as in ``program.image.following``.
    baud : int
        Bits per second of the modelled wire.
    simulate : bool
        Whether to sleep for as long as wire and array would take, beyond what the transport itself took. Sleeps
        are of a millisecond or more, so that shorter times are kept on average only. Timeouts are not simulated.

    Raises
    ------
    RequestError
        If colours, clock, interleave or baud are below 1.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        colours: int,
        clock_hz: int,
        interleave: int = 1,
        baud: int = BAUD,
        simulate: bool = False,
    ) -> None:
        rates = {"colours": colours, "clock_hz": clock_hz, "interleave": interleave, "baud": baud}
        for name, value in rates.items():
            if value < 1:
                raise RequestError(f"{name} is {value}; it must be at least 1")
        self.baud = baud
        self._transport = transport
        self._sweep_s = max(colours, interleave) / clock_hz
        self._home_s = interleave / clock_hz if interleave > 1 else 0.0
        self._simulate = simulate
        self._by_kind: defaultdict[str, Traffic] = defaultdict(Traffic)
        self._kind = OTHER
        self._array_s = self._inside_s = self._owed_s = 0.0
        self._opened_s = time.perf_counter()
        self._lap = self.total

    def write(self, data: bytes) -> None:
        """Send bytes and count them; see `Transport.write`."""
        entered_s, modelled_s = time.perf_counter(), 0.0
        try:
            self._transport.write(data)
            modelled_s = self._count_requests(data) + len(data) * BITS_PER_BYTE / self.baud
        finally:
            self._leave(entered_s, modelled_s)

    def read(self, count: int, timeout_s: float) -> bytes:
        """Wait for bytes and count them; see `Transport.read`."""
        entered_s, modelled_s = time.perf_counter(), 0.0
        try:
            data = self._transport.read(count, timeout_s)
            self._count(Traffic(0, 0, len(data)))
            modelled_s = len(data) * BITS_PER_BYTE / self.baud
        finally:
            self._leave(entered_s, modelled_s)
        return data

    def close(self) -> None:
        """Close the transport; counts stay."""
        self._transport.close()

    @property
    def total(self) -> Cost:
        """Everything since the meter was made."""
        host_s = time.perf_counter() - self._opened_s - self._inside_s
        return Cost(dict(self._by_kind), self.baud, self._array_s, host_s)

    def lap(self) -> Cost:
        """Everything since the last lap, or since the meter was made; ``meter.lap() / steps`` is a step's mean."""
        total, earlier = self.total, self._lap
        self._lap = total
        return total - earlier

    def _count_requests(self, data: bytes) -> float:
        """Seconds for which the array sweeps as these requests ask."""
        array_s = 0.0
        for piece in _pieces(data):
            self._kind, sweeps, runs = _read_request(piece)
            self._count(Traffic(int(self._kind != OTHER), len(piece), 0))
            array_s += sweeps * self._sweep_s + runs * self._home_s
        self._array_s += array_s
        return array_s

    def _count(self, more: Traffic) -> None:
        old = self._by_kind[self._kind]
        self._by_kind[self._kind] = Traffic(*(a + b for a, b in zip(old, more, strict=True)))

    def _leave(self, entered_s: float, modelled_s: float) -> None:
        if self._simulate:
            self._pace(modelled_s - (time.perf_counter() - entered_s))
        self._inside_s += time.perf_counter() - entered_s

    def _pace(self, missing_s: float) -> None:
        """Sleep off what is owed, not for less than a slice; a sleep's own delay is made good by the next."""
        self._owed_s = max(self._owed_s + missing_s, -_PACE_S)  # a slow transport earns no long rush
        if self._owed_s >= _PACE_S:
            slept_s = time.perf_counter()
            time.sleep(self._owed_s)
            self._owed_s -= time.perf_counter() - slept_s


def _pieces(data: bytes) -> Iterator[bytes]:
    """Frames by their headers, and whatever follows that starts no frame."""
    while len(data) >= link.HEADER.size and data[0] == link.SYNC:
        size = link.HEADER.size + link.payload_length(data[: link.HEADER.size]) + link.CRC.size
        yield data[:size]
        data = data[size:]
    if data:
        yield data


def _read_request(piece: bytes) -> tuple[str, int, int]:
    """Kind of a request, and the sweeps and runs of some sweeps that it asks for."""
    try:
        frame = link.decode(piece)
        opcode = Opcode(frame.opcode)
        if opcode is Opcode.SAMPLE:
            sweeps, samples = link.SAMPLE.unpack(frame.payload)
            return opcode.name, sweeps * samples, samples if sweeps else 0
        (address,) = link.WRITE.unpack_from(frame.payload)  # a read begins with its address as well
        return f"{opcode.name} {Region(address >> OFFSET_BITS).name}", 0, 0
    except (LinkError, ValueError, struct.error):
        return OTHER, 0, 0
