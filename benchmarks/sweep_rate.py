"""P-bit updates per second of the simulator, on one core.

    python benchmarks/sweep_rate.py [--json]

Every row is the best of several runs, compilation excluded: on a shared
machine the best is the least disturbed.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator

import numpy as np

from pbit_hw.compiler import Ising, Program, compile, library
from pbit_hw.contract.generator import GENERATOR_NAMES
from pbit_hw.sim.simulator import Simulator

RUNS = 7
UPDATES_PER_RUN = 3e7
SECONDS_PER_ROW = 3.0


def sherrington_kirkpatrick(size: int) -> Ising:
    """Gaussian couplings of variance 1 / size between all pairs."""
    couplings = np.triu(np.random.default_rng(0).normal(0, size**-0.5, (size, size)), 1)
    return Ising(np.zeros(size), couplings)


def workloads() -> Iterator[tuple[str, Program, int, float]]:
    """Name, program, replicas and beta."""
    glass = library.lattice((16, 16, 16), spin_glass_seed=0)
    dense = compile(sherrington_kirkpatrick(512))
    for generator in GENERATOR_NAMES:
        program = compile(glass, generator=generator)
        for replicas in (64, 16, 1):
            yield f"16^3 +-J, {generator}", program, replicas, 0.7
    for replicas in (64, 1):
        yield "SK 512", dense, replicas, 1.0


def rate(program: Program, replicas: int, beta: float, mode: str) -> float:
    """Updates per second."""
    simulator = Simulator(program, mode="sweep" if mode == "sweep" else "cycle")
    sweeps = 1
    best = 0.0
    deadline = time.monotonic() + SECONDS_PER_ROW
    for _ in range(RUNS):
        batch = simulator.run(program.request(sweeps, replicas=replicas, beta=beta, keep_every=sweeps))
        best = max(best, batch.flips / batch.wall_ns * 1e9)
        sweeps = max(1, int(min(UPDATES_PER_RUN, 0.5 * best) / (replicas * program.image.size)))
        if time.monotonic() > deadline:
            break
    return best


def main() -> None:
    """Print the table, or one JSON object."""
    rows = []
    for name, program, replicas, beta in workloads():
        for mode in ("sweep", "cycle"):
            flips = rate(program, replicas, beta, mode)
            rows.append({"workload": name, "replicas": replicas, "mode": mode, "flips_per_s": flips})
            if "--json" not in sys.argv[1:]:
                print(f"{name:22} {replicas:4} replicas  {mode:6} {flips / 1e6:8.1f} M updates/s")
    if "--json" in sys.argv[1:]:
        print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main()
