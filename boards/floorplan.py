"""Where an engine's block RAMs lie: along a chip in the order of the parts that they belong to.

Parts of an engine are numbered along a chain, and each is told of everything by the one before it. A placer sees wires
only: nextpnr's piles memories up near the pins, with what they feed somewhere else. On the 85F the wires of the dense
engine are half as long with this, and those of the tiled one less than half (docs/boards.md).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..contract.container import write_whole
from . import report

BLOCK = 4
"""Sites beside one another, two tiles apart."""

_PART = re.compile(r".*?\.engine\.(?:(?P<kind>[^.]*)_(?P<number>\d+)\.)?(?P<rest>.*)")


@dataclass(frozen=True)
class Floor:
    """Sites of block RAM of an ECP5.

    Parameters
    ----------
    rows : tuple of int
        Rows of tiles that have them.
    blocks : tuple of int
        First columns of the blocks of `BLOCK` sites in each row.
    """

    rows: tuple[int, ...]
    blocks: tuple[int, ...]

    @property
    def sites(self) -> list[str]:
        """Names of sites, in turn from left to right and from right to left."""
        columns = [(block + 2 * place, place) for block in self.blocks for place in range(BLOCK)]
        return [
            f"X{column}/Y{row}/EBR{place}"
            for number, row in enumerate(self.rows)
            for column, place in columns[:: -1 if number % 2 else 1]
        ]


LFE5U_25F = Floor((25, 37), (4, 13, 22, 33, 42, 51, 60))
LFE5U_85F = Floor((22, 46, 70, 82), (4, 13, 22, 31, 40, 49, 58, 69, 78, 87, 96, 105, 114))


def lay(path: Path, cells: str, sites: list[str]) -> None:
    """Constrain the block RAMs of an engine in a netlist to sites that are evenly spaced.

    Builds are cached by their sites, not by this rule: another rule takes another format in `cache`.

    Parameters
    ----------
    path : Path
        The netlist, as synthesis writes it for nextpnr.
    cells : str
        Their type.
    sites : list of str
        Names of sites, neighbours one after another. If there are fewer than block RAMs, nothing is done: nextpnr says
        by how much they are too many.
    """
    netlist = report.load(path)
    places: dict[str, Any] = netlist["modules"]["top"]["cells"]
    memories = chain(name for name, cell in places.items() if cell["type"] == cells)
    if len(memories) <= len(sites):
        for place, name in enumerate(memories):
            places[name]["attributes"]["BEL"] = sites[place * len(sites) // len(memories)]
        write_whole(path, json.dumps(netlist).encode())


def chain(names: Iterable[str]) -> list[str]:
    """Names of cells of an engine in the order of its parts: those without a number first, others are left out."""
    parts = {name: match.groupdict() for name in names if (match := _PART.match(name))}
    counts: dict[str | None, int] = {}
    for part in parts.values():
        counts[part["kind"]] = max(counts.get(part["kind"], 0), int(part["number"] or 0) + 1)

    def place(name: str) -> tuple[float, str, list[int | str]]:
        """How far along the chain a cell is, and a name that sorts by number."""
        kind, number, rest = parts[name].values()
        along = (int(number) + 0.5) / counts[kind] if kind else 0.0
        return along, kind or "", [int(word) if word.isdigit() else word for word in re.split(r"(\d+)", rest)]

    return sorted(parts, key=place)
