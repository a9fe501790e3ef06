"""``pbit verify``."""

from __future__ import annotations

import click

from .inputs import read_program
from .output import json_option, print_fields, print_json, progress_bar, seed_option


@click.command(epilog="Example: pbit verify adder.pbit --cycles 2000")
@click.argument("program", type=click.Path(exists=True, dir_okay=False))
@click.option("--cycles", default=1000, show_default=True, help="Clocks to compare.")
@seed_option
@json_option
def command(program, cycles, seed, as_json):
    """Run PROGRAM's RTL and the simulator in lockstep and compare every register in every cycle."""
    from .lockstep import run_program

    with progress_bar("lockstep") as update:
        result = run_program(read_program(program).image, cycles=cycles, seed=seed, progress=update)
    if as_json:
        print_json(result)
    else:
        print_fields("lockstep: equal in every cycle", result)
