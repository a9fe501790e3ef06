"""A classifier for scikit-learn that is one restricted Boltzmann machine: features and labels are its visible units."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ..compiler.program import Program
from ..contract.errors import ModelError, RequestError
from ..contract.sampler import Sampler
from ..host.inference import classify
from ..host.layers import Float
from ..host.training import Callback, Trainer
from ..sim.simulator import Simulator
from .common import check_counts, seed_of, untrained

FIRST_COUPLINGS = 0.3
"""Standard deviation of the couplings to start from, times the root of the units in the larger layer: 0.01 of 900."""

Bits = npt.NDArray[np.int8]


class BoltzmannClassifier(ClassifierMixin, BaseEstimator):
    """An RBM whose label units the array samples while the features are clamped.

    It learns P(features, label) and P(label | features) at once, by persistent chains and by chains with the features
    clamped (H. Larochelle and Y. Bengio, ICML 2008); see `ContrastiveDivergence`. A feature is one bit: whether it is
    above its threshold.

    Parameters
    ----------
    n_components : int
        Hidden units.
    learning_rate : float or (float, float)
        Constant, or from the first step to the last, linearly.
    batch_size : int
        Rows per step.
    n_iter : int
        Passes over the data.
    sweeps : int
        Of the chains, per step.
    chains : int
        Persistent chains.
    discriminative : float
        Share of P(label | features) in what is learned, 0 to 1.
    label_copies : int
        Visible units that stand for each class.
    threshold : float, optional
        What a feature must be above to count as 1: for grey values from 0 to 1 take 0.5. By default the feature's own
        mean over the rows that `fit` gets, which leaves bits as they are.
    weight_format : str
        ``s[a][b]`` of the array's couplings and biases; masters are kept within its range.
    burn_in, predict_sweeps : int
        Sweeps of each row's chain before label units are averaged, and over how many they are.
    sampler : callable, optional
        Makes what samples, for `fit` and for every prediction: see `PbitRBM`.
    verbose : bool
        Whether to print a line per pass.
    random_state : int, RandomState or None
        Of the first couplings, the order of rows, and the sampler.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
    thresholds_ : ndarray of float64, shape (n_features_in_,)
    program_ : Program
        The trained program; ``program_.quantised`` is what the array samples.
    label_units_ : list of lists
        The model's labels of each class's units.
    n_features_in_ : int

    Notes
    -----
    Predictions are samples: the same rows in the same order have the same predictions, but each row is drawn by the
    chain of its place. scikit-learn's tag for that is ``non_deterministic``.
    """

    def __init__(
        self,
        n_components: int = 256,
        *,
        learning_rate: float | tuple[float, float] = (0.5, 0.01),
        batch_size: int = 32,
        n_iter: int = 15,
        sweeps: int = 3,
        chains: int = 64,
        discriminative: float = 0.9,
        label_copies: int = 1,
        threshold: float | None = None,
        weight_format: str = "s[3][6]",
        burn_in: int = 50,
        predict_sweeps: int = 100,
        sampler: Callable[..., Sampler] | None = None,
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.n_iter = n_iter
        self.sweeps = sweeps
        self.chains = chains
        self.discriminative = discriminative
        self.label_copies = label_copies
        self.threshold = threshold
        self.weight_format = weight_format
        self.burn_in = burn_in
        self.predict_sweeps = predict_sweeps
        self.sampler = sampler
        self.verbose = verbose
        self.random_state = random_state

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:  # noqa: N803
        """Train anew.

        Parameters
        ----------
        X : array_like, shape (k, n_features)
        y : array_like, shape (k,)
            Classes, of any type that can be sorted.

        Raises
        ------
        RequestError
            If a parameter is outside its range.
        FormatError
            If the weight format is malformed or too wide.
        ModelError
            If y holds one class alone.
        ValueError
            If X is no such matrix, or y holds no classes.
        """
        check_counts(self, "n_components", "n_iter", "batch_size", "chains", "label_copies", "predict_sweeps")
        if self.threshold is not None and not np.isfinite(self.threshold).all():
            raise RequestError(f"threshold is {self.threshold}; give a finite number, or None for each feature's mean")
        rows, targets = validate_data(self, X, y, dtype=(np.float64, np.float32))
        check_classification_targets(targets)
        self.classes_, chosen = np.unique(targets, return_inverse=True)
        if len(self.classes_) < 2:
            raise ModelError(f"y holds one class, {self.classes_[0]}; give rows of at least two classes")
        means = rows.mean(axis=0, dtype=np.float64)
        self.thresholds_ = means if self.threshold is None else np.full_like(means, self.threshold)
        labels = np.repeat(np.eye(len(self.classes_), dtype=np.int8)[chosen], self.label_copies, axis=1)
        self._learn(np.hstack([self._bits(rows), labels]))
        return self

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]:  # noqa: N803
        """The likeliest class of each row, shape (k,); see `predict_proba`."""
        places = self.predict_proba(X).argmax(axis=1)
        classes: npt.NDArray[Any] = self.classes_
        return classes[places]

    def predict_proba(self, X: npt.ArrayLike) -> Float:  # noqa: N803
        """How often the label units of each class are on, on the array with the row clamped, as shares of all.

        Parameters
        ----------
        X : array_like, shape (k, n_features)

        Returns
        -------
        ndarray of float64, shape (k, n_classes)
            Half a sweep is added to each class, so that none has 0.
        """
        check_is_fitted(self)
        rows = validate_data(self, X, dtype=(np.float64, np.float32), reset=False)
        sampler = (self.sampler or Simulator)(self.program_, seed=self._seed)
        _, means = classify(
            sampler,
            self._given,
            self._bits(rows),
            self.label_units_,
            burn_in=self.burn_in,
            sweeps=self.predict_sweeps,
        )
        shares = means + 0.5 / self.predict_sweeps
        return shares / shares.sum(axis=1, keepdims=True)

    def _bits(self, rows: npt.NDArray[Any]) -> Bits:
        return (rows > self.thresholds_).astype(np.int8)

    def _learn(self, rows: Bits) -> None:
        """Train a machine whose last visible units are the labels'."""
        self._seed = seed_of(self.random_state)
        program = self._first_program(rows.shape[1])
        units = [program.model.labels[unit] for unit in program.model.visible]
        self._given, label_units = units[: self.n_features_in_], units[self.n_features_in_ :]
        self.label_units_ = [
            label_units[first : first + self.label_copies] for first in range(0, len(label_units), self.label_copies)
        ]
        trainer = Trainer(
            (self.sampler or Simulator)(program, seed=self._seed),
            rows,
            epochs=self.n_iter,
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
            seed=self._seed,
            sweeps=self.sweeps,
            chains=self.chains,
            mean_field=True,
            targets=label_units,
            discriminative=self.discriminative,
        )
        trainer.run([_line()] if self.verbose else [])
        self.program_ = trainer.program

    def _first_program(self, visible: int) -> Program:
        shape = (visible, self.n_components)
        spread = FIRST_COUPLINGS / np.sqrt(max(shape))
        return untrained(np.random.default_rng((self._seed, 0)).normal(0, spread, shape), self.weight_format)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        return tags


def _line() -> Callback:
    """Prints a line per pass."""
    began = time.perf_counter()

    def report(trainer: Trainer) -> None:
        gradient, seconds = trainer.history.moment_error[-1], time.perf_counter() - began
        print(f"[BoltzmannClassifier] iteration {trainer.epoch}, gradient {gradient:.2e}, {seconds:.2f} s", flush=True)

    return report
