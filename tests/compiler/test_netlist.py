"""Netlists: from Verilog by Yosys, and JSON as Yosys writes it."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from pbit_hw.boards.synthesis import synthesise
from pbit_hw.compiler.buses import buses
from pbit_hw.compiler.circuits import Circuit
from pbit_hw.compiler.netlist import read_netlist
from pbit_hw.contract.errors import ModelError, ToolError


def verilog(folder: Path, source: str) -> Circuit:
    path = folder / "source.v"
    path.write_text(source)
    return read_netlist(synthesise(path))


def value(circuit: Circuit, values: dict[str, int], name: str) -> int:
    return sum(values[str(net)] << i for i, net in enumerate(buses(circuit.ports).get(name, [name])))


def test_a_multiplier_is_made_of_adders(tmp_path: Path) -> None:
    """Every product by the netlist's logic, and a model that gates of two inputs would make larger."""
    source = "module mult (input [3:0] a, input [3:0] b, output [7:0] p); assign p = a * b; endmodule"
    circuit = verilog(tmp_path, source)
    for a, b in itertools.product(range(16), repeat=2):
        assert value(circuit, circuit.deduce({"a": a, "b": b}), "p") == a * b
    assert circuit.port_names == ["a", "b", "p"]
    assert circuit.model().size <= 56


ARITHMETIC = """
`include "widths.vh"
module arithmetic (input [`W-1:0] a, b, input sel, output [`W-1:0] diff, quot, shifted, output less, equal, all,
                   output signed [`W:0] scaled, output [`W-1:0] chosen, output copied, high);
  wire [`W-1:0] named = a & ~b;
  assign diff = a - b, quot = a / b, shifted = a >> b[1:0], less = a < b, equal = a == b, all = &a;
  assign scaled = 3 * a - b, chosen = sel ? a : named, copied = a[0], high = 1'b1;
endmodule
"""


@pytest.mark.slow
def test_operators_of_verilog(tmp_path: Path) -> None:
    (tmp_path / "widths.vh").write_text("`define W 4\n")
    circuit = verilog(tmp_path, ARITHMETIC)
    for a, b, sel in itertools.product(range(16), range(1, 16), (0, 1)):
        values = circuit.deduce({"a": a, "b": b, "sel": sel})
        wanted = {"diff": (a - b) % 16, "quot": a // b, "shifted": a >> (b & 3), "less": a < b, "equal": a == b}
        wanted |= {"all": a == 15, "scaled": (3 * a - b) % 32, "chosen": a if sel else a & ~b & 15}
        wanted |= {"copied": a & 1, "high": 1}
        assert {name: value(circuit, values, name) for name in wanted} == wanted


@pytest.mark.slow
def test_what_yosys_refuses(tmp_path: Path) -> None:
    (tmp_path / "bad.v").write_text("module bad (input a, output y); assign y = a +; endmodule")
    with pytest.raises(ToolError, match=r"yosys failed in synthesis .*syntax error"):
        synthesise(tmp_path / "bad.v")
    with pytest.raises(ModelError, match="which remembers; only combinational logic"):
        verilog(tmp_path, "module r (input c, d, output reg q); always @(posedge c) q <= d; endmodule")
    with pytest.raises(ModelError, match="port a is inout"):
        verilog(tmp_path, "module i (inout a, input d, output q); assign q = a & d; endmodule")


def test_a_missing_file_or_a_wrong_name(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="there is no Verilog file"):
        synthesise(tmp_path / "nosuch.v")
    (tmp_path / "x.v").touch()
    with pytest.raises(ToolError, match="is not the name of a module"):
        synthesise(tmp_path / "x.v", top="x; shell ls")


def module(cells: dict[str, tuple[str, dict[str, list[Any]]]], **ports: tuple[str, list[Any]]) -> dict[str, Any]:
    """A netlist of one module as Yosys writes it."""
    return {
        "modules": {
            "m": {
                "attributes": {"top": "00000000000000000000000000000001"},
                "ports": {name: {"direction": way, "bits": bits} for name, (way, bits) in ports.items()},
                "cells": {name: {"type": kind, "connections": pins} for name, (kind, pins) in cells.items()},
                "netnames": {"w": {"hide_name": 0, "bits": [9]}},
            }
        }
    }


AND = {"g": ("$_AND_", {"A": [2], "B": [3], "Y": [4]})}
PORTS: dict[str, tuple[str, list[Any]]] = {"a": ("input", [2]), "b": ("input", [3]), "y": ("output", [4])}


def test_half_adders_are_recognised() -> None:
    cells = {**AND, "h": ("$_XOR_", {"A": [3], "B": [2], "Y": [5]})}
    model = read_netlist(module(cells, **PORTS, s=("output", [5]))).model()
    assert model.labels == ("a", "b", "y", "s")
    assert len(model.edges) == 6


def test_inner_nets_keep_their_names() -> None:
    cells = {"g": ("$_AND_", {"A": [2], "B": [3], "Y": [9]}), "o": ("$_OR_", {"A": [9], "B": [2], "Y": [4]})}
    assert read_netlist(module(cells, **PORTS)).model().labels == ("a", "b", "y", "w")


@pytest.mark.parametrize(
    ("netlist", "message"),
    [
        (module({}, y=("output", ["x"])), "y is x; give every output a value"),
        (module({"g": ("$_AND_", {"A": [2], "B": ["z"], "Y": [4]})}, **PORTS), "pin B of g is z"),
        (module({"g": ("$_DFF_P_", {"D": [2], "C": [3], "Q": [4]})}, **PORTS), "g is a .* which remembers"),
        (module({"g": ("$lut", {"A": [2, 3], "Y": [4]})}, **PORTS), "g is a .*, which is no gate"),
        (module({}, **PORTS), "net y is driven by nothing"),
        (module({**AND, "h": ("$_NOT_", {"A": [2], "Y": [4]})}, **PORTS), "net y is driven by 2 cells"),
        (module(AND, **{**PORTS, "b": ("inout", [3])}), "port b is inout"),
        ({"modules": {}}, "has no module"),
    ],
)
def test_what_is_no_combinational_circuit_is_refused(netlist: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        read_netlist(netlist)
    assert "\n" not in str(caught.value)
