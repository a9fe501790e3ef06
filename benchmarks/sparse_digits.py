"""A sparse Boltzmann machine learns to read and to write digits, with every phase on the array.

    python benchmarks/sparse_digits.py FOLDER digits.png [--digits 0123456789] [--epochs 40] [--checkpoint FILE]

FOLDER holds ``t10k-images-idx3-ubyte.gz`` and ``t10k-labels-idx1-ubyte.gz`` of MNIST: the first 9,000 images train, the
last 1,000 test, both binarised at half. The machine has 3,614 p-bits of degree 20 or less, in s[3][6]. An image is
classified by clamping its pixels and reading the label units; images are written by clamping the labels.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from rich.progress import Progress

import pbit_hw as pb
from pbit_hw.compiler.receptive import ReceptiveMachine, receptive_machine
from pbit_hw.host.idx import binarise, read_idx
from pbit_hw.host.inference import classify, infer
from pbit_hw.host.training import Trainer, train

TRAIN = 9_000
SHAPE = (28, 28)
HIDDEN = 1_500
WEIGHT_FORMAT = "s[3][6]"
RULE: dict[str, Any] = {"sweeps": 10, "averaged": 5, "chains": 64, "discriminative": 0.8}
RATES = (0.5, 0.01)
BATCH_SIZE = 64
EVALUATE_EVERY = 10
WRITTEN = 8

Bits = npt.NDArray[np.int8]


def read(folder: Path, digits: str) -> tuple[tuple[Bits, Bits], tuple[Bits, Bits]]:
    """Images of some digits and their places among these digits, to train on and to test on."""
    images = binarise(read_idx(folder / "t10k-images-idx3-ubyte.gz")).astype(np.int8)
    values = read_idx(folder / "t10k-labels-idx1-ubyte.gz").astype(np.int64)
    wanted = np.array([int(digit) for digit in digits])
    chosen = np.isin(values, wanted)
    places = np.searchsorted(wanted, values).astype(np.int8)
    first, rest = np.arange(len(images)) < TRAIN, np.arange(len(images)) >= TRAIN
    return tuple((images[part & chosen], places[part & chosen]) for part in (first, rest))  # type: ignore[return-value]


class Reader:
    """A machine and what it is tested on."""

    def __init__(self, machine: ReceptiveMachine, images: Bits, classes: Bits) -> None:
        self.machine, self.classes = machine, classes
        self.rows = images[:, machine.columns[machine.columns < images.shape[1]]]

    def accuracy(self, sampler: Any) -> float:
        """Share of images whose label units are on most."""
        chosen, _ = classify(sampler, self.machine.pixels, self.rows, self.machine.classes)
        return float((chosen == self.classes).mean())


def written(sampler: Any, machine: ReceptiveMachine, each: int) -> npt.NDArray[np.float64]:
    """Images of every class, from its label units alone: means over copies and a few sweeps."""
    classes = len(machine.classes)
    given = [unit for units in machine.classes for unit in units]
    shown = np.repeat(np.eye(classes, dtype=np.int8), [len(units) for units in machine.classes], axis=1)
    pixels = infer(sampler, given, np.repeat(shown, each, axis=0), machine.pixels, burn_in=2_000, sweeps=20)
    columns = machine.columns[: len(machine.pixels)]
    firsts = np.searchsorted(columns, np.arange(columns[-1] + 1))
    images: npt.NDArray[np.float64] = np.add.reduceat(pixels, firsts, axis=1) / np.bincount(columns)
    return images.reshape(classes, each, *SHAPE)


def draw(curve: list[tuple[int, float]], images: npt.NDArray[np.float64], path: Path) -> None:
    """The learning curve, and what the machine writes."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.5))
    axes = left.subplots()
    axes.plot(*zip(*curve, strict=True), "o-", color="#0072b2")
    axes.set(xlabel="epoch", ylabel="accuracy on held-out images", title="read: pixels clamped")
    right.suptitle("written: labels clamped")
    for row, panels in zip(images, right.subplots(*images.shape[:2], squeeze=False), strict=True):
        for image, panel in zip(row, panels, strict=True):
            panel.imshow(image, cmap="gray_r", vmin=0, vmax=1)
            panel.set_axis_off()
    figure.savefig(path, dpi=150)


def main() -> None:
    """Train, print the accuracy, and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of MNIST's t10k files")
    parser.add_argument("output", type=Path, help="picture to write")
    parser.add_argument("--digits", default="0123456789", help="which ones, ascending (default: all)")
    parser.add_argument("--epochs", type=int, default=40, help="passes over the images (default 40)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--discriminative", type=float, default=RULE["discriminative"])
    parser.add_argument("--checkpoint", type=Path, help="file to write after every epoch, and to go on from")
    arguments = parser.parse_args()
    (images, classes), held_out = read(arguments.folder, arguments.digits)
    count = len(arguments.digits)
    machine = receptive_machine(images, SHAPE, count, hidden=HIDDEN, seed=arguments.seed)
    program = pb.compile(machine.model, weight_format=WEIGHT_FORMAT, colouring="fast")
    degrees = program.image.degrees
    print(f"{program.image.size} p-bits, {program.image.slots // 2} edges, degree at most {degrees.max()}", flush=True)
    simulator, reader = pb.Simulator(program, seed=arguments.seed), Reader(machine, *held_out)
    rows = np.concatenate([images, np.eye(count, dtype=np.int8)[classes]], axis=1)[:, machine.columns]
    curve: list[tuple[int, float]] = []
    began = time.perf_counter()

    def report(trainer: Trainer) -> None:
        if trainer.epoch % EVALUATE_EVERY == 0 or trainer.epoch in (1, arguments.epochs):
            curve.append((trainer.epoch, reader.accuracy(simulator)))
            seconds = time.perf_counter() - began
            print(f"epoch {trainer.epoch}: {100 * curve[-1][1]:.1f} %, {seconds:.0f} s", flush=True)

    rule = RULE | {"targets": [unit for units in machine.classes for unit in units], "fixed": machine.ties.tolist()}
    with Progress(transient=True) as progress:
        task = progress.add_task("training")
        train(
            simulator,
            rows,
            epochs=arguments.epochs,
            learning_rate=RATES,
            batch_size=BATCH_SIZE,
            seed=arguments.seed,
            callbacks=[report],
            progress=lambda done, total: progress.update(task, completed=done, total=total),
            checkpoint=arguments.checkpoint,
            **rule | {"discriminative": arguments.discriminative},
        )
    accuracy, size = reader.accuracy(simulator), len(held_out[0])
    error = np.sqrt(accuracy * (1 - accuracy) / size)
    print(f"accuracy {100 * accuracy:.1f} +- {100 * error:.1f} % of {size} images", flush=True)
    draw(curve, written(simulator, machine, WRITTEN), arguments.output)


if __name__ == "__main__":
    main()
