"""Fidelity: how far a quantised model is from the one that was asked for, and how many bits are enough.

With errors e of couplings and of biases, in units of spins, the energies of both models differ by at most S = sum |e|.
The divergence of the two Boltzmann distributions is then at most (beta S)^2 / 2, because the logarithm of the mean of
an exponential exceeds the exponential's mean logarithm by at most an eighth of its squared range (Hoeffding's lemma).
To leading order at high temperature it is beta^2 / 2 times the sum of e^2: the variance of that difference.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..contract.errors import FormatError, RequestError
from ..contract.formats import MAX_BITS, Grid
from ..contract.update import Unit
from .base import Model, Variables
from .edges import Float
from .expansion import Expansion
from .lowering import lower
from .quantise import Quantisation, choose_grid, measure
from .spectrum import spectrum

MOST_ENUMERATED = 18
"""Variables up to which the divergence is exact."""

TIE = 1e-9
"""Energies this near, relative to the largest, are those of one level."""

EXACT = 1e-12
"""A bound of the divergence below this is rounding of floats."""

WHAT_IF_BITS = tuple(range(2, 13))


@dataclass(frozen=True)
class Fidelity:
    """What quantising does to a distribution.

    Parameters
    ----------
    quantisation : Quantisation
        Grid and errors.
    beta : float
        Inverse temperature.
    kl : float
        Kullback-Leibler divergence of the quantised distribution from the wanted one, sum p ln(p / q), in nats.
    exact : bool
        Whether ``kl`` was enumerated; else it is the leading order at high temperature.
    kl_bound : float
        What it cannot exceed.
    gap, kept_gap : float, optional
        Energy between the ground states and the next level, and what is left of it: the least energy of any other
        state above the highest of these ground states, negative if they are no longer the lowest. None where that was
        not enumerated, or every state is a ground state.
    """

    quantisation: Quantisation
    beta: float
    kl: float
    exact: bool
    kl_bound: float
    gap: float | None
    kept_gap: float | None

    def to_json(self) -> dict[str, Any]:
        """The figures as JSON-able fields."""
        grid = self.quantisation.grid
        return {
            "bits": grid.weight_format.bits,
            "weight_format": str(grid.weight_format),
            "weight_scale": grid.scale,
            "max_error": self.quantisation.max_error,
            "saturated": self.quantisation.saturated_couplings + self.quantisation.saturated_biases,
            "beta": self.beta,
            "kl": self.kl,
            "kl_exact": self.exact,
            "kl_bound": self.kl_bound,
            "gap": self.gap,
            "kept_gap": self.kept_gap,
        }


def fidelity(model: Model, grid: Grid, beta: float = 1.0) -> Fidelity:
    """How far a model on a grid is from itself.

    Parameters
    ----------
    model : Model
    grid : Grid
    beta : float
        Inverse temperature.

    Raises
    ------
    RequestError
        If beta is negative or not finite.
    """
    if not 0 <= beta < np.inf:
        raise RequestError(f"beta is {beta}; give a finite number, not negative")
    rounded = model.with_values(grid.round(model.couplings), grid.round(model.biases))
    errors = _spin_errors(model, rounded)
    bound = (beta * float(np.abs(errors).sum())) ** 2 / 2
    quantisation = measure(grid, model.couplings, model.biases)
    if model.size > MOST_ENUMERATED:
        leading = beta**2 / 2 * float(errors @ errors)
        return Fidelity(quantisation, beta, leading, False, bound, None, None)
    wanted, got = spectrum(model), spectrum(rounded)
    kl = max(_divergence(-beta * wanted, -beta * got), 0.0)  # rounding may leave less than nothing
    return Fidelity(quantisation, beta, kl, True, bound, *_gaps(wanted, got))


def what_if(
    model: Variables | Expansion, beta: float = 1.0, weight_bits: Iterable[int] = WHAT_IF_BITS
) -> list[Fidelity]:
    """The fidelity that each number of weight bits gives, up to the first that is exact.

    Parameters
    ----------
    model : Model, Polynomial, Formula or Expansion
        As for `compile`; what it is lowered to is judged.
    beta : float
        Inverse temperature.
    weight_bits : iterable of int

    Raises
    ------
    ModelError, FormatError, RequestError
        If it is no model, or a number of bits or beta is out of range.
    """
    pairs, _ = lower(model)
    values = np.concatenate([pairs.couplings, pairs.biases])
    rows: list[Fidelity] = []
    for bits in weight_bits:
        rows.append(fidelity(pairs, choose_grid(values, bits), beta))
        if rows[-1].kl_bound <= EXACT:
            break
    return rows


def fewest_bits(model: Variables | Expansion, kl: float, beta: float = 1.0) -> int:
    """The fewest weight bits whose divergence is at most a target.

    Parameters
    ----------
    model : Model, Polynomial, Formula or Expansion
        As for `compile`.
    kl : float
        Largest divergence in nats: exact up to `MOST_ENUMERATED` p-bits, else to leading order at high temperature.
    beta : float
        Inverse temperature.

    Returns
    -------
    int
        For ``compile(model, weight_bits=...)``.

    Raises
    ------
    FormatError
        If no format does.
    ModelError, RequestError
        If it is no model, or beta is out of range.
    """
    pairs, _ = lower(model)
    best = np.inf
    for bits in range(2, MAX_BITS + 2):
        best = min(best, what_if(pairs, beta, [bits])[0].kl)
        if best <= kl:
            return bits
    raise FormatError(f"no format of up to {MAX_BITS + 1} bits reaches a divergence of {kl:g}; the best has {best:.2g}")


def _spin_errors(model: Model, rounded: Model) -> Float:
    """Errors of couplings and biases, in units of spins: a bit is (1 + m) / 2."""
    couplings, biases = rounded.couplings - model.couplings, rounded.biases - model.biases
    if model.unit is Unit.BIT:
        shares = np.bincount(model.edges.ravel(), np.repeat(couplings, 2), model.size)
        couplings, biases = couplings / 4, biases / 2 + shares / 4
    return np.concatenate([couplings, biases])


def _divergence(wanted: Float, got: Float) -> float:
    """sum p ln(p / q) of distributions that are proportional to the exponentials."""
    p, q = (logs - logs.max() for logs in (wanted, got))
    p, q = (logs - np.log(np.exp(logs).sum()) for logs in (p, q))
    return float(np.exp(p) @ (p - q))


def _gaps(wanted: Float, got: Float) -> tuple[float | None, float | None]:
    ground = wanted <= wanted.min() + TIE * (1 + np.abs(wanted).max())
    if ground.all():
        return None, None
    return float(wanted[~ground].min() - wanted.min()), float(got[~ground].min() - got[ground].max())
