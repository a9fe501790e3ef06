"""Linear algebra over GF(2) on packed words: what jump-ahead and leap-forward are made of.

A state is a row of ``words`` uint32 words; bit ``i`` is bit ``i % 32`` of word
``i // 32``. A map is stored as its images of the unit vectors, shape
``(32 * words, words)``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint32]


def unit_vectors(words: int) -> Words:
    """All states with a single bit set, shape ``(32 * words, words)``."""
    bits = np.arange(32 * words)
    basis = np.zeros((32 * words, words), np.uint32)
    basis[bits, bits // 32] = np.left_shift(np.uint32(1), (bits % 32).astype(np.uint32))
    return basis


def matrix(step: Callable[[Words], Words], words: int) -> Words:
    """The map of a linear function, by its images of the unit vectors.

    Parameters
    ----------
    step : callable
        Takes and returns states of shape ``(n, words)``; linear over GF(2).
    words : int
        Words of a state.
    """
    return step(unit_vectors(words))


def apply(linear: Words, states: Words) -> Words:
    """Apply a map to states of shape ``(n, words)``, bit by bit."""
    bits = np.unpackbits(_bytes(states), axis=1, bitorder="little")
    return np.bitwise_xor.reduce(bits[:, :, None] * linear, axis=1)


def byte_images(linear: Words) -> Words:
    """Images of every byte at every place, shape ``(4 * words, 256, words)``: tables for `look_up`."""
    basis = linear.reshape(-1, 8, linear.shape[1])
    images = np.zeros((len(basis), 256, linear.shape[1]), np.uint32)
    for bit in range(8):
        images[:, 1 << bit : 2 << bit] = images[:, : 1 << bit] ^ basis[:, bit, None]
    return images


def look_up(images: Words, states: Words) -> Words:
    """Apply the map that `byte_images` were made of to states of shape ``(n, words)``, byte by byte."""
    out = np.zeros(states.shape, np.uint32)
    places, found = np.empty(len(states), np.intp), np.empty_like(out)  # new ones for every byte would take longer
    for table, column in zip(images, _bytes(states).T, strict=True):
        places[:] = column
        out ^= table.take(places, axis=0, out=found, mode="clip")
    return out


def _bytes(states: Words) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(states, "<u4").view(np.uint8)


def power(linear: Words, exponent: int) -> Words:
    """The map applied ``exponent`` times."""
    result = unit_vectors(linear.shape[1])
    square = linear
    while exponent:
        if exponent & 1:
            result = apply(square, result)
        exponent >>= 1
        if exponent:
            square = apply(square, square)
    return result


def inverse(linear: Words) -> Words:
    """The map that undoes another, by Gauss-Jordan elimination.

    Raises
    ------
    ValueError
        If there is none.
    """
    bits = np.unpackbits(_bytes(linear), axis=1, bitorder="little")
    rows = np.concatenate([bits, np.eye(len(bits), dtype=np.uint8)], axis=1)
    for column in range(len(bits)):
        found = np.flatnonzero(rows[column:, column])
        if not len(found):
            raise ValueError("the map is singular")
        rows[[column, column + found[0]]] = rows[[column + found[0], column]]
        others = np.flatnonzero(rows[:, column])
        rows[others[others != column]] ^= rows[column]
    undone = np.packbits(rows[:, len(bits) :], axis=1, bitorder="little")
    return undone.view("<u4").astype(np.uint32)


def orbit(doublings: Callable[[int], Words], first: Words, count: int) -> Words:
    """The states ``first, L first, L L first, ...``, by doubling.

    Parameters
    ----------
    doublings : callable
        `byte_images` of the map L applied 2^k times, for k = 0, 1, ...
    first : ndarray of uint32, shape (words,)
        The first state.
    count : int
        How many states.

    Returns
    -------
    ndarray of uint32, shape (count, words)
    """
    states = np.asarray(first, np.uint32)[None, :]
    level = 0
    while len(states) < count:
        states = np.concatenate([states, look_up(doublings(level), states[: count - len(states)])])
        level += 1
    return states[:count]
