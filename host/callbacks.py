"""Callbacks of training: called with the trainer after every epoch, they end it by returning True."""

from __future__ import annotations

import numpy as np

from ..contract.errors import RequestError
from .training import Trainer


class EarlyStopping:
    """End training once its evaluation no longer improves.

    It has no state: a run that goes on from a checkpoint ends where it would have ended. Training ends with the weights
    of its last epoch, not of its best.

    Parameters
    ----------
    patience : int
        Epochs in a row without an improvement that end training.
    least_change : float
        By how much more than this an evaluation has to be better than the best one before to count as an improvement.
    larger_is_better : bool
        As a likelihood is; False for a divergence or an error.

    Raises
    ------
    RequestError
        If ``patience`` is below 1 or ``least_change`` is negative or not finite; when it is called, if training has no
        ``evaluate``.
    """

    def __init__(self, patience: int, *, least_change: float = 0.0, larger_is_better: bool = True) -> None:
        if patience < 1:
            raise RequestError(f"patience is {patience}; it must be at least 1")
        if not 0 <= least_change < np.inf:
            raise RequestError(f"least_change is {least_change}; it must be at least 0 and finite")
        self._patience, self._least_change = patience, least_change
        self._sign = 1 if larger_is_better else -1

    def __call__(self, trainer: Trainer) -> bool:
        """Whether the last ``patience`` epochs have improved nothing; NaN improves nothing."""
        if not trainer.history.evaluation:
            raise RequestError("early stopping has nothing to go by; give training an evaluate function")
        best, waited = -np.inf, 0
        for value in trainer.history.evaluation:
            improved = self._sign * value > best + self._least_change
            best, waited = (self._sign * value, 0) if improved else (best, waited + 1)
        return waited >= self._patience
