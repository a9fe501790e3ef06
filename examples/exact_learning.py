"""Small distributions, learned with hidden units: how near the array comes, in fine weights and in its own s[4][5].

The full adder, even parity of three to five bits, and a random distribution over 8 bits. The array samples, both
formats alike; the divergence from the data is exact, hidden units summed out, and that of the quantised weights.

python examples/exact_learning.py exact_learning.png
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import pbit_hw as pb
from pbit_hw.compiler.library import full_adder_truth_table
from pbit_hw.compiler.program import Program
from pbit_hw.host.likelihood import log_likelihood
from pbit_hw.host.training import train

Rows = npt.NDArray[np.int8]

FORMATS = {"s[4][16], as good as float": "s[4][16]", "s[4][5]": "s[4][5]"}
BARS = {"s[4][16]": 0.02, "s[4][5]": 0.05}
COLOURS = {"s[4][16]": "#0072b2", "s[4][5]": "#d55e00"}
MOMENTUM = 0.9
SPREAD = 0.5
"""Standard deviation of the couplings and of the hidden units' biases at the start."""
POINTS = 100
"""Divergences of each run."""
RANDOM_BITS = 8
RANDOM_ROWS = 2048


@dataclass(frozen=True)
class Task:
    """What is to be learned, and how.

    Parameters
    ----------
    rows : ndarray of int8, shape (k, n_visible)
        A batch, which is all of the data: each state as often as its share says.
    hidden, epochs, sweeps : int
        Hidden units, steps, and the k of CD-k.
    rates : (float, float)
        Learning rate, from the first step to the last.
    schedule : str
        How it falls.
    mean_field : bool
        Whether the hidden units of the data side are the host's means.
    """

    rows: Rows
    hidden: int
    epochs: int
    sweeps: int = 10
    rates: tuple[float, float] = (0.1, 0.001)
    schedule: str = "geometric"
    mean_field: bool = False

    @property
    def entropy(self) -> float:
        """Of the data, in nats."""
        _, counts = np.unique(self.rows, axis=0, return_counts=True)
        shares = counts / counts.sum()
        return float(-shares @ np.log(shares))


@dataclass(frozen=True)
class Run:
    """KL(data || model) in nats after ``epochs``, what it took of the processor, and the program in the end."""

    weight_format: str
    seed: int
    epochs: npt.NDArray[np.int_]
    divergence: npt.NDArray[np.float64]
    cpu_s: float
    program: Program


def all_states(size: int) -> Rows:
    """All states of so many spins, shape (2**size, size)."""
    return (np.arange(1 << size)[:, None] >> np.arange(size) & 1).astype(np.int8) * 2 - 1


def even_parity(size: int) -> Rows:
    """The states with an even number of ones; those of three bits say that a xor b = c."""
    states = all_states(size)
    return states[(states > 0).sum(axis=1) % 2 == 0]


def random_rows(seed: int) -> Rows:
    """States in the shares of independent Gaussian energies of standard deviation 1, as whole numbers allow."""
    weights = np.exp(np.random.default_rng((seed, 8)).normal(0, 1, 1 << RANDOM_BITS))
    exact = RANDOM_ROWS * weights / weights.sum()
    counts = exact.astype(int)
    counts[np.argsort(counts - exact)[: RANDOM_ROWS - counts.sum()]] += 1
    return np.repeat(all_states(RANDOM_BITS), counts, axis=0)


def tasks(seed: int, *, quick: bool) -> dict[str, Task]:
    """All tasks; the random distribution is another one for every seed."""
    adder = full_adder_truth_table().astype(np.int8) * 2 - 1
    found = {
        "Full adder": Task(np.tile(adder, (128, 1)), 8, 500 if quick else 1500, 20, (0.04, 0.002)),
        "Even parity of 3": Task(np.tile(even_parity(3), (256, 1)), 4, 500 if quick else 1000),
    }
    if not quick:
        found["Even parity of 4"] = Task(np.tile(even_parity(4), (128, 1)), 8, 1500)
        found["Even parity of 5"] = Task(np.tile(even_parity(5), (64, 1)), 16, 2000)
        found["Random, 8 bits"] = Task(random_rows(seed), 32, 4000, 3, schedule="linear", mean_field=True)
    return found


def machine(visible: int, hidden: int, weight_format: str, seed: int) -> Program:
    """Spins in two layers, with random couplings to start from: from zero, hidden units would stay alike."""
    pairs = np.stack(np.meshgrid(range(visible), range(visible, visible + hidden), indexing="ij"), axis=-1)
    model = pb.BoltzmannMachine(visible, hidden, edges=pairs.reshape(-1, 2))
    rng = np.random.default_rng((seed, 1))
    couplings, biases = rng.normal(0, SPREAD, len(model.edges)), np.zeros(model.size)
    biases[visible:] = rng.normal(0, SPREAD, hidden)
    return pb.compile(model, weight_format=weight_format).reweighted(couplings, biases)


def learn(task: Task, weight_format: str, seed: int) -> Run:
    """Train on the array from the data; measure now and then, and in the end."""
    distinct, counts = np.unique(task.rows, axis=0, return_counts=True)
    rows = distinct if len(set(counts)) == 1 else task.rows
    shown = np.unique(np.linspace(0, task.epochs, POINTS + 1).round().astype(int))[1:]
    measured: list[float] = []
    epoch = 0

    def divergence(program: Program) -> float:
        nonlocal epoch
        epoch += 1
        if epoch in shown:
            measured.append(-task.entropy - log_likelihood(program.quantised, rows).value)
        return 0.0

    array = pb.Simulator(machine(task.rows.shape[1], task.hidden, weight_format, seed), seed=seed, threads=1)
    started_s = time.process_time()
    train(
        array,
        task.rows,
        epochs=task.epochs,
        batch_size=len(task.rows),
        learning_rate=task.rates,
        schedule=task.schedule,
        sweeps=task.sweeps,
        momentum=MOMENTUM,
        mean_field=task.mean_field,
        seed=seed,
        evaluate=divergence,
    )
    cpu_s = time.process_time() - started_s
    return Run(weight_format, seed, shown, np.array(measured), cpu_s, array.program)


def draw_curves(axes: Axes, name: str, task: Task, runs: list[Run]) -> None:
    """Divergence by epoch, a line for each format and seed, and the bars."""
    for label, weight_format in FORMATS.items():
        colour = COLOURS[weight_format]
        own = [run for run in runs if run.weight_format == weight_format]
        for place, run in enumerate(own):
            style = {"linewidth": 1.6, "label": label} if place == 0 else {"linewidth": 0.7, "alpha": 0.45}
            axes.semilogy(run.epochs, run.divergence, color=colour, **style)
        axes.axhline(BARS[weight_format], color=colour, linestyle="--", linewidth=1)
    visible = task.rows.shape[1]
    axes.set(title=f"{name}: {visible} visible, {task.hidden} hidden", xlabel="epoch", xlim=(0, task.epochs))
    axes.set(ylabel="KL(data || model) in nats", ylim=(1e-3, 2))


def draw_ends(axes: Axes, found: dict[str, list[Run]]) -> None:
    """What is left in the end, a point for each run."""
    for shift, weight_format in zip((-0.12, 0.12), FORMATS.values(), strict=True):
        colour = COLOURS[weight_format]
        for place, runs in enumerate(found.values()):
            ends = [run.divergence[-1] for run in runs if run.weight_format == weight_format]
            axes.semilogx(ends, np.full(len(ends), place + shift), "o", color=colour, markersize=5, alpha=0.7)
        bar = BARS[weight_format]
        axes.axvline(bar, color=colour, linestyle="--", linewidth=1)
        axes.annotate(f" {bar:g}", (bar, -0.65), color=colour, va="center")
    axes.set_yticks(range(len(found)), list(found))
    axes.set(title="In the end", xlabel="KL(data || model) in nats", xlim=(1e-3, 0.2), ylim=(len(found) - 0.5, -0.9))


def draw(jobs: dict[str, Task], found: dict[str, list[Run]], output: str | Path) -> None:
    """A panel for each distribution, and one for what is left."""
    rows = (len(jobs) + 3) // 3
    figure = Figure(figsize=(12, 3.4 * rows), layout="constrained")
    panels = figure.subplots(rows, 3, squeeze=False).ravel()
    for axes, (name, task) in zip(panels, jobs.items(), strict=False):
        draw_curves(axes, name, task, found[name])
    draw_ends(panels[len(jobs)], found)
    for axes in panels[len(jobs) + 1 :]:
        axes.set_axis_off()
    for axes in panels[: len(jobs) + 1]:
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].legend(frameon=False, title="weights; dashed: what is asked of them")
    figure.savefig(output, dpi=90)


def print_table(jobs: dict[str, Task], found: dict[str, list[Run]]) -> None:
    """A line for each distribution and format, in Markdown."""
    print("| distribution | visible | hidden | weights | KL, median | worst | below the bar | epochs | CPU s |")
    print("|" + " --- |" * 9)
    for name, task in jobs.items():
        for weight_format in FORMATS.values():
            runs = [run for run in found[name] if run.weight_format == weight_format]
            ends = np.array([run.divergence[-1] for run in runs])
            below = f"{(ends < BARS[weight_format]).sum()} of {len(ends)}"
            print(
                f"| {name} | {task.rows.shape[1]} | {task.hidden} | `{weight_format}` | {np.median(ends):.4f} | "
                f"{ends.max():.4f} | {below} | {task.epochs:,} | {np.mean([run.cpu_s for run in runs]):.1f} |"
            )


def main(
    output: str | Path = "exact_learning.png", *, quick: bool = False, seeds: int = 1
) -> tuple[dict[str, Task], dict[str, list[Run]]]:
    """Write the figure; returns tasks of the first seed, and the runs of each."""
    jobs = tasks(0, quick=quick)
    found: dict[str, list[Run]] = {name: [] for name in jobs}
    for seed in range(seeds):
        for name, task in tasks(seed, quick=quick).items():
            found[name] += [learn(task, weight_format, seed) for weight_format in FORMATS.values()]
    draw(jobs, found, output)
    print_table(jobs, found)
    return jobs, found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "output", nargs="?", default="exact_learning.png", help="picture to write (default: %(default)s)"
    )
    parser.add_argument("--seeds", type=int, default=1, help="runs of each, from 0 on (default: %(default)s)")
    arguments = parser.parse_args()
    main(arguments.output, seeds=arguments.seeds)
