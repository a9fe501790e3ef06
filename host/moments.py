"""Means and correlations of many states at once, and the hidden units of a restricted Boltzmann machine as means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..compiler.models import Model
from ..compiler.program import Program
from ..contract.errors import ModelError
from ..contract.update import Unit
from .layers import is_rbm, sigmoid

States = npt.NDArray[Any]
Float = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]
Both = tuple[Float32, Float32]
"""Correlations of edges and means of variables, or what is to be added to couplings and biases."""
Places = npt.NDArray[np.intp] | slice

CELLS_PER_EDGE = 32
"""Cells of a matrix product that take less time than the correlation of one edge by itself."""


class Moments:
    """<x_i x_j> over the edges of a model and <x_i> of its variables, by one matrix product unless edges are few.

    Sums are of 32-bit floats, and so exact for states of less than 2^24 rows.

    Parameters
    ----------
    model : Model
    """

    def __init__(self, model: Model) -> None:
        self._edges = model.edges.T
        rows, row = np.unique(self._edges[0], return_inverse=True)
        columns, column = np.unique(self._edges[1], return_inverse=True)
        self._dense = len(rows) * len(columns) <= CELLS_PER_EDGE * len(model.edges)
        self._rows, self._columns = _compact(rows), _compact(columns)
        self._cells = _compact(row * len(columns) + column)

    def __call__(self, states: States) -> tuple[Float32, Float32]:
        """Correlations and means.

        Parameters
        ----------
        states : ndarray, shape (k, n)
            States, or means of independent units.

        Returns
        -------
        correlations, means : ndarray of float32, shapes (m,) and (n,)
        """
        values = states.astype(np.float32, copy=False)
        if self._dense:
            sums = (values[:, self._rows].T @ values[:, self._columns]).ravel()[self._cells]
        else:
            i, j = self._edges
            sums = (values[:, i] * values[:, j]).sum(axis=0)
        count = np.float32(len(values))
        return sums / count, values.sum(axis=0) / count


class MeanField:
    """Means of the hidden units of a restricted Boltzmann machine given the visible ones, by the array's own weights.

    Given the visible units the hidden ones are independent, so that their means are exact.

    Parameters
    ----------
    program : Program
        Of a restricted Boltzmann machine of bits or spins.

    Raises
    ------
    ModelError
        If it is of another machine, or of one that a pass has changed.
    """

    def __init__(self, program: Program) -> None:
        model = program.target
        if program.expansion is not None or not is_rbm(model):
            raise ModelError("mean-field hidden units need a restricted Boltzmann machine, as made by RBM(W, b, c)")
        self._visible, self._hidden = _compact(model.visible), _compact(model.hidden)
        self._shape, self._size = (len(model.visible), len(model.hidden)), model.size
        self._mean: Callable[[Any], Any] = sigmoid if model.unit is Unit.BIT else np.tanh
        place = np.empty(model.size, np.intp)
        place[model.visible], place[model.hidden] = (np.arange(length) for length in self._shape)
        is_hidden = np.isin(model.edges, model.hidden)
        self._cells = _compact(place[model.edges[~is_hidden]] * self._shape[1] + place[model.edges[is_hidden]])
        self._slots = np.empty(len(model.edges), np.intp)
        self._slots[program.slot_edges] = np.arange(len(program.slot_edges))
        self._pbits = np.argsort(program.order)[model.hidden]

    def __call__(self, program: Program, rows: npt.ArrayLike) -> Float32:
        """Rows of visible units with the hidden units' means beside them, in the model's order.

        Parameters
        ----------
        program : Program
            The one given at first, or one reweighted from it.
        rows : array_like, shape (k, n_visible)
            Visible units in the model's own units, or their means.

        Returns
        -------
        ndarray of float32, shape (k, n)
        """
        image, step = program.image, np.float32(program.image.grid.step)
        weights = np.zeros(self._shape, np.float32)
        weights.ravel()[self._cells] = image.weights.take(self._slots)
        values = np.empty((len(np.asarray(rows)), self._size), np.float32)
        values[:, self._visible] = rows
        fields = values[:, self._visible] @ weights + image.unfold()[self._pbits].astype(np.float32)
        values[:, self._hidden] = self._mean(step * fields)
        return values


def _compact(places: npt.NDArray[Any]) -> Places:
    """A slice where places follow each other: numpy then has nothing to gather."""
    if len(places) and (np.diff(places) == 1).all():
        return slice(int(places[0]), int(places[-1]) + 1)
    return places
