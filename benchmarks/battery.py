"""TestU01's batteries on the random words that 64 p-bits draw, in turn.

    python benchmarks/battery.py xoshiro64 --battery Crush [--reversed] [--libraries FOLDER] [--json]

Every 32-bit number is made of the next words of two neighbouring p-bits, so 32 numbers are one update of all 64;
``--reversed`` reads their bits from the other end, since the batteries look at high bits more closely than at low
ones. ``textbook`` is an LFSR of 32 bits, shifted once per update, the negative control. Needs the shared libraries of
TestU01 (L'Ecuyer and Simard, ACM TOMS 33, 22, 2007): Debian's libtestu01-0, or a build of
https://github.com/umontreal-simul/TestU01-2009.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import time
from ctypes.util import find_library
from pathlib import Path
from typing import Any

import numba
import numpy as np

from pbit_hw.contract.array import draw
from pbit_hw.contract.generator import GENERATOR_NAMES, Generator, streams
from pbit_hw.sim import jit  # noqa: F401  makes the contract's functions callable from compiled code
from pbit_hw.sim.devices import lfsr

STREAMS = 64
SUSPECT, FAILED = 1e-3, 1e-10
"""P-values of a suspect and of a clear failure, from either end, as TestU01's guide has them."""
MOST_VALUES = 201
"""Places of TestU01's lists of results."""
REPEATS = 8
LIBRARIES = ("testu01mylib", "testu01probdist", "testu01")

BITS = ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_void_p, ctypes.c_void_p)
UNIFORM = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_void_p, ctypes.c_void_p)
WRITE = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class ExternalGenerator(ctypes.Structure):
    """What TestU01 calls ``unif01_Gen``."""

    _fields_ = (
        ("state", ctypes.c_void_p),
        ("param", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("uniform", UNIFORM),
        ("bits", BITS),
        ("write", WRITE),
    )


shift = numba.njit(lfsr.shift)


@numba.njit
def textbook_draw(_, register, taken, moves):
    """`draw` for the textbook's register."""
    word = int(register[0]) & 0xFFFF
    register[0] = shift(int(register[0]), 1)
    return word


@numba.njit
def turned(number):
    """32 bits in the other order."""
    for shift, mask in ((1, 0x55555555), (2, 0x33333333), (4, 0x0F0F0F0F), (8, 0x00FF00FF)):
        number = (number >> shift) & mask | (number & mask) << shift
    return (number >> 16 | number << 16) & 0xFFFFFFFF


def source(name: str, seed: int) -> tuple[int, Any, Any]:
    """What a generator is called in the contract, the registers of its streams, and how they draw."""
    if name == "textbook":
        return 0, lfsr.registers(seed, STREAMS), textbook_draw
    kind = Generator[name.upper()]
    return int(kind), streams(kind, seed, STREAMS // kind.share), draw


def callbacks(kind: int, shape: tuple[int, int], drawn: Any, reverse: bool) -> tuple[Any, Any]:
    """Compiled functions that give the next number, as an integer and as a fraction of 2^32."""
    share = STREAMS // shape[0]

    @numba.njit
    def word_of(registers, pbit):
        taken = pbit % share
        return drawn(kind, registers[pbit // share], taken, 1 if taken == share - 1 else 0)

    @numba.njit
    def number(param, state):
        count, registers = numba.carray(param, 1, np.uint64), numba.carray(state, shape, np.uint32)
        first = 2 * count[0] % STREAMS
        count[0] += 1
        both = word_of(registers, first) << 16 | word_of(registers, first + 1)
        return turned(both) if reverse else both

    @numba.cfunc("uint64(voidptr, voidptr)")
    def bits(param, state):
        return number(param, state)

    @numba.cfunc("float64(voidptr, voidptr)")
    def uniform(param, state):
        return number(param, state) * 2.0**-32

    return bits, uniform


def load(folder: str | None) -> ctypes.CDLL:
    """TestU01, with what it depends on."""
    for name in LIBRARIES:
        path = next(iter(sorted(Path(folder).glob(f"lib{name}.so*"))), None) if folder else find_library(name)
        if path is None:
            raise SystemExit(f"no lib{name}.so in {folder or 'the system'}; install libtestu01-0 or give --libraries")
        library = ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
    return library


def run(library: ctypes.CDLL, name: str, battery: str, reverse: bool, seed: int, test: int | None) -> dict[str, Any]:
    """Run a battery, or one test of it `REPEATS` times, and collect the p-values."""
    kind, registers, drawn = source(name, seed)
    count = np.zeros(1, np.uint64)
    bits, uniform = callbacks(kind, registers.shape, drawn, reverse)
    generator = ExternalGenerator(
        registers.ctypes.data, count.ctypes.data, name.encode(), UNIFORM(uniform.address), BITS(bits.address), WRITE()
    )
    ctypes.c_int.in_dll(library, "swrite_Basic").value = 0
    began = time.monotonic()
    if test is None:
        getattr(library, f"bbattery_{battery}")(ctypes.byref(generator))
    else:
        repeats = (ctypes.c_int * MOST_VALUES)(*(REPEATS * (place == test) for place in range(MOST_VALUES)))
        getattr(library, f"bbattery_Repeat{battery}")(ctypes.byref(generator), repeats)
    tests = ctypes.c_int.in_dll(library, "bbattery_NTests").value
    values = (ctypes.c_double * MOST_VALUES).in_dll(library, "bbattery_pVal")
    names = (ctypes.c_char_p * MOST_VALUES).in_dll(library, "bbattery_TestNames")
    found = [(names[k].decode(), values[k]) for k in range(MOST_VALUES) if names[k]][:tests]
    ends = [(title, value, min(value, 1 - value)) for title, value in found]
    return {
        "generator": name,
        "battery": battery,
        "reversed": reverse,
        "seed": seed,
        "bytes": int(count[0]) * 4,
        "statistics": tests,
        "suspect": [(title, value) for title, value, end in ends if FAILED <= end < SUSPECT],
        "failed": sorted({title for title, _, end in ends if end < FAILED}),
        "seconds": round(time.monotonic() - began),
    }


def main() -> None:
    """Run one battery on one generator."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("generator", choices=[*GENERATOR_NAMES, "textbook"])
    parser.add_argument("--battery", choices=["SmallCrush", "Crush", "BigCrush"], default="SmallCrush")
    parser.add_argument("--test", type=int, help=f"run this test of the battery alone, {REPEATS} times")
    parser.add_argument("--reversed", action="store_true", help="reverse the 32 bits of every number")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--libraries", metavar="FOLDER", help="where libtestu01.so and its two companions are")
    parser.add_argument("--json", action="store_true", help="one JSON object after TestU01's own summary")
    options = parser.parse_args()
    result = run(
        load(options.libraries), options.generator, options.battery, options.reversed, options.seed, options.test
    )
    if options.json:
        print(json.dumps(result))
    else:
        print(
            f"{result['generator']}{', reversed' if result['reversed'] else ''}: {len(result['failed'])} of "
            f"{result['statistics']} failed, suspect {result['suspect']}, {result['bytes']:,} bytes, "
            f"{result['seconds']} s"
        )


if __name__ == "__main__":
    main()
