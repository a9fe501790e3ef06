"""Transports: how bytes reach a device and come back."""

from __future__ import annotations

import errno
from typing import Protocol

import serial
from serial.tools import list_ports

from ..contract.errors import LinkError
from ..contract.link import CRC, HEADER, MAX_REQUEST

BAUD = 1_000_000
"""Default bit rate; the UART of a bitstream is built for one rate, which `pbit build` reports."""

BITS_PER_BYTE = 10
"""On the wire, with a start bit and a stop bit."""

_LONGEST_REQUEST = HEADER.size + MAX_REQUEST + CRC.size


class Transport(Protocol):
    """A byte stream to a device and back."""

    def write(self, data: bytes) -> None:
        """Send bytes.

        Raises
        ------
        LinkError
            If the device is gone.
        """
        ...

    def read(self, count: int, timeout_s: float) -> bytes:
        """Wait for bytes.

        Parameters
        ----------
        count : int
            How many.
        timeout_s : float
            How long the device may be silent or busy, in seconds. Time that the
            bytes take on the wire is the transport's to add.

        Returns
        -------
        bytes
            Exactly ``count`` bytes.

        Raises
        ------
        LinkError
            If fewer came in time (those that came are discarded), or if the
            device is gone.
        """
        ...

    def close(self) -> None:
        """Let go of the device; closing twice is harmless."""
        ...


class SerialTransport:
    """A board's UART, 8 data bits, no parity, one stop bit.

    Parameters
    ----------
    port : str
        Serial port, such as ``/dev/ttyUSB1`` or ``COM3``.
    baud : int
        Bits per second; must be what the bitstream was built for.

    Raises
    ------
    LinkError
        If the port is missing, busy or not permitted.
    """

    def __init__(self, port: str, baud: int = BAUD) -> None:
        self.port = port
        self.baud = baud
        try:
            self._serial = serial.Serial(port, baud, timeout=0, write_timeout=5, exclusive=True)
        except (OSError, ValueError) as error:
            raise LinkError(_open_failure(port, baud, error)) from error

    def write(self, data: bytes) -> None:
        """Send bytes; see `Transport.write`."""
        try:
            self._serial.write(data)
        except (OSError, TypeError) as error:  # pyserial meets a device pulled mid-call with either
            raise self._lost(error) from error

    def read(self, count: int, timeout_s: float) -> bytes:
        """Wait for bytes; see `Transport.read`."""
        wire_s = (count + _LONGEST_REQUEST) * BITS_PER_BYTE / self.baud
        try:
            self._serial.timeout = timeout_s + wire_s
            data = self._serial.read(count)
        except (OSError, TypeError) as error:
            raise self._lost(error) from error
        if len(data) != count:
            raise LinkError(
                f"{self.port} sent {len(data)} of {count} bytes in {timeout_s + wire_s:.2g} s; is the board programmed "
                f"with this design, and its UART at {self.baud} baud?"
            )
        return data

    def close(self) -> None:
        """Let go of the port."""
        self._serial.close()

    def _lost(self, error: Exception) -> LinkError:
        return LinkError(f"{self.port} is disconnected ({_first_line(error)}); plug the board in and open it again")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _open_failure(port: str, baud: int, error: Exception) -> str:
    code = getattr(error, "errno", None)
    if code == errno.ENOENT or "FileNotFoundError" in str(error):
        ports = ", ".join(sorted(found.device for found in list_ports.comports())) or "none"
        return f"there is no serial port {port}; ports found: {ports}"
    if code in (errno.EACCES, errno.EPERM) or "PermissionError" in str(error):
        return f"no permission to open {port}; add yourself to its group (often dialout or uucp) and log in again"
    if code in (errno.EAGAIN, errno.EBUSY):
        return f"{port} is in use by another program; close that program first"
    return f"cannot open {port} at {baud} baud: {_first_line(error)}; pass a serial port such as /dev/ttyUSB1"
