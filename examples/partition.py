"""How rarely devices may exchange: residual energy of a 20^3 spin glass on four devices against exchanges per sweep.

python examples/partition.py partition.png
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import pbit_hw as pb
from pbit_hw.compiler.library import lattice
from pbit_hw.compiler.partition import Partition

DEVICES = 4
BETA = (0.1, 3.0)
REPLICAS = 64
SIZE, LENGTHS, EVERY, REFERENCE_SWEEPS = 20, (300, 1_000, 3_000, 10_000, 30_000, 100_000), 2 ** np.arange(13), 1_000_000
QUICK_SIZE, QUICK_LENGTHS, QUICK_EVERY, QUICK_REFERENCE_SWEEPS = 8, (200, 1_000), 2 ** np.arange(8), 20_000
FEWEST_EXCHANGES = 8
"""Of an anneal that is fitted: with fewer, the devices are nearly on their own."""

RESAMPLES = 200

Float = npt.NDArray[np.float64]
Residuals = dict[tuple[int, int], Float]
"""Residual energy per spin of each replica by sweeps and sweeps per exchange; 0 stands for the undivided array."""

Threshold = tuple[float, float]
"""Sweeps per exchange, and its standard error as a factor."""


def energies(parts: Partition, sweeps: int, every: int) -> Float:
    """Energies that anneals of the devices, or of the undivided array, end at."""
    sampler = pb.Distributed(parts, exchange_every=every, seed=1) if every else pb.Simulator(parts.program, seed=1)
    found: Float = sampler.sample(sweeps, replicas=REPLICAS, beta=BETA).energies
    return found


def study(parts: Partition, lengths: tuple[int, ...], every: npt.NDArray[np.int64], reference: int) -> Residuals:
    """Anneal everything, and count energies from the lowest that is known: long anneals of the undivided array."""
    found = {}
    for sweeps in lengths:
        for gap in (0, *every[every < sweeps].tolist()):
            found[sweeps, gap] = energies(parts, sweeps, gap)
            print(f"{sweeps:7,} sweeps, exchange every {gap or 'colour':<6} energy {found[sweeps, gap].mean():.1f}")
    lowest = pb.anneal(parts.program, sweeps=reference, beta=(0.3, 2.5), seed=2).best.energy
    lowest = min(lowest, *(values.min() for values in found.values()))
    print(f"lowest energy known {lowest:g}")
    return {key: (values - lowest) / parts.program.image.size for key, values in found.items()}


def bend(gaps: Float, means: Float, errors: Float) -> float:
    """Sweeps per exchange at which two power laws meet that fit best, one of rare and one of frequent exchanges."""
    x, y, weights = np.log(gaps), np.log(means), means / errors
    places = np.linspace(x[1], x[-2], 200)
    misfits = []
    for place in places:
        shapes = np.stack([np.ones_like(x), x, np.maximum(x - place, 0)], axis=1) * weights[:, None]
        solution = np.linalg.lstsq(shapes, y * weights)[0]
        misfits.append(float(((shapes @ solution - y * weights) ** 2).sum()))
    return float(np.exp(places[np.argmin(misfits)]))


def threshold(found: Residuals, sweeps: int) -> Threshold:
    """The bend of an anneal's residual energy, with the scatter over resampled replicas."""
    gaps = [gap for length, gap in found if length == sweeps and 0 < gap <= sweeps / FEWEST_EXCHANGES]
    values = np.array([found[sweeps, gap] for gap in gaps])
    errors = values.std(axis=1) / np.sqrt(REPLICAS)
    rng = np.random.default_rng(0)
    picks = [rng.integers(0, REPLICAS, values.shape) for _ in range(RESAMPLES)]
    scatter = [bend(np.array(gaps), np.take_along_axis(values, pick, 1).mean(axis=1), errors) for pick in picks]
    return bend(np.array(gaps), values.mean(axis=1), errors), float(np.exp(np.std(np.log(scatter))))


def draw_residuals(axes: Axes, found: Residuals, thresholds: dict[int, Threshold], colours: int) -> None:
    """Residual energy against exchanges per sweep, an anneal length a curve that ends at the undivided array."""
    shades = colormaps["viridis"](np.linspace(0, 0.9, len(thresholds)))
    for (sweeps, (gap, _)), shade in zip(thresholds.items(), shades, strict=True):
        gaps = np.array([other for length, other in found if length == sweeps and other])
        values = np.array([found[sweeps, other] for other in (0, *gaps.tolist())])
        means, errors = values.mean(axis=1), values.std(axis=1) / np.sqrt(REPLICAS)
        axes.errorbar(1 / gaps, means[1:], errors[1:], fmt="o-", markersize=3.5, color=shade, label=f"{sweeps:,}")
        axes.plot([1, colours], [means[1], means[0]], ":", color=shade)
        axes.errorbar(colours, means[0], errors[0], fmt="s", markersize=6, color=shade, markerfacecolor="white")
        at_bend = np.exp(np.interp(np.log(gap), np.log(gaps), np.log(means[1:])))
        axes.plot(1 / gap, at_bend, marker="v", markersize=9, color=shade, markeredgecolor="black", zorder=5)
    axes.set(xscale="log", yscale="log", xlabel="exchanges per sweep", ylabel="residual energy per spin")
    axes.set_title("Glass on four devices; squares: undivided; triangles: threshold")
    axes.legend(frameon=False, title="sweeps of the anneal", ncols=2, fontsize=8, loc="lower left")


def draw_thresholds(axes: Axes, thresholds: dict[int, Threshold]) -> None:
    """Threshold against anneal length, and the power law through it."""
    sweeps = np.array(list(thresholds))
    gaps, factors = np.array(list(thresholds.values())).T
    slope, offset = np.polyfit(np.log(sweeps), np.log(gaps), 1)
    bars = np.stack([gaps - gaps / factors, gaps * factors - gaps])
    axes.errorbar(sweeps, gaps, bars, fmt="v", color="#0072b2", markersize=7)
    axes.plot(sweeps, np.exp(offset) * sweeps**slope, "--", color="0.5", label=f"sweeps to the power {slope:.2f}")
    axes.set(xscale="log", yscale="log", xlabel="sweeps of the anneal", ylabel="sweeps per exchange")
    axes.set_title("Threshold")
    axes.legend(frameon=False)


def main(output: str | Path = "partition.png", *, quick: bool = False) -> Residuals:
    """Write the figure; returns the residual energies."""
    full = (SIZE, LENGTHS, EVERY, REFERENCE_SWEEPS)
    brief = (QUICK_SIZE, QUICK_LENGTHS, QUICK_EVERY, QUICK_REFERENCE_SWEEPS)
    size, lengths, every, reference = brief if quick else full
    parts = pb.partition(pb.compile(lattice((size, size, size), spin_glass_seed=1)), DEVICES)
    print(parts.report)
    found = study(parts, lengths, every, reference)
    thresholds = {sweeps: threshold(found, sweeps) for sweeps in lengths}
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.5, 1))
    draw_residuals(left, found, thresholds, parts.program.image.colours)
    draw_thresholds(right, thresholds)
    figure.savefig(output, dpi=150)
    for (sweeps, gap), values in found.items():
        mean, error = values.mean(), values.std() / np.sqrt(REPLICAS)
        ratio = mean / found[sweeps, 0].mean()
        print(f"{sweeps:7,} sweeps, exchange every {gap or 'colour':<6} {mean:.5f} +- {error:.5f}, {ratio:.2f} times")
    for sweeps, (place, factor) in thresholds.items():
        print(f"{sweeps:7,} sweeps: threshold at {place:.1f} sweeps per exchange, times or over {factor:.2f}")
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", nargs="?", default="partition.png", help="picture to write (default: %(default)s)")
    main(parser.parse_args().output)
