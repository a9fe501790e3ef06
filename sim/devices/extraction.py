"""The telegraph junction that stands for a bistable macrospin: what a run of it remembers and how a field turns it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...contract.errors import ModelError, RequestError
from .macrospin import Float, Macrospin, Vector
from .telegraph import Telegraph

MIN_BARRIER_KT = 2.0
"""Least barrier of a magnet that `extract` takes for a two-state junction."""


@dataclass(frozen=True)
class Extracted:
    """What a magnet is as a two-state junction that reads sign(m) along the easy axis.

    Parameters
    ----------
    telegraph : Telegraph
        Junction without drive that forgets at the magnet's rate.
    share : float
        Part of the autocorrelation of sign(m) that decays at that rate; the
        rest, lost at once, is motion about the saddle that is no hop.
    drive_oe : float
        Field along the easy axis that is a drive of 1: <sign(m)> = tanh(h / drive_oe).
    amplitude, scale_oe : float
        The same of m itself: <m> = amplitude tanh(h / scale_oe).
    """

    telegraph: Telegraph
    share: float
    drive_oe: float
    amplitude: float
    scale_oe: float

    def driven(self, field_oe: float) -> Telegraph:
        """The junction in a field along the easy axis."""
        return replace(self.telegraph, drive=field_oe / self.drive_oe)


def extract(
    magnet: Macrospin,
    fields_oe: npt.ArrayLike,
    steps: int,
    *,
    dt_ns: float,
    magnets: int = 256,
    keep_every: int = 1,
    burn_in: int = 0,
    seed: int = 0,
) -> Extracted:
    """Find the telegraph junction that stands for a bistable magnet, from runs of it.

    Parameters
    ----------
    magnet : Macrospin
        Which; its barrier stays the junction's, and the attempt time is fitted.
    fields_oe : array_like of float
        Fields in Oe along the easy axis at which the transfer is measured, one run each.
    steps, dt_ns, magnets, keep_every, burn_in, seed
        As in `Macrospin.run`; the burn-in should last several correlation times.

    Raises
    ------
    ModelError
        If the barrier is below 2 kT: such a magnet has no two states.
    RequestError
        As `Macrospin.run` and `fit_decay`.
    """
    if magnet.barrier_kt < MIN_BARRIER_KT:
        raise ModelError(
            f"a barrier of {magnet.barrier_kt:.3g} kT makes no two states; a junction needs {MIN_BARRIER_KT} kT, and "
            "a lower barrier the macrospin itself"
        )
    axis, fields = magnet.easy_axis, np.asarray(fields_oe, np.float64)
    settings: Any = dict(dt_ns=dt_ns, magnets=magnets, keep_every=keep_every, burn_in=burn_in)
    signs = np.sign(magnet.run(steps, **settings, seed=seed)[:, :, axis])
    correlation_ns, share = fit_decay(early_autocorrelation(signs), keep_every * dt_ns)
    means, mean_signs = np.empty(len(fields)), np.empty(len(fields))
    for i, field in enumerate(fields):
        driven = magnet.run(steps, **settings, field_oe=_along(axis, field), seed=seed + 1 + i)[:, :, axis]
        means[i], mean_signs[i] = driven.mean(), np.sign(driven).mean()
    attempt_ns = 2 * correlation_ns * math.exp(-magnet.barrier_kt)
    junction = Telegraph(magnet.barrier_kt, attempt_ns)
    return Extracted(junction, share, fit_tanh(fields, mean_signs)[1], *fit_tanh(fields, means))


def _along(axis: int, value: float) -> Vector:
    x, y, z = (float(value) if i == axis else 0.0 for i in range(3))
    return x, y, z


def early_autocorrelation(series: npt.ArrayLike) -> Float:
    """Autocorrelation of replicas of zero mean, until it is below exp(-2) or at half the series.

    Where it ends is early in the runs of hundreds of magnets, which are too long to be transformed whole.

    Parameters
    ----------
    series : array_like of float, shape (samples, replicas)

    Returns
    -------
    ndarray of float64
        At lags 0, 1, ...; first 1.
    """
    x = np.asarray(series, np.float64)
    values = [1.0]
    for lag in range(1, len(x) // 2):
        values.append(float((x[lag:] * x[:-lag]).mean() / (x**2).mean()))
        if values[-1] < math.exp(-2):
            break
    return np.array(values)


def fit_decay(correlation: npt.ArrayLike, interval_ns: float) -> tuple[float, float]:
    """Fit share exp(-t / correlation time) to an autocorrelation between 0.8 and exp(-2), by its logarithm.

    Parameters
    ----------
    correlation : array_like of float
        At lags 0, 1, ...
    interval_ns : float
        Time between two lags.

    Returns
    -------
    correlation_ns, share : float

    Raises
    ------
    RequestError
        If fewer than three lags are in that range, or it does not end there.
    """
    values = np.asarray(correlation, np.float64)
    low = math.exp(-2)
    chosen = np.flatnonzero((values < 0.8) & (values >= low))
    if len(chosen) < 3 or values.min() >= low:
        raise RequestError(
            f"the autocorrelation falls from 0.8 to {values.min():.3g} in {len(chosen)} lags of {interval_ns:g} ns; "
            f"three or more must lead it below {low:.3g}, so keep more often or run longer"
        )
    slope, offset = np.polyfit(chosen * interval_ns, np.log(values[chosen]), 1, w=values[chosen])
    return float(-1 / slope), float(math.exp(offset))


def fit_tanh(drives: npt.ArrayLike, means: npt.ArrayLike) -> tuple[float, float]:
    """Least-squares fit of means to amplitude tanh(drive / scale).

    The best amplitude at a scale is linear algebra, and the best scale is
    searched on grids, each about the best point of the last.

    Parameters
    ----------
    drives, means : array_like of float, shape (k,)

    Returns
    -------
    amplitude, scale : float

    Raises
    ------
    RequestError
        If the scale is not between 1/30 and twice the largest drive: then the
        drives see no more than a step or a straight line.
    """
    x, y = np.asarray(drives, np.float64), np.asarray(means, np.float64)
    largest = float(np.abs(x).max(initial=0.0))
    first, last = largest / 30, 2 * largest
    low, high = first, last
    for _ in range(8 if largest else 0):
        scales = np.geomspace(low, high, 65)
        curves = np.tanh(x / scales[:, None])
        amplitudes = curves @ y / (curves**2).sum(axis=1)
        best = int(np.argmin(((y - amplitudes[:, None] * curves) ** 2).sum(axis=1)))
        low, high = scales[max(best - 1, 0)], scales[min(best + 1, 64)]
    if not first * 1.001 < low < high < last * 0.999:
        raise RequestError(
            f"drives up to {largest:g} do not show where means of {y.tolist()} bend; give some between 1/2 and 30 "
            "times the scale of the tanh"
        )
    return float(amplitudes[best]), float(scales[best])
