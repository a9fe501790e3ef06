"""Recorded entropy: what is played back, that nothing is made up, and that array, board and simulator agree on it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pbit_hw.compiler import compile, library
from pbit_hw.contract.errors import RequestError
from pbit_hw.contract.generator import GENERATOR_NAMES
from pbit_hw.host.device import Device
from pbit_hw.sim.devices.recording import Recording
from pbit_hw.sim.devices.telegraph import Telegraph, TelegraphWords
from pbit_hw.sim.simulator import Simulator
from pbit_hw.sim.virtual import VirtualDevice

RUN: dict[str, Any] = {"sweeps": 20, "replicas": 3, "beta": (0.3, 2.0), "keep_every": 3}


def junctions():
    return TelegraphWords(Telegraph(2.0), period_ns=20.0, seed=4)


def test_words_come_by_sweep_replica_and_pbit():
    recording = Recording(np.arange(24))
    assert np.array_equal(recording.words(2, 3), [[0, 3], [1, 4], [2, 5]])
    assert recording.words(2, 3)[0, 0] == 6
    assert recording.left == 12


def test_a_recording_ends():
    recording = Recording(np.arange(10))
    recording.words(2, 4)
    with pytest.raises(RequestError, match="takes 8 words, 2 of 10 are left"):
        recording.words(2, 4)
    assert recording.left == 2


def test_bits_of_one_junction():
    readings = Telegraph(2.0).readings(16 * 50 + 5, interval_ns=50.0, seed=3)[:, 0]
    recording = Recording.of_bits(readings)
    assert recording.left == 50
    assert [word >> place & 1 for word in recording.recorded.tolist() for place in range(16)] == readings[:800].tolist()
    with pytest.raises(RequestError, match="0 or 1, not 2"):
        Recording.of_bits([0, 1, 2])


def test_files(tmp_path):
    recording = Recording.of_source(junctions(), sweeps=7, replicas=2, n=5)
    path = tmp_path / "junctions.bin"
    recording.save(path)
    assert path.stat().st_size == 2 * 70
    assert np.array_equal(Recording.load(path).recorded, recording.recorded)
    path.write_bytes(b"\x01")
    with pytest.raises(RequestError, match="holds 1 bytes"):
        Recording.load(path)
    with pytest.raises(RequestError, match="No such file"):
        Recording.load(tmp_path / "none.bin")


@pytest.mark.parametrize("mode", ["sweep", "cycle"])
def test_a_recording_gives_what_its_source_gave(mode):
    program = compile(library.full_adder())
    recording = Recording.of_source(junctions(), sweeps=20, replicas=3, n=5)
    wanted = Simulator(program, source=junctions()).sample(**RUN).states
    assert np.array_equal(Simulator(program, source=recording, mode=mode).sample(**RUN).states, wanted)


@pytest.mark.parametrize("generator", GENERATOR_NAMES)
def test_devices_play_recordings_in_lockstep(generator):
    program = compile(library.lattice((4, 4), spin_glass_seed=2), generator=generator)
    recorded = Recording.of_source(junctions(), sweeps=20, replicas=3, n=16).recorded
    device, simulator = (
        Device(program, VirtualDevice(program.image), source=Recording(recorded)),
        Simulator(program, source=Recording(recorded)),
    )
    assert np.array_equal(device.sample(**RUN).states, simulator.sample(**RUN).states)


def test_one_bit_of_a_recording_matters():
    program = compile(library.full_adder(), generator="lfsr48")
    recorded = Recording.of_source(junctions(), sweeps=20, replicas=3, n=5).recorded
    damaged = recorded.copy()
    damaged[8] ^= 1 << 15
    first, second = (Simulator(program, source=Recording(words)).sample(**RUN).states for words in (recorded, damaged))
    assert not np.array_equal(first, second)
