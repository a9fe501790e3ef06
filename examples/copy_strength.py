"""How strongly to couple copies: energies of a dense spin glass whose spins became chains of p-bits of degree 8.

The Sherrington-Kirkpatrick glass at its critical temperature and above. All strengths are sampled in one run that
exchanges states between them. Half of the copies start from random spins, half from samples of the dense model: that
both halves agree in the end shows that the run was long enough.

python examples/copy_strength.py copy_strength.png
"""

import argparse
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import pbit_hw as pb
from pbit_hw.compiler.models import Model
from pbit_hw.compiler.sparsify import sparsify
from pbit_hw.sim.statistics import Mean, mean_with_error

MAX_DEGREE = 8
WEAKEST, STRONGEST = 1.8, 5.0
STYLES: dict[float, dict[str, Any]] = {
    1.0: {"color": "#0072b2", "marker": "o", "markersize": 4},
    0.5: {"color": "#d55e00", "marker": "s", "markersize": 7, "fillstyle": "none"},
}
REPLICAS = 64


class Row(NamedTuple):
    """Of one strength: beta times the coupling of copies, share of broken chains, energy, the same of either start."""

    strength: float
    coupling: float
    broken: float
    energy: Mean
    from_random: Mean
    from_dense: Mean


class Found(NamedTuple):
    """Of one beta: energy of the dense model, rows by strength, links of a chain."""

    dense: Mean
    rows: list[Row]
    links: int

    def error(self, energy: Mean) -> tuple[float, float]:
        """Deviation from the dense model and its standard error in %; positive is too high."""
        scale = 100 / abs(self.dense.value)
        return scale * (energy.value - self.dense.value), scale * float(np.hypot(energy.error, self.dense.error))


def glass(size: int) -> pb.Ising:
    """The glass: normal couplings of variance 1 / size between all pairs."""
    return pb.Ising(np.zeros(size), np.triu(np.random.default_rng(1).normal(0, size**-0.5, (size, size)), 1))


def strengths(beta: float, rungs: int) -> np.ndarray:
    """Strengths whose links break at evenly spaced rates, so that neighbours exchange about equally often.

    A link breaks at a rate of about exp(-2 K), the number of those that are broken scatters as the root of that, and
    neighbours exchange if it scatters as much as K differs: steps of exp(-K) are equal. K is beta times the
    coupling, and the torque of half a spin's couplings is the root of 1 / 2.
    """
    return -np.log(np.linspace(np.exp(-WEAKEST), np.exp(-STRONGEST), rungs)) / (beta * np.sqrt(0.5))


def dense_samples(model: Model, beta: float, sweeps: int) -> pb.Samples:
    """The dense model by the same simulator, on p-bits of any degree."""
    simulator = pb.Simulator(pb.compile(model, weight_bits=16), seed=1, threads=1)
    return simulator.sample(sweeps, burn_in=sweeps // 10, keep_every=20, replicas=REPLICAS, beta=beta)


def starts(dense: pb.Samples) -> np.ndarray:
    """Random spins for the first half of the copies, the last samples of the dense model for the others."""
    states = dense.states[-REPLICAS:].copy()
    states[: REPLICAS // 2] = np.random.default_rng(2).choice([-1, 1], (REPLICAS // 2, states.shape[1]))
    return states


def study(model: Model, beta: float, rungs: int, rounds: int, keep_every: int) -> Found:
    """Every strength at one beta, of the second half of the rounds."""
    dense = dense_samples(model, beta, 20 * rounds)
    ladder = strengths(beta, rungs)
    copies = [sparsify(model, MAX_DEGREE, strength) for strength in ladder]
    run = pb.exchange(
        [pb.compile(each, weight_bits=16) for each in copies],
        rounds=rounds,
        beta=beta,
        burn_in=rounds // 2,
        keep_every=keep_every,
        initial=starts(dense),
        seed=1,
        threads=1,
        progress=progress,
    )
    print(f"beta {beta:g}: swap rates {run.swap_rates.min():.2f} to {run.swap_rates.max():.2f}")
    couplings = beta * ladder * torque(model)
    rows = [row(*each) for each in zip(ladder, couplings, run.samples, strict=True)]
    return Found(mean_with_error(by_replica(dense)), rows, int(np.diff(copies[0].first).max()) - 1)


def torque(model: Model) -> float:
    """What strengths are relative to, as `sparsify` says: here the mean of all spins."""
    squares = np.bincount(model.edges.ravel(), np.repeat(model.couplings**2, 2))
    return float(np.sqrt(squares / 2).mean())


def row(strength: float, coupling: float, samples: pb.Samples) -> Row:
    """What the samples of one strength say."""
    energies = by_replica(samples)
    means = [mean_with_error(series) for series in (energies, *np.split(energies, 2, axis=1))]
    assert samples.broken is not None
    return Row(strength, coupling, float(samples.broken.mean()), *means)


def by_replica(samples: pb.Samples) -> np.ndarray:
    """Energies of shape (kept, replicas)."""
    return samples.energies.reshape(-1, REPLICAS)


def progress(done: int, rounds: int) -> None:
    """A line that counts."""
    if done % max(rounds // 50, 1) == 0:
        print(f"\r{done:,} of {rounds:,} rounds", end="\n" if done == rounds else "", file=sys.stderr, flush=True)


def plot_errors(axes: Axes, found: dict[float, Found]) -> None:
    """Error of the energy against the strength of copies, linear inside the band of 1 %."""
    axes.axhspan(-1, 1, color="0.92", zorder=0)
    axes.axhline(0, color="0.4", linewidth=1)
    axes.text(0.02, -0.9, "within 1 %", fontsize=9, color="0.4", transform=axes.get_yaxis_transform())
    for beta, value in found.items():
        places = [beta * row.strength for row in value.rows]
        errors, bars = zip(*(value.error(row.energy) for row in value.rows), strict=True)
        axes.errorbar(places, errors, bars, label=rf"$\beta$ = {beta:g}", linewidth=1, capsize=3, **STYLES[beta])
    axes.set_yscale("symlog", linthresh=1, linscale=1)
    axes.set(ylim=(-2, 100), yticks=(-1, 0, 1, 10, 100), yticklabels=("-1", "0", "1", "10", "100"))
    axes.set(ylabel="mean energy above the dense model's in %", title="Energy of the majorities")
    axes.legend(frameon=False)


def plot_broken(axes: Axes, found: dict[float, Found]) -> None:
    """Share of chains whose copies disagree, and of chains that have no neighbours."""
    for beta, value in found.items():
        places, shares = [beta * row.strength for row in value.rows], [row.broken for row in value.rows]
        axes.plot(places, shares, label=rf"$\beta$ = {beta:g}", linewidth=1, **STYLES[beta])
    alone = 1 - (1 + np.exp(-2 * np.array([row.coupling for row in value.rows]))) ** -value.links
    axes.plot(places, alone, color="0.4", linestyle="--", linewidth=1, label=f"chains of {value.links} links, alone")
    axes.set(yscale="log", ylabel="share of broken chains", title="Copies that disagree")
    axes.legend(frameon=False)


def draw(output: str | Path, found: dict[float, Found], size: int) -> None:
    """Both panels."""
    figure = Figure(figsize=(10, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    plot_errors(left, found)
    plot_broken(right, found)
    for axes in (left, right):
        axes.set_xlabel(r"copy strength times $\beta$")
    figure.suptitle(f"Sherrington-Kirkpatrick glass of {size} spins on p-bits of degree {MAX_DEGREE}")
    figure.savefig(output, dpi=150)


def print_table(beta: float, found: Found) -> None:
    """A line per strength."""
    dense = found.dense
    print(f"beta {beta:g}: dense {dense.value:.3f} +- {dense.error:.3f}, {dense.effective_samples:,.0f} samples")
    print("strength   K  broken    energy          off by       samples  off from random, from dense")
    for row in found.rows:
        off, random, dense_start = (found.error(mean) for mean in (row.energy, row.from_random, row.from_dense))
        print(
            f"{row.strength:7.2f} {row.coupling:5.2f} {row.broken:7.2%} {row.energy.value:8.2f} +- "
            f"{row.energy.error:4.2f} {off[0]:+7.2f} +- {off[1]:4.2f} % {row.energy.effective_samples:7,.0f}  "
            f"{random[0]:+7.2f} +- {random[1]:4.2f} {dense_start[0]:+7.2f} +- {dense_start[1]:4.2f} %"
        )


def main(output: str | Path = "copy_strength.png", *, quick: bool = False) -> dict[float, Found]:
    """Write the figure; returns what was found by beta."""
    size, rungs = (24, 5) if quick else (128, 12)
    rounds, keep_every = ({1.0: 200, 0.5: 200}, 2) if quick else ({1.0: 14_000, 0.5: 6_000}, 16)
    model = glass(size)
    found = {beta: study(model, beta, rungs, count, keep_every) for beta, count in rounds.items()}
    draw(output, found, size)
    for beta, value in found.items():
        print_table(beta, value)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "output", nargs="?", default="copy_strength.png", help="picture to write (default: %(default)s)"
    )
    main(parser.parse_args().output)
