"""Requests, and the seeds and first states that all samplers share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pbit_hw.contract.generator import Generator, advanced, streams
from pbit_hw.contract.image import Image
from pbit_hw.contract.request import Request, call_seed, in_turn, initial_states, replica_streams, shown


def test_clamps_are_in_force_before_the_first_sweep() -> None:
    request = Request(
        betas=np.full(10, 512, np.int32),
        keep=np.array([5, 10]),
        seed=1,
        initial=np.array([[0, 1, 0], [1, 1, 1]], np.uint8),
        clamped=np.array([1, 0, 1], np.uint8),
        clamp_values=np.array([[1, 0, 0], [0, 0, 0]], np.uint8),
    )
    assert request.replicas == 2
    assert request.start.tolist() == [[1, 1, 0], [0, 1, 0]]
    assert request.start.dtype == np.uint8
    assert request.initial.tolist() == [[0, 1, 0], [1, 1, 1]]


def test_initial_states_are_reproducible_and_even() -> None:
    states = initial_states(3, 200, 50)
    assert states.shape == (200, 50)
    assert states.dtype == np.uint8
    assert set(np.unique(states)) == {0, 1}
    assert abs(states.mean() - 0.5) < 5 * 0.5 / 100
    assert np.array_equal(initial_states(3, 200, 50), states)
    assert (initial_states(4, 200, 50) != states).mean() > 0.4


def test_the_first_call_has_the_users_seed_and_none_repeats() -> None:
    assert call_seed(12, 0) == 12
    seeds = {call_seed(seed, call) for seed in range(20) for call in range(50)}
    assert len(seeds) == 20 * 50
    assert all(0 <= seed < 2**64 for seed in seeds)


@pytest.mark.parametrize("generator", list(Generator))
def test_replicas_of_an_array_of_one_have_streams_of_their_own(make_image: Any, generator: Generator) -> None:
    image = make_image((5, 2), generator=generator)
    rows = replica_streams(image, 9, 3)
    assert rows.shape == (3, image.streams, generator.words)
    assert np.array_equal(rows.reshape(-1, generator.words), streams(generator, 9, 3 * image.streams))


@pytest.mark.parametrize("generator", list(Generator))
def test_replicas_of_an_interleaved_array_follow_one_another(make_image: Any, generator: Generator) -> None:
    """Sets of four and what is left: replica r of a set begins r updates further on."""
    image = make_image((5, 2), generator=generator).interleaved(4)
    rows = replica_streams(image, 9, 10)
    first = streams(generator, 9, 3 * image.streams).reshape(3, image.streams, -1)
    expected = [advanced(generator, first[replica // 4], replica % 4) for replica in range(10)]
    assert np.array_equal(rows, np.array(expected))
    assert np.array_equal(rows, in_turn(image, first)[:10])


@pytest.mark.parametrize("replicas", [1, 2, 3, 9])
def test_fewer_replicas_have_the_same_streams(make_image: Any, replicas: int) -> None:
    for image in (make_image((5, 2)), make_image((5, 2)).interleaved(4)):
        assert np.array_equal(replica_streams(image, 9, replicas), replica_streams(image, 9, 12)[:replicas])


def test_a_request_says_where_generators_start(image: Image) -> None:
    nothing = np.zeros((3, image.size), np.uint8)
    request = Request(np.full(1, 512, np.int32), np.array([1]), 4, nothing, nothing[0], nothing)
    assert np.array_equal(request.generators(image), replica_streams(image, 4, 3))
    assert np.array_equal(request.generators(image.interleaved(3)), replica_streams(image.interleaved(3), 4, 3))


@pytest.mark.parametrize("generator", list(Generator))
def test_every_pbit_can_be_shown_a_word(make_image: Any, generator: Generator) -> None:
    from pbit_hw.contract import array

    image = make_image((5, 6, 1), generator=generator)
    words = np.random.default_rng(1).integers(0, 2**16, (2, 3, image.size), np.uint16)
    registers = shown(image, words)
    assert registers.shape == (2, 3, image.streams, generator.words)
    for place in np.ndindex(2, 3):
        rows = registers[place]
        seen = [array.word(int(generator), rows[image.stream[pbit]], image.taken[pbit]) for pbit in range(image.size)]
        assert seen == words[place].tolist()
