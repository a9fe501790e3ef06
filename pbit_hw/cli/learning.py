"""What ``pbit train`` makes of its data: the machine, the rows that it learns, and how good it is."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..compiler import RBM, BoltzmannMachine
from ..compiler.models import Model
from ..compiler.program import Program
from ..contract.errors import ModelError
from ..contract.sampler import Sampler
from ..contract.update import Unit
from .dataset import Bits, Data, Part

EXACT_SIZE = 16
"""Machines up to this size are compared with the data exactly."""

FIRST_COUPLINGS = 0.1
INPUTS = 80
"""Standard deviation of the couplings to start from, and visible units beyond which it falls as 1 by their number: to
0.01 for images of MNIST (G. Hinton, A practical guide to training restricted Boltzmann machines, 2010, section 8)."""

Progress = Callable[[int, int], None]


def new_machine(visible: int, hidden: int, rbm: bool, seed: int) -> RBM | BoltzmannMachine:
    """An untrained machine; with hidden units, small random couplings break their symmetry."""
    noise = np.random.default_rng(seed)
    spread = FIRST_COUPLINGS * min(1, INPUTS / max(visible, 1))
    if rbm:
        if hidden < 1:
            raise ModelError(f"an RBM has at least one hidden unit; --hidden is {hidden}")
        return RBM(noise.normal(0, spread, (visible, hidden)), np.zeros(visible), np.zeros(hidden))
    size = visible + hidden
    couplings = np.triu(noise.normal(0, spread if hidden else 0.0, (size, size)), 1)
    edges = np.stack(np.triu_indices(size, 1), axis=1)
    return BoltzmannMachine(visible, hidden, J=couplings, unit=Unit.SPIN, edges=edges)


@dataclass(frozen=True, eq=False)
class Task:
    """Data as the visible units of a machine, whose last ones are label units if labels are learned.

    Parameters
    ----------
    data : Data
    rbm : bool
        Whether the machine is a restricted one of bits, or one of spins.
    copies : int
        Label units of each class, 0 for none.

    Raises
    ------
    ModelError
        If labels are to be learned, and the data have none, or of one class.
    """

    data: Data
    rbm: bool
    copies: int

    def __post_init__(self) -> None:
        if self.copies and self.data.train.labels is None:
            raise ModelError("these data have no labels: --labels needs digits, or IDX images beside their labels")
        if self.copies and len(self._classes) < 2:
            raise ModelError(f"all labels are {self._classes[0]}; --labels needs at least two classes")

    @cached_property
    def _classes(self) -> npt.NDArray[Any]:
        labels = self.data.train.labels
        return np.unique(labels) if self.copies and labels is not None else np.empty(0)

    @property
    def pixels(self) -> int:
        """Visible units that are no label units."""
        return self.data.train.rows.shape[1]

    @property
    def visible(self) -> int:
        """Visible units."""
        return self.pixels + len(self._classes) * self.copies

    @property
    def units(self) -> list[list[Hashable]]:
        """Labels of each class's units."""
        first, copies = self.pixels, self.copies
        return [[f"v{first + place * copies + k}" for k in range(copies)] for place in range(len(self._classes))]

    @property
    def judged(self) -> Part:
        """Rows that the machine is judged by: those held out, or all if there are none."""
        return self.data.held_out if len(self.data.held_out) else self.data.train

    def values(self, part: Part) -> Bits:
        """Rows in the machine's own units, labels included, shape (k, visible)."""
        bits = part.rows
        if self.copies:
            told = (np.asarray(part.labels)[:, None] == self._classes).astype(np.int8)
            bits = np.hstack([bits, np.repeat(told, self.copies, axis=1)])
        return self._own(bits)

    def accuracy(self, sampler: Sampler, progress: Progress | None = None) -> float:
        """Share of the judged rows whose label units the array sets right while the rest is clamped."""
        from ..host.inference import classify

        given = [f"v{pixel}" for pixel in range(self.pixels)]
        chosen, _ = classify(sampler, given, self._own(self.judged.rows), self.units, progress=progress)
        return self._right(chosen)

    def accuracy_by_free_energy(self, model: Model) -> float:
        """The same of the likeliest labels of a restricted machine, exactly, by the weights of a model."""
        from ..host.classification import label_log_probabilities
        from ..host.layers import layers_of

        layers = layers_of(model)
        # copies of a label unit that are on together are one with their weights added up
        firsts = np.concatenate([np.arange(self.pixels), np.arange(self.pixels, self.visible, self.copies)])
        weights, biases = (np.add.reduceat(array, firsts) for array in (layers.weights, layers.visible_biases))
        units = [f"v{self.pixels + place}" for place in range(len(self._classes))]
        tied = RBM(weights, biases, layers.hidden_biases)
        return self._right(label_log_probabilities(tied, self.judged.rows, units).argmax(axis=1))

    def _right(self, chosen: npt.NDArray[np.intp]) -> float:
        return float(np.mean(self._classes[chosen] == self.judged.labels))

    def _own(self, bits: Bits) -> Bits:
        return bits if self.rbm else bits * 2 - 1


def quality(program: Program, rows: npt.NDArray[Any]) -> dict[str, float]:
    """KL(data || model) in nats, exact, of the quantised machine at beta 1; nothing for large machines."""
    model = program.quantised
    if model.size > EXACT_SIZE:
        return {}
    from ..sim.exact import exact, state_index

    joint = exact(model).probabilities
    mask = (1 << len(model.visible)) - 1
    visible = np.bincount(np.arange(len(joint)) & mask, joint)
    index, counts = np.unique(state_index(rows), return_counts=True)
    share = counts / counts.sum()
    return {"kl_data_model_nats": float(share @ np.log(share / visible[index]))}


@dataclass(frozen=True)
class Score:
    """What training is watched by, on the judged rows.

    Parameters
    ----------
    name : str
        With its unit.
    larger_is_better : bool
    value : callable
        Of the sampler that is trained, and of the program so far.
    """

    name: str
    larger_is_better: bool
    value: Callable[[Sampler, Program], float]


def score_of(task: Task, size: int) -> Score | None:
    """Accuracy if there are labels, else exact KL of small machines, else the pseudo-likelihood of restricted ones."""
    from ..host.likelihood import pseudo_log_likelihood

    if task.copies:
        return Score("accuracy", True, lambda sampler, _: task.accuracy(sampler))
    rows = task.values(task.judged)
    if size <= EXACT_SIZE:
        name = "kl_data_model_nats"
        return Score(name, False, lambda _, program: quality(program, rows)[name])
    if task.rbm:
        name = "pseudo_log_likelihood_nats"
        return Score(name, True, lambda _, program: pseudo_log_likelihood(program.quantised, rows))
    return None


def figures(task: Task, sampler: Sampler, progress: Progress | None = None) -> dict[str, Any]:
    """How good the trained machine is, on the judged rows; KL on those that it learned from."""
    from ..host.likelihood import pseudo_log_likelihood

    model = sampler.program.quantised
    found: dict[str, Any] = quality(sampler.program, task.values(task.data.train))
    if task.rbm:
        found["pseudo_log_likelihood_nats"] = pseudo_log_likelihood(model, task.values(task.judged))
    if task.copies:
        accuracy = task.accuracy(sampler, progress)
        found |= {"accuracy": accuracy, "accuracy_error": np.sqrt(accuracy * (1 - accuracy) / len(task.judged))}
        if task.rbm:
            found["accuracy_by_free_energy"] = task.accuracy_by_free_energy(model)
    return found


def likelihood(task: Task, model: Model, seed: int, progress: Progress) -> dict[str, Any]:
    """Mean log-likelihood of the judged rows: exact if one layer is small, else by annealed importance sampling."""
    from ..host.likelihood import log_likelihood

    estimate = log_likelihood(model, task.values(task.judged), seed=seed, progress=progress)
    found = {"log_likelihood_nats": estimate.value, "log_likelihood_method": estimate.method}
    if estimate.method == "exact":
        return found
    return found | {"log_likelihood_error": estimate.error, "effective_runs": estimate.effective_runs}
