"""Graphs as text: G-set files, edge lists, and dimod's COO files."""

from __future__ import annotations

import re

import numpy as np

from ..contract.errors import ModelError
from .edges import Float, Int32, Int64
from .readers import Graph, spins_of_bits
from .tables import FilePath, Table, check_size, data_lines, read_table, read_text, shown, whole_number

GSET_FORM = "a G-set file has a line 'n m' and then lines 'i j w'"
EDGES_FORM = "an edge list has lines 'i j w'"
COO_FORM = "a COO file has a line '# vartype=SPIN' or '# vartype=BINARY' and then lines 'i j value'"

VARTYPE = re.compile(r"^[ \t]*#[ \t]*vartype[ \t]*=[ \t]*(\w+)", re.MULTILINE)
"""The header by which dimod's COO files tell spins from bits."""


def read_gset(path: FilePath) -> tuple[int, Int32, Float]:
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
    text = read_text(path, GSET_FORM)
    number, header = next(data_lines(text), (0, ""))
    if not header:
        raise ModelError(f"{path} is empty; a G-set file starts with a line 'n m'")
    n, m = _gset_header(path, number, header)
    table = read_table(path, text, skip=1, hint="is it a G-set file?")
    if len(table.values) < m:
        raise ModelError(
            f"{path} line {table.line(-1)[0]}: the file ends after {len(table.values)} of {m} edges; fetch it again"
        )
    if len(table.values) > m:
        raise ModelError(f"{path} line {table.line(m)[0]}: the first line announces {m} edges, but there are more")
    check_size(path, n, 2 * m)
    _check_range(table, 1, n)
    loops = table.pairs[:, 0] == table.pairs[:, 1]
    if loops.any():
        raise ModelError(f"{table.where(int(np.argmax(loops)))}; edges join two vertices by a finite weight")
    return n, (table.pairs - 1).astype(np.int32), table.values


def _gset_header(path: FilePath, number: int, text: str) -> tuple[int, int]:
    counts = [whole_number(field) for field in text.split()]
    if len(counts) != 2 or counts[0] is None or counts[1] is None or not 0 < counts[0] < 1 << 31:
        raise ModelError(f"{path} line {number} is {shown(text)}, not 'n m' as a G-set file starts")
    return counts[0], counts[1]


def _check_range(table: Table, low: int, high: int) -> None:
    outside = (table.pairs < low) | (table.pairs > high)
    if outside.any():
        row, end = divmod(int(np.argmax(outside)), 2)
        number, _ = table.line(row)
        raise ModelError(f"{table.path} line {number} names vertex {table.pairs[row, end]}; they are {low} to {high}")


def read_edges(path: FilePath) -> Graph:
    """Read an edge list, see ``docs/inputs.md``."""
    table = read_table(path, read_text(path, EDGES_FORM), hint=EDGES_FORM)
    if not len(table.values):
        raise ModelError(f"{path} is empty; {EDGES_FORM}")
    _check_range(table, 0, (1 << 31) - 1)
    n = int(table.pairs.max()) + 1
    check_size(path, n, 2 * len(table.values))
    loops = table.pairs[:, 0] == table.pairs[:, 1]
    biases = np.bincount(table.pairs[loops, 0], table.values[loops], n).astype(np.float64)
    kept = _once(table, np.flatnonzero(~loops), n)
    return Graph(list(range(n)), table.pairs[kept], -table.values[kept], -biases)


def _once(table: Table, rows: Int64, n: int) -> Int64:
    """Rows of different pairs: all of them, or those with i < j where every pair is given both ways round."""
    first, second = table.pairs[rows].T
    upper = first < second
    ahead, back = np.unique(first[upper] * n + second[upper]), np.unique(second[~upper] * n + first[~upper])
    both = np.intersect1d(ahead, back, assume_unique=True)
    if not len(both):
        return rows
    if len(both) < max(len(ahead), len(back)):
        i, j = divmod(int(both[0]), n)
        raise ModelError(
            f"{table.path} gives {i} {j} both ways round, but not every pair; give each pair once, or all twice"
        )
    _check_symmetric(table, rows, n)
    return rows[upper]


def _check_symmetric(table: Table, rows: Int64, n: int) -> None:
    first, second = table.pairs[rows].T
    upper = first < second
    keys, places = np.unique(np.minimum(first, second) * n + np.maximum(first, second), return_inverse=True)
    with np.errstate(over="ignore", invalid="ignore"):
        above = np.bincount(places[upper], table.values[rows][upper], len(keys))
        below = np.bincount(places[~upper], table.values[rows][~upper], len(keys))
    wrong = above != below
    if wrong.any():
        k = int(np.argmax(wrong))
        i, j = divmod(int(keys[k]), n)
        raise ModelError(f"{table.path} gives {i} {j} as {above[k]:g} and {j} {i} as {below[k]:g}; make them equal")


def read_coo(path: FilePath, vartype: str | None = None) -> Graph:
    """Read one of dimod's COO files, see ``docs/inputs.md``."""
    text = read_text(path, COO_FORM)
    header = VARTYPE.search(text)
    kind = header[1] if header else vartype
    if kind not in ("SPIN", "BINARY"):
        raise ModelError(f"{path} has {f'vartype {shown(kind)}' if kind else 'no vartype'}; {COO_FORM}")
    table = read_table(path, text, hint=COO_FORM)
    if not len(table.values):
        raise ModelError(f"{path} is empty; {COO_FORM}")
    _check_range(table, 0, (1 << 31) - 1)
    labels, places = np.unique(table.pairs, return_inverse=True)
    pairs = places.reshape(-1, 2)
    loops = pairs[:, 0] == pairs[:, 1]
    biases = np.bincount(pairs[loops, 0], table.values[loops], len(labels)).astype(np.float64)
    names: list[object] = labels.tolist()
    if kind == "BINARY":
        return spins_of_bits(names, pairs[~loops], table.values[~loops], biases)
    return Graph(names, pairs[~loops], -table.values[~loops], -biases)
