"""Handwritten digits restored step by step: a small machine learns them, then samples what noise or a cover hides.

Of a held-out digit either 30 % of the pixels are flipped, and it is sampled given noisy observations of all pixels; or
its lower half is hidden, and is sampled with the upper half clamped. The nearest training image is what must be beaten.

python examples/restore_digits.py restored_digits.png
"""

import argparse
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from sklearn.datasets import load_digits

import pbit_hw as pb
from pbit_hw.compiler.observation import observed
from pbit_hw.host.inference import infer
from pbit_hw.host.training import train

SIDE = 8
PIXELS = SIDE * SIDE
HIDDEN = 128
TRAIN = 1_500
FLIPPED = 0.3
WEIGHT_FORMAT = "s[3][6]"
RULE: dict[str, Any] = {"learning_rate": (0.1, 0.002), "batch_size": 50, "chains": 100, "mean_field": True}
BURN_IN, SWEEPS, START_BETA = 300, 500, 0.25
COLOURS = ("0.6", "#d55e00", "#0072b2")
SHOWN, SHOWN_SWEEPS = 4, (1, 100, 200, BURN_IN)

Bits = npt.NDArray[np.int8]
Float = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Task:
    """Images of which something is unknown, and the array that samples it with the rest clamped."""

    name: str
    array: pb.Simulator
    given: list[Hashable]
    rows: Bits
    shown: Float
    unknown: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Restored:
    """What became of a task's images, shapes (images, 64), and by name the share of unknown pixels that are wrong."""

    task: Task
    means: Float
    nearest: Bits
    wrong: dict[str, Float]


def digits() -> tuple[Bits, Bits]:
    """Rows of 64 bits to train on and to hold out."""
    bits = (load_digits().data > 7.5).astype(np.int8)
    return bits[:TRAIN], bits[TRAIN:]


def learn(data: Bits, epochs: int, seed: int) -> pb.Program:
    """A restricted Boltzmann machine trained with persistent chains on the array."""
    mean = data.mean(axis=0).clip(0.01, 0.99)
    couplings = np.random.default_rng(seed).normal(0, 0.05, (PIXELS, HIDDEN))
    model = pb.RBM(couplings, np.log(mean / (1 - mean)), np.zeros(HIDDEN))
    array = pb.Simulator(pb.compile(model, weight_format=WEIGHT_FORMAT), seed=seed)
    train(array, data, epochs=epochs, seed=seed, **RULE)
    return array.program


def flipped(program: pb.Program, images: Bits, seed: int) -> Task:
    """A posterior: the machine with a noisy observation of each pixel, clamped to what is seen."""
    labels = list(program.model.labels[:PIXELS])
    seen = images ^ (np.random.default_rng(seed).random(images.shape) < FLIPPED)
    noisy = pb.compile(observed(program.quantised, labels, FLIPPED), weight_format=WEIGHT_FORMAT)
    given: list[Hashable] = [("observed", label) for label in labels]
    name = f"{100 * FLIPPED:.0f} % of the pixels flipped"
    return Task(name, pb.Simulator(noisy, seed=seed), given, seen, seen.astype(float), np.full(PIXELS, True))


def half_hidden(program: pb.Program, images: Bits, seed: int) -> Task:
    """The trained machine as it is, its upper pixels clamped."""
    lower = np.arange(PIXELS) >= PIXELS // 2
    given = list(program.model.labels[: PIXELS // 2])
    shown = np.where(lower, 0.5, images)
    return Task("Lower half hidden", pb.Simulator(program, seed=seed), given, images[:, ~lower], shown, lower)


def restore(task: Task, training: Bits, truth: Bits) -> Restored:
    """Sample, and compare with what was given and with the nearest training image by the pixels that are seen."""
    unknown = task.unknown
    wanted = [task.array.program.model.labels[place] for place in np.flatnonzero(unknown)]
    means = task.shown.copy()
    means[:, unknown] = infer(
        task.array, task.given, task.rows, wanted, burn_in=BURN_IN, sweeps=SWEEPS, start_beta=START_BETA
    )
    seen = np.full(PIXELS, True) if unknown.all() else ~unknown
    differing = (task.shown[:, None, seen] != training[None, :, seen]).sum(axis=2)
    nearest = training[differing.argmin(axis=1)]
    images: dict[str, npt.ArrayLike] = {"corrupted": task.rows} if unknown.all() else {"left blank": 0 * truth}
    images |= {"nearest training image": nearest, "restored": means > 0.5}
    wrong = {name: (np.asarray(image) != truth)[:, unknown].mean(axis=1) for name, image in images.items()}
    return Restored(task, means, nearest, wrong)


def steps(task: Task) -> Bits:
    """The first images as the array has them after some sweeps of annealing, shape (sweeps, images, pixels)."""
    clamp = dict(zip(task.given, task.rows[:SHOWN].T, strict=True))
    beta = np.linspace(START_BETA, 1.0, BURN_IN)
    run = task.array.sample(BURN_IN, replicas=SHOWN, clamp=clamp, beta=beta, keep_every=1)
    return run.states.reshape(BURN_IN, SHOWN, -1)[np.array(SHOWN_SWEEPS) - 1, :, :PIXELS]


def draw_steps(figure: SubFigure, found: Restored, truth: Bits) -> None:
    """A row for each of the first held-out images, from what is seen to what is restored."""
    figure.suptitle(found.task.name, fontweight="bold")
    columns: list[tuple[str, Any]] = [("original", truth), ("seen", found.task.shown)]
    columns += [(f"sweep {sweep}", states) for sweep, states in zip(SHOWN_SWEEPS, steps(found.task), strict=True)]
    columns += [("mean", found.means), ("restored", found.means > 0.5), ("nearest", found.nearest)]
    grid: Any = figure.subplots(SHOWN, len(columns))
    for (title, images), panels in zip(columns, grid.T, strict=True):
        panels[0].set_title(title, fontsize=9)
        for image, panel in zip(images, panels, strict=False):
            panel.imshow(image.reshape(SIDE, SIDE), cmap="gray_r", vmin=0, vmax=1)
            panel.set(xticks=[], yticks=[])
            panel.spines[:].set_color("0.75")


def draw_errors(axes: Axes, found: list[Restored]) -> None:
    """Means over held-out images, with standard errors."""
    ticks = []
    for start, one in zip((0, 4), found, strict=True):
        for place, ((name, shares), colour) in enumerate(zip(one.wrong.items(), COLOURS, strict=True), start):
            bars = axes.bar(place, 100 * shares.mean(), 0.9, yerr=100 * standard_error(shares), color=colour, capsize=2)
            axes.bar_label(bars, fmt="%.1f", fontsize=9)
            ticks.append((place, name.replace(" ", "\n")))
        title = one.task.name.replace(" of the", "\nof the").replace(" half", "\nhalf")
        axes.text(start + 1, 35.5, title, ha="center", fontweight="bold", fontsize=9)
    axes.set_xticks(*zip(*ticks, strict=True), fontsize=7)
    axes.set(ylabel="unknown pixels that are wrong in %", ylim=(0, 40))


def draw(found: list[Restored], truth: Bits, output: str | Path) -> None:
    """Restorations step by step, and how good they are."""
    figure = Figure(figsize=(12, 7.4), layout="constrained")
    grid = figure.add_gridspec(len(found), 2, width_ratios=(2.1, 1))
    for row, one in enumerate(found):
        draw_steps(figure.add_subfigure(grid[row, 0]), one, truth)
    draw_errors(figure.add_subplot(grid[:, 1]), found)
    figure.savefig(output, dpi=110)


def standard_error(shares: Float) -> float:
    """Of a mean over images."""
    return float(shares.std(ddof=1) / np.sqrt(len(shares)))


def main(output: str | Path = "restored_digits.png", *, quick: bool = False, seed: int = 1) -> list[Restored]:
    """Write the figure; returns the errors of both tasks."""
    training, truth = digits()
    program = learn(training, 40 if quick else 200, seed)
    found = [restore(make(program, truth, seed), training, truth) for make in (flipped, half_hidden)]
    print(f"wrong pixels of {len(truth)} held-out images, in % of those that are unknown, seed {seed}")
    for one in found:
        print(one.task.name)
        for name, shares in one.wrong.items():
            print(f"{name:>24} {100 * shares.mean():5.1f} ± {100 * standard_error(shares):.1f}")
    draw(found, truth, output)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "output", nargs="?", default="restored_digits.png", help="picture to write (default: %(default)s)"
    )
    main(parser.parse_args().output)
