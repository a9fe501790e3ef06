"""Polynomials: energies with terms of any number of variables; `reduce` makes pairs of them for the array.

E(x) = offset - sum_t c_t prod_{i in t} x_i for spins x = +1 or -1, the same for bits x = 0 or 1: a positive coefficient
favours the product +1, as a positive coupling does.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract.errors import ModelError
from ..contract.update import Unit
from .base import Model, Variables, check_labels
from .edges import Float, Int32, check_rows, real_array

_BLOCK = 1 << 22
"""States of the variables of all terms, a byte each, that are held at once."""

Terms = dict[tuple[int, ...], float]
"""Coefficient of each product of variables, their indices rising."""


@dataclass(frozen=True, eq=False)
class Polynomial(Variables):
    """An energy over binary variables with terms of any order.

    Parameters
    ----------
    unit : Unit
        Spins or bits.
    labels : tuple
        One hashable label per variable.
    term_first : ndarray of int32, shape (m + 1,)
        Term t has the variables ``term_variables[term_first[t]:term_first[t + 1]]``, at least one.
    term_variables : ndarray of int32
        Indices, rising within a term; no term is there twice.
    coefficients : ndarray of float64, shape (m,)
        c of each term.
    offset : float
        Constant that is added to every energy.

    Raises
    ------
    ModelError
        If labels repeat, terms are not as above, a shape is wrong or a value is not finite.
    """

    unit: Unit
    labels: tuple[Hashable, ...]
    term_first: Int32
    term_variables: Int32
    coefficients: Float
    offset: float = 0.0

    def __post_init__(self) -> None:
        check_labels(self.labels)
        _check_terms(self.term_first, self.term_variables, self.size)
        coefficients = real_array(self.coefficients, "coefficients", (len(self.term_first) - 1,))
        if not np.isfinite(self.offset):
            raise ModelError(f"offset is {self.offset}; it must be a finite number")
        freeze(self, term_first=self.term_first, term_variables=self.term_variables, coefficients=coefficients)

    def __repr__(self) -> str:
        terms = len(self.coefficients)
        return f"<Polynomial: {self.size} {self.unit.name.lower()}s, {terms} terms of order {self.order} at most>"

    @property
    def order(self) -> int:
        """Most variables of a term, 0 without terms."""
        return int(np.diff(self.term_first).max(initial=0))

    @classmethod
    def of_terms(
        cls,
        terms: Mapping[Any, float],
        unit: Unit,
        labels: Sequence[Hashable] | None = None,
        offset: float = 0.0,
    ) -> Polynomial:
        """A polynomial from its terms.

        Parameters
        ----------
        terms : mapping of tuple to float
            Coefficient of the product of the variables with these labels. The same product in another order adds up;
            the coefficient of ``()`` is taken off the offset.
        unit : Unit
            Spins or bits.
        labels : sequence, optional
            All variables; by default those of the terms, in the order in which they first appear.
        offset : float
            Constant that is added to every energy.

        Raises
        ------
        ModelError
            If a term names a variable twice or one that is not there, or a coefficient is no finite number.
        """
        if not isinstance(terms, Mapping):
            raise ModelError(f"terms are a {type(terms).__name__}; give a dict of tuples of labels to coefficients")
        keys = [_labels_of(term) for term in terms]
        values = real_array(list(terms.values()), "coefficients", (len(keys),))
        names = tuple(dict.fromkeys(label for key in keys for label in key)) if labels is None else tuple(labels)
        check_labels(names)
        index = {label: i for i, label in enumerate(names)}
        merged: Terms = {}
        for key, value in zip(keys, values.tolist(), strict=True):
            term = _indices(key, index)
            merged[term] = merged.get(term, 0.0) + value
        return cls.of_indices(merged, unit, names, offset)

    @classmethod
    def of_indices(cls, terms: Terms, unit: Unit, labels: tuple[Hashable, ...], offset: float = 0.0) -> Polynomial:
        """A polynomial from terms whose variables are given by rising indices; see `of_terms`."""
        kept = sorted((term for term in terms if term), key=lambda term: (len(term), term))
        first = np.concatenate([[0], np.cumsum([len(term) for term in kept])]).astype(np.int32)
        variables = np.array([i for term in kept for i in term], np.int32)
        coefficients = np.array([terms[term] for term in kept], np.float64)
        return cls(Unit(unit), labels, first, variables, coefficients, offset - terms.get((), 0.0))

    @classmethod
    def from_model(cls, model: Model) -> Polynomial:
        """The polynomial of a model's couplings and of those of its biases that are not zero.

        Parameters
        ----------
        model : Model
        """
        terms: Terms = {(i,): value for i, value in enumerate(model.biases.tolist()) if value}
        for (i, j), value in zip(model.edges.tolist(), model.couplings.tolist(), strict=True):
            terms[i, j] = value
        return cls.of_indices(terms, model.unit, model.labels, model.offset)

    def terms(self) -> Terms:
        """Coefficient of each term by its variables' indices; the offset is not among them."""
        bounds, variables = self.term_first.tolist(), self.term_variables.tolist()
        places = zip(bounds, bounds[1:], self.coefficients.tolist(), strict=False)
        return {tuple(variables[start:stop]): value for start, stop, value in places}

    def energies(self, states: npt.ArrayLike) -> Float:
        """Energy of each state; see `Variables.energies`."""
        values = self.values(states)
        total = np.full(len(values), float(self.offset))
        if not len(self.coefficients):
            return total
        rows = max(1, _BLOCK // len(self.term_variables))
        for start in range(0, len(values), rows):
            columns = np.ascontiguousarray(values[start : start + rows].T)
            factors = columns[self.term_variables]
            products = np.multiply.reduceat(factors, self.term_first[:-1], axis=0, dtype=np.int8)
            total[start : start + rows] -= self.coefficients @ products
        return total

    def parts(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """What a file holds of it besides the labels: JSON and arrays of int32 and float64."""
        meta = {"unit": self.unit.name, "offset": float(self.offset)}
        names = ("term_first", "term_variables", "coefficients")
        return meta, {name: getattr(self, name) for name in names}

    @classmethod
    def from_parts(
        cls, meta: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]], labels: tuple[Hashable, ...]
    ) -> Polynomial:
        """The polynomial of `parts` and labels.

        Raises
        ------
        ModelError, KeyError, TypeError, ValueError
            If they are no parts of a polynomial.
        """
        first, variables, coefficients = arrays["term_first"], arrays["term_variables"], arrays["coefficients"]
        return cls(Unit[meta["unit"]], labels, first, variables, coefficients, float(meta["offset"]))


def freeze(holder: Variables, **arrays: npt.NDArray[Any]) -> None:
    """Set fields of a frozen dataclass to copies that cannot be changed in place."""
    for name, array in arrays.items():
        own = array.copy()
        own.setflags(write=False)
        object.__setattr__(holder, name, own)


def _labels_of(term: Any) -> tuple[Hashable, ...]:
    if not isinstance(term, tuple):
        raise ModelError(f"term {term!r} is a {type(term).__name__}; give a tuple of labels, ({term!r},) for one")
    return term


def _indices(key: Iterable[Hashable], index: Mapping[Hashable, int]) -> tuple[int, ...]:
    try:
        term = tuple(sorted(index[label] for label in key))
    except KeyError as error:
        raise ModelError(f"term {key!r} names {error.args[0]!r}, which is not among the labels") from None
    if len(set(term)) < len(term):
        raise ModelError(f"term {key!r} names a variable twice; of bits x x = x, of spins x x = 1")
    return term


def _check_terms(first: Int32, variables: Int32, size: int) -> None:
    lengths = check_rows(first, variables, ("term_first", "term_variables", "terms"), "Polynomial.of_terms")
    rises = np.diff(variables.astype(np.int64)) > 0
    rises[first[1:-1] - 1] = True
    if not rises.all() or ((variables < 0) | (variables >= size)).any():
        raise ModelError("variables of a term are not rising indices of the polynomial's; use Polynomial.of_terms")
    flat, bounds = variables.tolist(), first.tolist()
    terms = {tuple(flat[start:stop]) for start, stop in itertools.pairwise(bounds)}
    if len(terms) < len(lengths):
        raise ModelError(f"{len(lengths)} terms, only {len(terms)} of them different; use Polynomial.of_terms")
