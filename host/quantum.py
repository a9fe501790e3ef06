"""Simulated quantum annealing on the array: the transverse field is turned down instead of the temperature.

After Kadowaki and Nishimori, Phys. Rev. E 58, 5355, 1998, by slices as in `pbit_hw.compiler.trotter`; each step
streams the couplings between slices anew, to the simulator or to a board.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..compiler.base import Model
from ..compiler.program import Program, compile
from ..compiler.trotter import Trotter
from ..contract.errors import RequestError
from ..contract.sampler import Sampler

WEIGHT_BITS = 10
"""Bits of a coupling: those within a slice are smaller than those between slices at the end."""


@dataclass(frozen=True, eq=False)
class QuantumAnnealed:
    """Where quantum annealing ended.

    Parameters
    ----------
    states : ndarray of int8, shape (replicas * slices, n)
        Every slice of every replica, in the model's order.
    energies : ndarray of float64, shape (replicas * slices,)
        Their classical energies.
    """

    states: npt.NDArray[np.int8]
    energies: npt.NDArray[np.float64]


def quantum_anneal(
    model: Model,
    open_sampler: Callable[[Program], Sampler],
    *,
    beta: float = 4.0,
    gamma: tuple[float, float] = (3.0, 0.02),
    slices: int = 16,
    steps: int = 100,
    sweeps_per_step: int = 10,
    replicas: int = 64,
) -> QuantumAnnealed:
    """Anneal a transverse field.

    Parameters
    ----------
    model : Model
        Classical part, of spins with couplings of about 1.
    open_sampler : callable
        Makes the sampler of a program, for example ``lambda program: Simulator(program, seed=1)``.
    beta : float
        Inverse temperature, kept.
    gamma : (float, float)
        Transverse field at the first and at the last step, falling in equal ratios.
    slices : int
        Slices of each replica.
    steps, sweeps_per_step : int
        Values of the field, and sweeps at each.
    replicas : int
        Independent replicas.

    Returns
    -------
    QuantumAnnealed

    Raises
    ------
    RequestError
        If the field does not fall, or there is no step.
    """
    if steps < 1 or not gamma[0] > gamma[1] > 0:
        raise RequestError(
            f"{steps} steps of a field from {gamma[0]} to {gamma[1]}: it must fall, in at least one step"
        )
    # compiled at the end of the schedule, whose couplings are the largest
    program = compile(Trotter(model, gamma[1], beta, slices).sliced, weight_bits=WEIGHT_BITS, colouring="fast")
    sampler = open_sampler(program)
    options: dict[str, Any] = {"replicas": replicas, "beta": beta, "keep_every": sweeps_per_step}
    for field in np.geomspace(*gamma, steps):
        sliced = Trotter(model, float(field), beta, slices).sliced
        sampler.set_weights(sliced.couplings, sliced.biases)
        options["initial"] = sampler.sample(sweeps_per_step, **options).states
    states = options["initial"].reshape(-1, model.size)
    return QuantumAnnealed(states, model.energies(states))
