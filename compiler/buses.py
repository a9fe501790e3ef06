"""Buses: variables named ``p[0]``, ``p[1]`` … as one unsigned number ``p``, lowest bit first."""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract.errors import RequestError

_BIT = re.compile(r"(.+)\[(\d+)\]")

MAX_WIDTH = 63
"""Widest bus that is read as int64."""


def buses(labels: Iterable[Hashable]) -> dict[str, list[Hashable]]:
    """Buses among labels.

    Parameters
    ----------
    labels : iterable
        Of a model; only strings can be bits of a bus.

    Returns
    -------
    dict of str to list
        Labels of the bits, lowest first, of each name whose bits are 0 to some number with none missing.
    """
    found: dict[str, dict[int, Hashable]] = {}
    for label in labels:
        if isinstance(label, str) and (match := _BIT.fullmatch(label)):
            found.setdefault(match[1], {})[int(match[2])] = label
    return {name: [bits[i] for i in range(len(bits))] for name, bits in found.items() if max(bits) < len(bits)}


def spelt_out(
    values: Mapping[Any, Any], labels: Collection[Hashable], allowed: tuple[int, int] = (0, 1)
) -> dict[Any, Any]:
    """Values with those of buses as values of their bits, and all others as they are.

    Parameters
    ----------
    values : mapping
        Label to anything, or bus to a number or array of numbers.
    labels : collection
        Of the model. A label goes before a bus of the same name.
    allowed : (int, int)
        What a bit is for 0 and 1.

    Raises
    ------
    RequestError
        If the value of a bus is no whole number, negative or too wide.
    """
    if all(name in labels for name in values):
        return dict(values)
    named = buses(labels)
    spelt: dict[Any, Any] = {}
    for name, value in values.items():
        if name in labels or name not in named:
            spelt[name] = value
        else:
            bits = _bits(name, value, len(named[name]))
            spelt |= {label: np.where(bit, *allowed[::-1]) for label, bit in zip(named[name], bits, strict=True)}
    return spelt


def joined(bits: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    """Numbers from bits of shape (k, width), the lowest first; Python's integers if wider than `MAX_WIDTH`."""
    width = bits.shape[1]
    kind = np.int64 if width <= MAX_WIDTH else object
    return bits.astype(kind) @ np.array([1 << i for i in range(width)], kind)


def _bits(name: str, value: Any, width: int) -> list[npt.NDArray[np.int64]]:
    """Each bit of a number or of an array of them, the lowest first, if they fit."""
    numbers = np.asarray(value)
    if numbers.dtype.kind not in "iuO" or not all(isinstance(number, int) for number in numbers.ravel().tolist()):
        raise RequestError(f"{name} is {value!r}; a bus takes a whole number, 0 to {2**width - 1}")
    for number in numbers.ravel().tolist():
        if number < 0:
            raise RequestError(f"{name} is unsigned, {number} is not; give 0 to {2**width - 1}")
        if number.bit_length() > width:
            raise RequestError(
                f"{name} has {width} bits, {number} needs {number.bit_length()}; give 0 to {2**width - 1}"
            )
    return [np.asarray(numbers >> i & 1, np.int64) for i in range(width)]
