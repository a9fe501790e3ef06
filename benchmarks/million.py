"""A million p-bits: a 100^3 ±J lattice compiled and swept on one core.

python benchmarks/million.py [--json]
"""

from __future__ import annotations

import json
import resource
import sys
import time

from pbit_hw.compiler import compile, library
from pbit_hw.sim.simulator import Simulator

SIDE = 100
SWEEPS = 50


def main() -> None:
    """Print the figures, or one JSON object."""
    model = library.lattice((SIDE,) * 3, spin_glass_seed=0)
    began = time.perf_counter()
    program = compile(model)
    figures: dict[str, float] = {"pbits": program.image.size, "compile_s": time.perf_counter() - began}
    sampler = Simulator(program, threads=1)
    for replicas in (1, 8, 64):
        batch = sampler.run(program.request(SWEEPS, replicas=replicas, beta=0.7, keep_every=SWEEPS))
        figures[f"flips_per_s_{replicas}_replicas"] = batch.flips / batch.wall_ns * 1e9
    figures["peak_gib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    if "--json" in sys.argv[1:]:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:24} {value:,.2f}")


if __name__ == "__main__":
    main()
