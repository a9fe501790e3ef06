"""Devices that are not alike: sensitivity, offset and time scale of every p-bit, and offsets that drift.

P-bit i feels I_i' = g_i (I_i + o_i) of the drive I_i that it is given, and
hops with the time scale t_i tau_N. Weights learned in situ can counter that
junctions differ (Kaiser et al., Phys. Rev. Applied 17, 014016, 2022); how a
chance answers to a current changes little with the geometry of the magnet
(Drobitch and Bandyopadhyay, arXiv:1910.04842). Gains and times are positive
and so lognormal, as a time is that is the exponential of a normal barrier;
offsets are normal.

An offset drifts as a Wiener process, of one number and exact over any time. It
is what an Ornstein-Uhlenbeck process (Gillespie, Phys. Rev. E 54, 2084, 1996)
is well before its relaxation time, and too much of a drift for longer runs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...contract.errors import ModelError

Float = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Variation:
    """How each p-bit of an array differs from the nominal one.

    Parameters
    ----------
    sensitivity : ndarray of float64, shape (n,)
        Factor g on the drive, offset included.
    offset : ndarray of float64, shape (n,)
        What is added to the dimensionless drive.
    time_scale : ndarray of float64, shape (n,)
        Dwell time without drive, in units of tau_N.
    drift : float
        Standard deviation of an offset after one tau_N, from where it was.

    Raises
    ------
    ModelError
        If the shapes differ, a value is not finite, or one that must be positive is not.
    """

    sensitivity: Float
    offset: Float
    time_scale: Float
    drift: float = 0.0

    def __post_init__(self) -> None:
        for name in ("sensitivity", "offset", "time_scale"):
            values = np.ascontiguousarray(getattr(self, name), np.float64)
            object.__setattr__(self, name, values)
            if values.ndim != 1 or len(values) != self.size:
                raise ModelError(f"{name} has shape {values.shape}; give one for each p-bit, as for the sensitivity")
            wrong = values[~(np.isfinite(values) & ((values > 0) | (name == "offset")))]
            if wrong.size:
                need = "finite" if name == "offset" else "positive, finite"
                raise ModelError(f"a {name} of {wrong[0]} is impossible; give {need} values")
        _check_spread("drift", self.drift)

    @property
    def size(self) -> int:
        """Number of p-bits n."""
        return len(self.sensitivity)

    @classmethod
    def draw(
        cls,
        n: int,
        *,
        sensitivity: float = 0.0,
        offset: float = 0.0,
        time_scale: float = 0.0,
        drift: float = 0.0,
        seed: int = 0,
    ) -> Variation:
        """Draw devices; without spreads they are nominal.

        The same seed gives the same devices, further from nominal the larger the spreads are.

        Parameters
        ----------
        n : int
            Number of p-bits.
        sensitivity, time_scale : float
            Standard deviations of lognormal factors of mean 1: 0.1 for 10 %.
        offset : float
            Standard deviation of the normal offset, in units of the drive.
        drift : float
            As in `Variation`.
        seed : int
            Seed.

        Raises
        ------
        ModelError
            If a spread is negative or not finite.
        """
        for name, spread in (("sensitivity", sensitivity), ("offset", offset), ("time_scale", time_scale)):
            _check_spread(f"spread of {name}", spread)
        gains, offsets, times = np.random.default_rng(seed).normal(size=(3, n))
        return cls(_lognormal(gains, sensitivity), offset * offsets, _lognormal(times, time_scale), drift)

    def take(self, places: Any) -> Variation:
        """The devices at given places, in that order: ``np.argsort(program.order)`` for the model's."""
        return Variation(self.sensitivity[places], self.offset[places], self.time_scale[places], self.drift)

    def drifted(self, time_over_tau: float, rng: np.random.Generator) -> Variation:
        """The devices some time later; exact at any length of time.

        Parameters
        ----------
        time_over_tau : float
            Time in units of tau_N.
        rng : numpy.random.Generator
            Source.
        """
        if not self.drift:
            return self
        return replace(self, offset=self.offset + rng.normal(0, self.drift * time_over_tau**0.5, self.size))


def _lognormal(normal: Float, spread: float) -> Float:
    """Factors of mean 1 and a standard deviation, from standard normal numbers."""
    variance = np.log1p(spread**2)
    return np.exp(np.sqrt(variance) * normal - variance / 2)


def _check_spread(name: str, value: float) -> None:
    if not 0 <= value < np.inf:
        raise ModelError(f"a {name} of {value} is impossible; give 0 or a positive, finite one")
