"""Energies of every state of a small model."""

from __future__ import annotations

import numpy as np

from .base import Model
from .edges import Float


def spectrum(model: Model) -> Float:
    """Energy of every state, shape (2**n,); variable i is bit i of the index, 1 for the higher of its values."""
    low, high = model.allowed
    energies = np.full(1, model.offset)
    for variable in range(model.size):
        fields = np.full(1 << variable, model.biases[variable])
        mine = model.edges[:, 1] == variable
        for other, coupling in zip(model.edges[mine, 0].tolist(), model.couplings[mine].tolist(), strict=True):
            by_other = fields.reshape(-1, 2, 1 << other)
            by_other[:, 0] += coupling * low
            by_other[:, 1] += coupling * high
        energies = np.concatenate([energies - low * fields, energies - high * fields])
    return energies
