"""Annealed importance sampling: ln Z of large restricted Boltzmann machines, from below, from above, and per row.

R. M. Neal, Statistics and Computing 11, 125, 2001; for restricted Boltzmann
machines R. Salakhutdinov and I. Murray, ICML 2008.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf

import numpy as np
import numpy.typing as npt

from ..compiler.models import Model
from ..contract.errors import ModelError, RequestError
from .enumeration import MAX_UNITS, exact_samples, is_small
from .layers import Float, draw_bits, layers_of, softplus, visible_bits


@dataclass(frozen=True)
class Estimate:
    """A value in nats and how far to trust it.

    Parameters
    ----------
    value : float
    error : float
        One standard error, by the jackknife over runs; 0 for an exact value.
    method : str
        "exact", "AIS", "reverse AIS" or "RAISE".
    effective_runs : float
        (sum w)^2 / sum w^2 of the runs' importance weights w, infinite for an
        exact value. Where few are left, value and error mean little.
    """

    value: float
    error: float = 0.0
    method: str = "exact"
    effective_runs: float = inf


class AIS:
    """Chains between a base distribution and a restricted Boltzmann machine at beta = 1.

    With base biases a, distribution k has couplings beta_k W, hidden biases
    beta_k c and visible biases (1 - beta_k) a + beta_k b, for beta_k = k / K. The
    hidden units are summed out of the weights; a transition is one step of block
    Gibbs sampling.

    Parameters
    ----------
    model : Model
        A restricted Boltzmann machine, such as ``program.quantised``.
    rows : array_like, shape (k, n_visible)
        Data, in the model's own units. The base distribution has each visible
        unit's mean over them, one row of each value added. From a base far from
        the data all runs may miss the mode that holds them, and no error shows it.
    temperatures : int
        K. The cost is proportional to it.
    runs : int
        Independent chains, per row in `log_likelihood`.
    seed : int
        Of the chains.
    progress : callable, optional
        Called with temperatures done and temperatures in all.

    Raises
    ------
    ModelError
        If the model is no restricted Boltzmann machine, or the rows do not fit it.
    RequestError
        If there are no temperatures, or too few runs for an error.
    """

    def __init__(
        self,
        model: Model,
        rows: npt.ArrayLike,
        *,
        temperatures: int = 1000,
        runs: int = 100,
        seed: int = 0,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        if temperatures < 1 or runs < 2:
            raise RequestError(f"{temperatures} temperatures and {runs} runs; give at least 1 and 2")
        self._model = model
        self._layers = layers_of(model)
        self._base = _fitted_biases(visible_bits(model, rows))
        # ln Z of the base distribution, and the offset that all distributions share
        hidden = len(model.hidden) * np.log(2)
        self._base_log_partition = float(softplus(self._base).sum() + hidden - self._layers.offset)
        self._betas = np.linspace(0, 1, temperatures + 1)
        self._runs = runs
        self._seed = seed
        self._progress = progress

    def log_partition(self) -> Estimate:
        """ln Z from runs that start at the base: in the mean below the truth, as a logarithm of an unbiased Z is.

        Returns
        -------
        Estimate
        """
        rng = np.random.default_rng((self._seed, 0))
        fields = np.tile(self._base, (self._runs, 1))
        value, error, effective = log_mean_exp(self._forward(draw_bits(fields, rng), rng))
        return Estimate(self._base_log_partition + float(value), float(error), "AIS", float(effective))

    def reverse_log_partition(self) -> Estimate:
        """ln Z from runs that start at exact samples and end at the base: in the mean above the truth.

        With `log_partition` it makes a sandwich (bidirectional Monte Carlo;
        R. Grosse, Z. Ghahramani and R. P. Adams, arXiv:1511.02543, 2015).

        Returns
        -------
        Estimate

        Raises
        ------
        ModelError
            If both layers are too large to draw exact samples.
        """
        if not is_small(self._layers):
            visible, hidden = self._layers.weights.shape
            raise ModelError(f"no exact samples of {visible} x {hidden} units; one layer must have {MAX_UNITS} or less")
        rng = np.random.default_rng((self._seed, 1))
        value, error, effective = log_mean_exp(-self._reverse(exact_samples(self._layers, self._runs, rng), rng))
        return Estimate(self._base_log_partition - float(value), float(error), "reverse AIS", float(effective))

    def log_likelihood(self, rows: npt.ArrayLike) -> Estimate:
        """Mean log-likelihood of rows from runs that start at each of them: a conservative estimate.

        It is in the mean below the log-likelihood under the annealing itself, as
        a generator of samples, whose distribution tends to the model's with more
        temperatures, and with few of them can be the likelier one (RAISE;
        Y. Burda, R. Grosse and R. Salakhutdinov, AISTATS 2015).

        Parameters
        ----------
        rows : array_like, shape (k, n_visible)
            In the model's own units; all k * runs chains are held at once.

        Returns
        -------
        Estimate
            Its effective runs are the mean over rows.

        Raises
        ------
        ModelError
            If the rows do not fit the model.
        """
        rng = np.random.default_rng((self._seed, 2))
        bits = visible_bits(self._model, rows)
        logs = -self._reverse(bits.repeat(self._runs, axis=0), rng).reshape(len(bits), self._runs)
        values, errors, effective = log_mean_exp(logs)
        value = (values + self._layers.log_weights(bits)).mean() - self._base_log_partition
        error = np.sqrt((errors**2).sum()) / len(bits)
        return Estimate(float(value), float(error), "RAISE", float(effective.mean()))

    def _forward(self, bits: Float, rng: np.random.Generator) -> Float:
        """Log-weights of chains from samples of the base, shape (chains,)."""
        total = np.zeros(len(bits))
        for low, high in self._report(np.stack([self._betas[:-1], self._betas[1:]], axis=1)):
            fields = self._layers.hidden_fields(bits)
            total += self._gain(bits, fields, low, high)
            bits = self._transition(fields, high, rng)
        return total

    def _reverse(self, bits: Float, rng: np.random.Generator) -> Float:
        """Log-weights of chains from samples of the model, as of the forward chains that they are reversals of."""
        total = np.zeros(len(bits))
        fields = self._layers.hidden_fields(bits)
        for high, low in self._report(np.stack([self._betas[:0:-1], self._betas[-2::-1]], axis=1)):
            bits = self._transition(fields, high, rng)
            fields = self._layers.hidden_fields(bits)
            total += self._gain(bits, fields, low, high)
        return total

    def _report(self, steps: Float) -> Iterator[Float]:
        for done, step in enumerate(steps, 1):
            yield step
            if self._progress is not None:
                self._progress(done, len(steps))

    def _gain(self, bits: Float, fields: Float, low: float, high: float) -> Float:
        """ln of the ratio of the unnormalised probabilities of visible states at two temperatures."""
        visible = (high - low) * (bits @ (self._layers.visible_biases - self._base))
        return visible + (softplus(high * fields) - softplus(low * fields)).sum(axis=1)

    def _transition(self, fields: Float, beta: float, rng: np.random.Generator) -> Float:
        """A step of block Gibbs sampling at one temperature: hidden units, then visible ones."""
        hidden = draw_bits(beta * fields, rng)
        biases = (1 - beta) * self._base + beta * self._layers.visible_biases
        return draw_bits(biases + beta * (hidden @ self._layers.weights.T), rng)


def _fitted_biases(bits: Float) -> Float:
    """Biases that give each bit its mean, with one row of zeros and one of ones added."""
    ones = bits.sum(axis=0) + 1
    return np.log(ones / (len(bits) + 2 - ones))


def log_mean_exp(logs: Float) -> tuple[Float, Float, Float]:
    """ln of the mean of exp(log) over the last axis, its error by the jackknife, and the effective number.

    The sums with one left out are added up from both ends in logarithms, so that
    nothing cancels where one weight is all of the sum.

    Parameters
    ----------
    logs : ndarray of float64, shape (..., n)
        At least two.

    Returns
    -------
    value, error, effective : ndarray of float64, shape (...)
    """
    count = logs.shape[-1]
    before = np.logaddexp.accumulate(logs, axis=-1)
    after = np.logaddexp.accumulate(logs[..., ::-1], axis=-1)[..., ::-1]
    inner = np.logaddexp(before[..., :-2], after[..., 2:])
    left_out = np.concatenate([after[..., 1:2], inner, before[..., -2:-1]], axis=-1)
    total = before[..., -1]
    effective = np.exp(2 * total - np.logaddexp.reduce(2 * logs, axis=-1))
    return total - np.log(count), np.sqrt((count - 1) * left_out.var(axis=-1)), effective
