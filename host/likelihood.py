"""Pseudo-likelihood of restricted Boltzmann machines."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..compiler.models import Model
from ..contract.errors import ModelError
from ..contract.update import Unit

Float = npt.NDArray[np.float64]


def pseudo_log_likelihood(model: Model, rows: npt.ArrayLike) -> float:
    """Mean over rows of ``sum_i log P(v_i | all other visible bits)`` at beta = 1, in nats.

    It is exact: the hidden units are summed out, and every bit is taken rather
    than one at random (Besag, The Statistician 24, 179, 1975).

    Parameters
    ----------
    model : Model
        A restricted Boltzmann machine of bits, such as ``program.quantised``.
    rows : array_like of 0 and 1, shape (k, n_visible)
        Visible bits.

    Raises
    ------
    ModelError
        If the model is no restricted Boltzmann machine of bits, or the rows do not fit it.
    """
    weights, visible_biases, hidden_biases = _rbm_arrays(model)
    bits = np.asarray(rows, np.float64)
    if bits.ndim != 2 or bits.shape[1] != len(visible_biases):
        raise ModelError(f"rows have shape {bits.shape}, the model needs (k, {len(visible_biases)})")
    fields = hidden_biases + bits @ weights
    total = np.zeros(len(bits))
    here = np.logaddexp(0, fields).sum(axis=1)
    for bit, bias in enumerate(visible_biases):
        change = 1 - 2 * bits[:, bit]
        there = np.logaddexp(0, fields + change[:, None] * weights[bit]).sum(axis=1)
        total -= np.logaddexp(0, there - here + change * bias)
    return float(total.mean())


def _rbm_arrays(model: Model) -> tuple[Float, Float, Float]:
    """W, b and c of a model."""
    place = np.full(model.size, -1)
    place[model.hidden] = np.arange(len(model.hidden))
    hidden_end = place[model.edges] >= 0
    if model.unit is not Unit.BIT or (hidden_end.sum(axis=1) != 1).any():
        raise ModelError("pseudo-likelihood needs a restricted Boltzmann machine of bits, as made by RBM(W, b, c)")
    column = np.full(model.size, -1)
    column[model.visible] = np.arange(len(model.visible))
    seen, unseen = model.edges[~hidden_end], model.edges[hidden_end]
    weights = np.zeros((len(model.visible), len(model.hidden)))
    weights[column[seen], place[unseen]] = model.couplings
    return weights, model.biases[model.visible], model.biases[model.hidden]
