"""``pbit boards``."""

from __future__ import annotations

from dataclasses import asdict

import click

from ..contract.engines import ENGINES
from ..contract.targets import TARGETS
from .output import console, json_option, print_json


@click.command(epilog="Example: pbit boards --json")
@json_option
def command(as_json):
    """List the boards that `pbit build` knows, and the engines that `pbit compile --engine` does."""
    if as_json:
        print_json({name: asdict(target) | {"engines": engines(name)} for name, target in TARGETS.items()})
        return
    boards = (
        (
            target.name,
            target.part.split("-")[0],
            f"{target.luts:,}",
            mhz(target.clock_hz),
            f"{target.table_degree} / {target.max_degree}",
        )
        for target in TARGETS.values()
    )
    print_table("boards", ("name", "FPGA", "LUTs", "clock", "degree of tables / adders"), boards)
    held = (
        (name, f"{row['pbits']:,}", str(row["lanes"]), mhz(row["clock_hz"]), row["text"])
        for board in TARGETS
        for name, row in engines(board).items()
    )
    print_table("engines", ("name", "p-bits", "lanes", "clock", "for"), held)


def mhz(clock_hz):
    """Text of a clock."""
    return f"{clock_hz / 1e6:g} MHz"


def print_table(title, columns, rows):
    """Print rows of text that are not to be cut."""
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None)
    for column in columns:
        table.add_column(column, no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console.print(table)


def engines(board):
    """The engines of a board, by name."""
    return {
        name: {
            "kind": stock.shape.kind.name.lower(),
            "pbits": stock.shape.sizes[0],
            "lanes": stock.shape.lanes,
            "replicas": stock.shape.interleave,
            "clock_hz": stock.clock_hz,
            "text": stock.text,
        }
        for name, stock in ENGINES.items()
        if stock.board == board
    }
