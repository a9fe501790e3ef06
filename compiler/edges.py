"""Couplings as sorted lists of edges, and sums over them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract.errors import ModelError

Float = npt.NDArray[np.float64]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]

SYMMETRY_TOLERANCE = 1e-9
"""Difference of J[i, j] and J[j, i], relative to the largest coupling, that passes for rounding."""

_BLOCK = 1 << 18
"""Products of states that are held at once in sums over edges: few enough to stay in the cache."""

_DENSE_SHARE = 64
"""From size^2 / 64 edges on, a matrix product over all pairs is faster than gathering the edges (measured)."""


def real_array(values: Any, name: str, shape: tuple[int | None, ...]) -> Float:
    """A float64 copy of what should be finite real numbers.

    Parameters
    ----------
    values : array_like
    name : str
        What they are, for the error.
    shape : tuple
        Shape that is needed; None leaves a length open.

    Raises
    ------
    ModelError
        If they are no numbers, of another shape, NaN or infinite.
    """
    try:
        if np.iscomplexobj(values):
            raise TypeError
        array = np.array(values, np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ModelError(f"{name} must be an array of real numbers, not {type(values).__name__}") from None
    if array.ndim != len(shape) or any(want not in (None, got) for want, got in zip(shape, array.shape, strict=True)):
        wanted = ", ".join("any" if length is None else str(length) for length in shape)
        raise ModelError(f"{name} has shape {array.shape}; the model needs ({wanted})")
    finite = np.isfinite(array)
    if not finite.all():
        where = np.unravel_index(int(np.argmin(finite)), array.shape)
        raise ModelError(f"{name}[{', '.join(map(str, where))}] is {array[where]}; every one must be a finite number")
    return array


def check_rows(first: Int32, flat: Int32, names: tuple[str, str, str], maker: str) -> Int64:
    """Lengths of the rows that ``first`` cuts ``flat`` into, none of them empty.

    Parameters
    ----------
    first, flat : ndarray of int32
        Row r is ``flat[first[r]:first[r + 1]]``.
    names : (str, str, str)
        What the two arrays and the rows are called.
    maker : str
        What makes arrays that are right.

    Raises
    ------
    ModelError
        If they are no such arrays.
    """
    if first.dtype != np.int32 or flat.dtype != np.int32 or first.ndim != 1 or flat.ndim != 1:
        raise ModelError(f"{names[0]} and {names[1]} must be int32 of one dimension; use {maker}")
    ends = first.astype(np.int64)
    lengths = ends[1:] - ends[:-1]
    if not len(first) or first[0] != 0 or first[-1] != len(flat) or (lengths < 1).any():
        raise ModelError(f"{names[0]} does not divide {names[1]} into {names[2]}; use {maker}")
    return lengths


def canonical_edges(n: int, edges: npt.ArrayLike, couplings: npt.ArrayLike) -> tuple[Int32, Float]:
    """Edges as i < j, sorted, with the couplings of repeated edges summed.

    Parameters
    ----------
    n : int
        Number of variables.
    edges : array_like of int, shape (m, 2)
    couplings : array_like of float, shape (m,)

    Raises
    ------
    ModelError
        If an edge leads nowhere or to itself, or the shapes disagree.
    """
    pairs = _pairs(edges)
    strengths = real_array(couplings, "couplings", (len(pairs),))
    outside = ((pairs < 0) | (pairs >= n)).any(axis=1)
    if outside.any():
        i, j = pairs[outside][0]
        raise ModelError(f"edge ({i}, {j}) leads out of the model; its variables are 0 to {n - 1}")
    loops = pairs[:, 0] == pairs[:, 1]
    if loops.any():
        raise ModelError(f"variable {pairs[loops][0, 0]} is coupled to itself; put a linear term into its bias")
    keys, places = np.unique(pairs.min(axis=1, initial=n) * n + pairs.max(axis=1, initial=-1), return_inverse=True)
    return _ends(keys, n), np.bincount(places, strengths, len(keys)).astype(np.float64)


def _pairs(edges: npt.ArrayLike) -> Int64:
    array = np.asarray(edges)
    if array.size == 0:
        return np.empty((0, 2), np.int64)
    if array.ndim != 2 or array.shape[1] != 2 or array.dtype.kind not in "iu":
        raise ModelError(f"edges are {array.dtype} of shape {array.shape}; give integers of shape (m, 2)")
    return array.astype(np.int64)


def _ends(keys: Int64, n: int) -> Int32:
    return np.stack(np.divmod(keys, n), axis=1).astype(np.int32)


def edges_of_matrix(matrix: Any, name: str = "J") -> tuple[int, Int32, Float]:
    """Size, edges and couplings of a symmetric or triangular matrix.

    Parameters
    ----------
    matrix : array_like or scipy sparse, shape (n, n)
        Symmetric with a zero diagonal, or strictly triangular. Zeros of a
        dense matrix are no edges, stored zeros of a sparse one are.
    name : str
        What it is, for errors.

    Raises
    ------
    ModelError
        If it is not square, not finite, not symmetric or has a diagonal.
    """
    if hasattr(matrix, "tocoo"):
        sparse = matrix.tocoo()
        n = _square_side(sparse.shape, name)
        rows, columns = sparse.row.astype(np.int64), sparse.col.astype(np.int64)
        entries = real_array(sparse.data, f"{name}.data", (None,))
    else:
        dense = real_array(matrix, name, (None, None))
        n = _square_side(dense.shape, name)
        rows, columns = np.nonzero(dense)
        entries = dense[rows, columns]
    diagonal = (rows == columns) & (entries != 0)
    if diagonal.any():
        i = rows[diagonal][0]
        raise ModelError(f"{name}[{i}, {i}] is {entries[diagonal][0]:g}; put linear terms into h, the diagonal is zero")
    off = rows != columns
    return n, *_fold_triangles(n, rows[off], columns[off], entries[off], name)


def _square_side(shape: tuple[int, ...], name: str) -> int:
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ModelError(f"{name} has shape {tuple(shape)}; it must be square")
    return int(shape[0])


def _fold_triangles(n: int, rows: Int64, columns: Int64, entries: Float, name: str) -> tuple[Int32, Float]:
    upper = rows < columns
    keys, places = np.unique(np.minimum(rows, columns) * n + np.maximum(rows, columns), return_inverse=True)
    edges = _ends(keys, n)
    above = np.bincount(places[upper], entries[upper], len(keys)).astype(np.float64)
    below = np.bincount(places[~upper], entries[~upper], len(keys)).astype(np.float64)
    if not above.any() or not below.any():
        return edges, above + below
    wrong = np.abs(above - below) > SYMMETRY_TOLERANCE * np.abs(entries).max()
    if wrong.any():
        k = int(np.argmax(wrong))
        i, j = edges[k]
        raise ModelError(
            f"{name} is neither symmetric nor triangular: {name}[{i}, {j}] is {above[k]:g}, "
            f"{name}[{j}, {i}] is {below[k]:g}; use ({name} + {name}.T) / 2"
        )
    return edges, (above + below) / 2


def quadratic_form(states: npt.NDArray[np.int8], edges: Int32, couplings: Float, biases: Float) -> Float:
    """Sum over edges of coupling times both states plus sum of bias times state.

    Parameters
    ----------
    states : ndarray of int8, shape (k, n)
    edges : ndarray of int32, shape (m, 2)
    couplings, biases : ndarray of float64, shapes (m,) and (n,)

    Returns
    -------
    ndarray of float64, shape (k,)
    """
    total = np.empty(len(states))
    if _is_dense(len(biases), edges):
        matrix = np.zeros((len(biases), len(biases)))
        matrix[edges[:, 0], edges[:, 1]] = couplings
        for rows in _blocks(len(states), len(biases)):
            block = states[rows].astype(np.float64)
            total[rows] = np.einsum("kn,kn->k", block @ matrix + biases, block)
    else:
        for rows in _blocks(len(states), len(edges) + len(biases)):
            columns = np.ascontiguousarray(states[rows].T)
            total[rows] = couplings @ _products(columns, edges).astype(np.float64) + biases @ columns.astype(np.float64)
    return total


def pair_means(states: npt.NDArray[Any], edges: Int32) -> Float:
    """Mean product of the two states of each edge.

    Parameters
    ----------
    states : ndarray of int8 or uint8, shape (k, n)
        Spins or bits.
    edges : ndarray of int32, shape (m, 2)

    Returns
    -------
    ndarray of float64, shape (m,)
    """
    size = states.shape[1]
    if _is_dense(size, edges):
        square = np.zeros((size, size))
        for rows in _blocks(len(states), size):
            block = states[rows].astype(np.float64)
            square += block.T @ block
        return square[edges[:, 0], edges[:, 1]] / len(states)
    sums = np.zeros(len(edges), np.int64)
    for rows in _blocks(len(states), len(edges)):
        sums += _products(np.ascontiguousarray(states[rows].T), edges).sum(axis=1, dtype=np.int64)
    return sums / len(states)


def _is_dense(size: int, edges: Int32) -> bool:
    return len(edges) * _DENSE_SHARE > size * size


def _blocks(count: int, width: int) -> Iterator[slice]:
    rows = max(1, _BLOCK // max(width, 1))
    return (slice(first, first + rows) for first in range(0, count, rows))


def _products(columns: npt.NDArray[Any], edges: Int32) -> npt.NDArray[Any]:
    """Product of the two states of each edge, shape (m, k), of states of shape (n, k): rows gather fastest."""
    return columns[edges[:, 0]] * columns[edges[:, 1]]
