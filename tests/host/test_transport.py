"""The serial transport, on a pseudo-terminal with a virtual device at its other end."""

from __future__ import annotations

import errno
import os
import threading
import tty

import numpy as np
import pytest
import serial
from serial.tools import list_ports

from pbit_hw.contract import link
from pbit_hw.contract.errors import LinkError
from pbit_hw.host.device import Device
from pbit_hw.host.transport import SerialTransport
from pbit_hw.sim.simulator import Simulator
from pbit_hw.sim.virtual import VirtualDevice


class Terminal:
    """A pseudo-terminal: ``port`` is what a host opens, ``plug`` puts a device behind it, ``pull`` takes all away."""

    def __init__(self):
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.port = os.ttyname(slave)
        self._slaves = [slave]
        self._thread: threading.Thread | None = None
        self._open = True

    def plug(self, device):
        os.close(self._slaves.pop())
        self._thread = threading.Thread(target=self._serve, args=(device,), daemon=True)
        self._thread.start()

    def _serve(self, device):
        waiting = b""
        while True:
            try:
                waiting += os.read(self.master, 4096)
            except OSError:  # nobody has the port open any more
                return
            while len(waiting) >= link.HEADER.size:
                length = link.HEADER.size + link.payload_length(waiting[: link.HEADER.size]) + link.CRC.size
                if len(waiting) < length:
                    break
                device.write(waiting[:length])
                waiting = waiting[length:]
                os.write(self.master, _everything(device))

    def pull(self):
        if self._open:
            self._open = False
            if self._thread is not None:
                self._thread.join(timeout=5)
            os.close(self.master)
            for slave in self._slaves:
                os.close(slave)


def _everything(device):
    data = b""
    while True:
        try:
            data += device.read(1, 0)
        except LinkError:
            return data


@pytest.fixture
def terminal():
    pseudo = Terminal()
    yield pseudo
    pseudo.pull()


def test_a_device_behind_a_serial_port(terminal, programs, clock_hz):
    program = programs["glass"]
    port = SerialTransport(terminal.port)
    terminal.plug(VirtualDevice(program.image, clock_hz=clock_hz))
    states = Device(program, port, seed=3).sample(20, replicas=3).states
    port.close()
    port.close()
    assert np.array_equal(states, Simulator(program, seed=3).sample(20, replicas=3).states)


def test_bytes_pass_unchanged(terminal):
    port = SerialTransport(terminal.port)
    everything = bytes(range(256))
    port.write(everything)
    assert os.read(terminal.master, 1000) == everything
    os.write(terminal.master, everything)
    assert port.read(200, 1.0) + port.read(56, 1.0) == everything
    port.close()


def test_a_short_read_is_an_error_and_its_bytes_are_gone(terminal):
    port = SerialTransport(terminal.port)
    os.write(terminal.master, b"abc")
    with pytest.raises(LinkError, match=r"sent 3 of 4 bytes .* 1000000 baud"):
        port.read(4, 0.02)
    os.write(terminal.master, b"d")
    assert port.read(1, 1.0) == b"d"
    port.close()


def test_the_wire_s_time_is_added(terminal, monkeypatch):
    port = SerialTransport(terminal.port, baud=9600)
    monkeypatch.setattr(port._serial, "read", lambda count: bytes(count))
    port.read(960, 0.5)
    assert port._serial.timeout == pytest.approx(0.5 + (960 + 263) * 10 / 9600)
    port.close()


def test_pulling_the_board_is_an_error(terminal):
    port = SerialTransport(terminal.port)
    terminal.pull()
    with pytest.raises(LinkError, match=r"is disconnected .*plug the board in"):
        port.read(1, 0.5)
    with pytest.raises(LinkError, match=r"is disconnected"):
        port.write(b"x")
    port.close()


def test_a_closed_port_is_an_error(terminal):
    port = SerialTransport(terminal.port)
    port.close()
    with pytest.raises(LinkError, match="is disconnected"):
        port.write(b"x")
    with pytest.raises(LinkError, match="is disconnected"):
        port.read(1, 0.1)


def test_a_missing_port_names_those_there_are(monkeypatch):
    class Found:
        device = "/dev/ttyUSB7"

    monkeypatch.setattr(list_ports, "comports", lambda: [Found])
    with pytest.raises(LinkError, match=r"no serial port /dev/nowhere; ports found: /dev/ttyUSB7"):
        SerialTransport("/dev/nowhere")
    monkeypatch.setattr(list_ports, "comports", list)
    with pytest.raises(LinkError, match="ports found: none"):
        SerialTransport("/dev/nowhere")


def test_a_busy_port_is_an_error(terminal):
    port = SerialTransport(terminal.port)
    with pytest.raises(LinkError, match="in use by another program"):
        SerialTransport(terminal.port)
    port.close()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (serial.SerialException(errno.EACCES, "could not open port"), "no permission to open COM3"),
        (serial.SerialException("could not open port: PermissionError(13)"), "no permission to open COM3"),
        (serial.SerialException("Could not configure port:\n(25, 'x')"), r"cannot open COM3 at 1000000 baud.*:; pass"),
        (ValueError("Not a valid baudrate: 0"), "cannot open COM3 at 1000000 baud"),
    ],
)
def test_other_failures_to_open_are_one_line(monkeypatch, error, message):
    def fail(*_args, **_options):
        raise error

    monkeypatch.setattr(serial, "Serial", fail)
    with pytest.raises(LinkError, match=message) as caught:
        SerialTransport("COM3")
    assert "\n" not in str(caught.value)


def test_a_file_is_no_serial_port(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(LinkError, match="pass a serial port"):
        SerialTransport(str(tmp_path / "file"))
