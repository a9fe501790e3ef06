"""Random 3-SAT near its threshold on the array: rounds to a solution by tempering, share solved by annealing.

python examples/solve_sat.py solve_sat.png
"""

import argparse
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pbit_hw.compiler import compile
from pbit_hw.compiler.cnf import Formula
from pbit_hw.sim.annealing import anneal
from pbit_hw.sim.tempering import temper

VARIABLES, CLAUSES = 50, 218
# Of seeds 0 to 98 those whose formulas CaDiCaL finds satisfiable.
SEEDS = (
    *(0, 4, 6, 8, 10, 11, 16, 17, 18, 19, 23, 24, 25, 26, 27, 28, 29, 30, 32, 33, 34, 35, 36, 37, 38),
    *(41, 42, 43, 46, 48, 51, 56, 57, 58, 59, 62, 64, 66, 73, 75, 79, 82, 83, 86, 88, 92, 93, 94, 95, 98),
)
SWEEPS = (10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000)
FORMS = {"auxiliaries shared": True, "one per clause": False}
COLOURS = {"auxiliaries shared": "#0072b2", "one per clause": "#d55e00"}


class Found(NamedTuple):
    """Of one form: p-bits of the first formula, rounds and seconds to solutions, share solved by numbers of sweeps."""

    size: int
    rounds: np.ndarray
    seconds: np.ndarray
    shares: list[float]


def random_formula(seed: int) -> Formula:
    """Three different variables per clause, each negated by a fair coin."""
    rng = np.random.default_rng(seed)
    clauses = [(rng.choice(VARIABLES, 3, replace=False) + 1) * rng.choice([-1, 1], 3) for _ in range(CLAUSES)]
    return Formula.of_clauses([clause.tolist() for clause in clauses], size=VARIABLES)


def temper_until_solved(formula: Formula, shared: bool) -> tuple[float, float]:
    """Rounds and seconds, compiling included, of tempering on one thread; both infinite if it never solves it."""
    rounds = 0

    def count(done: int, _: int) -> None:
        nonlocal rounds
        rounds = done

    began = time.perf_counter()
    program = compile(formula.model(shared))
    best = temper(program, clusters=False, stop_at=0.5, threads=1, seed=1, progress=count).best
    seconds = time.perf_counter() - began
    return (rounds, seconds) if formula.violations(best.states)[0] == 0 else (np.inf, np.inf)


def share_solved(formulas: list[Formula], shared: bool, sweeps: int) -> float:
    """Share of formulas that 64 annealed replicas solve."""
    solved = 0
    for formula in formulas:
        samples = anneal(compile(formula.model(shared)), sweeps=sweeps, threads=1, seed=1)
        solved += bool((formula.violations(samples.states) == 0).any())
    return solved / len(formulas)


def study(formulas: list[Formula], shared: bool, sweeps: tuple[int, ...]) -> Found:
    """One form of all formulas."""
    rounds, seconds = np.sort([temper_until_solved(formula, shared) for formula in formulas], axis=0).T
    shares = [share_solved(formulas, shared, count) for count in sweeps]
    return Found(compile(formulas[0].model(shared)).image.size, rounds, seconds, shares)


def plot_rounds(axes: Axes, found: dict[str, Found]) -> None:
    """Share of the formulas that tempering solves within so many rounds."""
    for name, value in found.items():
        rounds = value.rounds[np.isfinite(value.rounds)]
        shares = np.arange(1, len(rounds) + 1) / len(value.rounds)
        axes.step(rounds, shares, where="post", color=COLOURS[name], label=f"{name}, {value.size} p-bits")
    axes.set(xscale="log", xlabel="rounds of 10 sweeps", ylabel="share of formulas solved", ylim=(0, 1.03))
    axes.set_title("Parallel tempering, 24 rungs of 64 copies")
    axes.legend(loc="lower right")


def plot_sweeps(axes: Axes, found: dict[str, Found], sweeps: tuple[int, ...]) -> None:
    """Share of the formulas that annealing solves against its sweeps."""
    for name, value in found.items():
        axes.plot(sweeps, value.shares, "o-", color=COLOURS[name], label=name)
    axes.set(xscale="log", xlabel="sweeps", ylim=(0, 1.03), title="Annealing, 64 replicas")
    axes.legend(loc="lower right")


def main(output: str | Path = "solve_sat.png", *, quick: bool = False) -> dict[str, Found]:
    """Write the figure; returns what was found for each form of the clauses."""
    formulas = [random_formula(seed) for seed in SEEDS[: 4 if quick else None]]
    sweeps = SWEEPS[: 4 if quick else None]
    temper(compile(formulas[0].model()), rounds=2, threads=1)  # compiles the kernel, which no formula should pay for
    found = {name: study(formulas, shared, sweeps) for name, shared in FORMS.items()}
    figure = Figure(figsize=(10, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    plot_rounds(left, found)
    plot_sweeps(right, found, sweeps)
    figure.suptitle(f"Random 3-SAT, {VARIABLES} variables, {CLAUSES} clauses, {len(formulas)} satisfiable formulas")
    figure.savefig(output, dpi=150)
    for name, value in found.items():
        solved = value.seconds[np.isfinite(value.seconds)]
        shares = ", ".join(f"{share:.2f} of {count}" for share, count in zip(value.shares, sweeps, strict=True))
        print(
            f"{name}: {len(solved)} of {len(formulas)} solved, "
            f"median {np.median(solved):.3f} s, most {solved[-1]:.2f} s, rounds {np.median(value.rounds):.0f} and "
            f"{value.rounds[np.isfinite(value.rounds)][-1]:.0f}"
        )
        print(f"  annealing, share solved by sweeps: {shares}")
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", nargs="?", default="solve_sat.png", help="picture to write (default: %(default)s)")
    main(parser.parse_args().output)
