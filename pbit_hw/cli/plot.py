"""``pbit plot``."""

from __future__ import annotations

import math
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from ..compiler.program import Program
from ..contract.errors import RequestError
from .inputs import read_program
from .output import json_option, print_fields, print_json
from .picture import BLUE, ORANGE, check_picture, new_figure, write_figure

TRACES = 8
"""Most replicas that are drawn one by one; more are drawn as a median and a band."""

FEW = 40
"""Kept sweeps below which single ones are marked."""

ENERGY = "energy, in the model's units"


@dataclass(frozen=True, eq=False)
class Run:
    """What `pbit sample -o` wrote: energies of shape (kept, replicas), states of (kept, replicas, n)."""

    states: np.ndarray
    energies: np.ndarray
    sweeps: np.ndarray
    seed: int


@click.command(epilog="Example: pbit plot samples.npz --program adder.pbit --beta 1 --kind histogram -o energies.png")
@click.argument("samples", type=click.Path(exists=True, dir_okay=False))
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False), help="Picture to write: .png .pdf .svg")
@click.option(
    "--kind",
    type=click.Choice(["energy", "histogram", "autocorrelation", "lattice"]),
    default="energy",
    show_default=True,
    help="Energy traces, energy histogram, autocorrelation of the energy, or the last and the best state.",
)
@click.option("--program", type=click.Path(exists=True, dir_okay=False), help="What was sampled, named in the title.")
@click.option("--beta", type=float, help="With --program: draw the exact histogram at this beta, up to 20 p-bits.")
@click.option("--shape", help="Sides ROWSxCOLUMNS of the lattice [default: a square].")
@json_option
def command(samples, output, kind, program, beta, shape, as_json):
    """Draw SAMPLES, a file that `pbit sample -o` wrote."""
    check_picture(output)
    run = read_run(samples)
    loaded = None if program is None else read_program(program)
    check_options(run, loaded, kind, beta)
    figure = new_figure("pbit plot")
    if kind == "energy":
        _energy(figure, run)
    elif kind == "histogram":
        _histogram(figure, run, loaded, beta)
    elif kind == "autocorrelation":
        _autocorrelation(figure, run)
    else:
        _lattice(figure, run, lattice_shape(shape, run.states.shape[2]))
    figure.suptitle(title(Path(program or samples).stem, run), fontsize="medium")
    write_figure(figure, output)
    fields = {"picture": output, "kind": kind, "n_samples": int(run.energies.size)}
    if as_json:
        print_json(fields)
    else:
        print_fields("plot", fields)


def check_options(run: Run, program: Program | None, kind: str, beta: float | None) -> None:
    """Refuse options that do not go together.

    Raises
    ------
    RequestError
        If the program is of another size, or beta has nothing to draw.
    """
    variables = run.states.shape[2]
    if program is not None and program.model.size != variables:
        raise RequestError(
            f"the samples have {variables} variables, the program {program.model.size}; give the one that was sampled"
        )
    if beta is not None and (program is None or kind != "histogram"):
        raise RequestError("--beta draws the exact histogram of a program: give --program and --kind histogram too")


def read_run(path: str) -> Run:
    """Read what `pbit sample -o` wrote.

    Raises
    ------
    RequestError
        If the file is something else, or not all replicas have every sweep.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            states, energies, sweep, replica = (arrays[key] for key in ("states", "energies", "sweep", "replica"))
            seed = int(arrays["seed"])
    except (KeyError, ValueError, OSError, EOFError, TypeError, AttributeError, zipfile.BadZipFile):
        raise RequestError(f"{path} does not hold samples; write it with: pbit sample PROGRAM -o {path}") from None
    sweeps, replicas = np.unique(sweep), np.unique(replica)
    kept, count = len(sweeps), len(replicas)
    if kept * count != len(energies) or states.shape[:-1] != energies.shape:
        raise RequestError(f"{path} holds {len(energies)} rows, not {kept} sweeps of {count} replicas; sample again")
    order = np.lexsort((replica, sweep))
    return Run(states[order].reshape(kept, count, -1), energies[order].reshape(kept, count), sweeps, seed)


def title(name: str, run: Run) -> str:
    """Where samples come from and how many they are."""
    kept, replicas = run.energies.shape
    sweeps = f"{kept:,} kept sweep{'s' * (kept != 1)} of {replicas:,} replica{'s' * (replicas != 1)}"
    return f"{name}: {kept * replicas:,} samples, {sweeps}, seed {run.seed}"


def exact_levels(program: Program, beta: float) -> tuple[np.ndarray, np.ndarray]:
    """Energies as the samples count them, and probabilities, of all states of the quantised model.

    Raises
    ------
    RequestError
        If the model is too large.
    """
    from ..sim.exact import exact, states
    from ..sim.references import MAX_EXACT_SIZE

    model = program.model
    if model.size > MAX_EXACT_SIZE:
        raise RequestError(
            f"the exact histogram of {model.size} p-bits is out of reach, the limit is {MAX_EXACT_SIZE}; omit --beta"
        )
    return model.energies(states(model, 0, 1 << model.size)), exact(program.quantised, beta).probabilities


def lattice_shape(text: str | None, size: int) -> tuple[int, int]:
    """Rows and columns of a lattice.

    Raises
    ------
    RequestError
        If the text is no shape, or the shape has another number of sites.
    """
    if text is None:
        side = math.isqrt(size)
        if side * side != size:
            raise RequestError(f"{size} variables are no square; say how they lie with --shape ROWSxCOLUMNS")
        return side, side
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if match is None:
        raise RequestError(f"shape {text!r} is not ROWSxCOLUMNS, such as 8x16")
    rows, columns = int(match[1]), int(match[2])
    if rows * columns != size:
        raise RequestError(f"shape {text} has {rows * columns} sites for {size} variables; choose factors of {size}")
    return rows, columns


def _energy(figure: Any, run: Run) -> None:
    kept, replicas = run.energies.shape
    if kept == 1:
        axes = figure.subplots()
        axes.plot(np.arange(replicas), run.energies[0], "o", color=BLUE, markersize=4)
        axes.set(xlabel=f"replica, after sweep {run.sweeps[0]:,}", ylabel=ENERGY)
        axes.xaxis.get_major_locator().set_params(integer=True)
        return
    if replicas > TRACES:
        _energy_bands(figure, run)
        return
    figure.set_figheight(max(3.5, 1.2 + replicas))
    rows = figure.subplots(replicas, 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for replica, axes in enumerate(rows):
        axes.plot(run.sweeps, run.energies[:, replica], ".-", color=BLUE, linewidth=0.6, markersize=2)
        axes.set_title(f"replica {replica}", loc="left", fontsize="small", pad=2)
    rows[-1].set_xlabel("sweep")
    figure.supylabel(ENERGY, fontsize="medium")


def _energy_bands(figure: Any, run: Run) -> None:
    """The spread of all replicas, and one of them."""
    axes, energies = figure.subplots(), run.energies
    low, middle, high = np.quantile(energies, (0.1, 0.5, 0.9), axis=1)
    for bottom, top, alpha, label in (
        (energies.min(axis=1), energies.max(axis=1), 0.15, "all replicas"),
        (low, high, 0.35, "10 % to 90 %"),
    ):
        axes.fill_between(run.sweeps, bottom, top, facecolor=BLUE, edgecolor="none", alpha=alpha, label=label)
    marker = "." if len(run.sweeps) < FEW else None
    axes.plot(run.sweeps, energies[:, 0], color=ORANGE, linewidth=0.6, marker=marker, label="replica 0")
    axes.plot(run.sweeps, middle, color=BLUE, linewidth=1.2, marker=marker, label="median")
    axes.set(xlabel="sweep", ylabel=ENERGY)
    figure.legend(frameon=False, loc="outside right upper", fontsize="small")


def _histogram(figure: Any, run: Run, program: Program | None, beta: float | None) -> None:
    from ..sim.statistics import binned

    levels, counts = binned(run.energies.ravel())
    axes = figure.subplots()
    width = np.diff(levels).min() if len(levels) > 1 else 1.0
    axes.bar(levels, counts / counts.sum(), 0.9 * width, color=BLUE, label="samples")
    axes.axvline(run.energies.mean(), color="0.4", linestyle="--", linewidth=1, label=f"mean {run.energies.mean():.5g}")
    if program is not None and beta is not None:
        energies, probabilities = exact_levels(program, beta)
        bins = np.rint((energies - levels[0]) / width).astype(int)
        shares = np.bincount(bins - bins.min(), probabilities)
        places = levels[0] + (np.arange(len(shares)) + bins.min()) * width
        shown = shares > 0.5 / counts.sum()  # what one sample in two such runs would show
        axes.plot(places[shown], shares[shown], "o", color=ORANGE, label=f"exact, beta = {beta:g}")
    axes.margins(x=0.05 if len(levels) > 1 else 1.0)
    axes.set(xlabel=ENERGY, ylabel="share of samples")
    figure.legend(frameon=False, loc="outside right upper")


def _autocorrelation(figure: Any, run: Run) -> None:
    from ..sim.statistics import MIN_LENGTH, autocorrelation, autocorrelation_time

    if len(run.sweeps) < MIN_LENGTH:
        raise RequestError(f"{len(run.sweeps)} kept sweeps have no autocorrelation; keep at least {MIN_LENGTH}")
    step = int(run.sweeps[1] - run.sweeps[0])
    rho, time = autocorrelation(run.energies), autocorrelation_time(run.energies)
    window = math.ceil(5 * time)
    shown = min(len(rho), max(2 * window, 10))
    lags = np.arange(shown) * step
    axes = figure.subplots()
    axes.axvspan(0, min(window, len(rho)) * step, color="0.93", label="window of the estimate, 5 times as long")
    axes.axhline(0, color="0.6", linewidth=1)
    axes.plot(lags, rho[:shown], ".-", color=BLUE, linewidth=1, label="energy, mean of all replicas")
    note = f"integrated time {time:.3g} kept sweeps = {time * step:.3g} sweeps"
    axes.axvline(time * step, color=ORANGE, linestyle="--", linewidth=1, label=note)
    axes.set(
        xlabel="lag in sweeps", ylabel="autocorrelation", xlim=(0, lags[-1]), ylim=(min(-0.1, rho[:shown].min()), 1.05)
    )
    axes.legend(frameon=False)


def _lattice(figure: Any, run: Run, shape: tuple[int, int]) -> None:
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    kept, best = divmod(int(run.energies.argmin()), run.energies.shape[1])
    low = 0 if run.states.dtype == np.uint8 else -1
    colours = ListedColormap(["#f2e9d8", BLUE])
    pictures = (("last", -1, 0), ("best", kept, best))
    for axes, (name, row, replica) in zip(figure.subplots(1, 2), pictures, strict=True):
        state = run.states[row, replica].reshape(shape)
        axes.imshow(state, cmap=colours, vmin=low, vmax=1, interpolation="nearest")
        where = f"sweep {run.sweeps[row]:,}, replica {replica}"
        axes.set_title(f"{name} state, energy {run.energies[row, replica]:.6g}\n{where}", fontsize="medium")
        axes.set(xlabel="column", ylabel="row")
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        axes.yaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    patches = [Patch(facecolor=colours(k), edgecolor="0.6", label=str(value)) for k, value in ((0, low), (1, 1))]
    figure.legend(handles=patches, frameon=False, loc="outside right upper")
