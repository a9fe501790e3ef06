"""How many shifts an LFSR needs per update: distance from exact of the full adder, and energy of a lattice.

python examples/lfsr_shifts.py lfsr_shifts.png
"""

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pbit_hw.compiler import compile
from pbit_hw.compiler.library import full_adder, lattice
from pbit_hw.contract.request import call_seed
from pbit_hw.sim.devices.lfsr import LfsrWords
from pbit_hw.sim.exact import exact
from pbit_hw.sim.kaufman import energy_per_spin
from pbit_hw.sim.simulator import Simulator
from pbit_hw.sim.statistics import Mean, histogram, mean_with_error, noise_floor, total_variation

SHIFTS = (1, 2, 4, 8, 16)
ADDER_REPLICAS, LATTICE_REPLICAS = 1_000, 64
SIDE, COUPLING = 16, 0.4
SEED = 1
BLUE, ORANGE = "#0072b2", "#d55e00"


class Found(NamedTuple):
    """Total variation of the adder in absolute terms and in noise floors; energy per spin and what it should be."""

    distance: float
    floors: float
    energy: Mean
    exact_energy: float

    @property
    def errors(self) -> float:
        """Deviation of the energy in standard errors."""
        return (self.energy.value - self.exact_energy) / self.energy.error


def adder_distance(shifts: int, sweeps: int, keep_every: int) -> tuple[float, float]:
    """Total variation of the adder's samples from exact at beta = 1, and that of as many independent ones."""
    program = compile(full_adder())
    size, burn_in = program.model.size, 50
    source = LfsrWords(call_seed(SEED, 0), ADDER_REPLICAS, size, shifts)
    samples = Simulator(program, seed=SEED, source=source).sample(
        sweeps=burn_in + sweeps, burn_in=burn_in, keep_every=keep_every, replicas=ADDER_REPLICAS
    )
    counts, wanted = histogram(samples.states, size), exact(program.quantised).probabilities
    return total_variation(counts / counts.sum(), wanted), noise_floor(wanted, counts.sum())


def lattice_energy(shifts: int, sweeps: int) -> Mean:
    """Energy per spin of the lattice from replicas that start ordered, above the critical temperature."""
    program = compile(lattice((SIDE, SIDE)), beta_format="u[2][16]")
    size, burn_in = program.model.size, 400
    source = LfsrWords(call_seed(SEED, 0), LATTICE_REPLICAS, size, shifts)
    samples = Simulator(program, seed=SEED, source=source).sample(
        sweeps=burn_in + sweeps,
        burn_in=burn_in,
        keep_every=2,
        replicas=LATTICE_REPLICAS,
        beta=COUPLING,
        initial=np.ones((LATTICE_REPLICAS, size), int),
    )
    return mean_with_error(samples.energies.reshape(-1, LATTICE_REPLICAS) / size)


def study(shifts: int, quick: bool) -> Found:
    """Both models with one register."""
    distance, floor = adder_distance(shifts, *((1_000, 2) if quick else (12_000, 8)))
    energy = lattice_energy(shifts, 1_000 if quick else 12_000)
    return Found(distance, distance / floor, energy, energy_per_spin(SIDE, COUPLING))


def plot_distance(axes: Axes, found: dict[int, Found]) -> None:
    """Total variation against shifts, over what as many independent samples would have."""
    floor = found[16].distance / found[16].floors
    axes.axhspan(floor / 10, floor, color="0.92", zorder=0)
    axes.text(1, 0.9 * floor, "noise floor of independent samples", ha="left", va="top", fontsize=9, color="0.4")
    axes.plot(SHIFTS, [found[shifts].distance for shifts in SHIFTS], "o-", color=BLUE)
    for shifts, value in found.items():
        label = f"{value.floors:.1f} floors"
        axes.annotate(label, (shifts, value.distance), (7, 5), textcoords="offset points", fontsize=9)
    axes.set(yscale="log", ylim=(floor / 2, 0.1), ylabel="total variation from exact")
    axes.set_title(r"Full adder, $\beta$ = 1")


def plot_energy(axes: Axes, found: dict[int, Found]) -> None:
    """Energy per spin against shifts, and Kaufman's."""
    reference = found[16].exact_energy
    axes.axhline(reference, color="0.4", linewidth=1)
    axes.text(1, reference + 0.005, f"exact, {reference:.4f}", ha="left", va="bottom", fontsize=9, color="0.4")
    values, errors = zip(*((found[shifts].energy.value, found[shifts].energy.error) for shifts in SHIFTS), strict=True)
    axes.errorbar(SHIFTS, values, errors, fmt="s-", color=ORANGE, markersize=4, capsize=4)
    for shifts, value in found.items():
        label = f"${value.errors:+.1f}$ s.e."
        axes.annotate(label, (shifts, value.energy.value), (5, -14), textcoords="offset points", fontsize=9)
    axes.text(
        0.97,
        0.04,
        "s.e.: standard error of each value, as drawn",
        ha="right",
        fontsize=9,
        color="0.4",
        transform=axes.transAxes,
    )
    axes.set(ylabel="energy per spin (J)", ylim=(min(values) - 0.04, reference + 0.04))
    axes.set_title(f"{SIDE} x {SIDE} Ising lattice, K = {COUPLING:g}")


def main(output: str | Path = "lfsr_shifts.png", *, quick: bool = False) -> dict[int, Found]:
    """Write the figure; returns what was found by shifts per update."""
    found = {shifts: study(shifts, quick) for shifts in SHIFTS}
    figure = Figure(figsize=(10, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    plot_distance(left, found)
    plot_energy(right, found)
    for axes in (left, right):
        axes.set_xscale("log", base=2)
        axes.set_xticks(SHIFTS, [str(shifts) for shifts in SHIFTS])
        axes.set(xlabel="LFSR shifts per 16-bit word", xlim=(0.8, 32))
    figure.savefig(output, dpi=150)
    for shifts, value in found.items():
        print(
            f"{shifts:2} shifts: TV {value.distance:.4f} ({value.floors:.1f} floors), energy {value.energy.value:.4f} "
            f"+- {value.energy.error:.4f} (exact {value.exact_energy:.4f}, {value.errors:+.1f} errors)"
        )
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", nargs="?", default="lfsr_shifts.png", help="picture to write (default: %(default)s)")
    main(parser.parse_args().output)
