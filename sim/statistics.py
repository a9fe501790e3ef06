"""How far samples are from exact, and how many they are worth.

The autocorrelation time is Sokal's windowed estimate (Madras and Sokal, J.
Stat. Phys. 50, 109, 1988), R-hat the rank-normalised one of split chains
(Vehtari et al., Bayesian Analysis 16, 667, 2021). arviz has both too, but
brings xarray, scipy and matplotlib for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lgamma
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from ..contract.errors import RequestError
from .exact import state_index

Float = npt.NDArray[np.float64]

MIN_LENGTH = 4
"""Fewest samples of a series that can be split into halves with a variance."""

_OFTEN = 8
"""Expected count from which the Stirling series of E[k ln(k / expected)] is right to 0.2 %."""

_ROUNDING = 1e-12
"""Deviations this small, relative to the values, are those of a constant that was added up in floats."""


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


def kl_divergence(counts: npt.ArrayLike, log_probabilities: npt.ArrayLike) -> float:
    """KL(samples || distribution) in nats.

    Parameters
    ----------
    counts : array_like of int, shape (k,)
        How often each state was sampled.
    log_probabilities : array_like of float, shape (k,)
        Of the distribution; logarithms, as rare states would underflow.
    """
    k = np.asarray(counts, np.float64)
    seen = k > 0
    share = k[seen] / k.sum()
    return float(share @ (np.log(share) - np.asarray(log_probabilities, np.float64)[seen]))


def kl_noise_floor(probabilities: npt.ArrayLike, samples: float) -> float:
    """Expected `kl_divergence` of the histogram of independent samples from a distribution, in nats.

    Parameters
    ----------
    probabilities : array_like of float
        The distribution.
    samples : float
        Number of independent samples N.

    Returns
    -------
    float
        (k - 1) / 2N where all k states are seen often (Miller, 1955), less where
        many are rare: counts are taken as Poisson and normalised to first order.
    """
    p = np.asarray(probabilities, np.float64)
    expected = samples * p[p > 0]
    often = expected >= _OFTEN
    rare = expected[~often]
    total = 0.5 * often.sum() + (1 / (12 * expected[often])).sum() - 0.5
    log_probability = -rare
    for count in range(1, 4 * _OFTEN + 1):
        log_probability = log_probability + np.log(rare / count)
        total += float((np.exp(log_probability) * count * np.log(count / rare)).sum())
    return max(0.0, float(total)) / samples


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


def autocorrelation(series: npt.ArrayLike) -> Float:
    """Autocorrelation function rho(t) of stationary series.

    Parameters
    ----------
    series : array_like of float, shape (samples,) or (samples, replicas)
        Deviations are from the mean of all replicas, and the autocovariance is
        averaged over them: replicas that disagree look correlated for ever.

    Returns
    -------
    ndarray of float64, shape (samples,)
        1 at lag 0; 0 at every other lag of series that are constant.
    """
    x = _columns(series)
    scale = np.abs(x).max()
    x = x - x.mean()
    padded = 1 << (2 * len(x) - 1).bit_length()
    spectrum = np.fft.rfft(x, padded, axis=0)
    covariance = np.fft.irfft((np.abs(spectrum) ** 2).mean(axis=1), padded)[: len(x)]
    covariance /= np.arange(len(x), 0, -1)
    if covariance[0] <= (_ROUNDING * scale) ** 2:
        return np.eye(1, len(x))[0]
    return covariance / covariance[0]


def autocorrelation_time(series: npt.ArrayLike) -> float:
    """Integrated autocorrelation time 1 + 2 sum rho(t), in samples.

    Parameters
    ----------
    series : array_like of float, shape (samples,) or (samples, replicas)
        As for `autocorrelation`.

    Returns
    -------
    float
        At least 1; the sum ends at the first window of five times itself.
    """
    times = 2 * np.cumsum(autocorrelation(series)) - 1
    window = np.flatnonzero(np.arange(len(times)) >= 5 * times)
    return max(1.0, float(times[window[0] if len(window) else -1]))


def _columns(series: npt.ArrayLike) -> Float:
    x = np.asarray(series, np.float64)
    return x[:, None] if x.ndim == 1 else x


def mean_with_error(series: npt.ArrayLike) -> Mean:
    """Mean of stationary series with an error bar from the effective sample size.

    Parameters
    ----------
    series : array_like of float, shape (samples,) or (samples, replicas)
    """
    x = np.asarray(series, np.float64)
    effective = x.size / autocorrelation_time(x)
    return Mean(float(x.mean()), float(x.std() / np.sqrt(effective)), effective)


def split_rhat(series: npt.ArrayLike, *, ranked: bool = True) -> float:
    """How far the replicas, and their first and second halves, disagree: 1 where they do not.

    Parameters
    ----------
    series : array_like of float, shape (samples,) or (samples, replicas)
        At least `MIN_LENGTH` samples.
    ranked : bool
        Rank-normalise and fold, and return the larger of both values, which
        heavy tails and unequal widths do not escape. It changes nothing for a
        variable of two values, whose ranks are a linear function of them: there the
        plain one is quicker.

    Returns
    -------
    float
        sqrt(((n - 1) W / n + B / n) / W) of the variances within and between
        half series of n samples; infinite if every half is constant and they differ.

    Raises
    ------
    RequestError
        If the series are too short.
    """
    x = _columns(series)
    if len(x) < MIN_LENGTH:
        raise RequestError(f"split R-hat of {len(x)} kept sweeps is undefined; keep at least {MIN_LENGTH}")
    half = len(x) // 2
    halves = np.concatenate([x[:half], x[-half:]], axis=1)
    if not ranked:
        return _rhat(halves)
    return max(_rhat(_normal_scores(halves)), _rhat(_normal_scores(np.abs(halves - np.median(halves)))))


def _rhat(chains: Float) -> float:
    """R-hat of chains in columns."""
    length = len(chains)
    within = float(chains.var(axis=0, ddof=1).mean())
    between = float(chains.mean(axis=0).var(ddof=1))
    nothing = (_ROUNDING * float(np.abs(chains).max())) ** 2
    if within <= nothing:
        return 1.0 if between <= nothing else float("inf")
    return float(np.sqrt((length - 1) / length + between / within))


def _normal_scores(values: Float) -> Float:
    """Normal quantiles of the ranks, ties at their mean rank, with Blom's plotting positions."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    normal = NormalDist()
    scores = np.array([normal.inv_cdf((rank - 3 / 8) / (values.size + 1 / 4)) for rank in ranks])
    return scores[inverse].reshape(values.shape)


def binned(values: npt.ArrayLike, bins: int = 64) -> tuple[Float, npt.NDArray[np.int64]]:
    """Histogram of energies whose bins respect their levels: each holds the same number of them.

    Parameters
    ----------
    values : array_like of float, shape (k,)
    bins : int
        Most bins.

    Returns
    -------
    centres : ndarray of float64, shape (b,)
    counts : ndarray of int64, shape (b,)
    """
    x = np.asarray(values, np.float64)
    low, high = float(x.min()), float(x.max())
    spread = high - low
    if spread <= _ROUNDING * max(abs(low), abs(high)):
        return np.array([low]), np.array([x.size])
    gaps = np.diff(np.unique(np.round((x - low) / spread, 9)))
    step = spread * float(gaps.min())
    levels = round(spread / step) + 1
    per_bin = -(-levels // bins)
    place = np.round((x - low) / step).astype(np.int64) // per_bin
    counts = np.bincount(place)
    centres = np.arange(len(counts), dtype=np.float64) * per_bin + (per_bin - 1) / 2
    return np.asarray(low + centres * step, np.float64), counts
