"""``pbit boards``."""

from __future__ import annotations

import click

from ..contract.targets import TARGETS
from .output import console, json_option, print_json


@click.command(epilog="Example: pbit boards --json")
@json_option
def command(as_json):
    """List the boards that `pbit build` knows."""
    rows = {name: target.to_json() for name, target in TARGETS.items()}
    if as_json:
        print_json(rows)
        return
    from rich.table import Table

    table = Table(title="boards", title_justify="left")
    for column in ("name", *next(iter(rows.values()))):
        table.add_column(column)
    for name, row in rows.items():
        table.add_row(name, *(f"{value:,}" if isinstance(value, int) else str(value) for value in row.values()))
    console.print(table)
