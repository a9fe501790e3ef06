"""Learning with and without the negative phase: what becomes of the energies of all states.

Four p-bits learn rows of a machine like themselves. The positive phase lowers the energy of the data. The negative
phase raises that of what the array dreams, and is all that stops it: without it every weight runs to the limit of its
format, and one state takes all the probability. States are in the order of a Gray code, so that neighbours differ in
one spin.

python examples/negative_phase.py negative_phase.png
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import pbit_hw as pb
from pbit_hw.compiler.edges import pair_means
from pbit_hw.compiler.program import Program
from pbit_hw.host.training import train
from pbit_hw.sim.exact import states

Float = npt.NDArray[np.float64]

SIZE = 4
WEIGHT_FORMAT = "s[2][6]"
RATES = (0.2, 0.02)
ROWS = 1000
GRAY = np.arange(1 << SIZE) ^ np.arange(1 << SIZE) >> 1
"""Index of the state at each place."""
NAMES = ("with the negative phase", "without it")
COLOURS = ("#0072b2", "#d55e00")


@dataclass(frozen=True)
class Course:
    """After each epoch, the first row before any, all exact and of the weights as the array has them.

    Parameters
    ----------
    energies, probabilities : ndarray of float64, shape (1 + epochs, 2**n)
        Of the states in the order of the Gray code.
    largest : ndarray of float64, shape (1 + epochs,)
        Largest magnitude of a weight.
    """

    energies: Float
    probabilities: Float
    largest: Float

    def divergence(self, data: Float) -> Float:
        """KL(data || model) in nats, shape (1 + epochs,)."""
        seen = data > 0
        logs = -self.energies - np.log(np.exp(-self.energies).sum(axis=1, keepdims=True))
        return np.asarray((data[seen] * (np.log(data[seen]) - logs[:, seen])).sum(axis=1))


def course(programs: list[Program]) -> Course:
    """What programs hold, one after the other."""
    found = [pb.exact(program.quantised) for program in programs]
    weights = [np.concatenate([each.model.couplings, each.model.biases]) for each in found]
    return Course(
        np.array([each.energies[GRAY] for each in found]),
        np.array([each.probabilities[GRAY] for each in found]),
        np.abs(weights).max(axis=1),
    )


def data_rows() -> npt.NDArray[np.int8]:
    """Rows in the shares that a ring of four spins has at equilibrium, as whole numbers allow, shape (k, 4)."""
    ring = pb.Ising([0.15, 0.1, 0.05, 0.1], [[0, 0.5, 0, 0.4], [0, 0, 0.6, 0], [0, 0, 0, 0.5], [0, 0, 0, 0]])
    shares = pb.exact(ring).probabilities
    return np.repeat(states(ring, 0, 1 << SIZE), np.round(ROWS * shares).astype(int), axis=0)


def with_negative_phase(program: Program, rows: npt.NDArray[np.int8], epochs: int, seed: int) -> list[Program]:
    """Contrastive divergence with persistent chains on the array."""
    programs = [program]

    def keep(now: Program) -> float:
        programs.append(now)
        return 0.0

    array = pb.Simulator(program, seed=seed)
    train(
        array,
        rows,
        epochs=epochs,
        batch_size=len(rows),
        learning_rate=RATES,
        sweeps=5,
        chains=500,
        seed=seed,
        evaluate=keep,
    )
    return programs


def without_negative_phase(program: Program, rows: npt.NDArray[np.int8], epochs: int) -> list[Program]:
    """The same, with nothing taken from what the data say."""
    correlation, mean = pair_means(rows, program.model.edges), rows.mean(axis=0)
    bound, programs = program.image.grid.largest, [program]
    for rate in np.linspace(*RATES, epochs):
        model = programs[-1].model
        couplings = (model.couplings + rate * correlation).clip(-bound, bound)
        programs.append(programs[-1].reweighted(couplings, (model.biases + rate * mean).clip(-bound, bound)))
    return programs


def draw_energies(axes: Axes, found: Course, name: str) -> None:
    """Energies of all states after some epochs."""
    last = len(found.energies) - 1
    shown = np.unique(np.round(np.geomspace(1, last, 5)).astype(int))
    for place, epoch in enumerate(shown):
        colour = colormaps["viridis"](0.9 * place / (len(shown) - 1))
        axes.plot(found.energies[epoch], color=colour, marker="o", markersize=3, linewidth=1, label=f"{epoch}")
    axes.set(ylabel="energy", title=f"Energies {name}")
    axes.legend(title="epoch", frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))


def draw_probabilities(axes: Axes, found: Course, data: Float, name: str) -> None:
    """Probabilities of all states in the end, and the data."""
    places = np.arange(len(data))
    axes.bar(places, data, color="0.8", label="data")
    learned, colour = found.probabilities[-1], COLOURS[NAMES.index(name)]
    axes.plot(places, learned, "o", color=colour, label="learned", clip_on=False)
    axes.set(ylabel="probability", title=f"In the end, {name}", ylim=(0, 1.08 * max(data.max(), learned.max())))
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(0.15, 1))


def name_states(axes: Axes) -> None:
    """Spins of each state under its place, the first on top."""
    names = ["\n".join("+" if index >> spin & 1 else "\u2212" for spin in range(SIZE)) for index in GRAY]
    axes.set_xticks(range(len(names)), names, fontsize=8, linespacing=0.9)
    axes.set_xlabel("state: its four spins, one under the other")


def draw(found: dict[str, Course], data: Float, limit: float, output: str | Path) -> None:
    """Energies and probabilities of either, and both runs' divergence and weights."""
    figure = Figure(figsize=(14, 7.5), layout="constrained")
    panels = figure.subplots(2, 3, width_ratios=(1.15, 1, 1))
    for (left, middle, _), (name, each) in zip(panels, found.items(), strict=True):
        draw_energies(left, each, name)
        draw_probabilities(middle, each, data, name)
        name_states(left)
        name_states(middle)
    divergence, weights = panels[:, 2]
    for colour, (name, each) in zip(COLOURS, found.items(), strict=True):
        divergence.semilogy(each.divergence(data), color=colour, label=name)
        weights.plot(each.largest, color=colour, label=name)
    weights.axhline(limit, color="0.6", linestyle="--", linewidth=1, label=f"limit of {WEIGHT_FORMAT}")
    divergence.set(xlabel="epoch", ylabel="nats", title="KL(data || model)")
    weights.set(xlabel="epoch", ylabel="largest weight", title="Largest coupling or bias")
    for axes in (divergence, weights):
        axes.legend(frameon=False)
    figure.savefig(output, dpi=150)


def main(output: str | Path = "negative_phase.png", *, quick: bool = False, seed: int = 1) -> dict[str, Course]:
    """Write the figure; returns the course of learning with the negative phase and without it."""
    rows = data_rows()
    program = pb.compile(pb.BoltzmannMachine(SIZE), weight_format=WEIGHT_FORMAT)
    epochs = 60 if quick else 200
    runs = with_negative_phase(program, rows, epochs, seed), without_negative_phase(program, rows, epochs)
    found = {name: course(programs) for name, programs in zip(NAMES, runs, strict=True)}
    data = np.bincount((rows > 0) @ (1 << np.arange(SIZE)), minlength=1 << SIZE)[GRAY] / len(rows)
    draw(found, data, program.image.grid.largest, output)
    print(f"after {epochs} epochs; the most probable state has {data.max():.3f} of the data")
    for name, each in found.items():
        print(
            f"{name}: KL(data || model) {each.divergence(data)[-1]:.4f} nats, most probable state "
            f"{each.probabilities[-1].max():.3f}, largest weight {each.largest[-1]:.2f}"
        )
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "output", nargs="?", default="negative_phase.png", help="picture to write (default: %(default)s)"
    )
    main(parser.parse_args().output)
