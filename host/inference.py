"""What the array makes of part of a state: labels from images, images from labels, the rest of an image."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..compiler.models import Model
from ..contract.errors import RequestError
from ..contract.sampler import Sampler
from .chains import Chains, pair_model
from .moments import Float, States

CHAINS = 512
"""Rows at a time: as many chains fill the lanes of a simulator, and their states fit its caches."""

BURN_IN = 50
SWEEPS = 100
START_BETA = 0.25
"""Hot enough for chains to leave the states that they began in."""


def infer(
    sampler: Sampler,
    given: Sequence[Hashable],
    rows: npt.ArrayLike,
    wanted: Sequence[Hashable],
    *,
    burn_in: int = BURN_IN,
    sweeps: int = SWEEPS,
    start_beta: float = START_BETA,
    progress: Callable[[int, int], None] | None = None,
) -> Float:
    """Means of variables given others, one chain per row: annealed from a low beta to 1, then averaged over sweeps.

    Parameters
    ----------
    sampler : Sampler
        Simulator, board or virtual device.
    given : sequence of hashable, length g
        Labels of the variables that are clamped.
    rows : array_like, shape (k, g)
        To what, in the model's units.
    wanted : sequence of hashable, length w
        Labels of the variables that are averaged.
    burn_in : int
        Sweeps in which beta rises from ``start_beta`` to 1.
    sweeps : int
        Sweeps at beta 1 that are averaged over.
    start_beta : float
    progress : callable, optional
        Called with rows done and rows in all.

    Returns
    -------
    ndarray of float64, shape (k, w)
        In the model's units.

    Raises
    ------
    RequestError
        If a label is unknown, the rows do not fit, or nothing would be averaged.
    """
    model = pair_model(sampler.program)
    clamped, asked = _places(model, given), _places(model, wanted)
    values = _checked(model, rows, len(clamped))
    if sweeps < 1 or burn_in < 0:
        raise RequestError(f"{burn_in} sweeps of burn-in and {sweeps} averaged; give at least 0 and 1")
    if not len(asked):
        raise RequestError("no variable is wanted; name at least one")
    means = np.empty((len(values), len(asked)))
    chains = Chains(sampler, min(CHAINS, len(values)))
    for first in range(0, len(values), chains.count):
        part = values[first : first + chains.count]
        chains.write(clamped, part)
        chains.hold(clamped)
        if burn_in:
            chains.run(burn_in, (start_beta, 1.0))
        means[first : first + len(part)] = _average(chains, asked, sweeps)[: len(part)]
        if progress is not None:
            progress(min(first + chains.count, len(values)), len(values))
    return means


def classify(
    sampler: Sampler,
    given: Sequence[Hashable],
    rows: npt.ArrayLike,
    classes: Sequence[Sequence[Hashable]],
    **options: Any,
) -> tuple[npt.NDArray[np.intp], Float]:
    """The class of each row: the one whose label units are 1 most of the time while the row is clamped.

    Parameters
    ----------
    sampler, given, rows, **options
        See `infer`.
    classes : sequence of sequences of hashable
        Label units of each class, one or more.

    Returns
    -------
    chosen : ndarray of int, shape (k,)
    means : ndarray of float64, shape (k, classes)
        Mean of each class's label units, in the model's units.

    Raises
    ------
    RequestError
        As `infer` does, or if a class has no label unit.
    """
    sizes = [len(units) for units in classes]
    if not sizes or min(sizes) < 1:
        raise RequestError(f"{len(sizes)} classes with {sizes} label units; give each class at least one")
    means = infer(sampler, given, rows, [unit for units in classes for unit in units], **options)
    firsts = np.cumsum([0, *sizes[:-1]])
    together: Float = np.add.reduceat(means, firsts, axis=1) / np.asarray(sizes)
    return together.argmax(axis=1), together


def _average(chains: Chains, wanted: npt.NDArray[np.intp], sweeps: int) -> Float:
    total = np.zeros((chains.count, len(wanted)))
    for _ in range(sweeps):
        chains.run(1)
        total += chains.read(wanted)
    return total / sweeps


def _places(model: Model, labels: Sequence[Hashable]) -> npt.NDArray[np.intp]:
    for label in labels:
        if label not in model.index:
            raise RequestError(f"the model has no variable {label!r}; see model.labels")
    if len(set(labels)) < len(labels):
        raise RequestError(f"{len(labels)} labels, only {len(set(labels))} of them different; name each variable once")
    return np.array([model.index[label] for label in labels], np.intp)


def _checked(model: Model, rows: npt.ArrayLike, width: int) -> States:
    values = np.asarray(rows)
    low, high = model.allowed
    if values.ndim != 2 or not len(values) or values.shape[1] != width:
        raise RequestError(f"rows have shape {values.shape}, {width} given variables need (rows, {width})")
    if not ((values == low) | (values == high)).all():
        raise RequestError(f"rows of this model hold {low} and {high}; convert them first")
    return values
