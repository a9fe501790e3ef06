"""Training while it is watched: scores on the way, an early end, checkpoints, Ctrl-C, and the learning curve."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

from ..contract.errors import RequestError
from ..contract.sampler import Sampler
from ..host.callbacks import EarlyStopping
from ..host.training import Callback, Trainer
from .learning import Score
from .output import errors, progress_bar
from .picture import BLUE, ORANGE, write_figure

INTERRUPTED = 130
"""Exit code of a run that Ctrl-C ended, as shells count it."""


@dataclass
class Watch:
    """A training run and what it is watched by.

    Parameters
    ----------
    trainer : Trainer
    sampler : Sampler
        What it trains.
    epochs : int
        In all.
    score : Score or None
    every : int
        Epochs between scores; the last epoch has one anyway.
    patience : int or None
        Scores in a row without a better one that end training.
    checkpoint : str or None
        File that is written after every epoch, and gone on from if it is there.

    Raises
    ------
    RequestError
        If patience has no score to go by.
    """

    trainer: Trainer
    sampler: Sampler
    epochs: int
    score: Score | None
    every: int
    patience: int | None
    checkpoint: str | None

    def __post_init__(self) -> None:
        self._stop: EarlyStopping | None = None
        self._saved = 0  # epochs that the checkpoint holds
        if self.patience is None:
            return
        if self.score is None:
            raise RequestError(
                "--patience has no score to go by; give --rbm or --labels, or a machine of up to 16 units"
            )
        self._stop = EarlyStopping(self.patience, larger_is_better=self.score.larger_is_better)

    @property
    def stopped_early(self) -> bool:
        """Whether the scores so far end training."""
        return self._stop is not None and bool(self._values) and self._stop(self.trainer)

    def run(self) -> None:
        """Train to the end, or until Ctrl-C: that leaves the process, and says how to go on."""
        if self.checkpoint is not None and os.path.exists(self.checkpoint):
            self._resume(self.checkpoint)
        if self.stopped_early:
            return
        try:
            with progress_bar("training") as update:
                self._began = time.perf_counter()
                self.trainer.run(self._callbacks(), update)
        except KeyboardInterrupt:
            errors.print(self._how_to_go_on(), highlight=False, soft_wrap=True)
            raise SystemExit(INTERRUPTED) from None

    def measured(self) -> dict[str, Any]:
        """What was measured on the way: gradients of all epochs, the score's name, and those epochs that have one."""
        ends = (min((place + 1) * self.every, self.epochs) for place in range(len(self._values)))
        scores = [{"epoch": epoch, "value": value} for epoch, value in zip(ends, self._values, strict=True)]
        name = None if self.score is None else self.score.name
        return {"moment_errors": self.trainer.history.moment_error, "score": name, "scores": scores}

    @property
    def _values(self) -> list[float]:
        return self.trainer.history.evaluation

    def _callbacks(self) -> list[Callback]:
        # saved last, with the score
        return [self._look, *([] if self.checkpoint is None else [self._save])]

    def _look(self, trainer: Trainer) -> bool:
        if trainer.epoch % self.every and trainer.epoch < self.epochs:
            return False
        words = [f"epoch {trainer.epoch} of {self.epochs}", f"moment error {trainer.history.moment_error[-1]:.4g}"]
        if self.score is not None:
            self._values.append(self.score.value(self.sampler, trainer.program))
            words.insert(1, f"{self.score.name} {self._values[-1]:.4g}")
        errors.print(", ".join([*words, f"{time.perf_counter() - self._began:.1f} s"]), highlight=False, soft_wrap=True)
        return self.stopped_early

    def _save(self, trainer: Trainer) -> None:
        assert self.checkpoint is not None
        trainer.save(self.checkpoint)
        self._saved = trainer.epoch

    def _resume(self, path: str) -> None:
        self.trainer.resume(path)
        epoch = self._saved = self.trainer.epoch
        due = 0 if self.score is None else -(-epoch // self.every) if epoch == self.epochs else epoch // self.every
        if len(self._values) != due:
            raise RequestError(
                f"{path} has {len(self._values)} scores of {epoch} epochs, not one in {self.every}; "
                f"give the same --evaluate-every, or delete it to begin anew"
            )
        errors.print(f"going on from {path}, {epoch} of {self.epochs} epochs done", highlight=False, soft_wrap=True)

    def _how_to_go_on(self) -> str:
        stopped = f"stopped after {self.trainer.epoch} of {self.epochs} epochs"
        if self.checkpoint is None:
            return f"{stopped}; nothing is kept: give --checkpoint FILE next time"
        if not self._saved:
            return f"{stopped}; {self.checkpoint} is written after the first one and its score"
        held = "which" if self._saved == self.trainer.epoch else f"the first {self._saved} of which"
        return f"{stopped}, {held} {self.checkpoint} holds; the same command goes on from there"


def draw_curve(figure: Any, watch: Watch, title: str, output: str) -> None:
    """Draw the gradient after every epoch and, if there are some, the scores.

    Raises
    ------
    RequestError
        If the picture cannot be written.
    """
    measured = watch.measured()
    panels = figure.subplots(1, 1 if watch.score is None else 2, squeeze=False)[0]
    gradients, scores = measured["moment_errors"], measured["scores"]
    panels[-1].plot(range(1, len(gradients) + 1), gradients, ".-", color=ORANGE)
    panels[-1].set(xlabel="epoch", ylabel="moment error: gradient, root mean square", ylim=(0, None))
    if watch.score is not None:
        panels[0].plot([score["epoch"] for score in scores], [score["value"] for score in scores], ".-", color=BLUE)
        panels[0].set(xlabel="epoch", ylabel=watch.score.name.replace("_", " "))
    for axes in panels:
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    figure.suptitle(title, fontsize="medium")
    write_figure(figure, output)
