"""From nothing to samples: the time of a fresh process that imports, loads a program and samples it.

    python benchmarks/startup.py [--json]

A cold run has an empty home, so that nothing has been cached; medians of five. Interpreters read their own files
from memory in both.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 5
SCRIPT = """
import sys, pbit_hw as pb
pb.Simulator(pb.load(sys.argv[1]), seed=1).sample(10, replicas=int(sys.argv[2]))
"""


def seconds(program: Path, replicas: int, home: Path) -> float:
    """Time of one process."""
    environment = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")}
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", SCRIPT, str(program), str(replicas)], env=environment, check=True)
    return time.perf_counter() - began


def main() -> None:
    """Print the figures, or one JSON object."""
    from pbit_hw.compiler import compile, library

    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "lattice.pbit"
        compile(library.lattice((16, 16, 16), spin_glass_seed=0)).save(program)
        for replicas in (1, 64):
            homes = [Path(tempfile.mkdtemp(dir=folder)) for _ in range(RUNS)]
            cold = [seconds(program, replicas, home) for home in homes]
            warm = [seconds(program, replicas, homes[0]) for _ in range(RUNS)]
            figures[f"cold_s_{replicas}_replicas"] = statistics.median(cold)
            figures[f"warm_s_{replicas}_replicas"] = statistics.median(warm)
    if "--json" in sys.argv[1:]:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:24} {value:.2f}")


if __name__ == "__main__":
    main()
