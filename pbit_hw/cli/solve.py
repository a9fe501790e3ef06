"""``pbit solve``."""

from __future__ import annotations

import click

from .inputs import parse_beta, read_clamps, read_program
from .output import json_option, print_fields, print_json, progress_bar, rate, seed_option
from .results import summary, write_samples
from .samplers import threads_option

METHODS = ("anneal", "temper")


@click.command(epilog="Example: pbit solve g11.pbit --method temper --json")
@click.argument("program", type=click.Path(exists=True, dir_okay=False))
@click.option("--method", type=click.Choice(METHODS), default="anneal", show_default=True, help="Algorithm.")
@click.option(
    "--sweeps", type=int, help="Sweeps of annealing [default: 10000], or rounds of tempering [default: 1000]."
)
@click.option("--replicas", type=int, help="Annealed replicas [default: 64]; tempering always runs 64 copies.")
@click.option("--rungs", type=int, help="Betas of the ladder of tempering [default: 24].")
@click.option("--beta", callback=parse_beta, help="HOT:COLD [default: from the model's energies].")
@click.option("--clamp", "clamps", multiple=True, metavar="LABEL=VALUE", help="Clamp a variable; repeatable.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write states and energies (.npz).")
@threads_option
@seed_option
@json_option
def command(program, method, sweeps, replicas, rungs, beta, clamps, output, threads, seed, as_json):
    """Look for the states of lowest energy of PROGRAM, on the simulated array."""
    _check_options(method, replicas, rungs, beta)
    loaded = read_program(program)
    options = {"clamp": read_clamps(clamps, loaded.model), "beta": beta, "seed": seed, "threads": threads}
    counts = {"replicas": replicas} if method == "anneal" else {"rungs": rungs}
    counts["sweeps" if method == "anneal" else "rounds"] = sweeps
    options |= {name: count for name, count in counts.items() if count is not None}
    with progress_bar(method) as update:
        samples, extra = _solve(loaded, method, options | {"progress": update})
    if output:
        write_samples(output, samples, seed)
    fields = summary(samples) | extra
    if as_json:
        print_json(fields)
    else:
        print_fields(method, fields | {"flips_per_s": rate(samples.flips_per_s, "flips/s")})


def _check_options(method, replicas, rungs, beta):
    if method == "anneal" and rungs is not None:
        raise click.UsageError("--rungs belongs to --method temper")
    if method == "temper" and replicas is not None:
        raise click.UsageError("--replicas belongs to --method anneal; tempering runs 64 copies")
    if beta is not None and not isinstance(beta, tuple):
        raise click.UsageError("--beta of an algorithm is HOT:COLD, for example 0.2:3")


def _solve(program, method, options):
    """Samples, and what only one of the methods tells."""
    if method == "anneal":
        from ..sim.annealing import anneal

        return anneal(program, **options), {}
    from ..sim.tempering import temper

    run = temper(program, **options)
    return run.best, {"betas": run.betas.tolist(), "swap_rates": run.swap_rates.tolist()}
