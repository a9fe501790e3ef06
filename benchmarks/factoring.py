"""How often multipliers from Verilog, run backwards on the simulator with default settings, find factors.

    python benchmarks/factoring.py [--json]

Every product above 15 of two primes below 16, 100 seeds each, annealed and tempered; and 20 products of two primes of 8
bits, drawn with seed 1, tempered until solved. A run succeeds if its one best state holds the primes.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from itertools import combinations_with_replacement
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import pbit_hw as pb
from pbit_hw.boards.synthesis import synthesise
from pbit_hw.compiler.circuits import GAP
from pbit_hw.compiler.netlist import read_netlist
from pbit_hw.compiler.program import Program

SEEDS = 100
NUMBERS = 20


def multiplier(bits: int) -> Program:
    """The program of ``p = a * b``, and of nothing else."""
    top, product = bits - 1, 2 * bits - 1
    with TemporaryDirectory() as folder:
        path = Path(folder) / "multiply.v"
        path.write_text(
            f"module multiply(input [{top}:0] a, input [{top}:0] b, output [{product}:0] p);\n"
            "assign p = a * b;\nendmodule\n"
        )
        return pb.compile(read_netlist(synthesise(path)).model())


def primes(first: int, last: int) -> list[int]:
    """Primes from the first number to the last."""
    return [n for n in range(max(first, 2), last + 1) if all(n % d for d in range(2, int(n**0.5) + 1))]


def attempt(program: Program, wanted: tuple[int, int], seed: int, temper: bool) -> tuple[bool, float]:
    """Whether a run found the primes, and its seconds."""
    clamp = {"p": wanted[0] * wanted[1]}
    start = time.perf_counter()
    if temper:
        best = pb.temper(program, clamp=clamp, stop_at=GAP / 2, seed=seed, threads=1).best
    else:
        best = pb.anneal(program, clamp=clamp, seed=seed, threads=1)
    seconds = time.perf_counter() - start
    row = int(best.energies.argmin())
    return sorted((int(best["a"][row]), int(best["b"][row]))) == sorted(wanted), seconds


def rows() -> Iterator[dict[str, Any]]:
    """Results, one per circuit and method."""
    small, large = multiplier(4), multiplier(8)
    pairs = [(p, q) for p, q in combinations_with_replacement(primes(2, 15), 2) if p * q > 15]
    for method in ("anneal", "temper"):
        runs = [attempt(small, pair, seed, method == "temper") for pair in pairs for seed in range(SEEDS)]
        by_number = np.array([found for found, _ in runs]).reshape(len(pairs), SEEDS).sum(axis=1)
        yield summary("4 x 4", small, method, runs) | {"numbers": len(pairs), "fewest_of_100": int(by_number.min())}
    rng = np.random.default_rng(1)
    chosen = [tuple(rng.choice(primes(128, 255), 2).tolist()) for _ in range(NUMBERS)]
    runs = [attempt(large, (p, q), seed, True) for seed, (p, q) in enumerate(chosen)]
    yield summary("8 x 8", large, "temper", runs) | {"numbers": NUMBERS}


def summary(circuit: str, program: Program, method: str, runs: list[tuple[bool, float]]) -> dict[str, Any]:
    """What a list of attempts amounts to."""
    seconds = [took for _, took in runs]
    return {
        "circuit": circuit,
        "pbits": program.image.size,
        "method": method,
        "runs": len(runs),
        "found": sum(found for found, _ in runs),
        "median_s": float(np.median(seconds)),
        "longest_s": max(seconds),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    as_json = parser.parse_args().json
    found = []
    for row in rows():
        found.append(row)
        if not as_json:
            print(
                "  ".join(
                    f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
                    for name, value in row.items()
                )
            )
    if as_json:
        print(json.dumps({"rows": found}))


if __name__ == "__main__":
    main()
