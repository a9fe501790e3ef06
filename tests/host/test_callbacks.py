"""Early stopping by hand-made histories, and in training that is gone on with."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbit_hw.compiler import BoltzmannMachine, compile
from pbit_hw.contract.errors import RequestError
from pbit_hw.host.callbacks import EarlyStopping
from pbit_hw.host.training import History, train
from pbit_hw.sim.simulator import Simulator


def after(values: list[float]) -> Any:
    """All that a callback sees of a trainer that has evaluated so."""
    return SimpleNamespace(history=History(evaluation=values))


def epochs_until_stopped(callback, values):
    """After how many evaluations it ends training; None if never."""
    for done in range(1, len(values) + 1):
        if callback(after(values[:done])):
            return done
    return None


@pytest.mark.parametrize(
    ("options", "values", "stopped"),
    [
        ({"patience": 1}, [1, 2, 3], None),
        ({"patience": 1}, [1, 2, 2], 3),
        ({"patience": 2}, [1, 2, 0, 3, 0, 3.5], None),
        ({"patience": 2}, [1, 2, 0, 1.5, 9], 4),
        ({"patience": 2, "least_change": 0.5}, [1, 1.5, 1.5, 9], 3),
        ({"patience": 2, "least_change": 0.5}, [1, 1.4, 1.8, 2.2], None),
        ({"patience": 2, "larger_is_better": False}, [3, 2, 1, 0], None),
        ({"patience": 2, "larger_is_better": False}, [3, 2, 2.5, 4, 0], 4),
        ({"patience": 3, "larger_is_better": False, "least_change": 0.5}, [3, 2.6, 2.6, 2.6, 0], 4),
        ({"patience": 2}, [np.nan, np.nan, 1], 2),
        ({"patience": 3}, [np.nan, np.nan, 1, np.nan, 2], None),
        ({"patience": 1}, [-np.inf, 0], 1),
    ],
)
def test_when_it_ends(options, values, stopped):
    assert epochs_until_stopped(EarlyStopping(**options), values) == stopped


@given(st.lists(st.floats(-9, 9), min_size=1, max_size=20), st.integers(1, 5))
def test_it_waits_for_the_last_best(values, patience):
    """Without a least change: the first largest value lies ``patience`` epochs back; mirrored values end the same."""
    expected = len(values) - 1 - int(np.argmax(values)) >= patience
    assert EarlyStopping(patience)(after(values)) is expected
    assert EarlyStopping(patience, larger_is_better=False)(after([-value for value in values])) is expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patience": 0}, "patience is 0; it must be at least 1"),
        ({"patience": 1, "least_change": -0.1}, "least_change is -0.1; it must be at least 0"),
        ({"patience": 1, "least_change": np.inf}, "least_change is inf; it must be at least 0 and finite"),
        ({"patience": 1, "least_change": np.nan}, "least_change is nan"),
    ],
)
def test_wrong_settings_are_refused(options, message):
    with pytest.raises(RequestError, match=message):
        EarlyStopping(**options)


def scripted_training(values, callbacks, evaluate=True, **options):
    """Training of a small machine that is evaluated by these values in turn."""
    program = compile(BoltzmannMachine(2), weight_format="s[2][4]")
    simulator, following = Simulator(program, seed=1), iter(values)
    history = train(
        simulator,
        np.array([[1, 1], [-1, -1]]),
        epochs=8,
        learning_rate=0.1,
        evaluate=(lambda program: next(following)) if evaluate else None,
        callbacks=callbacks,
        **options,
    )
    return history, simulator.program.to_bytes()


def test_training_without_evaluate_is_refused():
    with pytest.raises(RequestError, match="nothing to go by; give training an evaluate function"):
        scripted_training([], [EarlyStopping(2)], evaluate=False)


VALUES = [1.0, 3.0, 2.0, 2.0, 2.0, 9.0, 9.0, 9.0]


def test_training_ends_early():
    history, _ = scripted_training(VALUES, [EarlyStopping(3)])
    assert history.evaluation == VALUES[:5]
    assert scripted_training(VALUES, [EarlyStopping(4)])[0].evaluation == VALUES[:8]


class HaltError(Exception):
    """Ends a run as nothing else would."""


@pytest.mark.parametrize("interrupted", [2, 3, 4])
def test_a_run_that_goes_on_ends_where_it_would_have_ended(tmp_path, interrupted):
    """The callback is made anew, and the epochs before count; a control: those after the interruption alone do not."""

    def halt(done, total):
        if done > interrupted:
            raise HaltError

    path = tmp_path / "run"
    with pytest.raises(HaltError):
        scripted_training(VALUES, [EarlyStopping(3)], progress=halt, checkpoint=path)
    history, weights = scripted_training(VALUES[interrupted:], [EarlyStopping(3)], checkpoint=path)
    assert (history, weights) == scripted_training(VALUES, [EarlyStopping(3)])
    assert epochs_until_stopped(EarlyStopping(3), VALUES[interrupted:]) != 5 - interrupted


def test_a_run_that_is_halted_as_it_ends_early_ends_there_too(tmp_path):
    """Before the callback has said so: the epoch is done again."""

    def halt(trainer):
        if trainer.epoch == 5:
            raise HaltError

    with pytest.raises(HaltError):
        scripted_training(VALUES, [halt, EarlyStopping(3)], checkpoint=tmp_path / "run")
    ending = scripted_training(VALUES[4:], [EarlyStopping(3)], checkpoint=tmp_path / "run")
    assert ending == scripted_training(VALUES, [EarlyStopping(3)])


def test_a_run_that_has_ended_early_stays_so(tmp_path):
    first = scripted_training(VALUES, [EarlyStopping(3)], checkpoint=tmp_path / "run")
    assert first == scripted_training([], [EarlyStopping(3)], checkpoint=tmp_path / "run")
