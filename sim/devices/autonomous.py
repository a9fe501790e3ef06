"""Autonomous p-bits: no clock, no sequencer, every p-bit hops on its own.

A p-bit with drive I_i = beta (sum_j J_ij m_j + h_i) dwells in its state for a
mean time tau_N exp(I_i m_i). The behavioural model advances all p-bits
together by dt, each keeping its state with probability
exp(-dt / (tau_N exp(I_i m_i))) (Faria et al., Front. Comput. Neurosci. 15,
584797, 2021; Sutton et al., IEEE Access 8, 157238, 2020). Two coupled p-bits
that flip within one dt answer to each other's old state, so the model samples
the Boltzmann distribution only as dt / tau_N goes to zero, the later the
stronger the drives are. `behavioural` has two more p-bits, and slow synapses.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ...contract.errors import ModelError
from ..exact import states as enumerate_states
from .behavioural import Form, Replicas, check_steps
from .coupling import Coupling, Drive, check_beta, check_kept, devices_of
from .dac import Dac
from .variation import Variation

Float = npt.NDArray[np.float64]

MAX_MATRIX_SIZE = 12
"""Most p-bits of which `transition_matrix` writes out all states."""


def sample(
    model: Any,
    steps: int,
    *,
    dt_over_tau: float,
    form: Form = Form.DWELL,
    synapse_over_tau: float = 0.0,
    beta: float = 1.0,
    variation: Variation | None = None,
    dac: Dac | None = None,
    replicas: int = 1,
    keep_every: int = 1,
    burn_in: int = 0,
    seed: int = 0,
) -> npt.NDArray[np.int8]:
    """Run autonomous p-bits from random states and synapses at rest.

    Parameters
    ----------
    model : Model
        What they are coupled by; bits take half the drive, I_i = beta (sum_j J_ij s_j + h_i) / 2.
    steps : int
        Time steps, burn-in included.
    dt_over_tau : float
        Time step in units of tau_N.
    form : Form
        Which p-bit.
    synapse_over_tau : float
        Synapse time tau_S in units of tau_N; 0 for synapses without delay.
    beta : float
        Inverse temperature.
    variation : Variation, optional
        The devices, in the model's order, as they stand: only a `DeviceArray` lets them drift.
    dac : Dac, optional
        Converter that drives each of them.
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
    ModelError
        If there are more or fewer devices than p-bits.
    """
    check_beta(beta)
    check_kept(steps, burn_in, keep_every)
    rng = np.random.default_rng(seed)
    coupling, devices = Coupling.of_model(model), devices_of(model.size, variation)
    states = np.where(rng.integers(0, 2, (replicas, model.size), np.int8), 1, coupling.low).astype(np.int8)
    stepping: Any = dict(form=form, dt_over_tau=dt_over_tau, synapse_over_tau=synapse_over_tau)
    array = Replicas(coupling, states, rng, **stepping)
    drive = Drive.of(coupling.scale(beta), devices, dac)
    if burn_in:
        array.advance(drive, devices.time_scale, burn_in)
    return array.advance(drive, devices.time_scale, keep_every, (steps - burn_in) // keep_every)


def transition_matrix(
    model: Any,
    *,
    dt_over_tau: float,
    beta: float = 1.0,
    variation: Variation | None = None,
    dac: Dac | None = None,
) -> Float:
    """Chances of every state one step after every state: the third leg that `sample` stands on.

    Parameters
    ----------
    model, dt_over_tau, beta, variation, dac
        As in `sample`, whose form is the default and whose synapses have no delay.

    Returns
    -------
    ndarray of float64, shape (2^n, 2^n)
        From row to column, states in the order of `sim.exact`.

    Raises
    ------
    RequestError
        If the time step is not positive, or beta is not finite.
    ModelError
        If the model has more than 12 p-bits, or another number of them than there are devices.
    """
    check_steps(dt_over_tau)
    check_beta(beta)
    n = model.size
    if n > MAX_MATRIX_SIZE:
        raise ModelError(f"{n} p-bits have 2^{n} states; a transition matrix can be written for {MAX_MATRIX_SIZE}")
    devices = devices_of(n, variation)
    values = enumerate_states(model, 0, 2**n)
    matrix = np.zeros((n, n))
    matrix[tuple(model.edges.T)] = model.couplings
    drive = Drive.of(Coupling.of_model(model).scale(beta), devices, dac)
    drives = drive(values @ (matrix + matrix.T) + model.biases)
    keep = np.exp(-dt_over_tau / devices.time_scale * np.exp(np.where(values > 0, -drives, drives)))
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
