"""Corrupted digits restored on the array: an RBM that has learned digits, given what is left of one, samples the rest.

    python benchmarks/restore.py FOLDER restore.png [--save FILE] [--program FILE] [--seed 0]

FOLDER holds ``t10k-images-idx3-ubyte.gz`` and ``t10k-labels-idx1-ubyte.gz`` of MNIST: the first 9,000 images train,
the last 1,000 are corrupted and restored, all binarised at half. Labels only choose what is shown. Either 30 % of the
pixels are flipped, and the array samples the image given observations that are wrong that often; or the lower half is
hidden, and the array samples it with the upper half clamped. A pixel is restored to 1 if it was 1 in more than half of
the sweeps. Beside it stands the training image that is most like the corrupted one.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure, SubFigure
from rich.progress import Progress

import pbit_hw as pb
from pbit_hw.compiler.observation import observed
from pbit_hw.host.idx import binarise, read_idx
from pbit_hw.host.inference import infer
from pbit_hw.host.training import train

TRAIN = 9_000
SIDE = 28
PIXELS = SIDE * SIDE
FLIPPED = 0.3
WEIGHT_FORMAT = "s[3][6]"
RULE: dict[str, Any] = {
    "learning_rate": (0.05, 0.0005),
    "batch_size": 100,
    "chains": 100,
    "sweeps": 5,
    "mean_field": True,
}

CHAINS = 4
"""An image's means are taken over so many: one alone may stay with the wrong digit."""
BURN_IN, SWEEPS = 500, 150

SHOWN = 4
"""Held-out images in the picture: the first ones of different digits."""
WRONG = {"surplus": (0.84, 0.37, 0.0), "missing": (0.45, 0.72, 0.92)}
"""Colours of pixels that are 1 and should be 0, and the other way round."""

Bits = npt.NDArray[np.int8]
Float = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Task:
    """Images to restore, and how: what is clamped to what, on which array, for how long."""

    name: str
    array: pb.Simulator
    given: list[Hashable]
    rows: Bits
    shown: Float
    unsure: npt.NDArray[np.bool_]
    """Pixels that are restored and counted."""
    start_beta: float
    shown_sweeps: tuple[int, ...]

    @property
    def betas(self) -> Float:
        """Of each sweep of the annealing."""
        return np.linspace(self.start_beta, 1.0, BURN_IN)

    def means(self) -> Float:
        """Means of the pixels that are not known, shape (images, pixels)."""
        wanted = [label for label, asked in zip(pixels(self.array), self.unsure, strict=True) if asked]
        rows = np.tile(self.rows, (CHAINS, 1))
        means = infer(self.array, self.given, rows, wanted, burn_in=BURN_IN, sweeps=SWEEPS, start_beta=self.start_beta)
        together: Float = means.reshape(CHAINS, len(self.rows), -1).mean(axis=0)
        return together

    def steps(self, chosen: Places) -> Bits:
        """Some images after the sweeps to be shown of another such chain, shape (sweeps, images, 784)."""
        clamp = dict(zip(self.given, self.rows[chosen].T, strict=True))
        run = self.array.sample(BURN_IN, replicas=len(chosen), clamp=clamp, beta=self.betas, keep_every=1)
        return run.states.reshape(BURN_IN, len(chosen), -1)[np.array(self.shown_sweeps) - 1, :, :PIXELS]


@dataclass(frozen=True, eq=False)
class Restored:
    """What became of a task's images, shapes (images, 784); pixels that are known are what they were."""

    task: Task
    means: Float
    nearest: Bits
    seconds: float
    """Of processor time."""

    @property
    def images(self) -> Bits:
        """Pixels that were 1 most of the time."""
        return (self.means > 0.5).astype(np.int8)


def pixels(array: Any) -> list[Hashable]:
    """Labels of the pixels."""
    return list(array.program.model.labels[:PIXELS])


def learned(images: Bits, hidden: int, epochs: int, seed: int) -> pb.Program:
    """An RBM trained by persistent contrastive divergence on the array."""
    mean = images.mean(axis=0).clip(0.002, 0.998)
    couplings = np.random.default_rng(seed).normal(0, 0.01, (PIXELS, hidden))
    model = pb.RBM(couplings, np.log(mean / (1 - mean)), np.zeros(hidden))
    array = pb.Simulator(pb.compile(model, weight_format=WEIGHT_FORMAT, colouring="fast"), seed=seed, threads=1)
    with Progress(transient=True) as progress:
        bar = progress.add_task("training")

        def report(done: int, total: int) -> None:
            progress.update(bar, completed=done, total=total)

        train(array, images, epochs=epochs, seed=seed, progress=report, **RULE)
    return array.program


def flipped(program: pb.Program, images: Bits, seed: int) -> Task:
    """Each pixel flipped with a probability of 30 %; what is seen are clamped observations."""
    labels = list(program.model.labels[:PIXELS])
    noisy = observed(program.quantised, labels, FLIPPED)
    array = pb.Simulator(pb.compile(noisy, weight_format=WEIGHT_FORMAT, colouring="fast"), seed=seed, threads=1)
    rows = images ^ (np.random.default_rng(seed).random(images.shape) < FLIPPED)
    given: list[Hashable] = [("observed", label) for label in labels]
    name = f"{100 * FLIPPED:.0f} % of the pixels flipped"
    return Task(name, array, given, rows, rows.astype(float), np.full(PIXELS, True), 0.8, (1, 20, 50, BURN_IN))


def hidden_half(program: pb.Program, images: Bits, seed: int) -> Task:
    """The upper half clamped, nothing known of the lower one."""
    array = pb.Simulator(program, seed=seed, threads=1)
    unsure = np.arange(PIXELS) >= PIXELS // 2
    given = [label for label, asked in zip(pixels(array), unsure, strict=True) if not asked]
    shown = np.where(unsure, 0.5, images)
    return Task("lower half hidden", array, given, images[:, ~unsure], shown, unsure, 0.25, (1, 250, 375, BURN_IN))


def restore(task: Task, training: Bits) -> Restored:
    """Restore on the array, and find the nearest training images."""
    began = time.process_time()
    means = task.shown.copy()
    means[:, task.unsure] = task.means()
    seconds = time.process_time() - began
    compared = task.unsure if task.unsure.all() else ~task.unsure
    return Restored(task, means, training[nearest(task.shown[:, compared], training[:, compared])], seconds)


def nearest(images: Float, training: Bits) -> Places:
    """For each image the training image that fewest pixels differ from."""
    ours, theirs = images.astype(np.float32), training.astype(np.float32)
    return (theirs.sum(axis=1) - 2 * ours @ theirs.T).argmin(axis=1)


def wrong(images: npt.ArrayLike, truth: Bits, counted: npt.NDArray[np.bool_]) -> Float:
    """Share of the counted pixels that are wrong, of each image."""
    share: Float = (np.asarray(images) != truth)[:, counted].mean(axis=1)
    return share


def with_error(shares: Float) -> str:
    """Mean over images in per cent, with its standard error."""
    return f"{100 * shares.mean():.2f} ± {100 * shares.std(ddof=1) / np.sqrt(len(shares)):.2f} %"


def print_table(found: list[Restored], truth: Bits, seed: int) -> None:
    """Pixels wrong of those that are not known; a hidden half is filled in two ways, for want of a corrupted one."""
    print("| corrupted | filled in | as given | nearest training image | restored | sweeps | seed | processor s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for one in found:
        counted = one.task.unsure
        guesses: dict[str, npt.ArrayLike] = {"as seen": one.task.shown}
        if not counted.all():
            coins = np.random.default_rng(seed).integers(0, 2, truth.shape)
            guesses = {"by coin flips": coins, "left blank": np.zeros_like(truth)}
        ours, theirs = wrong(one.images, truth, counted), wrong(one.nearest, truth, counted)
        sweeps = f"{CHAINS} x ({BURN_IN} + {SWEEPS})"
        for how, guess in guesses.items():
            cells = [one.task.name, how, *map(with_error, (wrong(guess, truth, counted), theirs, ours))]
            print(f"| {' | '.join(cells)} | {sweeps} | {seed} | {one.seconds:.0f} |")
        better = 100 * (ours < theirs).mean()
        print(f"nearest less restored: {with_error(theirs - ours)}, better on {better:.0f} % of images\n")


def draw(found: list[Restored], truth: Bits, chosen: Places, path: Path) -> None:
    """Held-out images, corrupted and restored step by step."""
    figure = Figure(figsize=(9.6, 10.1), layout="constrained")
    parts: Any = figure.subfigures(len(found), 1, hspace=0.02)
    for one, part in zip(found, parts, strict=True):
        draw_task(part, one, truth, chosen)
    figure.supxlabel("In the last two columns orange pixels should be white, light blue ones black.", fontsize=9)
    figure.savefig(path, dpi=110)


def draw_task(figure: SubFigure, one: Restored, truth: Bits, chosen: Places) -> None:
    """A row for each image, a column for each step."""
    task = one.task
    columns: list[tuple[str, Any]] = [("original", truth[chosen]), ("seen", task.shown[chosen])]
    for sweep, states in zip(task.shown_sweeps, task.steps(chosen), strict=True):
        columns.append((f"sweep {sweep}\nβ = {task.betas[sweep - 1]:.2f}", states))
    columns.append((f"mean of\n{CHAINS} x {SWEEPS} sweeps", one.means[chosen]))
    compared = (("restored", one.images), ("nearest\ntraining image", one.nearest))
    columns += [(title, painted(images, truth)[chosen]) for title, images in compared]
    figure.suptitle(f"{task.name[0].upper()}{task.name[1:]}", fontsize=13, fontweight="bold")
    grid: Any = figure.subplots(len(chosen), len(columns))
    for (title, images), panels in zip(columns, grid.T, strict=True):
        panels[0].set_title(title, fontsize=9)
        for image, panel in zip(images, panels, strict=True):
            panel.imshow(image.reshape(SIDE, SIDE, -1).squeeze(), cmap="gray_r", vmin=0, vmax=1)
            panel.set(xticks=[], yticks=[])
            panel.spines[:].set_color("0.75")
    for (_, images), panels in zip(compared, grid.T[-2:], strict=True):
        for share, panel in zip(wrong(images, truth, task.unsure)[chosen], panels, strict=True):
            panel.set_xlabel(f"{100 * share:.1f} % wrong", fontsize=8, labelpad=2)


def painted(images: Bits, truth: Bits) -> Float:
    """Images in colour, shape (k, 784, 3): wrong pixels stand out."""
    colours = np.repeat(1.0 - images[..., None], 3, axis=-1)
    colours[(images == 1) & (truth == 0)] = WRONG["surplus"]
    colours[(images == 0) & (truth == 1)] = WRONG["missing"]
    return colours


def main() -> None:
    """Train or load, restore, print the table, and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of MNIST's t10k files")
    parser.add_argument("output", type=Path, help="picture to write")
    parser.add_argument("--hidden", type=int, default=500, help="units to train (default %(default)s)")
    parser.add_argument("--epochs", type=int, default=40, help="passes over the images (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", type=Path, help="file to keep the trained program in")
    parser.add_argument("--program", type=Path, help="file to take it from, instead of training")
    arguments = parser.parse_args()
    bits = binarise(read_idx(arguments.folder / "t10k-images-idx3-ubyte.gz"))
    labels = read_idx(arguments.folder / "t10k-labels-idx1-ubyte.gz")[TRAIN:]
    training, truth = bits[:TRAIN], bits[TRAIN:]
    began = time.process_time()
    if arguments.program is not None:
        program = pb.load(arguments.program)
    else:
        program = learned(training, arguments.hidden, arguments.epochs, arguments.seed)
        print(f"trained in {time.process_time() - began:.0f} s of processor time", flush=True)
    if arguments.save is not None:
        program.save(arguments.save)
    tasks = [make(program, truth, arguments.seed) for make in (flipped, hidden_half)]
    found = [restore(task, training) for task in tasks]
    print_table(found, truth, arguments.seed)
    chosen = np.sort(np.unique(labels, return_index=True)[1])[:SHOWN]
    draw(found, truth, chosen, arguments.output)


if __name__ == "__main__":
    main()
