"""``pbit boards``."""

from __future__ import annotations

from dataclasses import asdict

import click

from ..contract.targets import TARGETS
from .output import console, json_option, print_json


@click.command(epilog="Example: pbit boards --json")
@json_option
def command(as_json):
    """List the boards that `pbit build` knows."""
    if as_json:
        print_json({name: asdict(target) for name, target in TARGETS.items()})
        return
    from rich.table import Table

    table = Table(title="boards", title_justify="left")
    for column in ("name", "FPGA", "LUTs", "FFs", "DSPs", "clock", "degree"):
        table.add_column(column, no_wrap=True)
    for target in TARGETS.values():
        capacities = (target.luts, target.ffs, target.multipliers)
        clock = f"{target.clock_hz / 1e6:g} MHz"
        table.add_row(
            target.name, target.part.split("-")[0], *(f"{c:,}" for c in capacities), clock, f"<= {target.max_degree}"
        )
    console.print(table)
