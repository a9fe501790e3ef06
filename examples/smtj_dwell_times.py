"""Dwell times of a stochastic magnetic tunnel junction: traces, histograms and means against the drive.

python examples/smtj_dwell_times.py smtj_dwell_times.png
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pbit_hw.sim.devices.telegraph import Telegraph

BARRIER_KT = 4.0
ATTEMPT_NS = 0.1
DRIVES = (-0.6, 0.0, 0.6)
COLOURS = ("#0072b2", "#d55e00")  # s = 0, s = 1
NAMES = ("s = 0", "s = 1")
SEED = 1


def junction(drive: float) -> Telegraph:
    """The in-plane junction of this example, tau_N = 5.5 ns."""
    return Telegraph(BARRIER_KT, ATTEMPT_NS, drive)


def plot_traces(axes: Axes, seed: int) -> None:
    """A stretch of telegraph noise for each drive."""
    for row, drive in enumerate(DRIVES):
        states, dwells = junction(drive).dwells(400, seed + row)
        edges = np.concatenate([[0.0], np.cumsum(dwells)])
        axes.stairs(1.4 * row + states, edges, baseline=None, color="0.25", linewidth=1.0)
        share = junction(drive).probability_up
        axes.text(302, 1.4 * row + 0.5, f"$I = {drive:g}$\n{share:.0%} in s = 1", va="center", fontsize=9)
    axes.set(xlim=(0, 300), yticks=[], xlabel="time (ns)", title="Telegraph noise")
    axes.spines[["left", "right", "top"]].set_visible(False)


def plot_histogram(axes: Axes, dwells: int, seed: int) -> None:
    """Dwells in each state at one drive, over the exponentials that were programmed."""
    device = junction(DRIVES[-1])
    states, times = device.dwells(dwells, seed)
    edges = np.linspace(0, 6 * device.mean_dwell_ns.max(), 61)
    middles = (edges[:-1] + edges[1:]) / 2
    for state, mean in enumerate(device.mean_dwell_ns):
        chosen = times[states == state]
        density = np.histogram(chosen, edges)[0] / (len(chosen) * np.diff(edges))
        axes.plot(middles, np.where(density > 0, density, np.nan), ".", color=COLOURS[state])
        label = f"{NAMES[state]}: programmed {mean:.2f} ns, drawn {chosen.mean():.2f} ns"
        axes.plot(edges, np.exp(-edges / mean) / mean, color=COLOURS[state], label=label)
    axes.set(yscale="log", ylim=(0.1 / len(times), 3), xlim=(0, edges[-1]))
    axes.set(xlabel="dwell time (ns)", ylabel="density (1/ns)", title=f"Dwell times at $I = {DRIVES[-1]:g}$")
    axes.legend(frameon=False, fontsize=9)


def plot_means(axes: Axes, dwells: int, seed: int) -> float:
    """Mean dwell time against the drive; returns the largest relative deviation from theory."""
    worst = 0.0
    drives = np.linspace(-1.5, 1.5, 13)
    for state in (0, 1):
        line = np.linspace(drives[0], drives[-1], 2)
        axes.plot(line, [junction(x).mean_dwell_ns[state] for x in line], color=COLOURS[state])
        means = []
        for row, drive in enumerate(drives):
            states, times = junction(drive).dwells(dwells // 10, seed + row)
            means.append(times[states == state].mean())
            worst = max(worst, abs(means[-1] / junction(drive).mean_dwell_ns[state] - 1))
        axes.plot(drives, means, "o", markersize=5, color=COLOURS[state], label=NAMES[state])
    axes.set(yscale="log", xlabel="drive I", ylabel="mean dwell time (ns)")
    axes.set_yticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    axes.minorticks_off()
    axes.set_title(r"Mean dwell time and $\tau_N e^{I m}$")
    axes.legend(frameon=False, fontsize=9, loc="center right")
    return worst


def main(output: str | Path = "smtj_dwell_times.png", *, quick: bool = False) -> float:
    """Write the figure; returns the largest relative deviation of a mean dwell time from the programmed one."""
    dwells = 20_000 if quick else 200_000
    figure = Figure(figsize=(10, 6.5), layout="constrained")
    axes = figure.subplot_mosaic([["trace", "trace"], ["histogram", "means"]], height_ratios=[2, 3])
    plot_traces(axes["trace"], SEED)
    plot_histogram(axes["histogram"], dwells, SEED)
    worst = plot_means(axes["means"], dwells, SEED)
    figure.suptitle(rf"sMTJ with $\Delta$ = {BARRIER_KT:g} kT, $\tau_0$ = {ATTEMPT_NS:g} ns")
    figure.savefig(output, dpi=150)
    print(f"mean dwell times within {worst:.1%} of tau0 exp(Delta/kT) exp(I m); figure in {output}")
    return worst


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "output", nargs="?", default="smtj_dwell_times.png", help="picture to write (default: %(default)s)"
    )
    main(parser.parse_args().output)
