"""Collisions of overlapping 40-bit tuples in what 64 p-bits draw: test 10 of TestU01's Crush, counted many times.

    python benchmarks/collisions.py xoshiro64 --runs 100

TestU01 takes the count for a Poisson variable. Tuples that overlap collide in clusters, so its variance is larger than
its mean, whatever the generator (``pcg64``, numpy's own, shows it too), and its p-values are too small.
"""

from __future__ import annotations

import argparse

import numba
import numpy as np

from pbit_hw.contract.array import draw
from pbit_hw.contract.generator import GENERATOR_NAMES, Generator, streams
from pbit_hw.sim import jit  # noqa: F401  makes the contract's functions callable from compiled code

STREAMS, TUPLES, DIGITS = 64, 10_000_000, 20
LOWEST_BIT = 2
"""Of the two bits of every other p-bit's word that make a digit."""


@numba.njit
def digits_of(kind, registers, share, count):
    """Digits in the order in which the p-bits draw, ``share`` of them from each register."""
    out = np.empty(count, np.uint64)
    for place in range(2 * count):
        pbit = place % STREAMS
        taken = pbit % share
        drawn = draw(kind, registers[pbit // share], taken, 1 if taken == share - 1 else 0)
        if place % 2:
            out[place // 2] = (drawn >> LOWEST_BIT) & 3
    return out


@numba.njit
def tuples_of(digits):
    """Every run of 20 digits as a number."""
    out, latest = np.empty(len(digits) - DIGITS + 1, np.uint64), np.uint64(0)
    for place in range(len(digits)):
        latest = (latest << np.uint64(2) | digits[place]) & np.uint64(4**DIGITS - 1)
        if place >= DIGITS - 1:
            out[place - DIGITS + 1] = latest
    return out


def main() -> None:
    """Count, and compare with what independent digits give."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("generator", choices=[*GENERATOR_NAMES, "pcg64"])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    reference = options.generator == "pcg64"
    kind = None if reference else Generator[options.generator.upper()]
    registers = None if kind is None else streams(kind, options.seed, STREAMS // kind.share)
    rng = np.random.default_rng(options.seed)
    counts = []
    for _ in range(options.runs):
        size = TUPLES + DIGITS - 1
        digits = (
            rng.integers(0, 4, size, np.uint64) if kind is None else digits_of(int(kind), registers, kind.share, size)
        )
        found = np.sort(tuples_of(digits))
        counts.append(int((found[1:] == found[:-1]).sum()))
    mean, variance = np.mean(counts), np.var(counts, ddof=1)
    expected, error = TUPLES**2 / 2 / 4**DIGITS, np.sqrt(variance / options.runs)
    print(
        f"{options.generator}: {mean:.2f} +- {error:.2f} collisions, expected {expected:.2f}; variance over mean "
        f"{variance / mean:.2f}; {options.runs} runs"
    )


if __name__ == "__main__":
    main()
