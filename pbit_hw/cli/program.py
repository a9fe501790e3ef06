"""``pbit program``."""

from __future__ import annotations

import click

from .output import json_option, print_fields, print_json


@click.command(epilog="Example: pbit program build --board icebreaker --flash")
@click.argument("path", metavar="FOLDER|BITSTREAM", type=click.Path(exists=True))
@click.option("--board", required=True, help="Name of the board, see `pbit boards`.")
@click.option("--flash", is_flag=True, help="Write it to the flash, so that it is there after power-up.")
@json_option
def command(path, board, flash, as_json):
    """Load a bitstream that `pbit build` made into a board."""
    from ..boards import board as find_board
    from ..boards.program import program
    from .output import errors

    chosen = find_board(board)
    with errors.status(f"loading {chosen.target.title}"):
        loaded = program(path, chosen, flash)
    fields = {"board": board, "bitstream": str(loaded), "flash": flash}
    if as_json:
        print_json(fields)
    else:
        print_fields("loaded", fields)
