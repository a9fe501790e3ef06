"""``pbit build``."""

from __future__ import annotations

import click

from .inputs import read_program
from .output import json_option, print_fields, print_json, rate


@click.command(epilog="Example: pbit build adder.pbit --board icebreaker --json")
@click.argument("program", type=click.Path(exists=True, dir_okay=False))
@click.option("--board", required=True, help="Name of the board, see `pbit boards`.")
@click.option("-o", "--output", default="build", show_default=True, type=click.Path(), help="Folder to write.")
@json_option
def command(program, board, output, as_json):
    """Build the bitstream of PROGRAM with the open tools."""
    result = build_with_status(read_program(program).image, board, output)
    if as_json:
        print_json(result.to_json())
    else:
        print_fields(f"bitstream for {board}", result.to_json() | {"flips_per_s": rate(result.flips_per_s, "flips/s")})


def build_with_status(image, name, output):
    """Build for the board of that name, showing the stage under way and its time on standard error."""
    from ..boards import build
    from .output import errors

    with errors.status("starting") as status:
        return build(image, name, output, progress=lambda stage, s: status.update(f"{stage}: {s:.0f} s"))
