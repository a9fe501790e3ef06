"""Schedules as words, and what counters hold."""

from __future__ import annotations

import numpy as np
import pytest

from pbit_hw.contract.errors import RequestError
from pbit_hw.contract.registers import Control, Region, address, find
from pbit_hw.contract.schedule import COUNT_LIMIT, STEP_WORDS, STEPS, CountingImage, Counts, Step, counted, edges, words


def test_words_of_steps():
    assert words([Step(7, 1), Step(8, 2, 3, True)]).tolist() == [7, 1, 1, 0, 8, 2, 3, 1]
    assert len(words([Step(1, 1)] * STEPS)) == STEPS * STEP_WORDS


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ([], "0 steps"),
        ([Step(1, 1)] * (STEPS + 1), f"{STEPS + 1} steps"),
        ([Step(1, 0)], "sweeps"),
        ([Step(1, 1, 0)], "repeats"),
    ],
)
def test_what_is_no_schedule_is_refused_by_name(steps, text):
    with pytest.raises(RequestError, match=text):
        words(steps)


def test_every_edge_is_counted_once(make_image):
    image = make_image(sizes=(3, 4, 5), density=0.6)
    first, second = edges(image)
    assert len(first) == image.slots // 2
    assert (first < second).all()
    pairs = set(zip(image.owners.tolist(), image.neighbours.tolist(), strict=True))
    assert set(zip(first.tolist(), second.tolist(), strict=True)) == {(p, q) for p, q in pairs if p < q}


def test_counts_by_hand(make_image):
    image = make_image(sizes=(1, 2), density=1.0)
    states = np.array([[[1, 1, 0], [1, 0, 0]], [[1, 1, 1], [0, 1, 1]]], np.uint8)
    counts = Counts.of(image, states)
    assert (counts.ones.tolist(), counts.both.tolist(), counts.states) == ([3, 3, 2], [2, 1], 4)
    twice = counts + counts
    assert (twice.ones.tolist(), twice.both.tolist(), twice.states) == ([6, 6, 4], [4, 2], 8)


def test_counters_saturate(make_image):
    image = make_image(sizes=(1, 2), density=1.0)
    before = np.array([COUNT_LIMIT - 1, 5, COUNT_LIMIT, COUNT_LIMIT - 2, 0], np.uint32)
    states = np.ones((3, image.size), np.uint8)
    assert counted(image, before, states).tolist() == [COUNT_LIMIT, 8, COUNT_LIMIT, COUNT_LIMIT, 3]


def test_registers_are_there_with_counters_alone(make_image):
    image = make_image(sizes=(2, 3), density=1.0)
    mapped = CountingImage(image)
    assert mapped.counters == image.size + len(edges(image)[0])
    for at in (
        address(Region.CONTROL, Control.STEPS),
        address(Region.SCHEDULE),
        address(Region.COUNT, mapped.counters - 1),
    ):
        assert find(at, image) is None
        assert find(at, mapped) is not None
    assert find(address(Region.COUNT, mapped.counters), mapped) is None
    assert (mapped.digest, mapped.sizes, mapped.interleave) == (image.digest, image.sizes, image.interleave)
