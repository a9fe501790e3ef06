"""Autonomous p-bits behind synapses that take their time.

Between two p-bits stands a synapse: p-bit i feels its drive
I_i = beta (sum_j J_ij m_j + h_i) as s_i, which follows I_i with the time
constant tau_S. Behavioural models of the p-bit stand behind it (Faria et
al., Front. Comput. Neurosci. 15, 584797, 2021; Sutton et al., IEEE Access 8,
157238, 2020):

- `Form.DWELL`: a magnet under spin-orbit torque, which keeps its state over dt
  with probability exp(-dt / (tau_N exp(s_i m_i)));
- `Form.READ`: a device that fluctuates fast, and a slow stage that reads it at
  rate 1 / tau_N: m_i becomes the sign of tanh(s_i) less a fresh random number;
- `Form.HELD`: a device that fluctuates slowly, and a fast stage: the random
  number is redrawn at rate 1 / tau_N, and compared with tanh(s_i) at all times.

The first two sample Boltzmann's distribution as dt and tau_S go to zero. The
third answers to its neighbours with the random number that it already has, and
so does not where two p-bits listen to each other, whatever tau_S.
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from ...contract.errors import RequestError
from ..jit import kernel
from .coupling import adjacency, check_kept, check_step, drive_scale, low_value

MAX_STEP_OVER_SYNAPSE = 0.5
"""Longest time step in units of tau_S, of a synapse that takes any time."""


class Form(IntEnum):
    """Behavioural model of a p-bit."""

    DWELL = 0
    READ = 1
    HELD = 2


def sample(
    model: Any,
    steps: int,
    *,
    form: Form,
    dt_over_tau: float,
    synapse_over_tau: float = 0.0,
    beta: float = 1.0,
    replicas: int = 1,
    keep_every: int = 1,
    burn_in: int = 0,
    seed: int = 0,
) -> npt.NDArray[np.int8]:
    """Run p-bits behind synapses, from random states and synapses at rest.

    Parameters
    ----------
    model : Model
        What they are coupled by; bits take half the drive, as in `autonomous.sample`.
    steps : int
        Time steps, burn-in included.
    form : Form
        Which p-bit.
    dt_over_tau : float
        Time step in units of tau_N.
    synapse_over_tau : float
        Synapse time tau_S in units of tau_N; 0 for synapses without delay.
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
        If the time step is not positive or longer than half of tau_S, beta is
        not finite, or no state would be kept.
    """
    check_step(dt_over_tau, beta)
    _check_synapse(dt_over_tau, synapse_over_tau)
    check_kept(steps, burn_in, keep_every)
    rng = np.random.default_rng(seed)
    n, low = len(model.biases), low_value(model)
    states = np.where(rng.integers(0, 2, (replicas, n), np.int8), 1, low).astype(np.int8)
    out = np.empty(((steps - burn_in) // keep_every, replicas, n), np.int8)
    follow = -math.expm1(-dt_over_tau / synapse_over_tau) if synapse_over_tau else 1.0
    settings = (low, drive_scale(model, beta), dt_over_tau, follow, int(form))
    _run(states, *adjacency(model), *settings, burn_in, keep_every, rng, out)
    return out


def _check_synapse(dt_over_tau: float, synapse_over_tau: float) -> None:
    if not 0 <= synapse_over_tau < np.inf:
        raise RequestError(f"a synapse time of {synapse_over_tau} tau_N is impossible; give 0 or a positive one")
    if synapse_over_tau and dt_over_tau > MAX_STEP_OVER_SYNAPSE * synapse_over_tau:
        raise RequestError(
            f"a time step of {dt_over_tau} tau_N is too long for synapses of {synapse_over_tau} tau_N; give one of at "
            f"most {MAX_STEP_OVER_SYNAPSE * synapse_over_tau:g} tau_N, or synapses without delay"
        )


@kernel
def _set_drives(state, first, neighbours, weights, biases, scale, drives):
    for i in range(len(state)):
        field = biases[i]
        for slot in range(first[i], first[i + 1]):
            field += weights[slot] * state[neighbours[slot]]
        drives[i] = scale * field


@kernel
def _next_up(form, up, felt, dt_over_tau, held, rng):
    """Whether a p-bit that feels a drive is up after one step, and its random number."""
    if form == 0:
        keep = math.exp(-dt_over_tau * math.exp(-felt if up else felt))
        return up == (rng.random() < keep), held
    redrawn = rng.random() < -math.expm1(-dt_over_tau)
    if redrawn:
        held = 2 * rng.random() - 1
    if redrawn or form == 2:
        return math.tanh(felt) > held, held
    return up, held


@kernel
def _run(
    states, first, neighbours, weights, biases, low, scale, dt_over_tau, follow, form, burn_in, keep_every, rng, out
):
    n = states.shape[1]
    drives, felt, held = np.empty(n), np.empty(n), np.empty(n)
    for replica in range(len(states)):
        state = states[replica]
        _set_drives(state, first, neighbours, weights, biases, scale, felt)
        for i in range(n):
            held[i] = 2 * rng.random() - 1
        for step in range(burn_in + len(out) * keep_every):
            _set_drives(state, first, neighbours, weights, biases, scale, drives)
            for i in range(n):
                felt[i] += follow * (drives[i] - felt[i])
                up, held[i] = _next_up(form, state[i] > 0, felt[i], dt_over_tau, held[i], rng)
                state[i] = 1 if up else low
            kept = step + 1 - burn_in
            if kept > 0 and kept % keep_every == 0:
                out[kept // keep_every - 1, replica] = state
