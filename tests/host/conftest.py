"""Programs to run, and transports that misbehave on purpose."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from pbit_hw.compiler import RBM, BoltzmannMachine, compile, library
from pbit_hw.contract import link
from pbit_hw.contract.errors import LinkError
from pbit_hw.contract.link import Frame
from pbit_hw.host import Device, client
from pbit_hw.sim.simulator import Simulator

CLOCK_HZ = 100_000_000


class FaultyTransport:
    """A transport that damages chosen bytes.

    The faults map the index of a byte, counted in its direction from now on, to
    what befalls it: ``("flip", mask)``, ``("drop", _)`` or ``("insert", byte)``.
    """

    def __init__(self, inner):
        self.inner = inner
        self.damage({}, {})
        self._waiting = b""

    def damage(self, to_device, from_device):
        self.to_device, self.from_device = dict(to_device), dict(from_device)
        self._sent = self._received = 0

    def write(self, data):
        self.inner.write(b"".join(_befall(self.to_device.pop(self._sent + k, None), b) for k, b in enumerate(data)))
        self._sent += len(data)

    def read(self, count, timeout_s):
        while len(self._waiting) < count:
            try:
                byte = self.inner.read(1, timeout_s)[0]
            except LinkError:
                self._waiting = b""
                raise
            self._waiting += _befall(self.from_device.pop(self._received, None), byte)
            self._received += 1
        data, self._waiting = self._waiting[:count], self._waiting[count:]
        return data

    def close(self):
        self.inner.close()


def _befall(fault, byte):
    kind, value = fault or (None, 0)
    if kind == "flip":
        return bytes([byte ^ value])
    if kind == "drop":
        return b""
    return bytes([byte, value]) if kind == "insert" else bytes([byte])


class ScriptedTransport:
    """Answers each request by what ``answer(frame)`` returns, in bytes; records frames and timeouts."""

    def __init__(self, answer):
        self.answer = answer
        self.frames: list[Frame] = []
        self.timeouts_s: list[float] = []
        self.waiting = b""

    def write(self, data):
        self.frames.append(link.decode(data))
        self.waiting += self.answer(self.frames[-1])

    def read(self, count, timeout_s):
        self.timeouts_s.append(timeout_s)
        if len(self.waiting) < count:
            self.waiting = b""
            raise LinkError("silence")
        data, self.waiting = self.waiting[:count], self.waiting[count:]
        return data

    def close(self):
        pass


def _random_rbm(visible, hidden):
    rng = np.random.default_rng(5)
    return RBM(rng.normal(0, 0.5, (visible, hidden)), rng.normal(0, 0.5, visible), rng.normal(0, 0.5, hidden))


@pytest.fixture(scope="session", autouse=True)
def _no_late_bytes():
    """Virtual devices send nothing late, so that silence need not be awaited for longer than the device's own time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "_QUIET_S", 0.0)
        yield


@pytest.fixture(scope="session")
def programs():
    """Programs of both units and generators; more than 32 p-bits, and more than one frame of each region."""
    return {
        "adder": compile(library.full_adder()),
        "glass": compile(library.lattice((6, 6), spin_glass_seed=3), generator="xoshiro128"),
        "rbm": compile(_random_rbm(40, 33), weight_format="s[2][6]"),
        "machine": compile(BoltzmannMachine(4, 3), weight_format="s[3][4]"),
    }


@pytest.fixture(scope="session")
def clock_hz():
    return CLOCK_HZ


@pytest.fixture(scope="session")
def faulty():
    return FaultyTransport


@pytest.fixture(scope="session")
def scripted():
    return ScriptedTransport


@pytest.fixture(scope="session")
def rtl():
    """`RTLTransport`, which belongs to the tests of gateware."""
    path = Path(__file__).parents[1] / "gateware" / "rtl_transport.py"
    spec = importlib.util.spec_from_file_location("rtl_transport", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.RTLTransport


@pytest.fixture(scope="session")
def same_samples():
    """Whether a device samples what the simulator does, in two runs that differ."""

    def compare(program, transport, **run):
        device, simulator = Device(program, transport, seed=11), Simulator(program, seed=11)
        pairs = [(device.sample(**run).states, simulator.sample(**run).states) for _ in range(2)]
        assert not np.array_equal(pairs[0][1], pairs[1][1])
        return all(np.array_equal(*pair) for pair in pairs)

    return compare
