"""``pbit reweight``."""

from __future__ import annotations

import click

from .compile import print_report
from .inputs import read_model, read_program
from .output import console, json_option, print_json


@click.command(epilog="Example: pbit reweight glass.pbit other_couplings.txt -o other.pbit")
@click.argument("program", type=click.Path(exists=True, dir_okay=False))
@click.argument("model")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False), help="Program file to write (.pbit).")
@json_option
def command(program, model, output, as_json):
    """Give PROGRAM the couplings and biases of MODEL, which has the same graph.

    Colours, places and formats stay, so a bitstream of PROGRAM runs it too. Values outside the format are clipped and
    counted in the report.
    """
    followed = read_program(program).follow(read_model(model))
    followed.save(output)
    if as_json:
        print_json({"program": output, **followed.report.to_json()})
        return
    print_report(followed.report)
    console.print(f"wrote {output}", highlight=False)
