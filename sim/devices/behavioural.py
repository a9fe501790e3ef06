"""Behavioural models of a p-bit, and the kernel that steps an array of them.

P-bit i feels its drive I_i as s_i: at once, or behind a synapse that follows
with the time constant tau_S. In steps of dt, all p-bits at once, it answers as
one of three models of tau_N (Faria et al., Front. Comput. Neurosci. 15,
584797, 2021; Sutton et al., IEEE Access 8, 157238, 2020):

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

import numpy as np
import numpy.typing as npt
from numba.extending import register_jitable

from ...contract.errors import RequestError
from ..jit import kernel
from .coupling import Coupling, Drive, felt_drive

Float = npt.NDArray[np.float64]
Int8 = npt.NDArray[np.int8]

MAX_STEP_OVER_SYNAPSE = 0.5
"""Longest time step in units of tau_S, of a synapse that takes any time."""


class Form(IntEnum):
    """Behavioural model of a p-bit."""

    DWELL = 0
    READ = 1
    HELD = 2


class Replicas:
    """Replicas of an array of autonomous p-bits, synapses at rest at first.

    What they do does not depend on how a run is cut into calls of `advance`.

    Parameters
    ----------
    coupling : Coupling
        What they are coupled by.
    states : ndarray of int8, shape (replicas, n)
        States of the p-bits, which `advance` changes.
    rng : numpy.random.Generator
        Source of all random numbers.
    form : Form
        Which p-bit.
    dt_over_tau : float
        Time step in units of tau_N.
    synapse_over_tau : float
        Synapse time tau_S in units of tau_N; 0 for synapses without delay.
    clamped : ndarray of uint8 or bool, shape (n,), optional
        P-bits that stay as they are.

    Raises
    ------
    RequestError
        If the time step is not positive or longer than half of tau_S.
    """

    def __init__(
        self,
        coupling: Coupling,
        states: Int8,
        rng: np.random.Generator,
        *,
        form: Form,
        dt_over_tau: float,
        synapse_over_tau: float = 0.0,
        clamped: npt.NDArray[np.uint8] | None = None,
    ) -> None:
        check_steps(dt_over_tau, synapse_over_tau)
        self.states = states
        self._coupling = coupling
        self._rng = rng
        self._form = int(form)
        self._dt_over_tau = dt_over_tau
        self._lag = math.exp(-dt_over_tau / synapse_over_tau) if synapse_over_tau else 0.0
        self._free = np.arange(states.shape[1]) if clamped is None else np.flatnonzero(clamped == 0)
        self._held = rng.uniform(-1, 1, states.shape)
        self._fields = np.empty(states.shape)
        _set_fields(states, coupling, self._fields)
        self._felt: Float | None = None

    def advance(self, drive: Drive, time_scale: Float, steps: int, kept: int = 1) -> Int8:
        """Let time pass.

        Parameters
        ----------
        drive : Drive
            What the p-bits make of their fields meanwhile.
        time_scale : ndarray of float64, shape (n,)
            tau of each p-bit in units of tau_N.
        steps : int
            Time steps from one kept state to the next.
        kept : int
            States to keep.

        Returns
        -------
        ndarray of int8, shape (kept, replicas, n)
        """
        out = np.empty((kept, *self.states.shape), np.int8)
        if self._felt is None:
            self._felt = drive(self._fields)
        rates = self._dt_over_tau / time_scale
        memory = self.states, self._fields, self._felt, self._held
        rule = self._free, self._form, rates, -np.expm1(-rates), self._lag
        _advance(*memory, self._coupling, drive, *rule, steps, self._rng, out)
        return out


def check_steps(dt_over_tau: float, synapse_over_tau: float = 0.0) -> None:
    """Raise `RequestError` unless a time step is positive, and short enough for the synapses."""
    if not 0 < dt_over_tau < np.inf:
        raise RequestError(f"a time step of {dt_over_tau} tau_N is impossible; give a positive one, at most about 0.01")
    if not 0 <= synapse_over_tau < np.inf:
        raise RequestError(f"a synapse time of {synapse_over_tau} tau_N is impossible; give 0 or a positive one")
    if synapse_over_tau and dt_over_tau > MAX_STEP_OVER_SYNAPSE * synapse_over_tau:
        raise RequestError(
            f"a time step of {dt_over_tau} tau_N is too long for synapses of {synapse_over_tau} tau_N; give one of at "
            f"most {MAX_STEP_OVER_SYNAPSE * synapse_over_tau:g} tau_N, or synapses without delay"
        )


@kernel
def _set_fields(states, coupling, fields):
    for replica in range(states.shape[0]):
        for i in range(states.shape[1]):
            fields[replica, i] = coupling.biases[i]
            for slot in range(coupling.first[i], coupling.first[i + 1]):
                fields[replica, i] += coupling.weights[slot] * states[replica, coupling.neighbours[slot]]


@kernel
def _chance(form, up, felt, held, rate, redraw):
    """Chance that a p-bit does something within one step: hops, or has its random number redrawn."""
    if form == 0:
        return -math.expm1(-rate * math.exp(-felt if up else felt))
    if form == 2 and up != (math.tanh(felt) > held):
        return 1.0
    return redraw


@kernel
def _act(form, up, felt, held, redraw, number):
    """What a p-bit does that does something: whether it is up, and the number that it holds."""
    if form == 0:
        return not up, held
    if number < redraw:  # this number has done its work: what is left of it is uniform
        held = 2 * number / redraw - 1
    return math.tanh(felt) > held, held


@register_jitable(inline="always")  # a call would count references to every array
def _listen(replica, states, fields, felt, held, stale, chances, drive, free, form, rates, redraws, lag):
    """Let p-bits feel what their fields have become: those that are stale, or all of them behind synapses."""
    for i in free:
        at = replica, i
        if stale[at] or lag > 0:
            stale[at] = False
            feel = drive.sensitivity[i], drive.offset[i]
            due = felt_drive(fields[at], drive.scale, drive.step, drive.limit, *feel)
            felt[at] = due - lag * (due - felt[at])
            chances[at] = _chance(form, states[at] > 0, felt[at], held[at], rates[i], redraws[i])


@kernel
def _advance(states, fields, felt, held, coupling, drive, free, form, rates, redraws, lag, steps, rng, out):
    first, neighbours, weights, _, low = coupling
    chances = np.empty(states.shape)
    # a chance stands until its p-bit or a neighbour hops, which at a small dt is seldom
    stale, hopped = np.ones(states.shape, np.bool_), np.ones(len(states), np.bool_)
    for step in range(len(out) * steps):
        for replica in range(len(states)):
            if hopped[replica] or lag > 0:
                _listen(replica, states, fields, felt, held, stale, chances, drive, free, form, rates, redraws, lag)
                hopped[replica] = False
            for i in free:
                number = rng.random()
                if number < chances[replica, i]:
                    at = replica, i
                    up, held[at] = _act(form, states[at] > 0, felt[at], held[at], redraws[i], number)
                    change = (1 if up else low) - states[at]
                    if change:
                        states[at] += change
                        hopped[replica] = stale[at] = True
                        for slot in range(first[i], first[i + 1]):
                            fields[replica, neighbours[slot]] += weights[slot] * change
                            stale[replica, neighbours[slot]] = True
        if (step + 1) % steps == 0:
            out[step // steps] = states
