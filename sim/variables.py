"""The series of single variables: the slowest one decides what samples are worth.

An energy can look well mixed while the variables do not: two replicas in
opposite states of a ferromagnet have equal energies.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .statistics import autocorrelation_time, split_rhat

MAX_VARIABLES = 256
"""Most variables that are looked at one by one, evenly spaced: some seconds for a million states."""


@dataclass(frozen=True)
class Variables:
    """The series of single variables.

    Parameters
    ----------
    examined : int
        How many were looked at: not the clamped ones, and at most `MAX_VARIABLES`.
    constant : int
        How many of these have one value in all samples.
    effective_samples : float
        The smallest effective sample size of their means.
    slowest : hashable
        Label of that variable; None if none ever changed.
    rhat : float
        The largest split R-hat; infinite if replicas are frozen and differ.
    """

    examined: int
    constant: int
    effective_samples: float
    slowest: Hashable
    rhat: float


def look_at(states: npt.NDArray[Any], labels: Sequence[Hashable], clamped: Collection[Hashable] = ()) -> Variables:
    """Look at the variables one by one.

    Parameters
    ----------
    states : ndarray, shape (samples, replicas, n)
        Spins or bits, at least `statistics.MIN_LENGTH` samples.
    labels : sequence, length n
        One for each variable.
    clamped : collection
        Labels of variables to leave out.

    Returns
    -------
    Variables
    """
    free = [index for index, label in enumerate(labels) if label not in clamped]
    count = min(len(free), MAX_VARIABLES)
    chosen = [free[k * len(free) // count] for k in range(count)]
    rhat, slowest, least = 1.0, None, float(states.shape[0] * states.shape[1])
    changing = [index for index in chosen if (states[:, :, index] != states[0, 0, index]).any()]
    for index in changing:
        series = np.ascontiguousarray(states[:, :, index])
        rhat = max(rhat, split_rhat(series, ranked=False))
        effective = series.size / autocorrelation_time(series)
        if slowest is None or effective < least:
            slowest, least = labels[index], effective
    return Variables(count, count - len(changing), least, slowest, rhat)
