"""Training that is killed at random moments, and ends with the weights that it would have had."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from pbit_hw.contract import container

EPOCHS = 15

TRAIN = """
import os, sys
import numpy as np
from pbit_hw.compiler import RBM, compile
from pbit_hw.contract import container
from pbit_hw.host.training import train
from pbit_hw.sim.simulator import Simulator

folder, epochs, fatal, calls = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
if fatal:
    real = getattr(os, fatal)

    def strike(*arguments):
        global calls
        calls -= 1
        if calls == 0:
            os.kill(os.getpid(), 9)
        real(*arguments)

    setattr(os, fatal, strike)

rng = np.random.default_rng(1)
rows = rng.integers(0, 2, (1000, 20))
machine = RBM(rng.normal(0, 0.1, (20, 12)), np.zeros(20), np.zeros(12))
simulator = Simulator(compile(machine, weight_format="s[3][4]"), seed=2, threads=1)
history = train(
    simulator, rows, epochs=epochs, learning_rate=(0.1, 0.01), batch_size=50, chains=30, ladder=(0.5, 0.75, 1.0),
    momentum=0.5, centring="data", rounding="stochastic", seed=3, checkpoint=folder + "/run",
    evaluate=lambda program: float(np.abs(program.model.couplings).mean()),
    callbacks=[lambda trainer: print(trainer.epoch, flush=True)],
)
outcome = {"moment_error": history.moment_error, "evaluation": history.evaluation}
container.write_whole(folder + "/weights", simulator.program.to_bytes() + repr(outcome).encode())
"""


def start(folder, fatal="", calls=0):
    """A process that trains; it prints the number of each epoch that it has done."""
    command = [sys.executable, "-W", "error", "-c", TRAIN, str(folder), str(EPOCHS), fatal, str(calls)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finish(process):
    """The first epoch that it did, or None if it was killed before or had none to do, and how it ended."""
    lines = process.communicate()[0].split()
    return (int(lines[0]) if lines else None), process.returncode


def killed(folder, epochs, delay_s):
    """A process that is killed so long after so many epochs, unless it ends before: as `finish`."""
    process = start(folder)
    lines = [line for line in (process.stdout.readline() for _ in range(epochs)) if line]
    time.sleep(delay_s)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return (int(lines[0]) if lines else None), process.returncode


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """What a run that nobody kills ends with."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    assert finish(start(folder)) == (1, 0)
    assert sorted(os.listdir(folder)) == ["run", "weights"]
    return (folder / "weights").read_bytes()


def check_leftovers(folder):
    """Besides the files there are none but those that a killed write had begun, under names that nobody reads."""
    others = [name for name in os.listdir(folder) if name not in ("run", "weights")]
    assert all(name.startswith((".run.", ".weights.")) for name in others)
    if (folder / "run").exists():
        container.parse((folder / "run").read_bytes())


def run_and_kill(folder, seed, kills):
    """Kill a run so many times at random moments, then let it end.

    Returns how often it was killed before its end, and the first epoch of every process that did one.
    """
    rng, deaths, firsts = np.random.default_rng(seed), 0, []
    for _ in range(kills):
        first, code = killed(folder, int(rng.integers(0, 5)), rng.uniform(0, 0.08))
        firsts.append(first)
        check_leftovers(folder)
        if (folder / "weights").exists():
            break
        assert code == -signal.SIGKILL
        deaths += 1
    first, code = finish(start(folder))
    assert code == 0
    return deaths, [first for first in (*firsts, first) if first is not None]


def kill_runs(folder, runs, kills, uninterrupted):
    """Kill each run several times; all of them end the same, and most have gone on from the middle."""
    deaths, gone_on = 0, 0
    for run in range(runs):
        own = folder / str(run)
        own.mkdir()
        died, firsts = run_and_kill(own, run, kills)
        assert (own / "weights").read_bytes() == uninterrupted
        assert firsts == sorted(firsts)
        deaths, gone_on = deaths + died, gone_on + (died > 0 and max(firsts) > 1)
        check_leftovers(own)
    assert deaths >= runs
    assert gone_on > runs / 2


def test_killed_training_ends_with_the_same_weights(tmp_path, uninterrupted):
    kill_runs(tmp_path, 1, 3, uninterrupted)


@pytest.mark.slow
def test_twenty_killed_runs_end_with_the_same_weights(tmp_path, uninterrupted):
    """Issue bar: 20 runs, each killed up to three times."""
    kill_runs(tmp_path, 20, 3, uninterrupted)


@pytest.mark.parametrize(
    ("fatal", "calls", "goes_on_with"),
    [("fsync", 1, 1), ("replace", 4, 4)],
    ids=["in the first checkpoint", "before the fourth is in place"],
)
def test_training_that_is_killed_as_it_saves(tmp_path, uninterrupted, fatal, calls, goes_on_with):
    """What it had begun to write lies there and is not read: the epoch is done again."""
    assert finish(start(tmp_path, fatal, calls))[1] == -signal.SIGKILL
    assert any(name.startswith(".run.") for name in os.listdir(tmp_path))
    check_leftovers(tmp_path)
    assert finish(start(tmp_path)) == (goes_on_with, 0)
    assert (tmp_path / "weights").read_bytes() == uninterrupted
