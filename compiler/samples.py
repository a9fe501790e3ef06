"""Samples in the model's own order and units."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract.errors import ModelError, RequestError
from .base import Model, Variables
from .buses import buses, joined
from .edges import Float, pair_means


@dataclass(frozen=True, eq=False)
class Best:
    """The state of lowest energy.

    Parameters
    ----------
    energy : float
        In the model's units.
    state : ndarray, shape (n,)
        In the model's order.
    index : int
        Its row.
    """

    energy: float
    state: npt.NDArray[Any]
    index: int


@dataclass(frozen=True, eq=False)
class Moments:
    """First moments, and second moments on the model's edges.

    Parameters
    ----------
    mean : ndarray of float64, shape (n,)
        <m_i>, or <s_i> for bits.
    correlation : ndarray of float64, shape (m,)
        <m_i m_j> of each edge.
    """

    mean: Float
    correlation: Float


@dataclass(frozen=True, eq=False)
class Samples:
    """What a run gave.

    Parameters
    ----------
    model : Model
        The model as the user gave it; energies are its energies.
    states : ndarray, shape (n_samples, n)
        int8 of +1 and -1 for spins, uint8 of 0 and 1 for bits; one row per
        kept sweep and replica, sweeps outermost.
    sweep, replica : ndarray of int64, shape (n_samples,)
        Sweep, counted from 1, and replica of each row.
    flips : int
        P-bit updates attempted.
    wall_ns : int
        Wall-clock time of the run.
    broken : ndarray of float64, shape (n,), optional
        Of variables that have several p-bits, the share of rows in which these disagreed.
    """

    model: Variables
    states: npt.NDArray[Any]
    sweep: npt.NDArray[np.int64]
    replica: npt.NDArray[np.int64]
    flips: int
    wall_ns: int
    broken: Float | None = None

    @cached_property
    def energies(self) -> Float:
        """Energy of each row, shape (n_samples,)."""
        return self.model.energies(self.states)

    @cached_property
    def best(self) -> Best:
        """The row of lowest energy, the first of several."""
        index = int(self.energies.argmin())
        return Best(float(self.energies[index]), self.states[index], index)

    def __getitem__(self, name: Any) -> npt.NDArray[Any]:
        """A variable or a bus, as an unsigned number in each row.

        Parameters
        ----------
        name : hashable
            Label of a variable, or ``"p"`` for the variables ``p[0]``, the lowest bit, ``p[1]`` …

        Returns
        -------
        ndarray of int64, shape (n_samples,)
            Of Python's integers if a bus has more than 63 bits.

        Raises
        ------
        RequestError
            If the model has no such variable or bus.
        """
        labels = [name] if name in self.model.index else buses(self.model.index).get(name)
        if labels is None:
            raise RequestError(f"no variable or bus {name!r} in this model; see model.labels")
        return joined(self.states[:, [self.model.index[label] for label in labels]] > 0)

    @property
    def flips_per_s(self) -> float:
        """P-bit updates attempted per second of wall-clock time."""
        return self.flips * 1e9 / max(self.wall_ns, 1)

    def moments(self) -> Moments:
        """Averages over all rows.

        Returns
        -------
        Moments
            Successive sweeps are correlated: take an error bar from
            `pbit_hw.sim.statistics`, not from the number of rows.

        Raises
        ------
        ModelError
            If the model has no couplings of pairs.
        """
        if not isinstance(self.model, Model):
            raise ModelError(f"{type(self.model).__name__} has no edges to average over; average states instead")
        return Moments(self.states.mean(axis=0), pair_means(self.states, self.model.edges))
