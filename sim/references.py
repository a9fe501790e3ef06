"""Samples against what is known in closed form: every state of a small model, the energy of a square lattice."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from math import copysign, inf, isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract.errors import RequestError
from . import kaufman
from .exact import exact
from .statistics import Mean, histogram, kl_divergence, kl_noise_floor, noise_floor, total_variation

MAX_EXACT_SIZE = 20
"""Largest model whose distribution is enumerated for a certificate: a million states, some seconds."""


@dataclass(frozen=True)
class Distance:
    """Distance of samples from the exact distribution.

    Parameters
    ----------
    total_variation, kl : float
        Total variation, and KL(samples || exact) in nats.
    total_variation_floor, kl_floor : float
        What independent samples from the exact distribution would show on average.
    independent_samples : float
        How many of them: as many as the samples are worth.
    """

    total_variation: float
    total_variation_floor: float
    kl: float
    kl_floor: float
    independent_samples: float

    @property
    def floors(self) -> float:
        """Total variation in noise floors."""
        return self.total_variation / self.total_variation_floor if self.total_variation else 0.0

    def to_json(self) -> dict[str, float]:
        """JSON-able fields."""
        return {
            "total_variation": self.total_variation,
            "total_variation_noise_floor": self.total_variation_floor,
            "kl_nats": self.kl,
            "kl_noise_floor_nats": self.kl_floor,
            "independent_samples": self.independent_samples,
        }


def distance(
    states: npt.ArrayLike, model: Any, beta: float, clamp: Mapping[Hashable, float], effective_samples: float
) -> Distance | None:
    """Compare samples with the exact distribution.

    Parameters
    ----------
    states : array_like, shape (k, n)
        Spins or bits.
    model : Model
        What the array samples, couplings as quantised.
    beta : float
        Inverse temperature.
    clamp : mapping
        Label to value: the distribution is conditioned on it.
    effective_samples : float
        Independent samples that the states are worth.

    Returns
    -------
    Distance or None
        None for models of more than `MAX_EXACT_SIZE` variables.

    Raises
    ------
    RequestError
        If samples contradict the clamp.
    """
    if model.size > MAX_EXACT_SIZE:
        return None
    reference = exact(model, beta, clamp)
    p, counts = reference.probabilities, histogram(states, model.size)
    columns = {label: np.asarray(states)[:, model.index[label]] > 0 for label in clamp}
    for label, column in columns.items():
        if (column != (clamp[label] > 0)).any():
            raise RequestError(
                f"samples contradict the clamp {label}={clamp[label]}: give the clamp they were made with"
            )
    floors = noise_floor(p, effective_samples), kl_noise_floor(p, effective_samples)
    logs = -beta * reference.energies - reference.log_partition
    return Distance(
        total_variation(counts / counts.sum(), p), floors[0], kl_divergence(counts, logs), floors[1], effective_samples
    )


@dataclass(frozen=True)
class Lattice:
    """Energy of a square lattice against Kaufman's.

    Parameters
    ----------
    side : int
        Spins along each axis.
    coupling : float
        K = beta J as the array has it.
    energy_per_spin, error : float
        Sampled, with its standard error, in the model's units and without its offset.
    exact : float
        Kaufman's at K, in the same units.
    """

    side: int
    coupling: float
    energy_per_spin: float
    error: float
    exact: float

    @property
    def z(self) -> float:
        """Difference in standard errors; infinite for an energy that never changed."""
        difference = self.energy_per_spin - self.exact
        return difference / self.error if self.error else copysign(inf, difference)

    def to_json(self) -> dict[str, float | None]:
        """JSON-able fields; null for what is infinite."""
        return {
            "side": self.side,
            "coupling_k": self.coupling,
            "energy_per_spin": self.energy_per_spin,
            "energy_per_spin_standard_error": self.error,
            "energy_per_spin_exact": self.exact,
            "z_standard_errors": self.z if isfinite(self.z) else None,
        }


def lattice(energy: Mean, given: Any, quantised: Any, beta: float) -> Lattice | None:
    """Compare a mean energy with the exact one.

    Parameters
    ----------
    energy : Mean
        Of all spins, as ``given`` counts it.
    given, quantised : Model
        The model as the user gave it, and as the array has it.
    beta : float
        Inverse temperature.

    Returns
    -------
    Lattice or None
        None where the model is no periodic square lattice of one coupling, or beta is 0.
    """
    asked, had = kaufman.torus(given), kaufman.torus(quantised)
    if asked is None or had is None or beta <= 0:
        return None
    (side, unit), coupling = asked, beta * had[1]
    reference = unit * kaufman.energy_per_spin(side, coupling)
    return Lattice(side, coupling, (energy.value - given.offset) / side**2, energy.error / side**2, reference)
