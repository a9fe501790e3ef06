"""Distributed sampling against devices that are simulated, or addressed over the link, one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbit_hw.compiler import compile, library
from pbit_hw.compiler.partition import Partition, partition
from pbit_hw.contract.errors import RequestError
from pbit_hw.contract.generator import Generator, streams
from pbit_hw.contract.registers import Control, Region, address
from pbit_hw.host.client import Client
from pbit_hw.sim.cycle import CycleArray
from pbit_hw.sim.distributed import Distributed
from pbit_hw.sim.exact import exact
from pbit_hw.sim.registers import pack
from pbit_hw.sim.simulator import Simulator
from pbit_hw.sim.statistics import histogram, noise_floor, total_variation
from pbit_hw.sim.virtual import VirtualDevice

GENERATORS = [kind.name.lower() for kind in Generator if kind.share == 1]


@pytest.fixture(scope="module")
def random_program(random_program):
    """Maker of compiled random graphs with a generator register per p-bit."""

    def make(seed, **options):
        return random_program(seed, generator=GENERATORS[seed % len(GENERATORS)], **options)

    return make


def random_parts(program, rng):
    """A program divided at random over up to four devices."""
    count = int(rng.integers(1, min(4, program.image.size) + 1))
    device = np.concatenate([np.arange(count), rng.integers(0, count, program.image.size - count)])
    return Partition(program, rng.permutation(device))


def members(parts):
    """P-bits of the undivided array on each device, in the order of its own program."""
    return [parts.pbits[parts.holders == number] for number in range(parts.devices)]


def registers_of(request, image, replica):
    rows = streams(image.generator, request.seed, request.initial.size)
    return rows.reshape(*request.initial.shape, -1)[replica]


def whole_states(parts, states):
    """States of the undivided array from those of the devices."""
    out = np.empty(len(parts.device), np.uint8)
    for number, (held, state) in enumerate(zip(members(parts), states, strict=True)):
        own = parts.device[held] == number
        out[held[own]] = state[own]
    return out


class ClockedDevices:
    """Devices clocked one after the other in the contract's own code, with the exchange by the boundary maps."""

    def __init__(self, parts, request, replica):
        self.parts, self.arrays = parts, []
        for held, program in zip(members(parts), parts.programs, strict=True):
            array = CycleArray(program.image)
            array.states[:] = request.start[replica, held]
            array.clamped[:] = program.image.clamped | request.clamped[held]
            array.registers[:] = registers_of(request, parts.program.image, replica)[held]
            self.arrays.append(array)

    def clock(self, beta):
        for array in self.arrays:
            array.beta, array.sweeps_left = beta, 1
            array.trace(1)

    def exchange(self):
        for (sender, receiver), (pbits, ghosts) in self.parts.links.items():
            self.arrays[receiver].states[0, ghosts] = self.arrays[sender].states[0, pbits]

    def run(self, request, exchange_clocks):
        """States after the kept sweeps."""
        colours, clocks, kept = self.parts.program.image.colours, 0, []
        for sweep, beta in enumerate(request.betas, 1):
            for _ in range(colours):
                self.clock(beta)
                clocks += 1
                if clocks % exchange_clocks == 0:
                    self.exchange()
            if sweep in request.keep:
                kept.append(whole_states(self.parts, [array.states[0] for array in self.arrays]))
        return np.array(kept)


def clocked(parts, request, exchange_clocks):
    runs = [ClockedDevices(parts, request, k).run(request, exchange_clocks) for k in range(request.replicas)]
    return np.stack(runs, axis=1)


def a_request(program, rng):
    values = np.where(rng.random((3, program.image.size)) < 0.5, *program.model.allowed)
    clamp = {label: values[:, k] for k, label in enumerate(program.model.labels) if rng.random() < 0.2}
    options = {"beta": (0.1, 2.0), "keep_every": int(rng.integers(1, 4)), "clamp": clamp}
    return program.request(12, replicas=3, seed=int(rng.integers(1000)), **options)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), exchange_every=st.integers(1, 14))
def test_distributed_is_what_the_devices_do(random_program, seed, exchange_every):
    rng = np.random.default_rng(seed)
    parts = random_parts(random_program(seed), rng)
    request = a_request(parts.program, rng)
    states = Distributed(parts, exchange_every=exchange_every).run(request).states
    assert np.array_equal(states, clocked(parts, request, exchange_every * parts.program.image.colours))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_an_exchange_after_every_colour_is_the_undivided_array(random_program, seed):
    """The left end of the axis, bit for bit: nothing but stale ghosts tells devices from the undivided array."""
    rng = np.random.default_rng(seed)
    parts = random_parts(random_program(seed), rng)
    request = a_request(parts.program, rng)
    assert np.array_equal(clocked(parts, request, 1), Simulator(parts.program).run(request).states)


def test_stale_ghosts_make_a_difference(random_program):
    """Negative control of both."""
    parts = random_parts(random_program(5, size=20), np.random.default_rng(5))
    request = parts.program.request(30, replicas=3, seed=1)
    runs = [Distributed(parts, exchange_every=every).run(request).states for every in (1, 2)]
    runs.append(Simulator(parts.program).run(request).states)
    assert len({run.tobytes() for run in runs}) == 3


def over_the_link(parts, request, exchange_every):
    """One replica by devices that answer as boards do, with nothing but writes, runs and reads."""
    clients = []
    for held, program in zip(members(parts), parts.programs, strict=True):
        client = Client(VirtualDevice(program.image))
        start = request.start[0, held]
        client.write(address(Region.CLAMP), pack(program.image.clamped))
        client.write(address(Region.GENERATOR), registers_of(request, parts.program.image, 0)[held].ravel())
        client.write(address(Region.CONTROL, Control.BETA), request.betas[:1])
        clients.append((client, program.image.size, start.copy()))
    for _ in range(len(request.betas) // exchange_every):
        states = []
        for client, size, values in clients:
            client.write(address(Region.STATE), pack(values))
            words = client.sample(exchange_every, 1, (size + 31) // 32, 1e-3)[0]
            values[:] = np.unpackbits(words.astype("<u4").view(np.uint8), count=size, bitorder="little")
            states.append(values.copy())
        for (sender, receiver), (pbits, ghosts) in parts.links.items():
            clients[receiver][2][ghosts] = states[sender][pbits]
    return whole_states(parts, states)


@pytest.mark.parametrize("exchange_every", [1, 5])
def test_devices_over_the_link_give_the_same(exchange_every):
    parts = partition(compile(library.lattice((6, 6), spin_glass_seed=1)), 3)
    request = parts.program.request(40, keep_every=40, seed=3)
    states = Distributed(parts, exchange_every=exchange_every).run(request).states
    assert np.array_equal(states[0, 0], over_the_link(parts, request, exchange_every))


def test_pieces_threads_and_replicas_change_nothing(random_program, monkeypatch):
    parts = random_parts(random_program(7, size=20), np.random.default_rng(7))
    request = parts.program.request(50, replicas=130, keep_every=3, seed=2)
    wanted = Distributed(parts, exchange_every=7, threads=1).run(request).states
    assert np.array_equal(Distributed(parts, exchange_every=7).run(request).states, wanted)
    monkeypatch.setattr("pbit_hw.sim.simulator.PIECE", 1)
    assert np.array_equal(Distributed(parts, exchange_every=7).run(request).states, wanted)


def test_new_weights(random_program):
    program = random_program(9, size=20)
    parts = random_parts(program, np.random.default_rng(9))
    sampler = Distributed(parts, exchange_every=2, seed=4)
    sampler.sample(10)
    couplings = -program.model.couplings
    sampler.set_weights(couplings, program.model.biases)
    anew = Partition(program.reweighted(couplings, program.model.biases), parts.device)
    reference = Distributed(anew, exchange_every=2, seed=4)
    reference.sample(10)
    assert np.array_equal(sampler.sample(10).states, reference.sample(10).states)


def distances(parts, every, beta=1.0):
    """Total variation from exact, in noise floors: of devices, and of the undivided array."""
    options = {"replicas": 500, "keep_every": 20, "burn_in": 100, "beta": beta}
    reference = exact(parts.program.quantised, beta)
    found = []
    for sampler in (Distributed(parts, exchange_every=every, seed=1), Simulator(parts.program, seed=1)):
        counts = histogram(sampler.sample(8100, **options).states, parts.program.model.size)
        floor = noise_floor(reference.probabilities, counts.sum())
        found.append(total_variation(counts / counts.sum(), reference.probabilities) / floor)
    return found


def test_stale_ghosts_sample_another_distribution():
    """A full adder of three and two p-bits, far from Boltzmann where all exchange once a sweep."""
    parts = Partition(compile(library.full_adder()), np.array([0, 0, 0, 1, 1]))
    devices, undivided = distances(parts, 1)
    assert undivided < 3
    assert devices > 30


def test_devices_that_are_not_coupled_are_exact():
    """Negative control: without ghosts nothing is stale."""
    parts = partition(compile(library.lattice((3,)).from_edges(6, [(0, 1), (1, 2), (3, 4), (4, 5)], [1.0] * 4)), 2)
    assert parts.report.cut_edges == 0
    assert distances(parts, 50)[0] < 3


def test_energy_rises_as_exchanges_become_rare():
    """Annealed 8^3 glass over four devices: each step up, beyond three standard errors."""
    parts = partition(compile(library.lattice((8, 8, 8), spin_glass_seed=1)), 4)
    means, errors = [], []
    for every in (1, 16, 64, 500):
        samples = Distributed(parts, exchange_every=every, seed=1).sample(500, replicas=256, beta=(0.1, 3.0))
        means.append(samples.energies.mean())
        errors.append(samples.energies.std() / 16)
    assert (np.diff(means) > 3 * np.hypot(errors[1:], errors[:-1])).all()


@pytest.mark.parametrize("every", [0, -1, 1.5, "colour", None])
def test_impossible_exchanges(random_program, every):
    parts = Partition(random_program(1, size=4), np.array([0, 1, 0, 1], np.int32))
    with pytest.raises(RequestError, match="give a whole number of sweeps, at least 1"):
        Distributed(parts, exchange_every=every)


def test_another_array_is_refused(random_program):
    sampler = Distributed(Partition(random_program(1, size=4), np.array([0, 1, 0, 1], np.int32)), exchange_every=1)
    with pytest.raises(RequestError, match="another array than the one that was divided"):
        sampler.load(random_program(2, size=5))


def test_chains_would_exchange_before_every_run(random_program):
    parts = partition(random_program(3, size=20), 2)
    with pytest.raises(RequestError, match="not every 5 sweeps"):
        Distributed(parts, exchange_every=5).replicas(3)
    assert Distributed(parts, exchange_every=1).replicas(3).read().shape == (3, 20)
