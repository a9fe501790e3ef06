"""Models: what is to be sampled, in the user's own order, units and labels, in float.

E(m) = - sum_{i<j} J_ij m_i m_j - sum_i h_i m_i for spins m = +1 or -1, the same
with bits s = 0 or 1 for models of bits; P ~ exp(-beta E).
"""

from __future__ import annotations

import copy
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from ..contract.errors import ModelError
from ..contract.update import Unit
from .edges import Float, Int32, quadratic_form, real_array


class Variables:
    """Binary variables with labels, whatever their energy."""

    unit: Unit
    labels: tuple[Hashable, ...]

    @property
    def size(self) -> int:
        """Number of variables n."""
        return len(self.labels)

    @property
    def allowed(self) -> tuple[int, int]:
        """The two values of a variable: -1 and 1, or 0 and 1."""
        return (-1, 1) if self.unit is Unit.SPIN else (0, 1)

    @cached_property
    def index(self) -> dict[Hashable, int]:
        """Index of each label."""
        return {label: i for i, label in enumerate(self.labels)}

    def values(self, states: npt.ArrayLike) -> npt.NDArray[np.int8]:
        """Check states in the model's units and return them as int8, shape (k, n)."""
        array = np.atleast_2d(np.asarray(states))
        if array.ndim != 2 or array.shape[1] != self.size:
            raise ModelError(f"states have shape {np.shape(states)}, the model needs (k, {self.size})")
        low, high = self.allowed
        if not ((array == low) | (array == high)).all():
            raise ModelError(f"states of this model are {low} or {high}")
        return array.astype(np.int8)

    def energies(self, states: npt.ArrayLike) -> Float:
        """Energy of each state.

        Parameters
        ----------
        states : array_like, shape (k, n)
            Rows in the model's own order and units.

        Returns
        -------
        ndarray of float64, shape (k,)

        Raises
        ------
        ModelError
            If the states are not the model's.
        """
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Model(Variables):
    """An energy over binary variables with pair couplings.

    Parameters
    ----------
    unit : Unit
        Spins or bits.
    labels : tuple
        One hashable label per variable.
    edges : ndarray of int32, shape (m, 2)
        Pairs i < j, sorted, each once.
    couplings : ndarray of float64, shape (m,)
        J of each edge.
    biases : ndarray of float64, shape (n,)
        h of each variable.
    offset : float
        Constant that is added to every energy.
    visible, hidden : ndarray of int32
        Indices of the visible and of the hidden variables.

    Raises
    ------
    ModelError
        If labels repeat, edges are not as above, a shape is wrong or a value is not finite.
    """

    unit: Unit
    labels: tuple[Hashable, ...]
    edges: Int32
    couplings: Float
    biases: Float
    offset: float = 0.0
    visible: Int32 = field(default_factory=lambda: np.empty(0, np.int32))
    hidden: Int32 = field(default_factory=lambda: np.empty(0, np.int32))

    def __post_init__(self) -> None:
        check_labels(self.labels)
        _check_edges(self.edges, self.size)
        self._set_values(self.couplings, self.biases)

    def _set_values(self, couplings: npt.ArrayLike, biases: npt.ArrayLike) -> None:
        for name, values, length in (("couplings", couplings, len(self.edges)), ("biases", biases, len(self.labels))):
            array = real_array(values, name, (length,))
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.size} {self.unit.name.lower()}s, {len(self.edges)} couplings>"

    def with_values(self, couplings: npt.ArrayLike, biases: npt.ArrayLike) -> Self:
        """The same model with other couplings and biases.

        Parameters
        ----------
        couplings : array_like of float, shape (m,)
            In the order of `edges`.
        biases : array_like of float, shape (n,)

        Raises
        ------
        ModelError
            If a shape differs or a value is not finite.
        """
        other = copy.copy(self)
        other._set_values(couplings, biases)
        return other

    def energies(self, states: npt.ArrayLike) -> Float:
        """Energy of each state; see `Variables.energies`."""
        return self.offset - quadratic_form(self.values(states), self.edges, self.couplings, self.biases)


def fill(
    model: Model,
    unit: Unit,
    n: int,
    edges: Int32,
    couplings: Float,
    biases: Float,
    labels: Sequence[Hashable] | None,
    *,
    offset: float = 0.0,
    visible: int | None = None,
) -> None:
    """Fill in a model of a subclass whose own constructor takes something else; all units are visible by default."""
    if labels is not None and len(labels) != n:
        raise ModelError(f"{len(labels)} labels for {n} variables; give one for each")
    seen = n if visible is None else visible
    Model.__init__(
        model,
        Unit(unit),
        tuple(range(n) if labels is None else labels),
        edges,
        couplings,
        biases,
        offset,
        np.arange(seen, dtype=np.int32),
        np.arange(seen, n, dtype=np.int32),
    )


def check_labels(labels: tuple[Hashable, ...]) -> None:
    if not labels:
        raise ModelError("the model has no variables; give it at least one")
    try:
        different = len(set(labels))
    except TypeError:
        raise ModelError("a label is not hashable; use numbers, strings or tuples of them") from None
    if different != len(labels):
        raise ModelError(f"{len(labels)} labels, only {different} of them different; each variable needs its own")


def _check_edges(edges: Int32, size: int) -> None:
    if edges.dtype != np.int32 or edges.ndim != 2 or edges.shape[1] != 2:
        raise ModelError(f"edges are {edges.dtype} of shape {edges.shape}, not int32 of shape (m, 2)")
    first, second = edges.astype(np.int64).T
    if not ((first >= 0) & (first < second) & (second < size)).all() or (np.diff(first * size + second) <= 0).any():
        raise ModelError("edges are not pairs i < j of the model's variables, sorted, each once; use Ising.from_edges")
