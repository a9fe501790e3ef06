"""Classification by a restricted Boltzmann machine that learned images together with their labels."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt

from ..compiler.models import Model
from ..contract.errors import ModelError
from .layers import Float, bits_of, layers_of, softplus


def label_log_probabilities(model: Model, images: npt.ArrayLike, label_units: Sequence[Hashable]) -> Float:
    """ln P(label | image) at beta = 1, given that exactly one label unit is on.

    It is exact: P(label | image) ~ exp(-F(image, label)), one free energy per
    label (H. Larochelle and Y. Bengio, ICML 2008). The likeliest label is
    ``argmax(axis=1)`` of it.

    Parameters
    ----------
    model : Model
        A restricted Boltzmann machine of bits or spins, such as ``program.quantised``.
    images : array_like, shape (k, n_visible - n_labels)
        The visible units that are no label units, in the model's own units and order.
    label_units : sequence
        The model's labels of the visible units that hold the label, one for each class.

    Returns
    -------
    ndarray of float64, shape (k, n_labels)
        Each row's exponentials add up to 1.

    Raises
    ------
    ModelError
        If the model is no restricted Boltzmann machine, a label unit is not
        visible or named twice, there is none, or the images do not fit.
    """
    layers = layers_of(model)
    place = {model.labels[unit]: place for place, unit in enumerate(model.visible)}
    for unit in label_units:
        if unit not in place:
            raise ModelError(f"label unit {unit!r} is no visible unit of the model")
    columns = [place[unit] for unit in label_units]
    if not columns or len(set(columns)) != len(columns):
        raise ModelError(f"{len(columns)} label units, {len(set(columns))} of them different; name one for each class")
    pixels = np.delete(np.arange(len(place)), columns)
    fields = layers.hidden_biases + bits_of(model, images, len(pixels)) @ layers.weights[pixels]
    logs = [layers.visible_biases[unit] + softplus(fields + layers.weights[unit]).sum(axis=1) for unit in columns]
    joint = np.stack(logs, axis=1)
    return joint - np.logaddexp.reduce(joint, axis=1, keepdims=True)
