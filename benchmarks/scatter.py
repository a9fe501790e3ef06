"""How samples scatter with each generator: distance from exact of replicas that ought to be independent.

    python benchmarks/scatter.py

The AND gate at beta 2 mixes slowly, so a million samples, every 64th sweep of 1,000 replicas, scatter more than
independent ones would. By how much is a property of the gate; replicas that depended on each other would scatter
otherwise.
"""

from __future__ import annotations

import numpy as np

from pbit_hw.compiler import compile, library
from pbit_hw.contract.generator import GENERATOR_NAMES
from pbit_hw.sim.exact import exact
from pbit_hw.sim.simulator import Simulator
from pbit_hw.sim.statistics import histogram, noise_floor, total_variation

BETA, KEEP_EVERY, REPLICAS, KEPT, BURN_IN, SEEDS = 2.0, 64, 1_000, 1_000, 20, 40


def floors(generator: str, seed: int) -> float:
    """Total variation of one run from exact, in noise floors of independent samples."""
    program = compile(library.and_gate(), generator=generator)
    samples = Simulator(program, seed=seed).sample(
        (KEPT + BURN_IN) * KEEP_EVERY,
        replicas=REPLICAS,
        beta=BETA,
        keep_every=KEEP_EVERY,
        burn_in=BURN_IN * KEEP_EVERY,
    )
    probabilities = exact(program.quantised, BETA).probabilities
    counts = histogram(samples.states, program.model.size)
    return total_variation(counts / counts.sum(), probabilities) / noise_floor(probabilities, counts.sum())


def main() -> None:
    """Print mean and standard error over seeds."""
    for generator in GENERATOR_NAMES:
        found = [floors(generator, seed) for seed in range(1, SEEDS + 1)]
        print(f"{generator:11} {np.mean(found):.2f} +- {np.std(found, ddof=1) / SEEDS**0.5:.2f} noise floors")


if __name__ == "__main__":
    main()
