"""How good a Boltzmann machine is for data: likelihood, pseudo-likelihood and reconstruction."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..compiler.models import Model
from ..contract.errors import RequestError
from .ais import AIS, Estimate
from .enumeration import is_small, layer_log_partition, visible_index, visible_log_weights
from .layers import Float, Layers, is_rbm, layers_of, sigmoid, softplus, visible_bits


def log_partition(model: Model, rows: npt.ArrayLike | None = None, **annealing: Any) -> Estimate:
    """ln Z at beta = 1 in nats: exact where it can be enumerated, else by annealed importance sampling.

    It is exact for a restricted Boltzmann machine with 20 units or less in its
    smaller layer, and for any other machine of 20 variables or less.

    Parameters
    ----------
    model : Model
        A machine of bits or spins, such as ``program.quantised``.
    rows : array_like, shape (k, n_visible), optional
        Data for the base distribution of `AIS`, which cannot do without.
    **annealing
        ``temperatures``, ``runs``, ``seed`` and ``progress`` of `AIS`.

    Returns
    -------
    Estimate

    Raises
    ------
    ModelError
        If the model is too large and no restricted Boltzmann machine, or the rows do not fit it.
    RequestError
        If there are too few temperatures or runs, or `AIS` has no rows.
    """
    if not is_rbm(model):
        return Estimate(float(np.logaddexp.reduce(visible_log_weights(model))))
    layers = layers_of(model)
    if is_small(layers):
        return Estimate(layer_log_partition(layers))
    if rows is None:
        visible, hidden = layers.weights.shape
        raise RequestError(f"ln Z of {visible} x {hidden} units is estimated from a base near the data; give rows")
    return AIS(model, rows, **annealing).log_partition()


def log_likelihood(model: Model, rows: npt.ArrayLike, **annealing: Any) -> Estimate:
    """Mean over rows of ln P(v) at beta = 1 in nats, the hidden units summed out: mean(-F(v)) - ln Z.

    Parameters
    ----------
    model : Model
        A machine of bits or spins, such as ``program.quantised``.
    rows : array_like, shape (k, n_visible)
        Visible units, in the model's own units.
    **annealing
        ``temperatures``, ``runs``, ``seed`` and ``progress`` of `AIS`.

    Returns
    -------
    Estimate
        Its error is that of ln Z. By AIS the value is in the mean above the
        truth; compare it with `AIS.log_likelihood`.

    Raises
    ------
    ModelError, RequestError
        As `log_partition` does.
    """
    bits = visible_bits(model, rows)
    if is_rbm(model):
        logs, partition = layers_of(model).log_weights(bits), log_partition(model, rows, **annealing)
    else:
        table = visible_log_weights(model)
        logs, partition = table[visible_index(bits)], Estimate(float(np.logaddexp.reduce(table)))
    return replace(partition, value=float(logs.mean()) - partition.value)


def free_energies(model: Model, rows: npt.ArrayLike) -> Float:
    """F(v) = -ln of the sum over hidden states of exp(-E), at beta = 1, for a restricted Boltzmann machine.

    Parameters
    ----------
    model : Model
        A restricted Boltzmann machine of bits or spins.
    rows : array_like, shape (k, n_visible)
        Visible units, in the model's own units.

    Returns
    -------
    ndarray of float64, shape (k,)

    Raises
    ------
    ModelError
        If the model is no restricted Boltzmann machine, or the rows do not fit it.
    """
    return -layers_of(model).log_weights(visible_bits(model, rows))


def pseudo_log_likelihood(model: Model, rows: npt.ArrayLike) -> float:
    """Mean over rows of ``sum_i log P(v_i | all other visible units)`` at beta = 1, in nats.

    It is exact: the hidden units are summed out, and every unit is taken rather
    than one at random (Besag, The Statistician 24, 179, 1975).

    Parameters
    ----------
    model : Model
        A restricted Boltzmann machine of bits or spins, such as ``program.quantised``.
    rows : array_like, shape (k, n_visible)
        Visible units, in the model's own units.

    Raises
    ------
    ModelError
        If the model is no restricted Boltzmann machine, or the rows do not fit it.
    """
    return float(row_pseudo_log_likelihoods(layers_of(model), visible_bits(model, rows)).mean())


def row_pseudo_log_likelihoods(layers: Layers, bits: Float) -> Float:
    """The same of each row of bits, shape (k,)."""
    fields = layers.hidden_fields(bits)
    total = np.zeros(len(bits))
    here = softplus(fields).sum(axis=1)
    for bit, bias in enumerate(layers.visible_biases):
        change = 1 - 2 * bits[:, bit]
        there = softplus(fields + change[:, None] * layers.weights[bit]).sum(axis=1)
        total -= softplus(there - here + change * bias)
    return total


def reconstruction_error(model: Model, rows: npt.ArrayLike) -> float:
    """Mean squared difference between bits and what one step down and up makes of them.

    The hidden units are set to P(s = 1 | v) and the visible ones to their
    probabilities given these. It is cheap, but no objective of training
    (G. Hinton, A practical guide to training restricted Boltzmann machines, 2010, section 5).

    Parameters
    ----------
    model : Model
        A restricted Boltzmann machine; spins are counted as bits.
    rows : array_like, shape (k, n_visible)
        Visible units, in the model's own units.

    Returns
    -------
    float
        0 to 1.

    Raises
    ------
    ModelError
        If the model is no restricted Boltzmann machine, or the rows do not fit it.
    """
    layers, bits = layers_of(model), visible_bits(model, rows)
    hidden = sigmoid(layers.hidden_fields(bits))
    return float(np.mean((bits - sigmoid(layers.swapped.hidden_fields(hidden))) ** 2))
