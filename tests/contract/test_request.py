"""Requests, and the seeds and first states that all samplers share."""

from __future__ import annotations

import numpy as np

from pbit_hw.contract.request import Request, call_seed, initial_states


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
