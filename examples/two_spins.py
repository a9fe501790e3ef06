"""Two coupled spins against temperature: how often the array is in each of their four states, beside Boltzmann's law.

python examples/two_spins.py two_spins.png
"""

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import pbit_hw as pb
from pbit_hw.compiler.program import Program
from pbit_hw.sim.exact import state_index, states
from pbit_hw.sim.statistics import mean_with_error

Float = npt.NDArray[np.float64]

COUPLING, BIASES = 1.0, (0.25, 0.5)
BETAS = (0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 1.0, 1.25, 1.5, 2.0)
SHOWN = (0.25, 1.0, 2.0)
REPLICAS = 64
STYLES = (("#d55e00", "v"), ("#cc79a7", "s"), ("#009e73", "D"), ("#0072b2", "o"))
"""Colour and marker of each state, in the order of the enumeration."""


class Measured(NamedTuple):
    """Of one beta: share of the samples in each state, its standard error, and the exact probability, shape (4,)."""

    beta: float
    shares: Float
    errors: Float
    exact: Float

    @property
    def deviations(self) -> Float:
        """Deviations from exact in standard errors."""
        return (self.shares - self.exact) / self.errors


def measure(program: Program, beta: float, sweeps: int, seed: int) -> Measured:
    """Sample the array at one temperature; successive sweeps are correlated, and the errors allow for it."""
    samples = pb.Simulator(program, seed=seed).sample(sweeps, replicas=REPLICAS, beta=beta, burn_in=sweeps // 10)
    indices = state_index(samples.states).reshape(-1, REPLICAS)
    means = [mean_with_error(indices == state) for state in range(4)]
    shares, errors = np.array([[mean.value, mean.error] for mean in means]).T
    return Measured(beta, shares, errors, pb.exact(program.quantised, beta).probabilities)


def state_names(model: pb.Ising) -> list[str]:
    """Arrows of both spins, in the order of the enumeration."""
    return ["".join("\u2191" if spin > 0 else "\u2193" for spin in state) for state in states(model, 0, 4)]


def draw_temperatures(axes: Axes, program: Program, found: list[Measured]) -> None:
    """Shares against temperature on the exact curves."""
    temperatures = np.geomspace(1 / BETAS[-1], 1 / BETAS[0], 200)
    curves = np.array([pb.exact(program.quantised, 1 / t).probabilities for t in temperatures])
    energies = pb.exact(program.quantised).energies
    for state, (name, (colour, marker)) in enumerate(zip(state_names(program.model), STYLES, strict=True)):
        label = f"{name}   E = {energies[state]:+.2f}"
        axes.plot(temperatures, curves[:, state], color=colour, linewidth=1)
        places, shares = [1 / each.beta for each in found], [each.shares[state] for each in found]
        errors = [each.errors[state] for each in found]
        axes.errorbar(places, shares, errors, color=colour, fmt=marker, markersize=5, capsize=3, label=label)
    axes.axhline(0.25, color="0.6", linestyle="--", linewidth=1)
    axes.set(ylabel="share of the samples", title="Lines: exact. Points: p-bit array", ylim=(-0.03, 1.03))
    axes.legend(frameon=False)


def draw_deviations(axes: Axes, found: list[Measured]) -> None:
    """Shares less exact probabilities, states side by side."""
    for state, (colour, marker) in enumerate(STYLES):
        places = [1.02 ** (state - 1.5) / each.beta for each in found]
        values = [1e3 * (each.shares[state] - each.exact[state]) for each in found]
        errors = [1e3 * each.errors[state] for each in found]
        axes.errorbar(places, values, errors, color=colour, fmt=marker, markersize=4, capsize=2, linewidth=1)
    axes.axhline(0, color="0.6", linestyle="--", linewidth=1)
    axes.set(xscale="log", xlabel="temperature 1 / beta", ylabel="array - exact\nin 1/1000")
    axes.set_xticks([0.5, 1, 2, 4, 8], ["0.5", "1", "2", "4", "8"])
    axes.set_xticks([], minor=True)


def draw_histogram(axes: Axes, names: list[str], measured: Measured) -> None:
    """The four states at one temperature."""
    colours = [colour for colour, _ in STYLES]
    axes.bar(names, measured.shares, yerr=measured.errors, color=colours, alpha=0.6, capsize=4)
    axes.plot(names, measured.exact, "_", color="black", markersize=28, label="exact")
    axes.set(title=f"temperature {1 / measured.beta:.3g}", ylim=(0, 1.03), xlabel="state")


def draw(program: Program, found: list[Measured], output: str | Path) -> None:
    """Histograms at three temperatures, and all temperatures."""
    figure = Figure(figsize=(13, 5), layout="constrained")
    grid = figure.add_gridspec(1, 2, width_ratios=(1.2, 1))
    left = figure.add_subfigure(grid[0]).subplots(1, 3, sharey=True)
    shown = [measured for measured in found if measured.beta in SHOWN]
    for axes, measured in zip(left, shown, strict=True):
        draw_histogram(axes, state_names(program.model), measured)
    left[0].set_ylabel("share of the samples")
    left[0].legend(frameon=False)
    upper, lower = figure.add_subfigure(grid[1]).subplots(2, 1, sharex=True, height_ratios=(2, 1))
    draw_temperatures(upper, program, found)
    draw_deviations(lower, found)
    figure.suptitle(f"Two spins, coupling {COUPLING:g}, biases {BIASES[0]:g} and {BIASES[1]:g}")
    figure.savefig(output, dpi=150)


def main(output: str | Path = "two_spins.png", *, quick: bool = False, seed: int = 1) -> list[Measured]:
    """Write the figure; returns what was measured at every beta."""
    program = pb.compile(pb.Ising(BIASES, [[0, COUPLING], [COUPLING, 0]]))
    sweeps = 200 if quick else 5_000
    found = [measure(program, beta, sweeps, seed + place) for place, beta in enumerate(BETAS)]
    draw(program, found, output)
    print("beta   " + "".join(f"{name:>24}" for name in state_names(program.model)) + "      samples (exact)")
    for each in found:
        columns = zip(each.shares, each.errors, each.exact, strict=True)
        print(f"{each.beta:5.3f}" + "".join(f"  {s:.4f} +- {e:.4f} ({x:.4f})" for s, e, x in columns))
    worst = max(np.abs(each.deviations).max() for each in found)
    print(f"largest deviation {worst:.1f} standard errors, of {4 * len(found)}")
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", nargs="?", default="two_spins.png", help="picture to write (default: %(default)s)")
    main(parser.parse_args().output)
