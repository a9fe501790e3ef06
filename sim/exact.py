"""Exact Boltzmann distributions by enumeration: the reference of every statistical claim."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract.errors import RequestError
from ..contract.update import Unit

Float = npt.NDArray[np.float64]

MAX_SIZE = 22
"""Largest model that is enumerated: 4 million states."""

_BLOCK = 1 << 16


@dataclass(frozen=True, eq=False)
class Exact:
    """The Boltzmann distribution of a model at one inverse temperature.

    Parameters
    ----------
    model : Model
        The model.
    beta : float
        Inverse temperature.
    energies : ndarray of float64, shape (2**n,)
        Energy of each state; variable i is bit i of the index, 1 for m = +1.
    probabilities : ndarray of float64, shape (2**n,)
        Zero for states that a clamp excludes.
    log_partition : float
        ln Z over the states that are not excluded.
    """

    model: Any
    beta: float
    energies: Float
    probabilities: Float
    log_partition: float

    @cached_property
    def mean(self) -> Float:
        """<m_i>, or <s_i> for bits, shape (n,)."""
        return self._expect(lambda values: values)

    @cached_property
    def correlation(self) -> Float:
        """<m_i m_j> of each edge of the model, shape (m,)."""
        i, j = self.model.edges.T
        return self._expect(lambda values: values[:, i] * values[:, j])

    @property
    def mean_energy(self) -> float:
        """<E>."""
        return float(self.probabilities @ self.energies)

    def _expect(self, observable: Any) -> Float:
        total = 0.0
        for start in range(0, len(self.probabilities), _BLOCK):
            values = states(self.model, start, min(start + _BLOCK, len(self.probabilities)))
            total = total + self.probabilities[start : start + _BLOCK] @ observable(values.astype(np.float64))
        return np.asarray(total)


def states(model: Any, start: int, stop: int) -> npt.NDArray[np.int8]:
    """States ``start`` to ``stop`` of the enumeration, in the model's units.

    Returns
    -------
    ndarray of int8, shape (stop - start, n)
    """
    bits = (np.arange(start, stop)[:, None] >> np.arange(model.size) & 1).astype(np.int8)
    return bits * np.int8(2) - np.int8(1) if model.unit is Unit.SPIN else bits


def exact(model: Any, beta: float = 1.0, clamp: Mapping[Hashable, float] | None = None) -> Exact:
    """Enumerate a model.

    Parameters
    ----------
    model : Model
        At most `MAX_SIZE` variables; ``program.quantised`` for what the array samples.
    beta : float
        Inverse temperature.
    clamp : mapping, optional
        Label to value: the distribution is conditioned on it.

    Returns
    -------
    Exact

    Raises
    ------
    RequestError
        If the model is too large.
    """
    if model.size > MAX_SIZE:
        raise RequestError(f"exact enumeration of {model.size} variables is out of reach; the limit is {MAX_SIZE}")
    count = 1 << model.size
    blocks = [(start, min(start + _BLOCK, count)) for start in range(0, count, _BLOCK)]
    energies = np.concatenate([model.energies(states(model, *block)) for block in blocks])
    logs = -beta * energies
    for label, value in (clamp or {}).items():
        logs[(np.arange(count) >> model.index[label] & 1) != (value > 0)] = -np.inf
    top = logs.max()
    weights = np.exp(logs - top)
    total = weights.sum()
    return Exact(model, beta, energies, weights / total, float(top + np.log(total)))


def state_index(states_: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Index of each state in the enumeration.

    Parameters
    ----------
    states_ : array_like, shape (k, n)
        Spins or bits.

    Returns
    -------
    ndarray of int64, shape (k,)
    """
    array = np.asarray(states_)
    index = np.zeros(len(array), np.int64)
    for variable in range(array.shape[1]):
        index |= (array[:, variable] > 0).astype(np.int64) << variable
    return index
