"""``pbit build``."""

from __future__ import annotations

from pathlib import Path

import click

from ..contract.forms import Form
from ..contract.targets import TARGETS, choices
from .inputs import read_program
from .output import json_option, print_fields, print_json, rate

FORMS = [form.value for form in Form]


@click.command(epilog="Example: pbit build adder.pbit --board icebreaker --json")
@click.argument("program", type=click.Path(exists=True, dir_okay=False))
@click.option("--board", required=True, help="Name of the board, see `pbit boards`.")
@click.option("--form", type=click.Choice(FORMS), help="Of the p-bits; the better of adder and table by default.")
@click.option("--counters", is_flag=True, help="With a schedule and counters of moments on the device.")
@click.option("-o", "--output", default="build", show_default=True, type=click.Path(), help="Folder to write.")
@click.option("--clock", type=click.FloatRange(0, min_open=True), metavar="MHZ", help="The most the clock may have.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="Of the placer.")
@click.option("--no-cache", is_flag=True, help="Build anew what was built before.")
@json_option
def command(program, board, form, counters, output, clock, seed, no_cache, as_json):
    """Build the bitstream of PROGRAM with the open tools.

    A program that was compiled for an engine gets the engine, which holds any other such program too. Beside it lies
    the program that it was built for, BOARD.pbit: PROGRAM with as many replicas as the array holds.
    """
    source = read_program(program)
    print_choices(source.image, board)
    result = build_with_status(
        source.image,
        board,
        output,
        form=None if form is None else Form(form),
        counters=counters,
        clock_hz=None if clock is None else clock * 1e6,
        seed=seed,
        cache=not no_cache,
    )
    source.interleaved(result.interleave).save(Path(output) / f"{board}.pbit")
    if as_json:
        print_json(result.to_json())
    else:
        print_fields(f"bitstream for {board}", result.to_json() | {"flips_per_s": rate(result.flips_per_s, "flips/s")})


def print_choices(image, board):
    """What the forms of an array would take, by the estimates; on standard error, as progress is."""
    if image.lanes:
        return
    options = choices(image, TARGETS[board]) if board in TARGETS else []
    if not any(choice.fits for choice in options):
        return  # the build says why
    for choice in options:
        verdict = "does not fit: " + "; ".join(choice.reasons)
        if choice.fits:
            verdict = f"{rate(choice.flips_per_s, 'flips/s')} expected"
        luts = f"about {choice.luts:,} of {choice.target.luts:,} LUTs, {choice.brams} block RAMs"
        form = choice.demand.form.value
        click.echo(f"{form} p-bits, {choice.interleave} replicas: {luts}; {verdict}", err=True)


def build_with_status(image, name, output, **options):
    """Build for the board of that name, showing the stage under way and its time on standard error."""
    from ..boards import build
    from .output import errors

    with errors.status("starting") as status:
        return build(image, name, output, lambda stage, s: status.update(f"{stage}: {s:.0f} s"), **options)
