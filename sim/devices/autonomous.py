"""Autonomous p-bits: no clock, no sequencer, every p-bit hops on its own.

A p-bit with drive I_i = beta (sum_j J_ij m_j + h_i) dwells in its state for a
mean time tau_N exp(I_i m_i). The behavioural model advances all p-bits
together by dt, each keeping its state with probability
exp(-dt / (tau_N exp(I_i m_i))) (Faria et al., Front. Comput. Neurosci. 15,
584797, 2021; Sutton et al., IEEE Access 8, 157238, 2020). Two coupled p-bits
that flip within one dt answer to each other's old state, so the model samples
the Boltzmann distribution only as dt / tau_N goes to zero, the later the
stronger the drives are.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ...contract.errors import ModelError
from ..exact import states as enumerate_states
from ..jit import kernel
from .coupling import adjacency, check_kept, check_step, drive_scale, low_value

Float = npt.NDArray[np.float64]

MAX_MATRIX_SIZE = 12
"""Most p-bits of which `transition_matrix` writes out all states."""


def sample(
    model: Any,
    steps: int,
    *,
    dt_over_tau: float,
    beta: float = 1.0,
    replicas: int = 1,
    keep_every: int = 1,
    burn_in: int = 0,
    seed: int = 0,
) -> npt.NDArray[np.int8]:
    """Run autonomous p-bits from random states.

    Parameters
    ----------
    model : Model
        What they are coupled by; bits take half the drive, I_i = beta (sum_j J_ij s_j + h_i) / 2.
    steps : int
        Time steps, burn-in included.
    dt_over_tau : float
        Time step in units of tau_N.
    beta : float
        Inverse temperature.
    replicas : int
        Independent copies.
    keep_every : int
        Steps between kept states.
    burn_in : int
        Steps before the first.
    seed : int
        Seed.

    Returns
    -------
    ndarray of int8, shape ((steps - burn_in) // keep_every, replicas, n)
        States in the model's own order and units.

    Raises
    ------
    RequestError
        If the time step is not positive, beta is not finite, or no state would be kept.
    """
    check_step(dt_over_tau, beta)
    check_kept(steps, burn_in, keep_every)
    rng = np.random.default_rng(seed)
    n, low = len(model.biases), low_value(model)
    states = np.where(rng.integers(0, 2, (replicas, n), np.int8), 1, low).astype(np.int8)
    out = np.empty(((steps - burn_in) // keep_every, replicas, n), np.int8)
    _run(states, *adjacency(model), low, drive_scale(model, beta), dt_over_tau, burn_in, keep_every, rng, out)
    return out


def transition_matrix(model: Any, *, dt_over_tau: float, beta: float = 1.0) -> Float:
    """Chances of every state one step after every state: the third leg that `sample` stands on.

    Parameters
    ----------
    model, dt_over_tau, beta
        As in `sample`.

    Returns
    -------
    ndarray of float64, shape (2^n, 2^n)
        From row to column, states in the order of `sim.exact`.

    Raises
    ------
    ModelError
        If the model has more than 12 p-bits.
    """
    check_step(dt_over_tau, beta)
    n = len(model.biases)
    if n > MAX_MATRIX_SIZE:
        raise ModelError(f"{n} p-bits have 2^{n} states; a transition matrix can be written for {MAX_MATRIX_SIZE}")
    values = enumerate_states(model, 0, 2**n)
    matrix = np.zeros((n, n))
    matrix[tuple(model.edges.T)] = model.couplings
    drives = drive_scale(model, beta) * (values @ (matrix + matrix.T) + model.biases)
    keep = np.exp(-dt_over_tau * np.exp(np.where(values > 0, -drives, drives)))
    result = np.ones((2**n, 2**n))
    for i in range(n):
        result *= np.where(values[:, None, i] == values[None, :, i], keep[:, None, i], 1 - keep[:, None, i])
    return result


def stationary(matrix: Float) -> Float:
    """Distribution that a transition matrix leaves alone.

    Parameters
    ----------
    matrix : ndarray of float64, shape (k, k)
        Rows that sum to 1.

    Returns
    -------
    ndarray of float64, shape (k,)
    """
    size = len(matrix)
    equations = np.vstack([matrix.T - np.eye(size), np.ones(size)])
    solution: Float = np.linalg.lstsq(equations, np.append(np.zeros(size), 1.0), rcond=None)[0]
    return solution


@kernel
def _set_chances(state, first, neighbours, weights, biases, scale, dt_over_tau, chances):
    for i in range(len(state)):
        field = biases[i]
        for slot in range(first[i], first[i + 1]):
            field += weights[slot] * state[neighbours[slot]]
        drive = scale * field
        chances[i] = -math.expm1(-dt_over_tau * math.exp(-drive if state[i] > 0 else drive))


@kernel
def _run(states, first, neighbours, weights, biases, low, scale, dt_over_tau, burn_in, keep_every, rng, out):
    chances = np.empty(states.shape[1])
    for replica in range(len(states)):
        state = states[replica]
        flipped = True
        for step in range(burn_in + len(out) * keep_every):
            if flipped:  # the chances stand until a p-bit flips, which at a small dt is seldom
                _set_chances(state, first, neighbours, weights, biases, scale, dt_over_tau, chances)
                flipped = False
            for i in range(len(state)):
                if rng.random() < chances[i]:
                    state[i] = low + 1 - state[i]
                    flipped = True
            kept = step + 1 - burn_in
            if kept > 0 and kept % keep_every == 0:
                out[kept // keep_every - 1, replica] = state
