"""Exact sums over all states: of the smaller layer of an RBM, or of all variables of a small machine."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..compiler.models import Model
from ..compiler.spectrum import spectrum
from ..contract.errors import ModelError
from .layers import Float, Layers, draw_bits

MAX_UNITS = 20
"""Most units whose states are enumerated: a million states."""

_BLOCK = 1 << 20
"""Numbers that are held at once, 8 MB of float64."""


def is_small(layers: Layers) -> bool:
    """Whether one of the layers can be enumerated."""
    return min(layers.weights.shape) <= MAX_UNITS


def layer_log_partition(layers: Layers) -> float:
    """ln Z of an RBM of which `is_small` holds."""
    return float(np.logaddexp.reduce(_all_log_weights(_smaller_first(layers))))


def exact_samples(layers: Layers, count: int, rng: np.random.Generator) -> Float:
    """Independent samples of the visible layer of an RBM of which `is_small` holds, shape (count, n_visible)."""
    small = _smaller_first(layers)
    logs = _all_log_weights(small)
    shares = np.exp(logs - logs.max())
    states = _bits(rng.choice(len(shares), count, p=shares / shares.sum()), len(small.visible_biases))
    return states if small is layers else draw_bits(small.hidden_fields(states), rng)


def _smaller_first(layers: Layers) -> Layers:
    visible, hidden = layers.weights.shape
    return layers if visible <= hidden else layers.swapped


def _all_log_weights(layers: Layers) -> Float:
    """ln of the weight of every state of the front layer, the other one summed out, shape (2**n,)."""
    front, back = layers.weights.shape
    return np.concatenate([layers.log_weights(_bits(block, front)) for block in _blocks(front, front + back)])


def visible_log_weights(model: Model) -> Float:
    """ln of the weight of every visible state of any machine, its hidden variables summed out.

    Returns
    -------
    ndarray of float64, shape (2**n_visible,)
        Visible unit i is bit i of the index, 1 for the higher of its values; see `visible_index`.

    Raises
    ------
    ModelError
        If the machine is too large, or a variable is neither visible nor hidden.
    """
    order = np.concatenate([model.visible, model.hidden])
    if len(order) != model.size:
        raise ModelError(f"{model.size - len(order)} variables are neither visible nor hidden; make a BoltzmannMachine")
    if model.size > MAX_UNITS:
        raise ModelError(
            f"{model.size} variables are out of reach; the limit is {MAX_UNITS}, but for restricted Boltzmann machines"
        )
    energies = spectrum(model).reshape((2,) * model.size)  # the last axis is variable 0
    logs = -energies.transpose(model.size - 1 - order[::-1]).reshape(-1, 1 << len(model.visible))
    return np.logaddexp.reduce(logs, axis=0)


def visible_index(bits: Float) -> npt.NDArray[np.int64]:
    """Place of each row of bits, shape (k, n), in `visible_log_weights`."""
    return bits.astype(np.int64) @ (1 << np.arange(bits.shape[1]))


def _blocks(units: int, width: int) -> list[npt.NDArray[np.int64]]:
    """All 2**units indices in blocks of so many that ``width`` numbers for each fit."""
    indices = np.arange(1 << units)
    return np.array_split(indices, -(-len(indices) * width // _BLOCK))


def _bits(indices: npt.NDArray[np.int64], units: int) -> Float:
    return (indices[:, None] >> np.arange(units) & 1).astype(np.float64)
