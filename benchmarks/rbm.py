"""The array in the loop against scikit-learn's BernoulliRBM: speed and what is learned, on one core.

    python benchmarks/rbm.py FOLDER [--epochs 30] [--seeds 3] [--pairs 5]

FOLDER holds ``t10k-images-idx3-ubyte.gz`` and ``t10k-labels-idx1-ubyte.gz`` of MNIST: the first 9,000 images train,
the last 1,000 test, both binarised at half. Both sides run persistent contrastive divergence with as many chains as
rows in a batch, one sweep per step, for as many epochs. For speed they take turns. What is learned is compared at the
settings that each has: BernoulliRBM a constant rate, ours a falling one and weight decay. BernoulliRBM takes rows in
their own order; another one is given them in a new order in every epoch, as ours is. Accuracy is that of logistic
regression on the hidden units' means given grey pixels.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import BernoulliRBM
from threadpoolctl import threadpool_limits

from pbit_hw.compiler import RBM
from pbit_hw.estimators import PbitRBM
from pbit_hw.host import log_likelihood, pseudo_log_likelihood
from pbit_hw.host.idx import binarise, read_idx
from pbit_hw.host.training import batches

TRAIN = 9_000
HIDDEN = 256
BATCH_SIZES = (100, 512)
TIMED_EPOCHS = 5
RATE = 0.1
OURS: dict[str, Any] = {"learning_rate": (0.2, 0.005), "weight_decay": 4e-3}
TEMPERATURES, RUNS = 3_000, 100


@dataclass(frozen=True)
class Data:
    """Bits, grey pixels and labels to train on, then those to test on."""

    train: npt.NDArray[Any]
    train_grey: npt.NDArray[Any]
    train_labels: npt.NDArray[Any]
    test: npt.NDArray[Any]
    test_grey: npt.NDArray[Any]
    test_labels: npt.NDArray[Any]

    @classmethod
    def read(cls, folder: Path) -> Data:
        """MNIST's test files, split in their own order."""
        images = read_idx(folder / "t10k-images-idx3-ubyte.gz")
        bits, grey = binarise(images), images.reshape(len(images), -1) / 255
        labels = read_idx(folder / "t10k-labels-idx1-ubyte.gz")
        parts = (slice(TRAIN), slice(TRAIN, None))
        return cls(*(array[part] for part in parts for array in (bits, grey, labels)))


def ours(data: Data, **options: Any) -> PbitRBM:
    """The array in the loop."""
    return PbitRBM(HIDDEN, **options).fit(data.train.astype(np.float32))


def peer(data: Data, dtype: npt.DTypeLike = np.float64, **options: Any) -> BernoulliRBM:
    """scikit-learn, as it comes: in 64 bits unless the data are in 32."""
    return BernoulliRBM(HIDDEN, **options).fit(data.train.astype(dtype))


def peer_shuffled(data: Data, *, batch_size: int, n_iter: int, random_state: int, learning_rate: float) -> BernoulliRBM:
    """scikit-learn, step by step, with rows in a new order in every epoch."""
    machine = BernoulliRBM(HIDDEN, batch_size=batch_size, random_state=random_state, learning_rate=learning_rate)
    rng = np.random.default_rng(random_state)
    for _ in range(n_iter):
        for batch in batches(data.train.astype(np.float64), batch_size, rng):
            machine.partial_fit(batch)
    return machine


LEARNERS: dict[str, Callable[..., Any]] = {
    "PbitRBM": ours,
    "BernoulliRBM": peer,
    "BernoulliRBM, shuffled": peer_shuffled,
}


def speed(data: Data, batch_size: int, pairs: int) -> str:
    """A row of the first table: medians over turns of some epochs each, and the lowest and the highest ratio."""
    options = {"batch_size": batch_size, "n_iter": TIMED_EPOCHS, "learning_rate": RATE, "random_state": 0}
    runs = (partial(ours, data), partial(peer, data), partial(peer, data, np.float32))
    turns = np.array([[seconds(run, options) for run in runs] for _ in range(pairs)])
    cells = [f"{1e-3 * TRAIN * TIMED_EPOCHS / seconds:.1f} k" for seconds in np.median(turns, axis=0)]
    for column in (1, 2):
        ratios = turns[:, column] / turns[:, 0]
        cells.append(f"{np.median(ratios):.2f} ({ratios.min():.2f} to {ratios.max():.2f})")
    return f"| {batch_size} | {' | '.join(cells)} |"


def seconds(run: Callable[..., Any], options: dict[str, Any]) -> float:
    began = time.perf_counter()
    run(**options)
    return time.perf_counter() - began


def quality(estimator: Any, data: Data, seed: int) -> str:
    """Cells of the second table: pseudo-likelihood, likelihood and its effective runs, accuracy."""
    if isinstance(estimator, PbitRBM):
        model = estimator.program_.quantised
    else:
        model = RBM(estimator.components_.T, estimator.intercept_visible_, estimator.intercept_hidden_)
    estimate = log_likelihood(model, data.test, temperatures=TEMPERATURES, runs=RUNS, seed=seed)
    classifier = LogisticRegression(max_iter=1000).fit(estimator.transform(data.train_grey), data.train_labels)
    accuracy = classifier.score(estimator.transform(data.test_grey), data.test_labels)
    return (
        f"{pseudo_log_likelihood(model, data.test):.2f} | {estimate.value:.2f} ± {estimate.error:.2f} | "
        f"{estimate.effective_runs:.0f} | {100 * accuracy:.1f} %"
    )


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of MNIST's t10k files")
    parser.add_argument("--epochs", type=int, default=30, help="passes over the 9,000 images (default 30)")
    parser.add_argument("--seeds", type=int, default=3, help="fits of each (default 3)")
    parser.add_argument("--pairs", type=int, default=5, help="turns of the timing (default 5)")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    data = Data.read(arguments.folder)
    with threadpool_limits(1):
        print("Rows per second of whole calls of fit\n")
        print("| batch | PbitRBM | BernoulliRBM, float64 | float32 | ratio to float64 | to float32 |")
        print("| --- | --- | --- | --- | --- | --- |")
        for batch_size in BATCH_SIZES:
            print(speed(data, batch_size, arguments.pairs), flush=True)
        print("\n| seed | estimator | pseudo-likelihood | AIS | effective runs | accuracy |")
        print("| --- | --- | --- | --- | --- | --- |")
        options = {"batch_size": BATCH_SIZES[0], "n_iter": arguments.epochs}
        for seed in range(arguments.seeds):
            for name, learner in LEARNERS.items():
                own = OURS if learner is ours else {"learning_rate": RATE}
                found = quality(learner(data, random_state=seed, **options, **own), data, seed)
                print(f"| {seed} | {name} | {found} |", flush=True)


if __name__ == "__main__":
    main()
