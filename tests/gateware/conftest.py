"""Random arrays, and a way to run combinational and clocked components."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import numpy as np
import pytest
from amaranth import Cat, Elaboratable, Module, Mux, Signal, Value
from amaranth.lib import memory
from amaranth.sim import Simulator

from pbit_hw import gateware
from pbit_hw.contract.formats import SignedFormat, UnsignedFormat
from pbit_hw.contract.generator import Generator
from pbit_hw.contract.image import Image
from pbit_hw.contract.update import Unit
from pbit_hw.gateware import ram

MAX_COLOURS = 6
MAX_DEGREE = 16
LATENCIES = range(6)
"""Clocks of an update; 0 is an array of one replica, whatever its colours."""


def _formats(rng: np.random.Generator) -> tuple[SignedFormat, UnsignedFormat]:
    """Widths of 1 to 9 and 1 to 14 bits, the binary points from far left to far right."""
    weight_bits, beta_bits = int(rng.integers(1, 10)), int(rng.integers(1, 15))
    weight_frac, beta_frac = int(rng.integers(-2, weight_bits + 2)), int(rng.integers(0, beta_bits + 2))
    return SignedFormat(weight_bits - weight_frac, weight_frac), UnsignedFormat(beta_bits - beta_frac, beta_frac)


def _edges(rng: np.random.Generator, colour: np.ndarray, max_degree: int) -> np.ndarray:
    """Edges between p-bits of different colours, shape (edges, 2), none of them beyond the degree."""
    low, high = np.triu_indices(len(colour), 1)
    possible = np.flatnonzero(colour[low] != colour[high])
    degree = np.zeros(len(colour), int)
    edges = []
    for pair in rng.permutation(possible):
        ends = [low[pair], high[pair]]
        if (degree[ends] < max_degree).all():
            degree[ends] += 1
            edges.append(ends)
    return np.array(edges, int).reshape(-1, 2)


MODULES = [import_module(f"{gateware.__name__}.{each.name}") for each in iter_modules(gateware.__path__)]
READERS = [module for module in MODULES if module is not ram and getattr(module, "read", None) is ram.read]
"""Modules that read block RAM."""


class Collision(Elaboratable):
    """Whether the word at an address was written in the clock before; elaborated when all write ports are there."""

    def __init__(self, block: memory.Memory, address: Value) -> None:
        self._block = block
        self.address, self.seen = Signal.like(address), Signal()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        hits = [port.en.any() & (port.addr == self.address[: len(port.addr)]) for port in self._block.write_ports]
        m.d.sync += self.seen.eq(Cat(hits).any())
        return m


@pytest.fixture
def undefined_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Block RAM as it is: a word that is read while it is written is another, here the complement of the old one."""

    def read(m: Module, block: memory.Memory, address: Value) -> Signal:
        word = ram.read(m, block, address)
        collision = Collision(block, address)
        m.submodules += collision
        seen = Signal.like(word)
        m.d.comb += [collision.address.eq(address), seen.eq(Mux(collision.seen, ~word, word))]
        return seen

    for module in READERS:
        monkeypatch.setattr(module, "read", read)


@pytest.fixture(scope="session")
def random_image() -> Callable[..., Image]:
    """A function of a random generator that makes an array that no compiler would: everything is drawn."""

    def make(
        rng: np.random.Generator,
        min_size: int = 2,
        max_size: int = 16,
        *,
        max_degree: int = MAX_DEGREE,
        latencies: Sequence[int] = LATENCIES,
        generators: Sequence[Generator] = tuple(Generator),
    ) -> Image:
        size = int(rng.integers(min_size, max_size + 1))
        colours = int(rng.integers(1, min(MAX_COLOURS, size) + 1))
        colour = np.sort(np.concatenate([np.arange(colours), rng.integers(0, colours, size - colours)]))
        edges = _edges(rng, colour, int(rng.integers(0, max_degree + 1)))
        weight_format, beta_format = _formats(rng)
        limit = weight_format.limit
        couplings = rng.integers(-limit, limit + 1, len(edges))
        owners, neighbours = np.concatenate([edges, edges[:, ::-1]]).T
        order = np.lexsort((neighbours, owners))
        image = Image(
            unit=Unit(int(rng.integers(2))),
            generator=generators[int(rng.integers(len(generators)))],
            weight_format=weight_format,
            beta_format=beta_format,
            colour_first=np.searchsorted(colour, np.arange(colours + 1)).astype(np.int32),
            slot_first=np.searchsorted(owners[order], np.arange(size + 1)).astype(np.int32),
            neighbours=neighbours[order].astype(np.int32),
            weights=np.tile(couplings, 2)[order].astype(np.int32),
            biases=np.zeros(size, np.int32),
            clamped=(rng.random(size) < 0.2).astype(np.uint8),
            clamp_values=rng.integers(0, 2, size, np.uint8),
            interleave=max(latencies[int(rng.integers(len(latencies)))] * colours, 1),
        )
        image = image.with_weights(image.weights, rng.integers(-limit, limit + 1, size).astype(np.int32))
        image.check()
        return image

    return make


@pytest.fixture(scope="session")
def simulate() -> Callable[..., None]:
    """A function of (component, bench) that runs a testbench, with a clock unless ``clocked`` is false."""

    def run(component: Any, bench: Callable[[Any], Any], *, clocked: bool = True) -> None:
        simulator = Simulator(component)
        if clocked:
            simulator.add_clock(1e-6)
        simulator.add_testbench(bench)
        simulator.run()

    return run
