"""Contrastive divergence over any sampler: the array samples, the host keeps float master weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..compiler.models import Model
from ..compiler.program import Program
from ..contract.errors import ModelError, RequestError
from ..contract.sampler import Sampler
from ..contract.update import Unit
from .moments import Float, MeanField, Moments, States


@dataclass
class History:
    """What a training run measured, one entry per epoch.

    Parameters
    ----------
    moment_error : list of float
        Root mean square of <.>_data - <.>_model over couplings and biases,
        averaged over the epoch's steps: the gradient, its sampling noise included.
    evaluation : list of float
        What ``evaluate`` returned.
    """

    moment_error: list[float] = field(default_factory=list)
    evaluation: list[float] = field(default_factory=list)


class ContrastiveDivergence:
    """One learning rule, a step at a time: dJ_ij = rate (<x_i x_j>_data - <x_i x_j>_model), at beta = 1.

    The x are the model's own units, +1 and -1 or 0 and 1. The data side is
    sampled with the visible units clamped, one replica per row. The model side
    continues from there for ``sweeps`` free sweeps (CD-k; Hinton, Neural
    Computation 14, 1771, 2002), or moves persistent chains on by as many (PCD;
    Tieleman, ICML 2008). One more sweep, with the visible units clamped, draws
    the hidden units anew, so that the result does not depend on which colour
    the sweep ended with. With ``mean_field`` the hidden units of both sides are
    instead the host's own means given the visible ones, exact and without noise,
    for a restricted Boltzmann machine on an array that is as its program says.

    Parameters
    ----------
    sampler : Sampler
        Holds the program to be trained; its model's couplings and biases are the start.
    sweeps : int
        The k of CD-k.
    chains : int, optional
        Persistent chains; without it every step starts from the data.
    seed : int
        For the chains' and the hidden units' first states.
    mean_field : bool
        Whether hidden units count as their means. Not for an array that differs from its program, as devices that
        vary do: what is learned must then be sampled there.

    Raises
    ------
    ModelError
        If ``mean_field`` is asked for, and the model is no restricted Boltzmann machine.
    """

    def __init__(
        self,
        sampler: Sampler,
        *,
        sweeps: int = 1,
        chains: int | None = None,
        seed: int = 0,
        mean_field: bool = False,
    ) -> None:
        program: Program = sampler.program
        self._sampler = sampler
        self._sweeps = sweeps
        self._model: Model = program.model
        self._moments = Moments(self._model)
        self._mean_field = MeanField(program) if mean_field else None
        self._rng = np.random.default_rng((seed, 1))
        self._labels = [self._model.labels[i] for i in self._model.visible]
        self._chains = None if chains is None else self._random_states(chains)
        self.couplings: Float = self._model.couplings.copy()
        self.biases: Float = self._model.biases.copy()

    def step(self, rows: States, rate: float) -> float:
        """Move couplings and biases along the gradient that a batch gives, and stream them to the sampler.

        Parameters
        ----------
        rows : ndarray, shape (k, n_visible)
            Visible units, in the model's own units and order; with ``chains`` and ``mean_field`` also their means.
        rate : float
            Learning rate.

        Returns
        -------
        float
            Root mean square of the gradient.
        """
        data, free = self._sides(rows)
        data_correlation, data_mean = self._moments(data)
        model_correlation, model_mean = self._moments(free)
        correlation, mean = data_correlation - model_correlation, data_mean - model_mean
        image = self.program.image
        # Beyond the format's range the array would not follow, and the masters would wind up.
        bound = image.grid.largest
        for masters, gradient in ((self.couplings, correlation), (self.biases, mean)):
            masters += np.float32(rate) * gradient
            masters.clip(-bound, bound, out=masters)
        self._sampler.set_weights(self.couplings, self.biases)
        return float(np.sqrt((correlation @ correlation + mean @ mean) / (correlation.size + mean.size)))

    def _sides(self, rows: States) -> tuple[States, States]:
        """States of the data side and of the model side; with means for hidden units if so asked."""
        data = self._data(rows) if self._chains is None or self._mean_field is None else rows
        free = self._run(data if self._chains is None else self._chains, self._sweeps, {})
        if self._mean_field is None:
            free = self._draw_hidden(free, 1)
        if self._chains is not None:
            self._chains = free
        if self._mean_field is None:
            return data, free
        visible = np.concatenate([rows, free[:, self._model.visible]])
        both = self._mean_field(self.program, visible)
        return both[: len(rows)], both[len(rows) :]

    @property
    def program(self) -> Program:
        """The program as trained so far."""
        program: Program = self._sampler.program
        return program

    def reconstruct(self, rows: States) -> States:
        """Visible units after ``sweeps`` free sweeps that begin at rows, shape (k, n_visible)."""
        return self._run(self._data(rows), self._sweeps, {})[:, self._model.visible]

    def _data(self, rows: States) -> States:
        """States with the visible units held at rows and the hidden units sampled."""
        states = self._random_states(len(rows))
        states[:, self._model.visible] = rows
        return self._draw_hidden(states, self._sweeps)

    def _draw_hidden(self, states: States, sweeps: int) -> States:
        """Sweep with the visible units clamped to where they are."""
        if not len(self._model.hidden):
            return states
        clamp = dict(zip(self._labels, states[:, self._model.visible].T, strict=True))
        return self._run(states, sweeps, clamp)

    def _run(self, states: States, sweeps: int, clamp: dict[Any, States]) -> States:
        samples = self._sampler.sample(sweeps, replicas=len(states), keep_every=sweeps, initial=states, clamp=clamp)
        return samples.states

    def _random_states(self, count: int) -> States:
        bits = self._rng.integers(0, 2, (count, self._model.size), np.int8)
        return bits * 2 - 1 if self._model.unit is Unit.SPIN else bits


def train(
    sampler: Sampler,
    data: npt.ArrayLike,
    *,
    epochs: int,
    learning_rate: float | tuple[float, float],
    batch_size: int = 100,
    sweeps: int = 1,
    chains: int | None = None,
    seed: int = 0,
    evaluate: Callable[[Program], float] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> History:
    """Train the program that a sampler holds; afterwards ``sampler.program`` is the trained one.

    Parameters
    ----------
    sampler : Sampler
        Simulator or device.
    data : array_like, shape (k, n_visible)
        Rows of visible units, +1 and -1 or 0 and 1 as the model has them.
    epochs : int
        Passes over the data.
    learning_rate : float or (float, float)
        Constant, or linear from first to last step.
    batch_size : int
        Rows per step; the order of rows is shuffled in every epoch.
    sweeps, chains, seed
        See `ContrastiveDivergence`; the seed also shuffles.
    evaluate : callable, optional
        Called with the program after every epoch; what it returns is kept in the history.
    progress : callable, optional
        Called with steps done and steps in all.

    Returns
    -------
    History

    Raises
    ------
    ModelError, RequestError
        If the data do not fit the model, or nothing would be learned.
    LinkError
        If the sampler is a device and its link fails.
    """
    rows = _checked(sampler.program.model, data)
    counts = {"epochs": epochs, "batch_size": batch_size, "sweeps": sweeps, "chains": 1 if chains is None else chains}
    for name, count in counts.items():
        if count < 1:
            raise RequestError(f"{name} is {count}; it must be at least 1")
    learner = ContrastiveDivergence(sampler, sweeps=sweeps, chains=chains, seed=seed)
    shuffle = np.random.default_rng(seed)
    steps = -(-len(rows) // batch_size)
    first, last = learning_rate if isinstance(learning_rate, tuple) else (learning_rate, learning_rate)
    rates = np.linspace(first, last, epochs * steps)
    history = History()
    for epoch in range(epochs):
        errors: list[float] = []
        for batch in batches(rows, batch_size, shuffle):
            done = epoch * steps + len(errors)
            errors.append(learner.step(batch, rates[done]))
            if progress is not None:
                progress(done + 1, epochs * steps)
        history.moment_error.append(float(np.mean(errors)))
        if evaluate is not None:
            history.evaluation.append(evaluate(sampler.program))
    return history


def batches(rows: States, size: int, rng: np.random.Generator) -> list[States]:
    """All rows in a random order, in parts of ``size`` or one less."""
    return np.array_split(rows[rng.permutation(len(rows))], -(-len(rows) // size))


def _checked(model: Model, data: npt.ArrayLike) -> States:
    rows = np.asarray(data)
    allowed = (-1, 1) if model.unit is Unit.SPIN else (0, 1)
    if rows.ndim != 2 or not len(rows) or rows.shape[1] != len(model.visible):
        raise ModelError(f"data have shape {rows.shape}, the model needs (rows, {len(model.visible)})")
    if not np.isin(rows, allowed).all():
        raise ModelError(f"this model learns from values {allowed[0]} and {allowed[1]}; convert the data first")
    return rows.astype(np.int8)
