"""``pbit solve``."""

from __future__ import annotations

import click

from ..compiler import compile as compile_model
from .inputs import parse_beta, read_clamps, read_program
from .logic import STOP_AT, is_verilog, logic_clamps, read_circuit, solution, solution_text
from .output import console, json_option, print_fields, print_json, progress_bar, rate, seed_option
from .results import summary, write_samples
from .samplers import threads_option

METHODS = ("anneal", "temper")


@click.command(epilog="Example: pbit solve g11.pbit --method temper --json, or: pbit solve mult.v --clamp p=143")
@click.argument("program", type=click.Path(exists=True, dir_okay=False))
@click.option("--method", type=click.Choice(METHODS), help="Algorithm [default: anneal; temper for Verilog].")
@click.option(
    "--sweeps", type=int, help="Sweeps of annealing [default: 10000], or rounds of tempering [default: 1000]."
)
@click.option("--replicas", type=int, help="Annealed replicas [default: 64]; tempering always runs 64 copies.")
@click.option("--rungs", type=int, help="Betas of the ladder of tempering [default: 24].")
@click.option("--beta", callback=parse_beta, help="HOT:COLD [default: from the model's energies].")
@click.option("--clamp", "clamps", multiple=True, metavar="LABEL=VALUE", help="Clamp a variable or a bus; repeatable.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write states and energies (.npz).")
@threads_option
@seed_option
@json_option
def command(program, method, sweeps, replicas, rungs, beta, clamps, output, threads, seed, as_json):
    """Look for the states of lowest energy of PROGRAM, on the simulated array.

    PROGRAM is a compiled program, or combinational Verilog: its ports that are not clamped are solved for.
    """
    circuit = read_circuit(program) if is_verilog(program) else None
    method = method or ("temper" if circuit else "anneal")
    _check_options(method, replicas, rungs, beta)
    loaded = compile_model(circuit.model()) if circuit else read_program(program)
    clamp = read_clamps(clamps, loaded.model)
    if circuit:
        clamp = logic_clamps(clamp, loaded.model)
    options = {"clamp": clamp, "beta": beta, "seed": seed, "threads": threads}
    counts = {"replicas": replicas} if method == "anneal" else {"rungs": rungs}
    counts["sweeps" if method == "anneal" else "rounds"] = sweeps
    options |= {name: count for name, count in counts.items() if count is not None}
    if circuit and method == "temper":
        options["stop_at"] = STOP_AT
    with progress_bar(method) as update:
        samples, extra = _solve(loaded, method, options | {"progress": update})
    if output:
        write_samples(output, samples, seed)
    found = solution(samples, circuit) if circuit else {}
    _print(method, samples, summary(samples) | extra, found, clamp, as_json)


def _print(method, samples, fields, found, clamp, as_json):
    if as_json:
        print_json(fields | found)
        return
    print_fields(method, fields | {"flips_per_s": rate(samples.flips_per_s, "flips/s")})
    if found:
        console.print(solution_text(found, clamp), highlight=False, soft_wrap=True)


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
