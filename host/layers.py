"""The two layers of a restricted Boltzmann machine as arrays of bits, with either layer summed out exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..compiler.models import Model
from ..contract.errors import ModelError
from ..contract.update import Unit

Float = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Layers:
    """E(v, s) = offset - v W s - b v - c s of bits v and s.

    Parameters
    ----------
    weights : ndarray of float64, shape (n_visible, n_hidden)
        W.
    visible_biases, hidden_biases : ndarray of float64, shapes (n_visible,) and (n_hidden,)
        b and c.
    offset : float
        Constant of the energy.
    """

    weights: Float
    visible_biases: Float
    hidden_biases: Float
    offset: float

    @property
    def swapped(self) -> Layers:
        """The same machine with its hidden layer in front."""
        return Layers(self.weights.T, self.hidden_biases, self.visible_biases, self.offset)

    def hidden_fields(self, bits: Float) -> Float:
        """c + v W, whose sigmoid is P(s = 1 | v), shape (k, n_hidden)."""
        return self.hidden_biases + bits @ self.weights

    def log_weights(self, bits: Float) -> Float:
        """ln of the sum over s of exp(-E(v, s)), minus the free energy of v, shape (k,)."""
        return bits @ self.visible_biases + softplus(self.hidden_fields(bits)).sum(axis=1) - self.offset


def softplus(fields: Float) -> Float:
    """ln(1 + exp(field)), without overflow."""
    return np.maximum(fields, 0) + np.log1p(np.exp(-np.abs(fields)))


def sigmoid(fields: Float) -> Float:
    """1 / (1 + exp(-field)), without overflow."""
    return 0.5 + 0.5 * np.tanh(fields / 2)


def draw_bits(fields: Float, rng: np.random.Generator) -> Float:
    """Bits as 0.0 and 1.0, each 1 with probability sigmoid(field)."""
    return (rng.random(fields.shape) < sigmoid(fields)).astype(np.float64)


def is_rbm(model: Model) -> bool:
    """Whether every variable is visible or hidden, and every edge joins one of each."""
    ends = np.isin(model.edges, model.hidden).sum(axis=1)
    return len(model.visible) + len(model.hidden) == model.size and bool((ends == 1).all())


def layers_of(model: Model) -> Layers:
    """The layers of a model of bits, or of spins m = 2 s - 1 with the same energies.

    Raises
    ------
    ModelError
        If the model is no restricted Boltzmann machine.
    """
    if not is_rbm(model):
        raise ModelError(
            "this needs a restricted Boltzmann machine, all edges visible to hidden, as made by RBM(W, b, c)"
        )
    couplings, biases, offset = _in_bits(model)
    place = np.empty(model.size, np.int64)
    place[model.visible], place[model.hidden] = np.arange(len(model.visible)), np.arange(len(model.hidden))
    hidden_end = np.isin(model.edges, model.hidden)
    weights = np.zeros((len(model.visible), len(model.hidden)))
    weights[place[model.edges[~hidden_end]], place[model.edges[hidden_end]]] = couplings
    return Layers(weights, biases[model.visible], biases[model.hidden], offset)


def _in_bits(model: Model) -> tuple[Float, Float, float]:
    """Couplings, biases and offset for bits."""
    if model.unit is Unit.BIT:
        return model.couplings, model.biases, model.offset
    at_ends = np.bincount(model.edges.ravel(), model.couplings.repeat(2), model.size)
    offset = model.offset - model.couplings.sum() + model.biases.sum()
    return 4 * model.couplings, 2 * (model.biases - at_ends), float(offset)


def visible_bits(model: Model, rows: npt.ArrayLike) -> Float:
    """Rows of a model's visible units, in its own units, as 0.0 and 1.0, shape (k, n_visible).

    Raises
    ------
    ModelError
        If there is no row, or they are not the model's.
    """
    return bits_of(model, rows, len(model.visible))


def bits_of(model: Model, rows: npt.ArrayLike, width: int) -> Float:
    """The same for rows of ``width`` units."""
    array = np.asarray(rows)
    if array.ndim != 2 or not len(array) or array.shape[1] != width:
        raise ModelError(f"rows have shape {array.shape}, the model needs (k, {width})")
    low, high = model.allowed
    if not ((array == low) | (array == high)).all():
        raise ModelError(f"rows of this model are {low} or {high}; convert them first")
    return (array == high).astype(np.float64)
