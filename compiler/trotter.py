"""Ising models in a transverse field, as classical ones of many slices.

H = -sum_{i<j} J_ij sz_i sz_j - sum_i h_i sz_i - Gamma sum_i sx_i at inverse temperature beta is sampled by ``slices``
copies of its classical part at 1 / slices of its strength, each spin coupled to itself in the slices before and after
it by J_perp = -ln tanh(beta Gamma / slices) / (2 beta), periodically (Suzuki, Prog. Theor. Phys. 56, 1454, 1976; on
p-bits: Camsari et al., Phys. Rev. Applied 12, 034061, 2019). The error falls with the square of 1 / slices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract.errors import ModelError
from ..contract.update import Unit
from .base import Model
from .models import Ising


@dataclass(frozen=True, eq=False)
class Trotter:
    """A transverse-field model and its slices.

    Parameters
    ----------
    model : Model
        The classical part: couplings J and biases h, of spins.
    gamma : float
        Transverse field Gamma, positive.
    beta : float
        Inverse temperature; compile `sliced` and sample it at this beta.
    slices : int
        Slices, at least 3.

    Raises
    ------
    ModelError
        If the model is not of spins, or a parameter is out of range.
    """

    model: Model
    gamma: float
    beta: float
    slices: int

    def __post_init__(self) -> None:
        if self.model.unit is not Unit.SPIN:
            raise ModelError("a transverse field acts on spins, this model has bits; give an Ising model")
        if not (0 < self.gamma < math.inf and 0 < self.beta < math.inf):
            raise ModelError(f"gamma {self.gamma} and beta {self.beta} must be positive and finite")
        if self.slices < 3:
            raise ModelError(f"{self.slices} slices make double bonds between slices; use at least 3")

    @property
    def angle(self) -> float:
        """beta Gamma / slices."""
        return self.beta * self.gamma / self.slices

    @property
    def between(self) -> float:
        """Coupling J_perp between slices, in the model's units."""
        return -math.log(math.tanh(self.angle)) / (2 * self.beta)

    @property
    def sliced(self) -> Ising:
        """The classical model; variable (label, slice) of every label and slice, slice by slice."""
        n, count = self.model.size, self.slices
        spins = np.arange(n * count).reshape(count, n)
        within = (self.model.edges[None] + n * np.arange(count)[:, None, None]).reshape(-1, 2)
        across = np.stack([spins.ravel(), np.roll(spins, -1, axis=0).ravel()], axis=1)
        couplings = np.concatenate([np.tile(self.model.couplings / count, count), np.full(n * count, self.between)])
        labels = [(label, place) for place in range(count) for label in self.model.labels]
        biases = np.tile(self.model.biases / count, count)
        return Ising.from_edges(n * count, np.concatenate([within, across]), couplings, biases, labels)

    def slices_of(self, states: npt.ArrayLike) -> npt.NDArray[np.int8]:
        """States of `sliced`, shape (k, slices n), slice by slice, shape (k, slices, n)."""
        array = np.asarray(states, np.int8)
        return array.reshape(len(array), self.slices, self.model.size)

    def transverse_magnetisation(self, states: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Estimates of sx, shape (k, n): their mean is <sx_i>.

        A spin that is equal in two neighbouring slices counts tanh(beta Gamma / slices), one that is not its inverse.
        """
        spins = self.slices_of(states)
        equal = spins == np.roll(spins, -1, axis=1)
        share = math.tanh(self.angle)
        estimates: npt.NDArray[np.float64] = np.where(equal, share, 1 / share).mean(axis=1)
        return estimates

    def correlations(self, states: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Estimates of sz_i sz_j of every edge of the model, shape (k, m)."""
        spins = self.slices_of(states).astype(np.float64)
        i, j = self.model.edges.T
        products: npt.NDArray[np.float64] = (spins[:, :, i] * spins[:, :, j]).mean(axis=1)
        return products


def extrapolate(slices: npt.ArrayLike, values: npt.ArrayLike) -> npt.NDArray[Any]:
    """Values at infinitely many slices: the straight line through them against 1 / slices^2.

    Parameters
    ----------
    slices : array_like of int, shape (k,)
        Numbers of slices, at least two different ones.
    values : array_like of float, shape (k, ...)
        What was estimated with each.

    Returns
    -------
    ndarray of float64, shape (...)
    """
    array = np.asarray(values, np.float64)
    line = np.polyfit(1 / np.asarray(slices, np.float64) ** 2, array.reshape(len(array), -1), 1)
    return np.asarray(line[1].reshape(array.shape[1:]))
