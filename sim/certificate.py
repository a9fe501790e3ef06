"""A certificate of samples: how many they are worth, whether the chains agree, and how far from exact they are.

Convergence is judged from the samples alone and cannot notice a state that no
chain has visited; the distances in `references` can. Every limit names its source.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract.errors import RequestError
from .references import Distance, Lattice, distance, lattice
from .statistics import MIN_LENGTH, Mean, binned, mean_with_error, split_rhat
from .variables import Variables, look_at

MAX_RHAT = 1.01
"""Largest split R-hat of chains that agree (Vehtari et al., Bayesian Analysis 16, 667, 2021)."""

MIN_EFFECTIVE_SAMPLES = 400
"""Fewest effective samples with which R-hat and error bars are themselves steady (Vehtari et al., 2021)."""

MIN_TIMES = 10
"""Fewest autocorrelation times in a chain: twice the window of five that Sokal's estimate sums over."""

MAX_FLOORS = 3
"""Largest total variation in noise floors: the gate of tests/sim/test_distribution.py, which a one-shift LFSR fails."""

MAX_SIGMA = 3.5
"""Largest distance from an exact energy in standard errors: by chance once in 2,000 certificates (normal law)."""


@dataclass(frozen=True, eq=False)
class Certificate:
    """What `certify` found.

    Parameters
    ----------
    replicas, kept_sweeps, keep_every : int
        Replicas, kept sweeps of each, and sweeps from one to the next.
    beta : float or None
        Inverse temperature as the array has it.
    energy : Mean
        Of all replicas, in the model's units.
    rhat : float
        Split R-hat of the energy.
    by_replica : tuple of Mean
        Energy of each replica, judged by itself: short chains look better than they are.
    variables : Variables
        The slowest of them, and the one that the replicas agree least on.
    levels : ndarray of float64, shape (b,)
        Energies at which the bins of the histogram are centred.
    counts : ndarray of int64, shape (b,)
        Samples in each bin.
    distance : Distance or None
        From exact, for small models at a known beta.
    lattice : Lattice or None
        Energy against Kaufman's, for periodic square lattices at a known beta.
    """

    replicas: int
    kept_sweeps: int
    keep_every: int
    beta: float | None
    energy: Mean
    rhat: float
    by_replica: tuple[Mean, ...]
    variables: Variables
    levels: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int64]
    distance: Distance | None
    lattice: Lattice | None

    @property
    def n_samples(self) -> int:
        """Rows: kept sweeps of all replicas."""
        return self.replicas * self.kept_sweeps

    @property
    def autocorrelation_time(self) -> float:
        """Integrated autocorrelation time of the energy, in kept sweeps."""
        return self.n_samples / self.energy.effective_samples

    @property
    def effective_samples(self) -> float:
        """The smallest effective sample size, of the energy and the variables."""
        return min(self.energy.effective_samples, self.variables.effective_samples)

    @property
    def warnings(self) -> tuple[str, ...]:
        """One line for each limit that is passed: what, by how much, and what to do."""
        return tuple(_warnings(self))

    def to_json(self) -> dict[str, Any]:
        """JSON-able fields; null for what is infinite or does not apply."""
        return {
            "n_samples": self.n_samples,
            "replicas": self.replicas,
            "kept_sweeps": self.kept_sweeps,
            "keep_every_sweeps": self.keep_every,
            "beta": self.beta,
            **_energy_json(self),
            "variables_examined": self.variables.examined,
            "variables_constant": self.variables.constant,
            "variables_min_effective_samples": self.variables.effective_samples,
            "variables_slowest": None if self.variables.slowest is None else str(self.variables.slowest),
            "variables_max_split_rhat": _finite(self.variables.rhat),
            "exact": self.distance.to_json() if self.distance else None,
            "kaufman": self.lattice.to_json() if self.lattice else None,
            "warnings": list(self.warnings),
        }


def _energy_json(certificate: Certificate) -> dict[str, Any]:
    mean, replicas = certificate.energy, certificate.by_replica
    return {
        "energy_mean": mean.value,
        "energy_standard_error": mean.error,
        "energy_effective_samples": mean.effective_samples,
        "energy_autocorrelation_time_kept_sweeps": certificate.autocorrelation_time,
        "energy_split_rhat": _finite(certificate.rhat),
        "energy_histogram": {"energies": certificate.levels.tolist(), "counts": certificate.counts.tolist()},
        "by_replica": {
            "energy_mean": [each.value for each in replicas],
            "energy_standard_error": [each.error for each in replicas],
            "energy_effective_samples": [each.effective_samples for each in replicas],
            "energy_autocorrelation_time_kept_sweeps": [
                certificate.kept_sweeps / each.effective_samples for each in replicas
            ],
        },
    }


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None


def _warnings(certificate: Certificate) -> Iterator[str]:
    """See `Certificate.warnings`."""
    variables, worth = certificate.variables, certificate.effective_samples
    for what, rhat in (("the energy", certificate.rhat), ("a variable", variables.rhat)):
        if rhat > MAX_RHAT:
            yield f"R-hat of {what} is {rhat:.4f}, above {MAX_RHAT}: run more sweeps or raise burn_in"
    if worth < MIN_EFFECTIVE_SAMPLES:
        yield f"{worth:.0f} effective samples, fewer than {MIN_EFFECTIVE_SAMPLES}: run more sweeps or more replicas"
    if worth < MIN_TIMES * certificate.replicas:
        yield (
            f"chains are {worth / certificate.replicas:.1f} autocorrelation times long, shorter than {MIN_TIMES}: "
            f"error bars are too small; run more sweeps"
        )
    if variables.constant:
        yield (
            f"{variables.constant} of {variables.examined} variables never changed: frozen unless the model pins them; "
            f"run more sweeps or lower beta"
        )
    yield from _wrong(certificate.distance, certificate.lattice)


def _wrong(distance: Distance | None, lattice: Lattice | None) -> Iterator[str]:
    """Warnings about what is not exact."""
    if distance and distance.floors > MAX_FLOORS:
        yield (
            f"total variation from exact is {distance.total_variation:.4f}, {distance.floors:.1f} noise floors, above "
            f"{MAX_FLOORS}: another distribution; raise burn_in, then check beta, clamps and random words"
        )
    if lattice and abs(lattice.z) > MAX_SIGMA:
        yield (
            f"energy per spin is {lattice.energy_per_spin:.5f}, {abs(lattice.z):.1f} standard errors from Kaufman's "
            f"{lattice.exact:.5f}, above {MAX_SIGMA}: raise burn_in, then check beta and random words"
        )


def constant_beta(beta: npt.ArrayLike) -> float:
    """The one inverse temperature of a run.

    Raises
    ------
    RequestError
        If beta varies: an annealed run has no stationary distribution.
    """
    values = np.unique(np.asarray(beta, np.float64))
    if len(values) != 1:
        raise RequestError(
            f"beta varies from {values.min():g} to {values.max():g}: an annealed run has no stationary distribution to "
            f"certify; sample at one beta"
        )
    return float(values[0])


def certify(
    samples: Any,
    program: Any = None,
    *,
    beta: npt.ArrayLike | None = None,
    clamp: Mapping[Hashable, float] | None = None,
) -> Certificate:
    """Judge the samples of a run at constant beta.

    Parameters
    ----------
    samples : Samples
        At least `statistics.MIN_LENGTH` kept sweeps.
    program : Program, optional
        What was sampled: then the references are of its quantised model and beta, and its clamps are known.
    beta : float, optional
        Inverse temperature of the run; without it nothing is compared with exact values.
    clamp : mapping, optional
        Label to value, as the run had it; that of the program by default.

    Returns
    -------
    Certificate

    Raises
    ------
    RequestError
        If beta varies, rows are missing, there are too few, or samples contradict the clamp.
    """
    kept, replicas = _shape(samples)
    clamp = clamp if clamp is not None else {} if program is None else program.clamps
    series = samples.energies.reshape(kept, replicas)
    energy = mean_with_error(series)
    variables = look_at(samples.states.reshape(kept, replicas, -1), samples.model.labels, clamp)
    model = samples.model if program is None or program.expansion is not None else program.quantised
    held = None if beta is None else _held_beta(constant_beta(beta), program)
    worth = min(energy.effective_samples, variables.effective_samples)
    return Certificate(
        replicas,
        kept,
        int(samples.sweep[replicas] - samples.sweep[0]),
        held,
        energy,
        split_rhat(series),
        tuple(mean_with_error(column) for column in series.T),
        variables,
        *binned(series.ravel()),
        None if held is None else distance(samples.states, model, held, clamp, worth),
        None if held is None or clamp else lattice(energy, samples.model, model, held),
    )


def _shape(samples: Any) -> tuple[int, int]:
    """Kept sweeps and replicas of samples that have a row for each."""
    sweeps, replicas = np.unique(samples.sweep), np.unique(samples.replica)
    shape = len(sweeps), len(replicas)
    ordered = np.array_equal(samples.sweep, np.repeat(sweeps, shape[1]))
    if not ordered or not np.array_equal(samples.replica, np.tile(replicas, shape[0])):
        raise RequestError(
            f"{len(samples.sweep)} rows are not {shape[0]} sweeps of {shape[1]} replicas: give whole runs"
        )
    if shape[0] < MIN_LENGTH:
        raise RequestError(f"{shape[0]} kept sweeps are too few for a certificate; keep at least {MIN_LENGTH}")
    return shape


def _held_beta(beta: float, program: Any) -> float:
    """Beta as the array has it."""
    if program is None:
        return beta
    return float(program.image.beta_codes(beta) * program.image.beta_step)
