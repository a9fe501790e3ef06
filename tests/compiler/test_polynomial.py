"""Polynomials: energies against their definition, what is merged and what is refused."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pbit_hw.compiler.base import Model
from pbit_hw.compiler.polynomial import Polynomial
from pbit_hw.contract.errors import ModelError
from pbit_hw.contract.update import Unit

LABELS = ("a", "b", ("c", 1), 3, 4.5)


def every_state(polynomial: Polynomial) -> np.ndarray:
    return np.array(list(itertools.product(polynomial.allowed, repeat=polynomial.size)))


TERMS = st.dictionaries(
    st.lists(st.sampled_from(LABELS), unique=True, max_size=5).map(tuple), st.floats(-8, 8), max_size=12
)


@settings(deadline=None, max_examples=150)
@given(TERMS, st.sampled_from(Unit), st.floats(-5, 5))
def test_energies_follow_the_definition(terms: dict[Any, float], unit: Unit, offset: float) -> None:
    polynomial = Polynomial.of_terms(terms, unit, LABELS, offset)
    for state, energy in zip(every_state(polynomial), polynomial.energies(every_state(polynomial)), strict=True):
        value = dict(zip(LABELS, state.tolist(), strict=True))
        expected = offset - sum(c * math.prod(value[label] for label in term) for term, c in terms.items())
        assert energy == pytest.approx(expected, abs=1e-9)


@settings(deadline=None, max_examples=100)
@given(TERMS, st.sampled_from(Unit), st.floats(-5, 5))
def test_parts_make_the_same_polynomial(terms: dict[Any, float], unit: Unit, offset: float) -> None:
    polynomial = Polynomial.of_terms(terms, unit, LABELS, offset)
    meta, arrays = polynomial.parts()
    assert {str(array.dtype) for array in arrays.values()} <= {"int32", "float64"}
    again = Polynomial.from_parts(json.loads(json.dumps(meta)), arrays, polynomial.labels)
    assert (again.unit, again.labels, again.offset) == (polynomial.unit, polynomial.labels, polynomial.offset)
    assert again.terms() == polynomial.terms()
    assert np.array_equal(again.energies(every_state(again)), polynomial.energies(every_state(again)))


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_models_polynomial_has_its_energies(models: SearchStrategy[Model], data: st.DataObject) -> None:
    model = data.draw(models)
    polynomial = Polynomial.from_model(model)
    states = np.random.default_rng(0).choice(model.allowed, (20, model.size))
    assert (polynomial.labels, polynomial.unit) == (model.labels, model.unit)
    assert polynomial.energies(states) == pytest.approx(model.energies(states), abs=1e-9)
    assert polynomial.order <= 2


def test_terms_in_another_order_add_up() -> None:
    polynomial = Polynomial.of_terms({("a", "b"): 1.0, ("b", "a"): 2.5, ("b",): -1.0, (): 4.0}, Unit.BIT, offset=1.0)
    assert polynomial.labels == ("a", "b")
    assert polynomial.terms() == {(1,): -1.0, (0, 1): 3.5}
    assert polynomial.offset == -3.0
    assert polynomial.energies([[1, 1], [0, 0]]).tolist() == [-5.5, -3.0]
    assert repr(polynomial) == "<Polynomial: 2 bits, 2 terms of order 2 at most>"


def test_a_constant_is_a_polynomial() -> None:
    constant = Polynomial.of_terms({(): 2.0}, Unit.SPIN, labels=["x"])
    assert constant.energies([[1], [-1]]).tolist() == [-2.0, -2.0]
    assert constant.order == 0


def test_many_states_are_taken_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    polynomial = Polynomial.of_terms({(0, 1, 2): 1.0, (3,): 0.5, (1, 4): -2.0}, Unit.SPIN, labels=range(5))
    states = np.random.default_rng(1).choice([-1, 1], (1000, 5))
    whole = polynomial.energies(states)
    monkeypatch.setattr("pbit_hw.compiler.polynomial._BLOCK", 7 * 6)
    assert np.array_equal(polynomial.energies(states), whole)
    assert polynomial.energies(np.empty((0, 5), int)).shape == (0,)


def test_arrays_are_frozen_and_the_callers_stay_his() -> None:
    first, variables, values = np.array([0, 2], np.int32), np.array([0, 1], np.int32), np.array([1.0])
    polynomial = Polynomial(Unit.BIT, ("a", "b"), first, variables, values)
    for array in (polynomial.term_first, polynomial.term_variables, polynomial.coefficients):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    variables[0] = values[0] = first[0] = 1
    assert polynomial.terms() == {(0, 1): 1.0}


@pytest.mark.parametrize(
    ("terms", "labels", "message"),
    [
        ({("a", "a"): 1.0}, None, r"term \('a', 'a'\) names a variable twice"),
        ({("a", "z"): 1.0}, ["a"], r"names 'z', which is not among the labels"),
        ({("a",): float("nan")}, None, r"coefficients\[0\] is nan"),
        ({("a",): "much"}, None, "coefficients must be an array of real numbers"),
        ({"ab": 1.0}, None, r"term 'ab' is a str; give a tuple of labels, \('ab',\) for one"),
        ({}, None, "the model has no variables"),
        ({("a",): 1.0}, ["a", "a"], "2 labels, only 1 of them different"),
        ([("a", 1.0)], None, "terms are a list; give a dict"),
    ],
)
def test_malformed_terms_are_refused(terms: Any, labels: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        Polynomial.of_terms(terms, Unit.SPIN, labels)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("first", "variables"),
    [
        ([0, 1], [0, 1]),
        ([0, 0, 1], [0]),
        ([1, 2], [0, 1]),
        ([], []),
        ([0, 2], [1, 0]),
        ([0, 2], [1, 1]),
        ([0, 1], [3]),
        ([0, 1], [-1]),
        ([0, 1, 2], [1, 1]),
        ([0, 2, 0, 2], [0, 1]),
    ],
)
def test_malformed_arrays_are_refused(first: list[int], variables: list[int]) -> None:
    count = max(0, len(first) - 1)
    with pytest.raises(ModelError, match=r"use Polynomial\.of_terms"):
        Polynomial(Unit.BIT, (0, 1, 2), np.array(first, np.int32), np.array(variables, np.int32), np.ones(count))
    with pytest.raises(ModelError, match="must be int32"):
        Polynomial(Unit.BIT, (0, 1, 2), np.array([0, 1]), np.array([0], np.int32), np.ones(1))


def test_offsets_and_states_are_checked() -> None:
    with pytest.raises(ModelError, match="offset is nan"):
        Polynomial.of_terms({("a",): 1.0}, Unit.BIT, offset=float("nan"))
    with pytest.raises(ModelError, match="states of this model are 0 or 1"):
        Polynomial.of_terms({("a",): 1.0}, Unit.BIT).energies([[-1]])
