"""Training: epochs of steps over data, with a learning rate that may fall, callbacks, and checkpoints to go on from."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from inspect import Parameter, signature
from typing import Any

import numpy as np
import numpy.typing as npt

from ..compiler.models import Model
from ..compiler.program import Program
from ..contract.errors import ModelError, RequestError
from ..contract.sampler import Sampler
from ..contract.update import Unit
from . import checkpoint
from .chains import pair_model
from .divergence import ContrastiveDivergence, check_count
from .moments import States
from .negative import packed, unpack

Float = npt.NDArray[np.float64]


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


DEFAULTS = {
    name: parameter.default
    for name, parameter in signature(ContrastiveDivergence).parameters.items()
    if parameter.default is not Parameter.empty and name != "seed"
}
"""Options of the rule that a run did not state."""

Callback = Callable[["Trainer"], bool | None]
"""Called after every epoch; ends training by returning True."""


class Trainer:
    """A training run that can be stopped, saved, and gone on with bit for bit.

    Parameters
    ----------
    sampler, data, epochs, learning_rate, schedule, batch_size, seed, evaluate, **rule
        See `train`.

    Attributes
    ----------
    learner : ContrastiveDivergence
    history : History
        Of the epochs done.
    epoch : int
        How many are done.
    ended : bool
        Whether a callback has ended training after the last of them.
    """

    def __init__(
        self,
        sampler: Sampler,
        data: npt.ArrayLike,
        *,
        epochs: int,
        learning_rate: float | tuple[float, float],
        schedule: str = "linear",
        batch_size: int = 100,
        seed: int = 0,
        evaluate: Callable[[Program], float] | None = None,
        **rule: Any,
    ) -> None:
        self._rows = checked_rows(pair_model(sampler.program), data)
        for name, count, least in (("epochs", epochs, 1), ("batch_size", batch_size, 1), ("seed", seed, 0)):
            check_count(name, count, least)
        self._epochs, self._batch_size, self._evaluate = epochs, batch_size, evaluate
        self._steps = -(-len(self._rows) // batch_size)
        self._rates = rates(learning_rate, schedule, epochs * self._steps)
        self._shuffle = np.random.default_rng(seed)
        self._settings = {"epochs": epochs, "batch_size": batch_size, "seed": seed, "schedule": schedule}
        self._settings |= {"learning_rate": learning_rate, **DEFAULTS, **rule}
        self._sampler, self._start = sampler, sampler.program
        self.learner = ContrastiveDivergence(sampler, seed=seed, **rule)
        self.history = History()
        self.epoch, self.ended = 0, False

    @property
    def program(self) -> Program:
        """The program as trained so far."""
        return self.learner.program

    def run(
        self,
        callbacks: Sequence[Callback] = (),
        progress: Callable[[int, int], None] | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
    ) -> History:
        """Train on until the last epoch, or until a callback returns True.

        Parameters
        ----------
        callbacks : sequence of callable
            Called with the trainer after every epoch.
        progress : callable, optional
            Called with steps done and steps in all.
        checkpoint : path-like, optional
            File that is written after every epoch, when the callbacks have been called.
        """
        self.ended = False
        while self.epoch < self._epochs and not self.ended:
            self._one_epoch(progress)
            self.ended = any([callback(self) for callback in callbacks])
            if checkpoint is not None:
                self.save(checkpoint)
        self.learner.settle()
        return self.history

    def _one_epoch(self, progress: Callable[[int, int], None] | None) -> None:
        first, errors = self.epoch * self._steps, []
        for done, rows in enumerate(batches(self._rows, self._batch_size, self._shuffle), first):
            errors.append(self.learner.step(rows, self._rates[done]))
            if progress is not None:
                progress(done + 1, len(self._rates))
        self.learner.settle()
        self.history.moment_error.append(float(np.mean(errors)))
        if self._evaluate is not None:
            self.history.evaluation.append(self._evaluate(self.program))
        self.epoch += 1

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a checkpoint, whole or not at all.

        Raises
        ------
        CheckpointError
            If the file cannot be written.
        """
        meta = {"epoch": self.epoch, "ended": self.ended, "history": asdict(self.history)}
        meta |= {"seed": self._sampler.seed, "calls": self._sampler.calls}
        arrays = {f"learner.{name}": array for name, array in self.learner.snapshot().items()}
        checkpoint.write(path, self._identity(), meta, arrays | {"shuffle": packed(self._shuffle)})

    def resume(self, path: str | os.PathLike[str]) -> None:
        """Go back to a checkpoint of a run with the same program, data and settings.

        Raises
        ------
        CheckpointError
            If the file is missing, damaged, or of another run.
        """
        meta, arrays = checkpoint.read(path, self._identity())
        self.epoch, self.ended, self.history = meta["epoch"], meta["ended"], History(**meta["history"])
        unpack(arrays.pop("shuffle"), self._shuffle)
        self.learner.restore({name.removeprefix("learner."): array for name, array in arrays.items()})
        self._sampler.seed, self._sampler.calls = meta["seed"], meta["calls"]

    def _identity(self) -> dict[str, Any]:
        """What a run is, but for the sampler's seed, which a checkpoint brings along."""
        program = checkpoint.digest(self._start.to_bytes())
        return {"program": program, "data": checkpoint.digest(self._rows.tobytes()), **self._settings}


def train(
    sampler: Sampler,
    data: npt.ArrayLike,
    *,
    epochs: int,
    learning_rate: float | tuple[float, float],
    schedule: str = "linear",
    batch_size: int = 100,
    seed: int = 0,
    evaluate: Callable[[Program], float] | None = None,
    callbacks: Sequence[Callback] = (),
    progress: Callable[[int, int], None] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    **rule: Any,
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
        Constant, or from the first step to the last.
    schedule : {"linear", "geometric"}
        How it gets there.
    batch_size : int
        Rows per step; the order of rows is shuffled in every epoch.
    seed : int
        Of the order of rows, and of the rule.
    evaluate : callable, optional
        Called with the program after every epoch; what it returns is kept in the history.
    callbacks : sequence of callable
        Called with the `Trainer` after every epoch; one that returns True ends training.
    progress : callable, optional
        Called with steps done and steps in all.
    checkpoint : path-like, optional
        File that is written after every epoch; a run that finds its own goes on from there, to the same weights.
    **rule
        Options of `ContrastiveDivergence`: ``sweeps``, ``chains``, ``momentum`` and the others.

    Returns
    -------
    History

    Raises
    ------
    ModelError, RequestError
        If the data do not fit the model, or nothing would be learned.
    CheckpointError
        If the checkpoint is of another run, damaged, or cannot be written.
    LinkError
        If the sampler is a device and its link fails.
    """
    trainer = Trainer(
        sampler,
        data,
        epochs=epochs,
        learning_rate=learning_rate,
        schedule=schedule,
        batch_size=batch_size,
        seed=seed,
        evaluate=evaluate,
        **rule,
    )
    if checkpoint is not None and os.path.exists(checkpoint):
        trainer.resume(checkpoint)
    if trainer.ended:
        trainer.learner.settle()
        return trainer.history
    return trainer.run(callbacks, progress, checkpoint)


def rates(learning_rate: float | tuple[float, float], schedule: str, steps: int) -> Float:
    """Learning rate of each step, shape (steps,).

    Raises
    ------
    RequestError
        If the schedule is unknown, a rate is not finite, or a geometric one is not positive.
    """
    try:
        first, last = np.broadcast_to(np.asarray(learning_rate, np.float64), 2)
    except (TypeError, ValueError):
        raise RequestError(f"learning_rate is {learning_rate!r}; give a number, or the first and the last") from None
    if schedule not in ("linear", "geometric"):
        raise RequestError(f"schedule is {schedule!r}; use 'linear' or 'geometric'")
    if not (np.isfinite([first, last]).all() and (schedule == "linear" or min(first, last) > 0)):
        raise RequestError(f"learning rates {first} to {last} are no {schedule} schedule; give positive numbers")
    return (np.linspace if schedule == "linear" else np.geomspace)(first, last, steps)


def batches(rows: States, size: int, rng: np.random.Generator) -> list[States]:
    """All rows in a random order, in parts of ``size`` or one less."""
    return np.array_split(rows[rng.permutation(len(rows))], -(-len(rows) // size))


def checked_rows(model: Model, data: npt.ArrayLike) -> States:
    """Rows of visible units as int8, shape (k, n_visible).

    Raises
    ------
    ModelError
        If they do not fit the model.
    """
    rows = np.asarray(data)
    allowed = (-1, 1) if model.unit is Unit.SPIN else (0, 1)
    if rows.ndim != 2 or not len(rows) or rows.shape[1] != len(model.visible):
        raise ModelError(f"data have shape {rows.shape}, the model needs (rows, {len(model.visible)})")
    if not np.isin(rows, allowed).all():
        raise ModelError(f"this model learns from values {allowed[0]} and {allowed[1]}; convert the data first")
    return rows.astype(np.int8)
