"""Verilog sources as what commands solve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..compiler.circuits import GAP, Circuit
from ..compiler.models import Model
from ..compiler.samples import Samples

VERILOG = (".v", ".sv")

STOP_AT = GAP / 2
"""Energy below which a state solves a circuit: solutions have 0, everything else the gap at least."""


def is_verilog(path: str | Path) -> bool:
    """Whether a file is a Verilog source, by its name."""
    return Path(path).suffix.lower() in VERILOG


def read_circuit(path: str | Path) -> Circuit:
    """The circuit of a Verilog file, by Yosys.

    Raises
    ------
    ToolError
        If Yosys is missing or refuses the source.
    ModelError
        If it is no combinational logic.
    """
    from ..boards.synthesis import synthesise
    from ..compiler.netlist import read_netlist

    return read_netlist(synthesise(path))


def logic_clamps(clamps: dict[object, int] | None, model: Model) -> dict[object, int] | None:
    """Clamps of ports in 0 and 1, single nets too."""
    if clamps is None:
        return None
    return {name: -1 if value == 0 and name in model.index else value for name, value in clamps.items()}


def solution(samples: Samples, circuit: Circuit) -> dict[str, Any]:
    """Values of the ports in the state of lowest energy, and whether the gates agree with them."""
    values = {name: int(samples[name][samples.best.index]) for name in circuit.port_names}
    return {"solution": values, "solved": circuit.accepts(values)}


def solution_text(fields: dict[str, Any], clamped: dict[object, int] | None) -> str:
    """``a = 11, b = 13``: the ports that were not clamped."""
    if not fields["solved"]:
        return "no solution found: the best state breaks the logic; run more sweeps, or there is none"
    free = [f"{name} = {value}" for name, value in fields["solution"].items() if name not in (clamped or {})]
    return ", ".join(free) or "the clamps are a solution"
