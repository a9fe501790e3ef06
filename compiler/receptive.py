"""Sparse Boltzmann machines for images: hidden units with receptive fields, pixels and labels with copies.

No unit has more neighbours than the array allows, so a pixel that many hidden units look at is held by several visible
units, and a label by a ring of them, which hold together by a coupling of their own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..contract.errors import ModelError
from ..contract.update import Unit
from .edges import Float, Int64
from .models import BoltzmannMachine

FIELD_COUPLING = 1.0
"""Standard deviation of the couplings of a receptive field to begin with: hidden units see something from the start."""

LABEL_COUPLING = 0.05
TIE = 3.0
"""Coupling of neighbouring copies of a label: weak enough for them to turn over one after the other."""

LEAST_VARIANCE = 0.005
"""Pixels that vary less are not looked at."""

LEAST_RADIUS = 0.01
"""Smaller fields are those of this radius: the nearest pixels, as no random number outweighs a longer distance."""

VisibleLabel = tuple[str, int, int]
"""``("pixel", i, copy)`` or ``("label", class, copy)``."""


@dataclass(frozen=True, eq=False)
class ReceptiveMachine:
    """A sparse machine of bits, and which visible unit stands for what.

    Parameters
    ----------
    model : BoltzmannMachine
        Labels of its units are ``("pixel", i, copy)``, ``("label", class, copy)`` and ``h0``, ``h1`` ...
    columns : ndarray of int64, shape (n_visible,)
        Of rows that hold an image's pixels and then one bit for each class, the column that each visible unit shows.
    ties : ndarray of int64
        Edges between copies of a label, whose couplings are not to be learned.
    image_size : int
        Pixels of an image: columns from there on are those of classes.
    """

    model: BoltzmannMachine
    columns: Int64
    ties: Int64
    image_size: int

    @property
    def pixels(self) -> list[VisibleLabel]:
        """Labels of the visible units that show pixels, in order."""
        return [label for label in _labels(self.columns, self.image_size) if label[0] == "pixel"]

    @property
    def classes(self) -> list[list[VisibleLabel]]:
        """Labels of the units of each class."""
        units = [label for label in _labels(self.columns, self.image_size) if label[0] == "label"]
        count = int(self.columns[-1]) + 1 - self.image_size
        return [[label for label in units if label[1] == place] for place in range(count)]


def receptive_machine(
    images: npt.ArrayLike,
    shape: tuple[int, int],
    classes: int,
    *,
    hidden: int,
    field: int = 14,
    labels: int | None = None,
    radius: float = 4.0,
    max_degree: int = 20,
    seed: int = 0,
) -> ReceptiveMachine:
    """A machine of hidden units that each see some pixels near a random place, and some of the classes.

    Parameters
    ----------
    images : array_like of 0 and 1, shape (k, height * width)
        What is to be learned: their means set the biases, and pixels that never change are not looked at.
    shape : (int, int)
        Height and width.
    classes : int
        How many there are; 0 for a machine without labels.
    hidden : int
        Hidden units.
    field : int
        Pixels that each of them sees.
    labels : int, optional
        Classes that each of them is coupled to; by default 6, or all if there are fewer.
    radius : float
        Standard deviation of a field, in pixels; above 0.
    max_degree : int
        Most neighbours of a unit.
    seed : int
        Of fields and first couplings, 0 or more.

    Raises
    ------
    ModelError
        If the images do not fit, a hidden unit would have more neighbours than ``max_degree``, or the radius or the
        seed is out of range.
    """
    bits = _bits(images, shape)
    labels = min(classes, 6) if labels is None else labels
    if not (hidden >= 1 <= field and 0 <= labels <= classes and field + labels <= max_degree and max_degree > 2):
        raise ModelError(
            f"{hidden} hidden units of {field} pixels and {labels} of {classes} classes at degree {max_degree}: "
            f"give at least 1 unit and pixel, at most all classes, and together no more than the degree"
        )
    if not 0 < radius < math.inf:
        raise ModelError(f"radius is {radius}; give a finite number of pixels above 0")
    if seed < 0:
        raise ModelError(f"seed is {seed}; give 0 or more")
    rng = np.random.default_rng(seed)
    seen = _fields(bits, shape, hidden, field, radius, rng)
    voted = _votes(hidden, labels, classes, rng)
    pixel_copies = _copies(np.bincount(seen[:, 0], minlength=bits.shape[1]), max_degree)
    label_copies = _copies(np.bincount(voted[:, 0], minlength=classes), max_degree - 2)
    label_copies[:] = label_copies.max(initial=0)
    columns = np.repeat(np.arange(bits.shape[1] + classes), np.concatenate([pixel_copies, label_copies]))
    firsts = np.searchsorted(columns, np.arange(bits.shape[1] + classes))
    looks = _spread(seen, firsts, pixel_copies, len(columns))
    votes = _spread(voted, firsts[bits.shape[1] :], label_copies, len(columns))
    rings = _rings(firsts[bits.shape[1] :], label_copies)
    return _machine(bits, columns, hidden, looks, votes, rings, rng)


def _bits(images: npt.ArrayLike, shape: tuple[int, int]) -> npt.NDArray[np.int8]:
    rows = np.asarray(images)
    if rows.ndim != 2 or not len(rows) or rows.shape[1] != shape[0] * shape[1] or not np.isin(rows, (0, 1)).all():
        raise ModelError(f"images of shape {rows.shape} are not rows of {shape[0]} x {shape[1]} pixels of 0 and 1")
    return rows.astype(np.int8)


def _fields(
    bits: npt.NDArray[np.int8], shape: tuple[int, int], hidden: int, field: int, radius: float, rng: np.random.Generator
) -> Int64:
    """Pixel and hidden unit of each look, shape (hidden * field, 2)."""
    variance = bits.var(axis=0)
    interest = np.where(variance >= LEAST_VARIANCE, np.sqrt(variance), 0)
    if (interest > 0).sum() < field:
        raise ModelError(f"{(interest > 0).sum()} pixels change from image to image, a field of {field} needs more")
    places = np.stack(np.divmod(np.arange(bits.shape[1]), shape[1]), axis=1)
    centres = places[rng.choice(len(places), hidden, p=interest / interest.sum())]
    distance = ((places[None] - centres[:, None]) ** 2).sum(axis=2)
    uniform = np.maximum(rng.random(distance.shape), np.finfo(np.float64).tiny)
    radius = max(radius, LEAST_RADIUS)
    # the largest u^(1 / weight) are a sample without replacement, weighted (Efraimidis and Spirakis, 2006); these keys
    # are log(-log) of them, so that the smallest are taken, and far pixels overflow nothing
    keys = np.log(-np.log(uniform)) + distance / radius / radius / 2
    keys = np.where(interest > 0, keys - np.log(np.where(interest > 0, interest, 1)), np.inf)
    pixels = np.argpartition(keys, field - 1, axis=1)[:, :field]
    return np.stack([pixels.ravel(), np.repeat(np.arange(hidden), field)], axis=1)


def _votes(hidden: int, labels: int, classes: int, rng: np.random.Generator) -> Int64:
    """Class and hidden unit of each vote: every class gets as many, give or take one."""
    order = np.concatenate([rng.permutation(classes) for _ in range(hidden)]) if classes else np.empty(0, np.int64)
    chosen = order.reshape(hidden, classes)[:, :labels]
    return np.stack([chosen.ravel(), np.repeat(np.arange(hidden), labels)], axis=1).astype(np.int64)


def _copies(demand: npt.NDArray[np.intp], most: int) -> Int64:
    """Units that hold a pixel or a label whose edges are so many."""
    return np.maximum(-(-demand // most), 1).astype(np.int64)


def _spread(looks: Int64, firsts: npt.NDArray[np.intp], copies: Int64, offset: int) -> Int64:
    """Edges from copies, in turn, to hidden units, which are counted from an offset."""
    order = np.argsort(looks[:, 0], kind="stable")
    what, unit = looks[order].T
    turn = np.arange(len(order)) - np.searchsorted(what, what)
    return np.stack([firsts[what] + turn % copies[what], offset + unit], axis=1).astype(np.int64)


def _rings(firsts: npt.NDArray[np.intp], copies: Int64) -> Int64:
    """Edges between neighbouring copies of each label."""
    pairs = [
        (first + place, first + (place + 1) % count)
        for first, count in zip(firsts.tolist(), copies.tolist(), strict=True)
        for place in range(count if count > 2 else count - 1)
    ]
    return np.sort(np.array(pairs, np.int64).reshape(-1, 2), axis=1)


def _machine(
    bits: npt.NDArray[np.int8],
    columns: Int64,
    hidden: int,
    looks: Int64,
    votes: Int64,
    rings: Int64,
    rng: np.random.Generator,
) -> ReceptiveMachine:
    size, pixels = len(columns) + hidden, bits.shape[1]
    edges = np.concatenate([looks, votes, rings])
    strengths = np.concatenate(
        [
            rng.normal(0, FIELD_COUPLING, len(looks)),
            rng.normal(0, LABEL_COUPLING, len(votes)),
            np.full(len(rings), TIE),
        ]
    )
    order = np.lexsort((edges[:, 1], edges[:, 0]))
    model = BoltzmannMachine(_labels(columns, pixels), hidden, unit=Unit.BIT, edges=edges).with_values(
        strengths[order], _biases(bits, columns, size, looks, strengths[: len(looks)], rings)
    )
    return ReceptiveMachine(model, columns, np.flatnonzero(order >= len(looks) + len(votes)), pixels)


def _labels(columns: Int64, pixels: int) -> list[VisibleLabel]:
    """Labels of the visible units that show these columns, of which the first are so many pixels."""
    copy = np.arange(len(columns)) - np.searchsorted(columns, columns)
    return [
        ("pixel", column, place) if column < pixels else ("label", column - pixels, place)
        for column, place in zip(columns.tolist(), copy.tolist(), strict=True)
    ]


def _biases(
    bits: npt.NDArray[np.int8], columns: Int64, size: int, looks: Int64, strengths: Float, rings: Int64
) -> Float:
    """Log-odds of the pixels' means; hidden units are 1 half of the time, and ties favour neither value."""
    means = bits.mean(axis=0).clip(0.005, 0.995)
    biases = np.zeros(size)
    pixels = np.flatnonzero(columns < bits.shape[1])
    biases[pixels] = np.log(means / (1 - means))[columns[pixels]]
    biases[pixels[-1] + 1 : len(columns)] = -np.log(max((columns.max() - bits.shape[1]), 1))
    biases -= np.bincount(looks[:, 1], strengths * means[columns[looks[:, 0]]], size)
    biases -= TIE / 2 * np.bincount(rings.ravel(), minlength=size)
    return biases
