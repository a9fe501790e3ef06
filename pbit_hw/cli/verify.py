"""``pbit verify``."""

from __future__ import annotations

import click

from ..contract.forms import Form
from .inputs import read_program
from .output import json_option, print_fields, print_json, progress_bar, seed_option


@click.command(epilog="Example: pbit verify adder.pbit --form table")
@click.argument("program", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--form",
    default="adder",
    show_default=True,
    type=click.Choice([form.value for form in Form]),
    help="Of the p-bits.",
)
@click.option("--cycles", default=1000, show_default=True, help="Clocks to compare.")
@seed_option
@json_option
def command(program, form, cycles, seed, as_json):
    """Run PROGRAM's RTL and the simulator in lockstep and compare every register in every cycle.

    Where its p-bits take more clocks than the program's replicas leave them, the array holds more replicas.
    """
    from .lockstep import run_program

    with progress_bar("lockstep") as update:
        image = read_program(program).image
        image = image.interleaved(Form(form).interleave(image))
        result = run_program(image, clocks=cycles, seed=seed, progress=update, form=Form(form))
    if as_json:
        print_json(result)
    else:
        print_fields("lockstep: equal in every cycle", result)
