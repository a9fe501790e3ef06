"""A magnet as a random device: its noise, its equilibrium, and the telegraph junction that stands for it.

python examples/macrospin.py macrospin.png
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pbit_hw.sim.devices.equilibrium import equilibrium
from pbit_hw.sim.devices.extraction import early_autocorrelation, extract
from pbit_hw.sim.devices.macrospin import Macrospin

IN_PLANE = Macrospin.in_plane()
BISTABLE = Macrospin.perpendicular(4.0)
COLOURS = {0.0: "#0072b2", 40.0: "#d55e00"}
FIELDS = np.linspace(-90, 90, 7)


def plot_traces(axes: Axes) -> None:
    """Two microseconds of the bistable magnet and twenty nanoseconds of the in-plane one."""
    slow = BISTABLE.run(40_000, dt_ns=0.05, keep_every=20, seed=2)[:, 0, 2]
    fast = IN_PLANE.run(10_000, dt_ns=0.002, keep_every=5, seed=1)[:, 0, 0]
    axes.plot(np.linspace(0, 1, len(slow)), slow, color="0.25", linewidth=0.6)
    axes.plot(np.linspace(0, 1, len(fast)), fast - 2.4, color="0.25", linewidth=0.6)
    axes.text(1.01, 0, "perpendicular, 4 kT\n$m_z$ in 2000 ns", va="center", fontsize=9)
    axes.text(1.01, -2.4, "in plane, no barrier\n$m_x$ in 20 ns", va="center", fontsize=9)
    axes.set(xlim=(0, 1), xticks=[], yticks=[], title="Thermal noise of two magnets")
    axes.spines[["left", "right", "top", "bottom"]].set_visible(False)


def plot_equilibrium(axes: Axes, magnets: int) -> None:
    """Where magnets are after several correlation times, over Boltzmann's distribution."""
    edges = np.linspace(-1, 1, 41)
    middles, lines = (edges[:-1] + edges[1:]) / 2, np.linspace(-1, 1, 401)
    for field_oe, colour in COLOURS.items():
        applied = (0.0, 0.0, field_oe)
        found = BISTABLE.run(10_000, dt_ns=0.05, magnets=magnets, burn_in=6_000, keep_every=400, field_oe=applied)
        density = np.histogram(found[:, :, 2], edges, density=True)[0]
        exact = np.gradient(equilibrium(BISTABLE, field_oe=applied).cosine_cdf(lines), lines)
        axes.plot(lines, exact, color=colour)
        axes.plot(middles, density, ".", color=colour, label=f"{field_oe:g} Oe")
    axes.set(xlim=(-1, 1), ylim=(0.01, 10), yscale="log", xlabel="$m_z$", ylabel="density")
    axes.set_title("Equilibrium (lines: Boltzmann)")
    axes.legend(frameon=False, fontsize=9, loc="upper center")


def plot_memory(axes: Axes, magnets: int) -> float:
    """Autocorrelation of sign(m_z), over its telegraph's; returns how far they are apart at one correlation time."""
    junction = extract(BISTABLE, FIELDS, 20_000, dt_ns=0.1, magnets=magnets, keep_every=20, burn_in=3_000, seed=1)
    correlation_ns = junction.telegraph.correlation_ns
    run = BISTABLE.run(30_000, dt_ns=0.1, magnets=magnets, keep_every=20, burn_in=3_000, seed=100)
    found = early_autocorrelation(np.sign(run[:, :, 2]))
    times = 2.0 * np.arange(len(found))
    axes.plot(times, found, ".", color="#0072b2", label=r"magnet, sign($m_z$)")
    axes.plot(times, np.exp(-times / correlation_ns), color="0.25", label="telegraph junction")
    axes.set(yscale="log", xlim=(0, times[-1]), xlabel="time (ns)", ylabel="autocorrelation")
    axes.set_yticks([0.2, 0.5, 1], ["0.2", "0.5", "1"])
    axes.minorticks_off()
    axes.set_title(rf"Memory: {correlation_ns:.1f} ns, $\tau_0$ = {junction.telegraph.attempt_ns:.2f} ns")
    axes.legend(frameon=False, fontsize=9)
    print(
        f"correlation time {correlation_ns:.1f} ns, attempt time {junction.telegraph.attempt_ns:.2f} ns, "
        f"drive of 1 at {junction.drive_oe:.1f} Oe, <m> = {junction.amplitude:.3f} tanh(h / {junction.scale_oe:.1f} Oe)"
    )
    return abs(float(np.interp(correlation_ns, times, found) * np.e - 1))


def main(output: str | Path = "macrospin.png", *, quick: bool = False) -> float:
    """Write the figure; returns how far magnet and telegraph are apart at one correlation time, relatively."""
    magnets = 100 if quick else 1_000
    figure = Figure(figsize=(10, 6.5), layout="constrained")
    axes = figure.subplot_mosaic([["trace", "trace"], ["equilibrium", "memory"]], height_ratios=[2, 3])
    plot_traces(axes["trace"])
    plot_equilibrium(axes["equilibrium"], 3 * magnets)
    apart = plot_memory(axes["memory"], magnets)
    figure.savefig(output, dpi=150)
    print(f"magnet and telegraph are {apart:.1%} apart at one correlation time; figure in {output}")
    return apart


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", nargs="?", default="macrospin.png", help="picture to write (default: %(default)s)")
    main(parser.parse_args().output)
