"""What nextpnr and yosys say about a design, read from their JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..contract.errors import ToolError
from .families import Family


@dataclass(frozen=True)
class Timing:
    """One clock after routing.

    Parameters
    ----------
    clock : str
        Name of its net.
    fmax_hz, constraint_hz : float
        What was achieved and what was asked for.
    """

    clock: str
    fmax_hz: float
    constraint_hz: float

    @property
    def met(self) -> bool:
        """Whether the clock may run as fast as was asked for."""
        return self.fmax_hz >= self.constraint_hz


def load(path: Path) -> dict[str, Any]:
    """Read a tool's JSON.

    Raises
    ------
    ToolError
        If it is missing or is not JSON.
    """
    try:
        report: dict[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ToolError(f"{path.name} of the build cannot be read ({error}); is the toolchain complete?") from None
    return report


def timings(report: Mapping[str, Any]) -> list[Timing]:
    """Post-route timing of every clock in nextpnr's report.

    Raises
    ------
    ToolError
        If the report has none.
    """
    found = [
        Timing(name, 1e6 * entry["achieved"], 1e6 * entry["constraint"])
        for name, entry in report.get("fmax", {}).items()
    ]
    if not found:
        raise ToolError("nextpnr reported no clock; use nextpnr 0.9 or newer: pip install pbit-hw[build]")
    _check_whole(report, {f"posedge {timing.clock}" for timing in found})
    return found


_FMAX = re.compile(r"Max frequency for clock\s+'([^']+)':\s+([\d.]+) MHz")


def doubted(found: list[Timing], log: str, optimism: float) -> list[Timing]:
    """Timings of tools that may lose a path: the lowest Fmax that their log has for a clock, divided by a factor."""
    lowest = {timing.clock: timing.fmax_hz for timing in found}
    for clock, mhz in _FMAX.findall(log):
        if clock in lowest:
            lowest[clock] = min(lowest[clock], 1e6 * float(mhz))
    return [replace(timing, fmax_hz=lowest[timing.clock] / optimism) for timing in found]


def _check_whole(report: Mapping[str, Any], edges: set[str]) -> None:
    """Raise unless every path runs between the clocks: one that ends at any other clock was cut, and Fmax is untrue.

    nextpnr-ice40 cuts paths at a DSP without registers in this way.
    """
    ends = {path[end] for path in report.get("critical_paths", ()) for end in ("from", "to")}
    if cut := sorted(ends - edges - {"<async>"}):
        raise ToolError(f"nextpnr cut paths at {', '.join(cut)}, so its Fmax does not hold; build without multipliers")


def used(report: Mapping[str, Any], cell: str) -> int:
    """How many of a kind of cell a routed design uses; none of "", which a part does not have."""
    if not cell:
        return 0
    if cell not in report.get("utilization", {}):
        raise ToolError(f"nextpnr did not report {cell}; use nextpnr 0.9 or newer: pip install pbit-hw[build]")
    return int(report["utilization"][cell]["used"])


def flip_flops(netlist: Mapping[str, Any], family: Family) -> int:
    """Flip-flops of a synthesised netlist."""
    cells = netlist["modules"]["top"]["cells"].values()
    return sum(cell["type"].startswith(family.flip_flop) for cell in cells)


_ROW = re.compile(r"^Info:\s+(\w+):\s*(\d+)/\s*(\d+)\s+\d+%", re.MULTILINE)


def overfull(log: str) -> list[tuple[str, int, int]]:
    """Kinds of cells of which a packed design needs more than there are: (kind, needed, available).

    nextpnr writes no JSON for a design that it cannot place, so this reads its log.
    """
    rows = {name: (int(needed), int(available)) for name, needed, available in _ROW.findall(log)}
    return [(name, needed, available) for name, (needed, available) in rows.items() if needed > available]
