"""Readers of problem files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..contract.errors import ModelError
from .models import Float, Int32, Ising


class MaxCut(Ising):
    """A max-cut problem as an Ising model: J = -w."""

    def cut(self, states: npt.ArrayLike) -> Float:
        """Weight of the cut of each state: (sum w - sum w m m) / 2.

        Parameters
        ----------
        states : array_like of int, shape (k, n)
            Spins.

        Returns
        -------
        ndarray of float64, shape (k,)
        """
        return (-self.couplings.sum() - self.energies(states)) / 2


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
    try:
        lines = [line.split() for line in Path(path).read_text().splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"cannot read {path} as a G-set file: {error}") from error
    if not lines:
        raise ModelError(f"{path} is empty; a G-set file starts with a line 'n m'")
    n, m = _numbers(path, 1, lines[0], 2)
    if len(lines) - 1 != m:
        raise ModelError(f"{path} announces {m:g} edges and holds {len(lines) - 1}; is it truncated?")
    rows = np.array([_numbers(path, k, line, 3) for k, line in enumerate(lines[1:], 2)]).reshape(-1, 3)
    edges = rows[:, :2].astype(np.int64) - 1
    if len(edges) and not 0 <= edges.min() <= edges.max() < n:
        raise ModelError(f"{path} names a vertex outside 1 to {n:g}")
    return int(n), edges.astype(np.int32), rows[:, 2]


def _numbers(path: str | os.PathLike[str], number: int, fields: list[str], count: int) -> list[float]:
    try:
        values = [float(text) for text in fields]
    except ValueError:
        values = []
    if len(values) != count:
        shown = " ".join(fields)[:40]
        raise ModelError(f"{path} line {number} is {shown!r}, not {count} numbers; is it a G-set file?")
    return values
