"""Hopfield networks: couplings that make given patterns the minima of an energy."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from ..contract.errors import ModelError
from ..contract.update import Unit
from .base import fill
from .edges import Float, canonical_edges, real_array
from .ising import Ising

_ROUNDING = 1e-9
"""Deviations this small, of numbers of about 1, are rounding."""


class Hopfield(Ising):
    """A Hopfield network: an Ising model without biases that remembers patterns, and their inverses with them.

    Parameters
    ----------
    patterns : array_like of int, shape (p, n)
        Patterns of +1 and -1.
    rule : {"hebb", "pseudo-inverse"}
        ``hebb`` is J = sum_p x_p x_p^T / n (Hopfield, PNAS 79, 2554, 1982): it holds random patterns up to about
        p = 0.14 n (Amit, Gutfreund and Sompolinsky, PRL 55, 1530, 1985), and few that resemble each other.
        ``pseudo-inverse`` projects onto what the patterns span (Personnaz, Guyon and Dreyfus, J. Physique Lett. 46,
        L359, 1985), so that they are ground states however much they resemble each other. Neither couples a spin to
        itself.
    all_pairs : bool
        Keep the edges whose coupling is zero, for a network whose couplings will change. They cost the array what
        other edges do.

    Raises
    ------
    ModelError
        If they are no such rows, there is no such rule, or the patterns span so much that the pseudo-inverse couples
        some spin to nothing: n independent ones always do.
    """

    def __init__(
        self,
        patterns: npt.ArrayLike,
        rule: Literal["hebb", "pseudo-inverse"] = "hebb",
        *,
        all_pairs: bool = False,
    ) -> None:
        rows = spin_rows(patterns, "patterns")
        if rule not in _RULES:
            raise ModelError(f"no rule {rule!r}; use {' or '.join(_RULES)}")
        n = rows.shape[1]
        couplings = _RULES[rule](rows)
        pairs = np.stack(np.triu_indices(n, 1), axis=1)
        strengths = couplings[pairs[:, 0], pairs[:, 1]]
        kept = slice(None) if all_pairs else strengths != 0
        fill(self, Unit.SPIN, n, *canonical_edges(n, pairs[kept], strengths[kept]), np.zeros(n), None)


def spin_rows(values: npt.ArrayLike, name: str, size: int | None = None) -> Float:
    """Rows of +1 and -1 as float64, shape (k, n).

    Parameters
    ----------
    values : array_like of int, shape (k, n)
    name : str
        What they are, for the error.
    size : int, optional
        The n that is needed; any by default.

    Raises
    ------
    ModelError
        If they are no such rows.
    """
    rows = real_array(values, name, (None, size))
    if not np.isin(rows, (-1, 1)).all():
        raise ModelError(f"{name} hold something else than +1 and -1; for bits give 2 * bits - 1")
    return rows


def _hebb(rows: Float) -> Float:
    return rows.T @ rows / rows.shape[1]


def _projection(rows: Float) -> Float:
    """The projector onto the rows' span; what should be zero is exactly that."""
    projector = np.linalg.pinv(rows) @ rows
    # A spin's field is its own value times one less the diagonal, which is 1 where the row has nothing else.
    alone = np.flatnonzero(np.diag(projector) > 1 - _ROUNDING)
    if len(alone):
        count, n = np.linalg.matrix_rank(rows), rows.shape[1]
        raise ModelError(
            f"{count} independent patterns of {n} spins leave spin {alone[0]} without a coupling; give fewer patterns "
            f"or rule='hebb'"
        )
    projector[np.abs(projector) < _ROUNDING] = 0
    return projector


_RULES = {"hebb": _hebb, "pseudo-inverse": _projection}
