"""Unlearning: a Hopfield network above its capacity is made to forget, a little, what it falls into from anywhere.

Random patterns by Hebb's rule. On the array, random states fall into minima, and these are weakened. On the way:
where 2,000 descents at zero temperature end, and how often a pattern is recalled from flipped spins. Dashed lines are
the pseudo-inverse of the same patterns.

python examples/hopfield_unlearning.py hopfield_unlearning.png
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import pbit_hw as pb
from pbit_hw.compiler.program import Program
from pbit_hw.host.unlearning import Minima, count_minima, unlearn

RATE = 0.01
REPLICAS = 10
WEIGHT_FORMAT = "s[0][14]"
FLIPPED = (0.1, 0.2)
CUES = 20
PATTERN, SPURIOUS = "#0072b2", "#d55e00"
SHADES = ("#009e73", "#cc79a7")


@dataclass(frozen=True)
class Row:
    """After so many states were unlearned: where descents end, and the share of cues that find their pattern."""

    unlearned: int
    minima: Minima
    recalled: tuple[float, ...]


@dataclass(frozen=True)
class Found:
    """Rows in the order of unlearning, the pseudo-inverse beside them, and how many patterns and cues there were."""

    rows: list[Row]
    inverse: Row
    patterns: int
    cues: int

    @property
    def best(self) -> Row:
        """Where most descents end in patterns."""
        return max(self.rows, key=lambda row: row.minima.pattern_share)


def recall(program: Program, patterns: npt.NDArray[np.int8], flipped: float) -> float:
    """Share of cues, patterns with so many spins flipped, whose descent ends in their pattern."""
    goals = np.repeat(patterns, CUES, axis=0)
    order = np.random.default_rng(3).random(goals.shape).argsort(axis=1)
    cues = np.where(order < round(flipped * goals.shape[1]), -goals, goals)
    ends = pb.descend(program, replicas=len(cues), initial=cues, seed=3).states
    return float((ends == goals).all(axis=1).mean())


def row(program: Program, patterns: npt.NDArray[np.int8], unlearned: int, starts: int) -> Row:
    """Measure a network."""
    minima = count_minima(pb.descend(program, replicas=starts, seed=2).states, patterns)
    return Row(unlearned, minima, tuple(recall(program, patterns, flipped) for flipped in FLIPPED))


def study(patterns: npt.NDArray[np.int8], steps: int, last: int, starts: int, seed: int) -> Found:
    """Unlearn on the array, in steps, and measure after each."""
    program = pb.compile(pb.Hopfield(patterns, all_pairs=True), weight_format=WEIGHT_FORMAT)
    array = pb.Simulator(program, seed=seed)
    rows = [row(program, patterns, 0, starts)]
    for step in range(1, steps + 1):
        unlearn(array, last // (steps * REPLICAS), rate=RATE, replicas=REPLICAS)
        rows.append(row(array.program, patterns, step * last // steps, starts))
    inverse = pb.compile(pb.Hopfield(patterns, "pseudo-inverse"), weight_format=WEIGHT_FORMAT)
    return Found(rows, row(inverse, patterns, 0, starts), len(patterns), len(patterns) * CUES)


def plot(axes: Axes, found: Found, name: str, values: list[float], errors: list[float], colour: str) -> None:
    """One quantity of every row with its standard error, and of the pseudo-inverse, which comes last."""
    places = [row.unlearned for row in found.rows]
    axes.errorbar(places, values[:-1], errors[:-1], color=colour, label=name, marker="o", markersize=3)
    axes.axhline(values[-1], color=colour, linestyle="--", linewidth=1)


def draw_minima(ends: Axes, counts: Axes, found: Found) -> None:
    """Where descents end, and in how many minima."""
    minima = [each.minima for each in (*found.rows, found.inverse)]
    errors, exact = [each.error for each in minima], [0.0] * len(minima)
    plot(ends, found, "spurious minima", [each.spurious_share for each in minima], errors, SPURIOUS)
    plot(ends, found, "patterns", [each.pattern_share for each in minima], errors, PATTERN)
    plot(counts, found, "spurious minima", [each.spurious for each in minima], exact, SPURIOUS)
    plot(counts, found, f"patterns, of {found.patterns}", [each.patterns for each in minima], exact, PATTERN)
    ends.set(ylabel="share of descents", title="Where descents from random states end", ylim=(-0.03, 1.03))
    counts.set_yscale("symlog", linthresh=1)
    counts.set(ylabel="different minima", title=f"Minima found by {minima[0].starts:,} descents")
    counts.set(ylim=(-0.1, 4000), yticks=(0, 1, 10, 100, 1000), yticklabels=("0", "1", "10", "100", "1,000"))


def draw_recall(axes: Axes, found: Found) -> None:
    """Share of cues that find their pattern."""
    for k, (flipped, colour) in enumerate(zip(FLIPPED, SHADES, strict=True)):
        shares = [each.recalled[k] for each in (*found.rows, found.inverse)]
        errors = [float(np.sqrt(share * (1 - share) / found.cues)) for share in shares]
        plot(axes, found, f"{100 * flipped:g} % flipped", shares, errors, colour)
    axes.set(ylabel="share recalled without an error", title="Recall from flipped spins", ylim=(-0.03, 1.03))


def draw(found: Found, size: int, output: str | Path) -> None:
    """Where descents end, how many minima they find, and recall."""
    figure = Figure(figsize=(13, 4.2), layout="constrained")
    ends, counts, recalls = figure.subplots(1, 3)
    draw_minima(ends, counts, found)
    draw_recall(recalls, found)
    for axes in (ends, counts, recalls):
        axes.set_xlabel(f"states unlearned, at a rate of {RATE:g}")
        axes.legend(frameon=False)
    figure.suptitle(f"Hebb's rule, {found.patterns} patterns of {size} spins; dashed: pseudo-inverse")
    figure.savefig(output, dpi=150)


def print_table(found: Found) -> None:
    """A line per row, the pseudo-inverse last."""
    print("     unlearned   descents that end in patterns   patterns   spurious minima   recalled, 10 %   20 % flipped")
    for each in (*found.rows, found.inverse):
        name = "pseudo-inverse" if each is found.inverse else f"{each.unlearned:,}"
        ends = each.minima
        print(
            f"{name:>14} {ends.pattern_share:20.3f} +- {ends.error:.3f} {ends.patterns:12} {ends.spurious:17,} "
            f"{each.recalled[0]:16.3f} {each.recalled[1]:14.3f}"
        )


def main(output: str | Path = "hopfield_unlearning.png", *, quick: bool = False, seed: int = 1) -> Found:
    """Write the figure; returns what was found."""
    size, count = (40, 6) if quick else (100, 15)
    patterns = np.random.default_rng(seed).choice(np.array([-1, 1], np.int8), (count, size))
    found = study(patterns, 5 if quick else 32, 400 if quick else 3200, 200 if quick else 2000, seed)
    draw(found, size, output)
    print_table(found)
    print(f"most descents end in patterns after {found.best.unlearned:,} unlearned states")
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "output", nargs="?", default="hopfield_unlearning.png", help="picture to write (default: %(default)s)"
    )
    main(parser.parse_args().output)
