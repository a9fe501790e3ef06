"""Noisy observations of a model's variables, as variables of their own that are clamped to what was seen."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from ..contract.errors import ModelError
from ..contract.update import Unit
from .base import Model
from .edges import canonical_edges


def observed(model: Model, variables: Sequence[Hashable], flip_probability: float) -> Model:
    """The model with an observation of each of some variables, which differs from it with a given probability.

    Sampling the model with the observations clamped samples its posterior: what was there, given what was seen. A
    variable that is not observed may be left free at the same time.

    Parameters
    ----------
    model : Model
    variables : sequence of hashable
        Labels; variable v is observed by a new variable ``("observed", v)``, which is neither visible nor hidden.
    flip_probability : float
        Above 0 and below 1/2.

    Returns
    -------
    Model

    Raises
    ------
    ModelError
        If a variable is unknown, or the probability is out of range.
    """
    if not _is_flip_probability(flip_probability):
        raise ModelError(f"flip_probability is {flip_probability}; give one above 0 and below 0.5")
    for label in variables:
        if label not in model.index:
            raise ModelError(f"cannot observe {label!r}: the model has no such variable; see model.labels")
    size, count = model.size, len(variables)
    seen = np.array([model.index[label] for label in variables], np.int64)
    observers = np.arange(size, size + count)
    # the log-odds of right against wrong are 2 J for spins, and (2 s - 1)(2 o - 1) / 2 times as much for bits
    log_odds = np.log((1 - flip_probability) / flip_probability)
    coupling, bias = (log_odds / 2, 0.0) if model.unit is Unit.SPIN else (2 * log_odds, -log_odds)
    biases = np.concatenate([model.biases, np.full(count, bias)])
    np.add.at(biases, seen, bias)
    edges = np.concatenate([model.edges, np.stack([seen, observers], axis=1)])
    couplings = np.concatenate([model.couplings, np.full(count, coupling)])
    labels = (*model.labels, *(("observed", label) for label in variables))
    pairs, strengths = canonical_edges(size + count, edges, couplings)
    return Model(model.unit, labels, pairs, strengths, biases, model.offset, model.visible, model.hidden)


def _is_flip_probability(value: Any) -> bool:
    try:
        return bool(0 < value < 0.5)
    except (TypeError, ValueError):
        return False
