"""Edge lists from triplets and matrices, and sums over them, against plain loops and dense algebra."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pbit_hw.compiler import edges as edges_module
from pbit_hw.compiler.edges import canonical_edges, edges_of_matrix, pair_means, quadratic_form, real_array
from pbit_hw.contract.errors import ModelError

Graphs = SearchStrategy[tuple[int, npt.NDArray[np.int64]]]


@settings(deadline=None)
@given(st.data())
def test_repeated_edges_add_up(graphs: Graphs, data: st.DataObject) -> None:
    n, pairs = data.draw(graphs)
    strengths = np.array(data.draw(st.lists(st.integers(-9, 9), min_size=len(pairs), max_size=len(pairs))), float)
    edges, couplings = canonical_edges(n, pairs, strengths)
    expected: dict[tuple[int, int], float] = {}
    for (i, j), strength in zip(pairs.tolist(), strengths.tolist(), strict=True):
        key = (min(i, j), max(i, j))
        expected[key] = expected.get(key, 0.0) + strength
    assert {tuple(edge): value for edge, value in zip(edges.tolist(), couplings.tolist(), strict=True)} == expected
    assert edges.tolist() == sorted(edges.tolist())
    assert edges.dtype == np.int32
    assert couplings.dtype == np.float64


@pytest.mark.parametrize(
    ("edges", "couplings", "message"),
    [
        ([(0, 1), (2, 5)], [1, 1], r"edge \(2, 5\) leads out of the model; its variables are 0 to 3"),
        ([(-1, 1)], [1], r"edge \(-1, 1\) leads out"),
        ([(0, 1), (2, 2)], [1, 1], "variable 2 is coupled to itself; put a linear term into its bias"),
        ([(0, 1)], [1, 2], r"couplings has shape \(2,\); the model needs \(1\)"),
        ([(0, 1)], [np.nan], r"couplings\[0\] is nan; every one must be a finite number"),
        ([(0, 1)], ["x"], "couplings must be an array of real numbers, not list"),
        ([(0.5, 1.0)], [1], r"edges are float64 of shape \(1, 2\); give integers"),
        ([(0, 1, 2)], [1], "give integers of shape"),
    ],
)
def test_malformed_edges_are_refused(edges: Any, couplings: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        canonical_edges(4, edges, couplings)


def symmetric(n: int, seed: int, density: float = 0.5) -> npt.NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.normal(size=(n, n)) * (rng.random((n, n)) < density), 1)
    return upper + upper.T


@pytest.mark.parametrize("n", [1, 2, 7, 30])
def test_every_form_of_a_matrix_gives_the_same_edges(n: int) -> None:
    matrix = symmetric(n, n)
    i, j = np.nonzero(np.triu(matrix))
    forms = [
        matrix,
        np.triu(matrix),
        np.tril(matrix),
        matrix.tolist(),
        scipy.sparse.csr_array(matrix),
        scipy.sparse.csc_matrix(np.triu(matrix)),
        scipy.sparse.coo_array(np.tril(matrix)),
        scipy.sparse.dok_array(matrix),
    ]
    for form in forms:
        size, edges, couplings = edges_of_matrix(form)
        assert size == n
        assert np.array_equal(edges, np.stack([i, j], axis=1))
        assert np.array_equal(couplings, matrix[i, j])


def test_sparse_duplicates_add_up_and_stored_zeros_are_edges() -> None:
    rows, columns = [0, 0, 1, 1, 2], [1, 1, 0, 2, 1]
    matrix = scipy.sparse.coo_array(([1.0, 2.0, 3.0, 0.0, 0.0], (rows, columns)), shape=(3, 3))
    _, edges, couplings = edges_of_matrix(matrix)
    assert edges.tolist() == [[0, 1], [1, 2]]
    assert couplings.tolist() == [3.0, 0.0]


def test_rounding_is_no_asymmetry() -> None:
    matrix = symmetric(8, 1)
    noisy = matrix * (1 + 1e-14 * np.random.default_rng(0).normal(size=matrix.shape))
    noisy[0, 3] += 1e-15  # where a zero is, perhaps
    _, edges, couplings = edges_of_matrix(noisy)
    assert couplings == pytest.approx(matrix[edges[:, 0], edges[:, 1]], abs=1e-12)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.zeros((2, 3)), r"J has shape \(2, 3\); it must be square"),
        (np.zeros(3), r"J has shape \(3,\)"),
        ([[0, 1], [2, 0]], r"J\[0, 1\] is 1, J\[1, 0\] is 2; use \(J \+ J\.T\) / 2"),
        ([[0, 1, 0], [1, 0, 1], [0, 2, 0]], "neither symmetric nor triangular"),
        ([[1, 0], [0, 0]], r"J\[0, 0\] is 1; put linear terms into h"),
        ([[0, np.nan], [np.nan, 0]], r"J\[0, 1\] is nan"),
        ([[0, np.inf], [np.inf, 0]], r"J\[0, 1\] is inf"),
        ([[0, 1j], [1j, 0]], "must be an array of real numbers, not list"),
        ([[0, 1], [1]], "must be an array of real numbers"),
        ("J", "must be an array of real numbers, not str"),
        (scipy.sparse.csr_array(np.zeros((2, 3))), "must be square"),
        (scipy.sparse.csr_array([[0, np.nan], [np.nan, 0]]), r"J\.data\[0\] is nan"),
        (scipy.sparse.csr_array([[0, 1], [2, 0]]), "neither symmetric nor triangular"),
        (scipy.sparse.eye_array(3), r"J\[0, 0\] is 1"),
    ],
)
def test_malformed_matrices_are_refused(matrix: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        edges_of_matrix(matrix)
    assert "\n" not in str(caught.value)


def test_real_array_copies() -> None:
    values = np.ones(3)
    array = real_array(values, "x", (3,))
    array[0] = 5
    assert values[0] == 1


@pytest.mark.parametrize("density", [0.01, 0.5])
@pytest.mark.parametrize("low", [-1, 0])
@pytest.mark.parametrize("block", [1, 700, 1 << 22])
def test_sums_agree_with_dense_algebra(density: float, low: int, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of summing, in blocks of one row, of a few, and in one piece."""
    monkeypatch.setattr(edges_module, "_BLOCK", block)
    matrix = symmetric(60, 3, density)
    _, edges, couplings = edges_of_matrix(matrix)
    rng = np.random.default_rng(5)
    biases = rng.normal(size=60)
    states = rng.choice([low, 1], size=(41, 60)).astype(np.int8)
    expected = np.einsum("ki,ij,kj->k", states, matrix, states) / 2 + states @ biases
    assert quadratic_form(states, edges, couplings, biases) == pytest.approx(expected, abs=1e-10)
    means = (states.T.astype(float) @ states / 41)[edges[:, 0], edges[:, 1]]
    assert pair_means(states, edges) == pytest.approx(means, abs=1e-14)


def test_both_ways_of_summing_are_tested() -> None:
    sparse, dense = (edges_of_matrix(symmetric(60, 3, density))[1] for density in (0.01, 0.5))
    assert not edges_module._is_dense(60, sparse)
    assert edges_module._is_dense(60, dense)
