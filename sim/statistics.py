"""How far samples are from exact, and how many they are worth.

The autocorrelation time is Sokal's windowed estimate (Madras and Sokal, J.
Stat. Phys. 50, 109, 1988). arviz has one too, but brings xarray, scipy and
matplotlib for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lgamma

import numpy as np
import numpy.typing as npt

from .exact import state_index

Float = npt.NDArray[np.float64]


def histogram(states: npt.ArrayLike, size: int) -> npt.NDArray[np.int64]:
    """Count each state, in the order of `exact`.

    Parameters
    ----------
    states : array_like, shape (k, n)
        Spins or bits.
    size : int
        Number of variables n.

    Returns
    -------
    ndarray of int64, shape (2**n,)
    """
    return np.bincount(state_index(states), minlength=1 << size)


def total_variation(p: npt.ArrayLike, q: npt.ArrayLike) -> float:
    """Total variation distance of two distributions: half the sum of absolute differences."""
    return 0.5 * float(np.abs(np.asarray(p, np.float64) - np.asarray(q, np.float64)).sum())


def noise_floor(probabilities: npt.ArrayLike, samples: float) -> float:
    """Expected total variation between a distribution and the histogram of independent samples from it.

    Parameters
    ----------
    probabilities : array_like of float
        The distribution.
    samples : float
        Number of independent samples.

    Returns
    -------
    float
        Half the sum of the mean absolute deviations E|k - N p| / N of the
        binomial counts (de Moivre's closed form).
    """
    p = np.asarray(probabilities, np.float64)
    p = p[(p > 0) & (p < 1)]
    number = int(samples)
    v = np.floor(number * p) + 1
    inner = np.clip(v, 1, number)
    log_choose = lgamma(number + 1) - _lgamma(inner + 1) - _lgamma(number - inner + 1)
    log_mad = np.log(2) + np.log(inner) + log_choose + inner * np.log(p) + (number - inner + 1) * np.log1p(-p)
    return 0.5 * float(np.exp(log_mad).sum()) / number


def _lgamma(values: Float) -> Float:
    return np.array([lgamma(value) for value in values])


@dataclass(frozen=True)
class Mean:
    """A mean with its error bar.

    Parameters
    ----------
    value, error : float
        Mean and standard error.
    effective_samples : float
        Independent samples that the series are worth.
    """

    value: float
    error: float
    effective_samples: float


def autocorrelation_time(series: npt.ArrayLike) -> float:
    """Integrated autocorrelation time 1 + 2 sum rho(t), in samples.

    Parameters
    ----------
    series : array_like of float, shape (samples,) or (samples, replicas)
        Stationary series; the autocovariance is averaged over replicas.

    Returns
    -------
    float
        At least 1; the sum ends at the first window of five times itself.
    """
    x = np.asarray(series, np.float64)
    x = x[:, None] if x.ndim == 1 else x
    x = x - x.mean()
    padded = 1 << (2 * len(x) - 1).bit_length()
    spectrum = np.fft.rfft(x, padded, axis=0)
    covariance = np.fft.irfft((np.abs(spectrum) ** 2).mean(axis=1), padded)[: len(x)]
    covariance /= np.arange(len(x), 0, -1)
    if covariance[0] <= 0:
        return 1.0
    times = 2 * np.cumsum(covariance / covariance[0]) - 1
    window = np.flatnonzero(np.arange(len(times)) >= 5 * times)
    return max(1.0, float(times[window[0] if len(window) else -1]))


def mean_with_error(series: npt.ArrayLike) -> Mean:
    """Mean of stationary series with an error bar from the effective sample size.

    Parameters
    ----------
    series : array_like of float, shape (samples,) or (samples, replicas)
    """
    x = np.asarray(series, np.float64)
    effective = x.size / autocorrelation_time(x)
    return Mean(float(x.mean()), float(x.std() / np.sqrt(effective)), effective)
