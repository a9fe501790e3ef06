"""``pbit compile``."""

from __future__ import annotations

from typing import Any

import click

from ..compiler import compile as compile_model
from ..compiler.program import COLOURINGS, GENERATOR
from ..compiler.report import Report
from ..compiler.sparsify import STRENGTH, sparsify
from ..contract.generator import GENERATOR_NAMES
from .inputs import MODEL_HELP, read_model
from .output import console, json_option, print_fields, print_json


@click.command(name="compile", epilog="Example: pbit compile G11.txt -o g11.pbit", help=f"Compile MODEL. {MODEL_HELP}")
@click.argument("model")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False), help="Program file to write (.pbit).")
@click.option("--weight-bits", default=8, show_default=True, help="Bits of a coupling, the sign included.")
@click.option("--weight-format", help="Format of couplings, s[a][b]; chosen from the model when left out.")
@click.option("--beta-format", default="u[3][9]", show_default=True, help="Format of the inverse temperature.")
@click.option(
    "--generator", type=click.Choice(GENERATOR_NAMES), default=GENERATOR, show_default=True, help="Generator."
)
@click.option("--max-degree", type=int, help="Refuse models of a larger degree.")
@click.option("--colouring", type=click.Choice(COLOURINGS), default=COLOURINGS[0], show_default=True, help="Effort.")
@click.option("--sparsify", "copy_degree", type=int, help="Split variables into copies of at most this degree.")
@click.option("--copy-strength", default=STRENGTH, show_default=True, help="Coupling of copies, in units of torque.")
@json_option
def command(
    model,
    output,
    weight_bits,
    weight_format,
    beta_format,
    generator,
    max_degree,
    colouring,
    copy_degree,
    copy_strength,
    as_json,
):
    """Compile a model and write the program."""
    read = read_model(model)
    program = compile_model(
        read if copy_degree is None else sparsify(read, copy_degree, copy_strength),
        weight_bits=weight_bits,
        weight_format=weight_format,
        beta_format=beta_format,
        generator=generator,
        max_degree=max_degree,
        colouring=colouring,
    )
    program.save(output)
    if as_json:
        print_json({"program": output, **program.report.to_json()})
    else:
        print_report(program.report)
        console.print(f"wrote {output}", highlight=False)


def print_report(report: Report) -> None:
    """Print a compile report as a table."""
    fields = report.to_json()
    boards = fields.pop("boards")
    print_fields("program", fields)
    print_fields("boards", {name: _board_text(board) for name, board in boards.items()})


def _board_text(board: dict[str, Any]) -> str:
    """What an array needs of a board, in a line."""
    if board["reasons"]:
        return "does not fit: " + "; ".join(board["reasons"])
    ffs = f"at least {board['ffs_at_least']:,} of {board['ffs_available']:,} flip-flops"
    verdict = "likely fits" if board["likely"] else "likely too large"
    return f"{verdict}: about {board['luts_estimated']:,} of {board['luts_available']:,} LUTs, {ffs}"
