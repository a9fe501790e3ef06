"""Readers of other people's graphs: networkx, dimod, G-set files. None of them is imported."""

from __future__ import annotations

import os
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract.errors import ModelError
from .edges import Float, Int32


@dataclass(frozen=True, eq=False)
class Graph:
    """What was read, in the project's sign of J and h.

    Parameters
    ----------
    labels : list, length n
        Labels of the variables.
    edges : ndarray of int64, shape (m, 2)
        Indices; not sorted, perhaps repeated.
    couplings, biases : list of float, lengths m and n
        J and h.
    offset : float
        Constant part of the energy.
    """

    labels: list[Hashable]
    edges: npt.NDArray[np.int64]
    couplings: list[float]
    biases: list[float]
    offset: float = 0.0


def read_networkx(graph: Any, coupling: float | None) -> Graph:
    """Take a networkx graph apart, see `Ising.from_networkx`."""
    if not hasattr(graph, "is_directed") or not hasattr(graph, "edges"):
        raise ModelError(f"from_networkx takes a networkx graph, not {type(graph).__name__}")
    if graph.is_directed():
        raise ModelError("couplings have no direction, but the graph has; use graph.to_undirected()")
    labels = list(graph.nodes)
    ends = _indices(labels, graph.edges())
    if coupling is None:
        couplings = [weight for _, _, weight in graph.edges(data="weight", default=1.0)]
    else:
        couplings = [coupling] * len(ends)
    return Graph(labels, ends, couplings, [bias for _, bias in graph.nodes(data="bias", default=0.0)])


def read_bqm(bqm: Any) -> Graph:
    """Take a dimod binary quadratic model apart, see `Ising.from_bqm`."""
    if not hasattr(bqm, "spin") or not hasattr(bqm, "quadratic"):
        raise ModelError(f"from_bqm takes a dimod BinaryQuadraticModel, not {type(bqm).__name__}")
    spin = bqm.spin
    labels = list(spin.variables)
    couplings = [-float(value) for value in spin.quadratic.values()]
    biases = [-float(spin.linear[label]) for label in labels]
    return Graph(labels, _indices(labels, spin.quadratic), couplings, biases, float(spin.offset))


def _indices(labels: list[Hashable], pairs: Any) -> npt.NDArray[np.int64]:
    index = {label: i for i, label in enumerate(labels)}
    return np.array([(index[u], index[v]) for u, v in pairs], np.int64).reshape(-1, 2)


def read_gset(path: str | os.PathLike[str]) -> tuple[int, Int32, Float]:
    """Read a graph in G-set (rudy) format: ``n m``, then ``i j w`` with vertices from 1.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    n : int
        Vertices, isolated ones included.
    edges : ndarray of int32, shape (m, 2)
        Vertices from 0.
    weights : ndarray of float64, shape (m,)

    Raises
    ------
    ModelError
        If the file is missing, not of this format, or ends early.
    """
    lines = _lines(path)
    if not lines:
        raise ModelError(f"{path} is empty; a G-set file starts with a line 'n m'")
    n, m = _header(path, *lines[0])
    if len(lines) <= m:
        raise ModelError(
            f"{path} line {lines[-1][0]}: the file ends after {len(lines) - 1} of {m} edges; fetch it again"
        )
    if len(lines) > m + 1:
        raise ModelError(f"{path} line {lines[m + 1][0]}: the first line announces {m} edges, but there are more")
    rows = [_edge(path, number, text, n) for number, text in lines[1:]]
    return n, np.array([row[:2] for row in rows], np.int32).reshape(-1, 2), np.array([row[2] for row in rows])


def _lines(path: str | os.PathLike[str]) -> list[tuple[int, str]]:
    """The lines that are not blank, with their numbers."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ModelError(f"{path} is not a text file; a G-set file has a line 'n m' and then lines 'i j w'") from None
    return [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]


def _header(path: str | os.PathLike[str], number: int, text: str) -> tuple[int, int]:
    fields = text.split()
    if len(fields) != 2 or not all(field.isdecimal() for field in fields) or int(fields[0]) == 0:
        raise ModelError(f"{path} line {number} is {_shown(text)}, not 'n m' as a G-set file starts")
    return int(fields[0]), int(fields[1])


def _edge(path: str | os.PathLike[str], number: int, text: str, n: int) -> tuple[int, int, float]:
    try:
        first, second, third = text.split()
        i, j, weight = int(first), int(second), float(third)
    except ValueError:
        raise ModelError(f"{path} line {number} is {_shown(text)}, not 'i j w'; is it a G-set file?") from None
    if not (1 <= i <= n and 1 <= j <= n):
        raise ModelError(f"{path} line {number} names vertex {i if not 1 <= i <= n else j}; they are 1 to {n}")
    if i == j or not np.isfinite(weight):
        raise ModelError(f"{path} line {number} is {_shown(text)}; edges join two vertices by a finite weight")
    return i - 1, j - 1, weight


def _shown(text: str) -> str:
    return repr(text.strip()[:40])
