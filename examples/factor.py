"""A multiplier in Verilog runs backwards: its product is clamped, and tempering finds the factors.

python examples/factor.py factor.png
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import pbit_hw as pb
from pbit_hw.boards.synthesis import synthesise
from pbit_hw.compiler.circuits import GAP
from pbit_hw.compiler.netlist import read_netlist
from pbit_hw.compiler.program import Program
from pbit_hw.compiler.samples import Samples

SOURCE = Path(__file__).with_name("factor.v")
PRODUCT = 211 * 181
SWEEPS = (100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)


def solved(samples: Samples) -> np.ndarray:
    """Rows whose factors are right, shape (n_samples,)."""
    return samples["a"] * samples["b"] == PRODUCT


def success(program: Program, sweeps: int, replicas: int) -> float:
    """Share of annealed replicas that end at the factors."""
    return float(solved(pb.anneal(program, sweeps=sweeps, replicas=replicas, clamp={"p": PRODUCT}, seed=1)).mean())


def draw(samples: Samples, curve: list[tuple[int, float]], output: str | Path) -> None:
    """Factors that tempering saw at its coldest beta, and the success of annealing against its sweeps."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    pairs, counts = np.unique(np.stack([samples["a"], samples["b"]]), axis=1, return_counts=True)
    right_ones = pairs[0] * pairs[1] == PRODUCT
    for chosen, colour, label in ((~right_ones, "#d55e00", "other"), (right_ones, "#009e73", f"a b = {PRODUCT}")):
        left.scatter(*pairs[:, chosen], s=8 + counts[chosen], color=colour, label=label)
    left.set(xlabel="a", ylabel="b", title="Coldest copies of tempering", xlim=(0, 255), ylim=(0, 255))
    left.legend(frameon=False, markerscale=0.3)
    right.semilogx(*zip(*curve, strict=True), "o-", color="#0072b2")
    right.set(xlabel="sweeps", ylabel="share of replicas at the factors", title="Annealing", ylim=(0, None))
    figure.savefig(output, dpi=150)


def main(output: str | Path = "factor.png", *, quick: bool = False) -> tuple[int, int]:
    """Write the figure; returns the factors."""
    program = pb.compile(read_netlist(synthesise(SOURCE)).model())
    found = pb.temper(program, clamp={"p": PRODUCT}, stop_at=GAP / 2, seed=1).best
    a, b = int(found["a"][0]), int(found["b"][0])
    print(f"{PRODUCT} = {a} x {b}, energy {found.energies[0]:g}, {program.model.size} p-bits")
    run = pb.temper(program, rounds=40 if quick else 2_000, keep_every=10, clamp={"p": PRODUCT}, seed=2)
    replicas = 64 if quick else 2_048
    curve = [(sweeps, success(program, sweeps, replicas)) for sweeps in SWEEPS[: 3 if quick else None]]
    draw(run.samples, curve, output)
    return a, b


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", nargs="?", default="factor.png", help="picture to write (default: %(default)s)")
    main(parser.parse_args().output)
