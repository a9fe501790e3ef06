"""What the estimators share: checks of their counts, their seed, and the machine that they begin with."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from ..compiler.models import RBM
from ..compiler.program import Program, compile
from ..host.divergence import check_count
from ..host.layers import Float


def check_counts(estimator: Any, *names: str) -> None:
    """Refuse parameters that are no whole numbers from 1 on.

    Raises
    ------
    RequestError
    """
    for name in names:
        check_count(name, getattr(estimator, name), 1)


def seed_of(random_state: Any) -> int:
    """The seed that all random numbers of a fit follow from."""
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


def untrained(couplings: Float, weight_format: str) -> Program:
    """A restricted Boltzmann machine without biases, on the array.

    Parameters
    ----------
    couplings : ndarray of float64, shape (n_visible, n_hidden)

    Raises
    ------
    FormatError
        If the weight format is malformed or too wide.
    """
    visible, hidden = couplings.shape
    return compile(RBM(couplings, np.zeros(visible), np.zeros(hidden)), weight_format=weight_format, colouring="fast")
