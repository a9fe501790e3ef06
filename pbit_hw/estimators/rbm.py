"""The restricted Boltzmann machine as a scikit-learn transformer.

Parameters, attributes and methods are those of scikit-learn's ``BernoulliRBM``, whose model side is sampled in float.
Here the array samples it, in the weights that it holds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from ..contract.sampler import Sampler
from ..host.divergence import ContrastiveDivergence
from ..host.layers import Float, layers_of, sigmoid, visible_bits
from ..host.likelihood import row_pseudo_log_likelihoods
from ..host.training import batches, rates
from ..sim.simulator import Simulator
from .common import check_counts, seed_of, untrained

FIRST_COUPLINGS = 0.01
"""Standard deviation of the couplings to start from (G. Hinton, A practical guide to training restricted Boltzmann
machines, 2010, section 8)."""


class PbitRBM(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Persistent contrastive divergence whose chains run on a p-bit array; see `ContrastiveDivergence`.

    Hidden units count as their means given the visible ones; master weights stay in float.

    Parameters
    ----------
    n_components : int
        Hidden units.
    learning_rate : float or (float, float)
        Constant, or from the first step of `fit` to the last, linearly; `partial_fit` takes the first.
    batch_size : int
        Rows per step, and persistent chains.
    n_iter : int
        Passes over the data.
    sweeps : int
        Of the chains, per step.
    momentum : float
        Share of the last step's direction that each step keeps.
    weight_decay : float
        Times each coupling is taken from its gradient.
    weight_format : str
        ``s[a][b]`` of the array's couplings and biases; masters are kept within its range.
    sampler : callable, optional
        Makes what samples: called with the program and the keyword ``seed``. The simulator by default; for a board
        ``lambda program, seed: Device(program, transport, seed)``, or ``partial`` of a function that can be pickled.
    verbose : bool
        Whether to print a line per pass.
    random_state : int, RandomState or None
        Of the first couplings, the order of rows, and the sampler.

    Attributes
    ----------
    components_ : ndarray of float64, shape (n_components, n_features_in_)
        Couplings, in float.
    intercept_hidden_, intercept_visible_ : ndarray of float64, shapes (n_components,) and (n_features_in_,)
        Biases, in float.
    program_ : Program
        The trained program; ``program_.quantised`` is what the array samples, and what `transform` computes with.
    n_features_in_ : int
    """

    def __init__(
        self,
        n_components: int = 256,
        *,
        learning_rate: float | tuple[float, float] = 0.1,
        batch_size: int = 10,
        n_iter: int = 10,
        sweeps: int = 1,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        weight_format: str = "s[3][6]",
        sampler: Callable[..., Sampler] | None = None,
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.n_iter = n_iter
        self.sweeps = sweeps
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.weight_format = weight_format
        self.sampler = sampler
        self.verbose = verbose
        self.random_state = random_state

    def fit(self, X: npt.ArrayLike, y: Any = None) -> Self:  # noqa: N803
        """Train anew.

        Parameters
        ----------
        X : array_like, shape (k, n_features)
            Visible units, 0 and 1, or their means.
        y : ignored

        Raises
        ------
        RequestError
            If a count is not positive, or a rate, momentum or weight decay is outside its range.
        FormatError
            If the weight format is malformed or too wide.
        ValueError
            If X is no such matrix.
        """
        rows = validate_data(self, X, dtype=(np.float64, np.float32))
        seed = self._begin()
        shuffle = np.random.default_rng((seed, 1))
        steps = -(-len(rows) // self.batch_size)
        for iteration, passes in enumerate(self._rates(self.n_iter * steps).reshape(self.n_iter, steps), 1):
            began = time.perf_counter()
            parts = batches(rows, self.batch_size, shuffle)
            gradients = [self._learner.step(batch, rate) for batch, rate in zip(parts, passes, strict=True)]
            if self.verbose:
                seconds = time.perf_counter() - began
                print(
                    f"[PbitRBM] iteration {iteration}, gradient {np.mean(gradients):.2e}, {seconds:.2f} s", flush=True
                )
        return self._finish()

    def partial_fit(self, X: npt.ArrayLike, y: Any = None) -> Self:  # noqa: N803
        """One step, on all rows as one batch; see `fit`."""
        first = not hasattr(self, "components_")
        rows = validate_data(self, X, dtype=(np.float64, np.float32), reset=first)
        if first:
            self._begin()
        self._learner.step(rows, self._rates(1)[0])
        return self._finish()

    def transform(self, X: npt.ArrayLike) -> npt.NDArray[np.floating[Any]]:  # noqa: N803
        """P(hidden unit = 1 | row), by the array's own weights.

        Parameters
        ----------
        X : array_like, shape (k, n_features)

        Returns
        -------
        ndarray of float, shape (k, n_components)
        """
        rows = self._rows(X)
        means = sigmoid(layers_of(self.program_.quantised).hidden_fields(rows.astype(np.float64, copy=False)))
        return means.astype(rows.dtype, copy=False)

    def gibbs(self, v: npt.ArrayLike) -> npt.NDArray[np.int8]:
        """Visible units after one step of block Gibbs sampling on the array.

        Parameters
        ----------
        v : array_like, shape (k, n_features)
            Visible units, 0 and 1.

        Returns
        -------
        ndarray of int8, shape (k, n_features)

        Raises
        ------
        ModelError
            If v are no bits.
        """
        rows = visible_bits(self.program_.model, self._rows(v))
        return self._learner.reconstruct(rows.astype(np.int8))

    def score_samples(self, X: npt.ArrayLike) -> Float:  # noqa: N803
        """Log pseudo-likelihood of each row in nats, exact over all units, where ``BernoulliRBM`` takes one at random.

        Parameters
        ----------
        X : array_like, shape (k, n_features)

        Returns
        -------
        ndarray of float64, shape (k,)
        """
        return row_pseudo_log_likelihoods(
            layers_of(self.program_.quantised), self._rows(X).astype(np.float64, copy=False)
        )

    def _rows(self, X: npt.ArrayLike) -> npt.NDArray[np.floating[Any]]:  # noqa: N803
        check_is_fitted(self)
        rows: npt.NDArray[np.floating[Any]] = validate_data(self, X, dtype=(np.float64, np.float32), reset=False)
        return rows

    def _begin(self) -> int:
        """Make the machine that is to be trained; returns the seed that all follows from."""
        check_counts(self, "n_components", "batch_size", "n_iter", "sweeps")
        seed = seed_of(self.random_state)
        shape = (self.n_features_in_, self.n_components)
        couplings = np.random.default_rng((seed, 0)).normal(0, FIRST_COUPLINGS, shape)
        program = untrained(couplings, self.weight_format)
        self._learner = ContrastiveDivergence(
            (self.sampler or Simulator)(program, seed=seed),
            sweeps=self.sweeps,
            chains=self.batch_size,
            mean_field=True,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            seed=seed,
        )
        return seed

    def _rates(self, steps: int) -> Float:
        return rates(self.learning_rate, "linear", steps)

    def _finish(self) -> Self:
        visible = self.n_features_in_
        self.program_ = self._learner.program
        self.components_ = self.program_.model.couplings.reshape(visible, -1).T.copy()
        self.intercept_visible_, self.intercept_hidden_ = np.split(self.program_.model.biases.copy(), [visible])
        return self

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
