"""Combinational Verilog to a netlist of gates and full adders, by Yosys."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from ..contract.errors import ToolError
from . import tools

SUFFIXES = (".v", ".sv")
"""Of Verilog and SystemVerilog sources."""

HEADERS = (".vh", ".svh")
"""Of what they may include."""

_STAGE = "synthesis"
_SOURCE = "source.v"
_MAP = "pbit_hw_adder.v"

_ADDER = r"""
(* techmap_celltype = "$alu" *)
module ripple (A, B, CI, BI, X, Y, CO);
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  input [A_WIDTH-1:0] A;
  input [B_WIDTH-1:0] B;
  input CI, BI;
  output [Y_WIDTH-1:0] X, Y, CO;
  wire [Y_WIDTH-1:0] first, second;
  \$pos #(.A_SIGNED(A_SIGNED), .A_WIDTH(A_WIDTH), .Y_WIDTH(Y_WIDTH)) extend_a (.A(A), .Y(first));
  \$pos #(.A_SIGNED(B_SIGNED), .A_WIDTH(B_WIDTH), .Y_WIDTH(Y_WIDTH)) extend_b (.A(B), .Y(second));
  wire [Y_WIDTH-1:0] added = second ^ {Y_WIDTH{BI}};
  wire [Y_WIDTH-1:0] carry = {CO, CI};
  assign X = first ^ added;
  \$fa #(.WIDTH(Y_WIDTH)) adder (.A(first), .B(added), .C(carry), .X(CO), .Y(Y));
endmodule
"""
"""Yosys' own map of $alu looks carries ahead; p-bits want few gates, and time is nothing to them."""

_SCRIPT = """
read_verilog -sv {source}
hierarchy -check {top}
proc
flatten
opt
wreduce
peepopt
opt_clean
alumacc
maccmap
opt
techmap -map {adder} t:$alu
opt
techmap t:$fa %n
opt -full
simplemap t:$fa %n
opt -full
clean
write_json netlist.json
"""
"""Products and sums become trees of full adders, which stay whole; everything else becomes gates of two inputs."""


def synthesise(path: str | os.PathLike[str], top: str | None = None) -> dict[str, Any]:
    """Run Yosys on a Verilog file.

    Parameters
    ----------
    path : path
        Source; the files .vh and .svh beside it can be included.
    top : str, optional
        Module; the one that no other uses by default.

    Returns
    -------
    dict
        Yosys' JSON netlist of one module, for `pbit_hw.compiler.netlist.read_netlist`.

    Raises
    ------
    ToolError
        If there is no such file, Yosys is missing or refuses the source, with its own last error.
    """
    source = Path(path).resolve()
    if not source.is_file():
        raise ToolError(f"there is no Verilog file {path}; check the path")
    if top is not None and not re.fullmatch(r"\w+", top):
        raise ToolError(f"{top!r} is not the name of a module; use letters, digits and _")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _copy(source, folder)
        chosen = "-auto-top" if top is None else f"-top {top}"
        (folder / "script.ys").write_text(_SCRIPT.format(source=_SOURCE, adder=_MAP, top=chosen))
        tools.run(["yosys", "-q", "script.ys"], folder, folder / "yosys.log", _STAGE, None)
        netlist: dict[str, Any] = json.loads((folder / "netlist.json").read_text())
    return netlist


def _copy(source: Path, folder: Path) -> None:
    """Bring all that Yosys reads to its folder: the wheel's Yosys sees no other place for certain."""
    (folder / _MAP).write_text(_ADDER)
    shutil.copyfile(source, folder / _SOURCE)
    for header in HEADERS:
        for path in source.parent.glob(f"*{header}"):
            shutil.copyfile(path, folder / path.name)
