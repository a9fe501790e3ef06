"""Replicas on any sampler, against one run of it, and pairs that are counted in stretches."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbit_hw.contract.generator import Generator, streams
from pbit_hw.contract.image import Image
from pbit_hw.contract.replicas import Pairs, Replicas
from pbit_hw.contract.request import Request, call_seed, initial_states
from pbit_hw.sim.simulator import Simulator

Codes = npt.NDArray[np.int32]


class Array:
    """All that replicas need of a program."""

    def __init__(self, image: Image) -> None:
        self.image = image


def pairs_of(ends: list[tuple[int, int]]) -> Pairs:
    first, second = np.array(ends, np.int32).reshape(-1, 2).T
    return Pairs(first, second)


def unrolled(pairs: Pairs) -> list[tuple[int, int]]:
    """Pairs from their stretches, and a check that places ascend from 0 to m."""
    first, second, places = pairs.stretches
    assert places[-1] == len(pairs.first)
    assert len(places) == len(first) + 1 == len(second) + 1
    assert len(first) == 0 or (places[0] == 0 and (np.diff(places) > 0).all())
    return [
        (int(i), int(j) + step)
        for i, j, length in zip(first, second, np.diff(places), strict=True)
        for step in range(length)
    ]


small = st.integers(0, 3)


@given(st.lists(st.tuples(small, small)))
def test_stretches_hold_all_pairs_and_are_as_long_as_can_be(ends: list[tuple[int, int]]) -> None:
    pairs = pairs_of(ends)
    assert unrolled(pairs) == ends
    first, second, places = pairs.stretches
    lengths = np.diff(places)
    assert not ((np.diff(first) == 0) & (second[1:] == (second + lengths)[:-1])).any()


@given(st.lists(st.tuples(small, small, st.integers(1, 5)), max_size=6))
def test_pairs_made_of_stretches(parts: list[tuple[int, int, int]]) -> None:
    """More stretches than parts there are never."""
    ends = [(i, j + step) for i, j, length in parts for step in range(length)]
    pairs = pairs_of(ends)
    assert unrolled(pairs) == ends
    assert len(pairs.stretches[0]) <= len(parts)


def test_stretches_of_layers() -> None:
    """One for each visible unit; types as the kernel takes them."""
    pairs = pairs_of([(i, j) for i in range(3) for j in range(3, 8)])
    first, second, places = pairs.stretches
    assert (first.tolist(), second.tolist(), places.tolist()) == ([0, 1, 2], [3, 3, 3], [0, 5, 10, 15])
    assert [str(array.dtype) for array in pairs.stretches] == ["int32", "int32", "int64"]


def betas(*values: int) -> Codes:
    return np.array(values, np.int32)


def request(image: Image, codes: Codes, keep: list[int], states: npt.NDArray[np.uint8], seed: int) -> Request:
    nothing = np.zeros(image.size, np.uint8)
    return Request(codes, np.array(keep, np.int64), seed, states, nothing, states)


@pytest.mark.parametrize("generator", list(Generator))
def test_runs_together_are_one_run(make_image: Any, generator: Generator) -> None:
    """Three runs, at several betas, of a sampler that begins at the same states and streams."""
    image = make_image(generator=generator)
    simulator = Simulator(Array(image))
    codes = betas(512, 512, 100, 0, 900, 512, 30)
    start = initial_states(5, 9, image.size)
    states = simulator.run(request(image, codes, [2, 6, 7], start, 5)).states
    replicas = Replicas(simulator, 9, 5)
    assert np.array_equal(replicas.read(), start)
    for part, expected in zip((codes[:2], codes[2:6], codes[6:]), states, strict=True):
        replicas.run(part)
        assert np.array_equal(replicas.read(), expected)
    assert not np.array_equal(states[0], states[1])


def test_what_is_no_generator_draws_from_a_seed_of_each_run(image: Image) -> None:
    """As devices do that have none; none of them is a seed of the sampler's own calls."""
    requests: list[Request] = []

    class Recorder(Simulator):
        def run(self, request: Request) -> Any:
            requests.append(request)
            return super().run(request)

    replicas = Replicas(Recorder(Array(image)), 4, 7)
    for _ in range(3):
        replicas.run(betas(512, 512))
    seeds = [request.seed for request in requests]
    assert len({*seeds, *(call_seed(7, call) for call in range(10))}) == 3 + 10
    own = streams(image.generator, 7, 4 * image.size).reshape(4, image.size, -1)
    assert np.array_equal(requests[0].registers, own)  # type: ignore[arg-type]
    assert not np.array_equal(requests[1].registers, own)  # type: ignore[arg-type]


def test_what_is_clamped_stays_even_when_it_is_written(image: Image) -> None:
    replicas = Replicas(Simulator(Array(image)), 50, 1)
    clamped = np.array([1, 0, 0, 1, 0, 0, 1], np.uint8)
    held, free = np.flatnonzero(clamped), np.flatnonzero(1 - clamped)
    replicas.clamp(clamped)
    before = replicas.read().copy()
    replicas.run(betas(*[100] * 10))
    assert np.array_equal(replicas.read(held), before[:, held])
    assert (replicas.read(free) != before[:, free]).any(axis=0).all()
    replicas.write(1 - before[:, held], held)
    replicas.run(betas(100))
    assert np.array_equal(replicas.read(held), 1 - before[:, held])
    replicas.clamp(np.zeros(7, np.uint8))
    replicas.run(betas(*[100] * 10))
    assert (replicas.read() != before).any(axis=0).all()


def test_writing_leaves_what_was_read_or_kept(image: Image) -> None:
    """States are not changed in place."""
    replicas = Replicas(Simulator(Array(image)), 5, 1)
    read, snapshot = replicas.read(), replicas.snapshot()
    kept = read.copy()
    replicas.write(1 - read[:, :2], np.array([0, 1]))
    assert np.array_equal(replicas.read(np.array([1])), 1 - kept[:, [1]])
    assert np.array_equal(read, kept)
    assert np.array_equal(snapshot["states"], kept)


@given(st.integers(0, 2**32), st.integers(1, 20))
def test_counts_are_sums(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    states = rng.integers(0, 2, (count, 7), np.uint8)
    first = int(rng.integers(0, count + 1))
    pairs = Pairs(*rng.integers(0, 7, (2, 9), np.int32))

    class Still(Replicas):
        def __init__(self) -> None:
            self._states = states

    ones, both = Still().counts(pairs, first)
    counted = states[:first].astype(int)
    assert ones.tolist() == counted.sum(axis=0).tolist()
    assert both.tolist() == (counted[:, pairs.first] * counted[:, pairs.second]).sum(axis=0).tolist()
    assert ones.dtype == both.dtype == np.int64


def test_a_snapshot_is_gone_on_from(image: Image) -> None:
    """Seeds of its own are nothing to a sampler with generators; a control: registers are."""
    replicas, other = (Replicas(Simulator(Array(image)), 6, seed) for seed in (1, 2))
    replicas.run(betas(512, 512))
    snapshot = replicas.snapshot()
    other.restore(snapshot)
    for one in (replicas, other):
        one.run(betas(512, 100))
    assert np.array_equal(replicas.read(), other.read())
    other.restore({**snapshot, "registers": snapshot["registers"][::-1]})
    other.run(betas(512, 100))
    assert not np.array_equal(replicas.read(), other.read())
