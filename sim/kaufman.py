"""The periodic square Ising lattice in closed form: a reference beyond the reach of enumeration.

B. Kaufman, Phys. Rev. 76, 1232 (1949), gives the partition function of every
finite lattice on a torus.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract.errors import RequestError
from ..contract.update import Unit

Float = npt.NDArray[np.float64]

MIN_SIDE = 3
"""Smallest side whose torus has no double bond."""


def log_partition(side: int, coupling: float) -> float:
    """ln Z of the side x side Ising model with periodic boundaries.

    Parameters
    ----------
    side : int
        Spins along each axis.
    coupling : float
        K = beta J of every bond, positive.

    Raises
    ------
    RequestError
        If the coupling is not positive.
    """
    if coupling <= 0:
        raise RequestError(f"coupling K is {coupling:g}; Kaufman's formula is used for K above 0, ferromagnets")
    t = 2 * coupling
    angles = np.pi * np.arange(1, 2 * side + 1) / side
    gammas = np.arccosh(np.maximum(np.cosh(t) / np.tanh(t) - np.cos(angles), 1.0))
    gammas[-1] = t + np.log(np.tanh(coupling))  # the one that changes sign, at the critical temperature
    signs, logs = zip(*(_products(side * half / 2) for half in (gammas[::2], gammas[1::2])), strict=True)
    exponents, weights = np.concatenate(logs), np.concatenate(signs)
    top = exponents.max()
    total = float(weights @ np.exp(exponents - top))
    return float(side * side / 2 * np.log(2 * np.sinh(t)) + top + np.log(total / 2))


def _products(x: Float) -> tuple[Float, Float]:
    """Signs and logarithms of prod 2 cosh x and prod 2 sinh x."""
    size = np.abs(x)
    with np.errstate(divide="ignore"):
        logs = [(size + np.log1p(np.exp(-2 * size))).sum(), (size + np.log(-np.expm1(-2 * size))).sum()]
    return np.array([1.0, np.prod(np.sign(x))]), np.array(logs)


def energy_per_spin(side: int, coupling: float) -> float:
    """Mean energy per spin in units of J, - d ln Z / dK / side^2, by a five-point difference.

    Parameters
    ----------
    side, coupling
        As for `log_partition`.
    """
    h = min(1e-3, coupling / 8, 0.03 / side)  # well inside the rounded transition, which is 1 / side wide
    logs = [log_partition(side, coupling + k * h) for k in (-2, -1, 1, 2)]
    return -(logs[0] - 8 * logs[1] + 8 * logs[2] - logs[3]) / (12 * h) / side**2


def torus(model: Any) -> tuple[int, float] | None:
    """Side and J of a model that is a periodic square lattice with one coupling and no bias.

    Parameters
    ----------
    model : Model
        Any; a lattice is recognised with its variables in C order, as `library.lattice` makes it.

    Returns
    -------
    (int, float) or None
        None for every other model. On an even side an antiferromagnet is the
        ferromagnet with every second spin turned, so that J is given positive.
    """
    side = round(model.size**0.5)
    if side < MIN_SIDE or side * side != model.size or model.unit is not Unit.SPIN or model.biases.any():
        return None
    strengths = np.unique(model.couplings)
    if len(strengths) != 1 or not np.array_equal(model.edges, _torus_edges(side)):
        return None
    strength = float(strengths[0])
    if strength == 0 or (strength < 0 and side % 2):
        return None
    return side, abs(strength)


def _torus_edges(side: int) -> npt.NDArray[np.int64]:
    """Bonds i < j of the lattice, sorted."""
    sites = np.arange(side * side).reshape(side, side)
    pairs = [np.stack([sites.ravel(), np.roll(sites, -1, axis).ravel()], axis=1) for axis in (0, 1)]
    edges = np.sort(np.concatenate(pairs), axis=1)
    return edges[np.lexsort(edges.T[::-1])]
