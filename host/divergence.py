"""Contrastive divergence over any sampler: the array samples, the host keeps float master weights."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ..compiler.models import Model
from ..compiler.program import Program
from ..contract.errors import ModelError, RequestError
from ..contract.replicas import Snapshot
from ..contract.sampler import Sampler
from .chains import Chains, pair_model
from .moments import Both, Float, Float32, MeanField, Moments, States
from .negative import Clamped, FromData, ModelSide, Persistent, Side, Tempered, packed, unpack

CENTRE_RATE = 0.01
"""Share of a batch in the running means that centring subtracts."""

CENTRINGS = (None, "data", "enhanced")
ROUNDINGS = ("nearest", "stochastic")

_MASTERS = ("couplings", "biases", "_coupling_velocity", "_bias_velocity", "_centre")
_SIDES = ("_data", "_free", "_conditional")


class ContrastiveDivergence:
    """One learning rule, a step at a time: dJ_ij = rate (<x_i x_j>_data - <x_i x_j>_model), at beta = 1.

    The x are the model's own units, +1 and -1 or 0 and 1. The data side is
    sampled with the visible units clamped, one chain per row. The model side
    continues from there for ``sweeps`` free sweeps (CD-k; Hinton, Neural
    Computation 14, 1771, 2002), then draws the hidden units once more; or it moves
    persistent chains on by as many (PCD; Tieleman, ICML 2008), of which those of a
    ``ladder`` exchange their states with hotter ones.

    Parameters
    ----------
    sampler : Sampler
        Holds the program to be trained; its model's couplings and biases are the start.
    sweeps : int
        The k of CD-k.
    averaged : int
        Over how many sweeps each side's moments are averaged: the last of its ``sweeps``, or of CD-k so many draws of
        the hidden units.
    chains : int, optional
        Persistent chains; without it every step starts from the data.
    ladder : sequence of float, optional
        Betas that persistent chains are tempered at, ascending to 1 (Desjardins et al., AISTATS 2010).
    mean_field : bool
        Whether the data side's hidden units are the host's own means given the visible ones, exact and without noise:
        for a restricted Boltzmann machine. Not for an array that differs from its program, as devices that vary do:
        what is learned must then be sampled there.
    momentum : float
        Share of the last step's direction that this one keeps, so that steps become 1 / (1 - momentum) times as long.
    weight_decay : float
        Times each coupling is taken from its gradient.
    centring : {"data", "enhanced"}, optional
        Means to subtract from the units, so that their offsets do not slow learning: running means of the data side
        (Montavon and Mueller, 2012), or those of both sides of a step (Cho, Raiko and Ilin, ICML 2011).
    rounding : {"nearest", "stochastic"}
        How streamed weights are rounded: at random they are right in the mean.
    fixed : array_like of int
        Edges of the model whose couplings stay.
    targets : sequence of hashable
        Labels of visible units that are to be told from the others.
    discriminative : float
        Share of the model side that is sampled with all other visible units clamped, so that P(targets | the others)
        is learned rather than P(visible); 1 for that alone (Larochelle and Bengio, ICML 2008).
    seed : int
        Of exchanges and of rounding; chains draw from the sampler's own streams.

    Raises
    ------
    ModelError
        If ``mean_field`` is asked for, and the model is no restricted Boltzmann machine, or a target is not visible.
    RequestError
        If an option is outside its range, or needs another.
    """

    def __init__(
        self,
        sampler: Sampler,
        *,
        sweeps: int = 1,
        averaged: int = 1,
        chains: int | None = None,
        ladder: Sequence[float] = (),
        mean_field: bool = False,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        centring: Literal["data", "enhanced"] | None = None,
        rounding: Literal["nearest", "stochastic"] = "nearest",
        fixed: npt.ArrayLike = (),
        targets: Sequence[Hashable] = (),
        discriminative: float = 0.0,
        seed: int = 0,
    ) -> None:
        counts = {"sweeps": sweeps, "averaged": averaged, "chains": chains}
        shares = {"momentum": momentum, "weight_decay": weight_decay}
        _check(counts, shares, discriminative, targets)
        if averaged > sweeps:
            raise RequestError(f"moments cannot be averaged over {averaged} of {sweeps} sweeps; raise sweeps")
        _check_choices({"centring": (centring, CENTRINGS), "rounding": (rounding, ROUNDINGS)})
        if len(ladder) and chains is None:
            raise RequestError("a ladder of betas needs persistent chains: say how many with chains")
        program: Program = sampler.program
        self._sampler, self._sweeps = sampler, sweeps
        self._model = pair_model(program)
        self._moments = Moments(self._model)
        self._mean_field = MeanField(program) if mean_field else None
        self._momentum, self._decay = np.float32(momentum), np.float32(weight_decay)
        self._centring, self._rounding, self._share = centring, rounding, np.float32(discriminative)
        self._fixed = _edges(self._model, fixed)
        self._rng = np.random.default_rng((seed, 1))
        self._data = Clamped(sampler, sweeps, averaged, np.arange(len(self._model.visible)))
        self._free = _free_side(sampler, sweeps, averaged, chains, ladder, (seed, 2))
        self._conditional = Clamped(sampler, sweeps, averaged, _given(self._model, targets))
        self._centre: Float32 | None = None
        self._coupling_velocity = np.zeros(len(self._model.edges), np.float32)
        self._bias_velocity = np.zeros(self._model.size, np.float32)
        self.couplings: Float = self._model.couplings.copy()
        self.biases: Float = self._model.biases.copy()

    @property
    def program(self) -> Program:
        """The program as trained so far, its weights rounded to the nearest."""
        program: Program = self._sampler.program
        return program if self._rounding == "nearest" else program.reweighted(self.couplings, self.biases)

    def step(self, rows: States, rate: float) -> float:
        """Move couplings and biases along the gradient that a batch gives.

        They are streamed to the sampler after the step or, to be rounded at random, before the next one.

        Parameters
        ----------
        rows : ndarray, shape (k, n_visible)
            Visible units, in the model's own units and order; with persistent chains and ``mean_field`` also means.
        rate : float
            Learning rate.

        Returns
        -------
        float
            Root mean square of the gradient.
        """
        if self._rounding == "stochastic":
            self._stream_at_random()
        correlation, mean = self._centred(*self._sides(rows))
        norm = np.sqrt((correlation @ correlation + mean @ mean) / (correlation.size + mean.size))
        if self._decay:
            correlation -= self._decay * self.couplings.astype(np.float32)
        correlation[self._fixed] = 0
        if self._momentum:
            correlation += self._momentum * self._coupling_velocity
            mean += self._momentum * self._bias_velocity
            self._coupling_velocity, self._bias_velocity = correlation, mean
        # Beyond the format's range the array would not follow, and the masters would wind up.
        bound = self._sampler.program.image.grid.largest
        for masters, move in ((self.couplings, correlation), (self.biases, mean)):
            masters += np.float32(rate) * move
            masters.clip(-bound, bound, out=masters)
        if self._rounding == "nearest":
            self.settle()
        return float(norm)

    def settle(self) -> None:
        """Stream the weights rounded to the nearest, as `program` has them."""
        self._sampler.set_weights(self.couplings, self.biases)

    def reconstruct(self, rows: States) -> States:
        """Visible units after ``sweeps`` free sweeps that begin at rows, shape (k, n_visible)."""
        chains, _ = Clamped(self._sampler, self._sweeps, 1, np.arange(len(self._model.visible))).advance(rows)
        chains.hold(np.empty(0, np.intp))
        chains.run(self._sweeps)
        return chains.read(self._model.visible)

    def snapshot(self) -> Snapshot:
        """All that further steps depend on, as arrays by name."""
        arrays: Snapshot = {name: getattr(self, name).copy() for name in _MASTERS if getattr(self, name) is not None}
        arrays["rng"] = packed(self._rng)
        for name in _SIDES:
            side: Side = getattr(self, name)
            arrays |= {f"{name}.{key}": array for key, array in side.snapshot().items()}
        return arrays

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot of a learner of the same program and the same options; weights are streamed."""
        for name in _MASTERS:
            setattr(self, name, snapshot[name].copy() if name in snapshot else None)
        unpack(snapshot["rng"], self._rng)
        for name in _SIDES:
            own = {key: array for key, array in snapshot.items() if key.startswith(f"{name}.")}
            side: Side = getattr(self, name)
            side.restore({key.removeprefix(f"{name}."): array for key, array in own.items()})
        self.settle()

    def _sides(self, rows: States) -> tuple[Both, Both]:
        """Moments of the data side and of the model side."""
        data, positive = self._data_side(rows)
        if not self._share:
            return positive, self._free.advance(data, len(rows))
        conditional = self._conditional_moments(rows)
        if self._share == 1:
            return positive, conditional
        free = self._free.advance(data, len(rows))
        correlation, mean = (one + self._share * (other - one) for one, other in zip(free, conditional, strict=True))
        return positive, (correlation, mean)

    def _data_side(self, rows: States) -> tuple[Chains | None, Both]:
        """Chains that hold the rows, if any are needed, and moments."""
        sampled = self._mean_field is None and len(self._model.hidden) > 0
        if sampled:
            return self._data.advance(rows)
        chains = self._data.hold(rows) if isinstance(self._free, FromData) and self._share < 1 else None
        if self._mean_field is None:
            return chains, self._moments(rows)
        if chains is not None:
            chains.run(self._sweeps)
        return chains, self._moments(self._mean_field(self._sampler.program, rows))

    def _conditional_moments(self, rows: States) -> Both:
        if self._mean_field is None:
            return self._conditional.advance(rows)[1]
        return self._conditional.advance(rows, self._mean_moments)[1]

    def _mean_moments(self, chains: Chains, count: int) -> Both:
        """Moments with the hidden units' means for their states."""
        assert self._mean_field is not None
        visible = chains.read(self._model.visible)[:count]
        return self._moments(self._mean_field(self._sampler.program, visible))

    def _centred(self, data: Both, model: Both) -> Both:
        """The gradient, in the units less their means if so asked (Montavon and Mueller, 2012, equations 4 to 6)."""
        correlation, mean = data[0] - model[0], data[1] - model[1]
        if self._centring is None:
            return correlation, mean
        if self._centring == "enhanced":
            centre = (data[1] + model[1]) / 2
        else:
            before = data[1] if self._centre is None else self._centre
            centre = self._centre = before + np.float32(CENTRE_RATE) * (data[1] - before)
        first, second = self._model.edges.T
        correlation -= centre[first] * mean[second] + centre[second] * mean[first]
        correlation[self._fixed] = 0  # biases make up for couplings that move, and for no others
        for one, other in ((first, second), (second, first)):
            mean -= np.bincount(one, correlation * centre[other], self._model.size).astype(np.float32)
        return correlation, mean

    def _stream_at_random(self) -> None:
        """Give the sampler the weights with noise of one step added, and so rounded at random."""
        step = self._sampler.program.image.grid.step
        self._sampler.set_weights(
            *(w + step * (self._rng.random(w.shape) - 0.5) for w in (self.couplings, self.biases))
        )


def _free_side(
    sampler: Sampler,
    sweeps: int,
    averaged: int,
    chains: int | None,
    ladder: Sequence[float],
    seed: tuple[int, int],
) -> ModelSide:
    """What samples the whole model."""
    if chains is None:
        return FromData(sampler, sweeps, averaged)
    if len(ladder):
        return Tempered(sampler, sweeps, averaged, chains, ladder, seed)
    return Persistent(sampler, sweeps, averaged, chains)


def _edges(model: Model, places: npt.ArrayLike) -> npt.NDArray[np.intp]:
    """Places of edges, of which there are as many."""
    try:
        wanted = np.asarray(places, np.intp)
    except (TypeError, ValueError):
        raise RequestError(f"fixed is {places!r}; give the places of edges") from None
    if wanted.size and not 0 <= wanted.min() <= wanted.max() < len(model.edges):
        raise RequestError(f"fixed names edges {wanted.min()} to {wanted.max()}; the model has {len(model.edges)}")
    return wanted


def _given(model: Model, targets: Sequence[Hashable]) -> npt.NDArray[np.intp]:
    """Places of the visible units that are no targets."""
    places = {model.labels[unit]: place for place, unit in enumerate(model.visible)}
    for label in targets:
        if label not in places:
            raise ModelError(f"target {label!r} is no visible unit of the model")
    return np.delete(np.arange(len(places)), [places[label] for label in targets])


def _check(
    counts: dict[str, int | None], shares: dict[str, float], discriminative: float, targets: Sequence[Hashable]
) -> None:
    for name, count in counts.items():
        if count is not None:
            check_count(name, count, 1)
    for name, share in shares.items():
        if not 0 <= share < 1:
            raise RequestError(f"{name} is {share}; it must be at least 0 and less than 1")
    if not 0 <= discriminative <= 1:
        raise RequestError(f"discriminative is {discriminative}; it is a share from 0 to 1")
    if discriminative and not targets:
        raise RequestError("discriminative training needs targets: the labels of the units to be told")


def check_count(name: str, count: Any, least: int) -> None:
    """Raise `RequestError` unless a count is a whole number and not too small."""
    if not isinstance(count, (int, np.integer)) or count < least:
        raise RequestError(f"{name} is {count!r}; it must be at least {least}, and a whole number")


def _check_choices(choices: dict[str, tuple[Any, tuple[Any, ...]]]) -> None:
    for name, (chosen, allowed) in choices.items():
        if chosen not in allowed:
            raise RequestError(f"{name} is {chosen!r}; use {' or '.join(repr(one) for one in allowed)}")
