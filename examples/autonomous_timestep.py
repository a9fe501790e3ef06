"""How finely autonomous p-bits must be stepped: distance from Boltzmann against dt / tau_N on the full adder.

python examples/autonomous_timestep.py autonomous_timestep.png
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from pbit_hw.compiler.library import full_adder
from pbit_hw.sim.devices import autonomous
from pbit_hw.sim.exact import exact
from pbit_hw.sim.statistics import histogram, total_variation

COLOURS = {0.25: "#009e73", 0.5: "#0072b2", 1.0: "#d55e00"}
LINE_STEPS = np.geomspace(0.002, 0.5, 60)
POINT_STEPS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
REPLICAS = 64

Distances = dict[tuple[float, float], tuple[float, float]]


def chain_distance(beta: float, dt_over_tau: float) -> float:
    """Exact distance of the parallel chain's stationary distribution from Boltzmann's."""
    model = full_adder()
    chain = autonomous.stationary(autonomous.transition_matrix(model, dt_over_tau=dt_over_tau, beta=beta))
    return total_variation(chain, exact(model, beta).probabilities)


def sampled_distance(beta: float, dt_over_tau: float, kept: int) -> tuple[float, float]:
    """The same of sampled states, kept every tau_N / 4 after 25 tau_N, and the part that is sampling noise.

    The noise of all samples is half the distance between two halves of them.
    """
    model, every = full_adder(), max(1, round(0.25 / dt_over_tau))
    states = autonomous.sample(
        model,
        (100 + kept) * every,
        dt_over_tau=dt_over_tau,
        beta=beta,
        replicas=REPLICAS,
        keep_every=every,
        burn_in=100 * every,
        seed=1,
    )
    halves = [histogram(half.reshape(-1, model.size), model.size) for half in np.split(states, 2, axis=1)]
    first, second = (half / half.sum() for half in halves)
    distance = total_variation((first + second) / 2, exact(model, beta).probabilities)
    return distance, total_variation(first, second) / 2


def main(output: str | Path = "autonomous_timestep.png", *, quick: bool = False) -> Distances:
    """Write the figure; returns the sampled distance and its noise by beta and dt / tau_N."""
    kept = 500 if quick else 20_000
    figure = Figure(figsize=(7.5, 5), layout="constrained")
    axes = figure.subplots()
    sampled = {(beta, step): sampled_distance(beta, step, kept) for beta in COLOURS for step in POINT_STEPS}
    for beta, colour in COLOURS.items():
        axes.plot(LINE_STEPS, [chain_distance(beta, step) for step in LINE_STEPS], color=colour)
        points = [sampled[beta, step][0] for step in POINT_STEPS]
        axes.plot(POINT_STEPS, points, "o", color=colour, label=rf"$\beta$ = {beta:g}")
    noise = float(np.median([sampled[beta, POINT_STEPS[0]][1] for beta in COLOURS]))
    axes.axhspan(0, noise, color="0.92", zorder=0)
    axes.text(0.5, noise, "sampling noise of the points", ha="right", va="top", fontsize=9, color="0.4")
    axes.set(xscale="log", yscale="log", ylim=(5e-4, 1.5))
    axes.set(xlabel=r"time step $dt / \tau_N$", ylabel="total variation from Boltzmann")
    axes.set_title("Autonomous p-bits on the full adder (lines: exact chain, points: sampled)")
    axes.legend(frameon=False)
    figure.savefig(output, dpi=150)
    for step in POINT_STEPS:
        print(
            f"dt/tau_N {step:<6g}" + "".join(f" beta {beta:g}: TV {sampled[beta, step][0]:.4f}  " for beta in COLOURS)
        )
    return sampled


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "output", nargs="?", default="autonomous_timestep.png", help="picture to write (default: %(default)s)"
    )
    main(parser.parse_args().output)
