"""``pbit compile``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..compiler import compile as compile_model
from ..compiler.copies import STRENGTH
from ..compiler.embedding import embed
from ..compiler.explain import explain
from ..compiler.fidelity import Fidelity, fewest_bits, what_if
from ..compiler.partition import Partition, partition
from ..compiler.program import COLOURINGS, GENERATOR, Program
from ..compiler.report import Report
from ..compiler.sparsify import sparsify
from ..contract.engines import ENGINES, pack
from ..contract.errors import RequestError
from ..contract.generator import GENERATOR_NAMES
from ..contract.targets import TARGETS
from .inputs import MODEL_HELP, read_model
from .output import console, json_option, print_fields, print_json, print_rows, rate
from .page import what_if_rows, write_page


@click.command(name="compile", epilog="Example: pbit compile G11.txt -o g11.pbit", help=f"Compile MODEL. {MODEL_HELP}")
@click.argument("model")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False), help="Program file to write (.pbit).")
@click.option("--weight-bits", default=8, show_default=True, help="Bits of a coupling, the sign included.")
@click.option("--weight-format", help="Format of couplings, s[a][b]; chosen from the model when left out.")
@click.option("--beta-format", default="u[3][9]", show_default=True, help="Format of the inverse temperature.")
@click.option(
    "--generator", type=click.Choice(GENERATOR_NAMES), help=f"Generator; the engine's, or {GENERATOR} without one."
)
@click.option(
    "--interleave", type=int, help="Replicas in the array, 1 or a multiple of the colours; the engine's, or 1."
)
@click.option(
    "--engine", type=click.Choice(list(ENGINES)), help="For this engine, see `pbit boards`; no array of its own."
)
@click.option("--max-degree", type=int, help="Refuse models of a larger degree.")
@click.option("--colouring", type=click.Choice(COLOURINGS), default=COLOURINGS[0], show_default=True, help="Effort.")
@click.option("--sparsify", "copy_degree", type=int, help="Split variables into copies of at most this degree.")
@click.option("--embed", "topology", help="Make variables chains of p-bits of this graph, named as models are.")
@click.option("--embed-seed", default=0, show_default=True, help="Seed of the search for such chains.")
@click.option("--copy-strength", default=STRENGTH, show_default=True, help="Coupling of copies, in units of torque.")
@click.option("--devices", type=int, help="Divide the array over so many devices, each with a program of its own.")
@click.option("--target", type=click.Choice(list(TARGETS)), help="Refuse what cannot fit this board.")
@click.option("--kl", type=float, help="Fewest weight bits that keep the divergence, in nats, to this.")
@click.option("--beta", default=1.0, show_default=True, help="Inverse temperature of --kl, --explain and --html.")
@click.option("--explain", "explained", is_flag=True, help="Say what each pass did, and what other formats would do.")
@click.option("--html", "html_file", type=click.Path(dir_okay=False), help="Write the report with pictures, too.")
@json_option
def command(
    model,
    output,
    weight_bits,
    weight_format,
    beta_format,
    generator,
    interleave,
    engine,
    max_degree,
    colouring,
    copy_degree,
    topology,
    embed_seed,
    copy_strength,
    devices,
    target,
    kl,
    beta,
    explained,
    html_file,
    as_json,
):
    """Compile a model and write the program."""
    if topology is not None and copy_degree is not None:
        raise RequestError("--embed and --sparsify both choose the p-bits of a variable; give one of them")
    lowered = with_copies(read_model(model), copy_degree, topology, embed_seed, copy_strength)
    if kl is not None and weight_format is not None:
        raise RequestError("--kl chooses the format that --weight-format states; give one of them")
    shape = None if engine is None else ENGINES[engine].shape
    program = compile_model(
        lowered,
        weight_bits=weight_bits if kl is None else fewest_bits(lowered, kl, beta),
        weight_format=weight_format,
        beta_format=beta_format,
        generator=either("generator", generator, GENERATOR, shape and shape.generator.name.lower()),
        max_degree=max_degree,
        target=target,
        colouring=colouring,
        interleave=either("interleave", interleave, 1, shape and shape.interleave),
        lanes=0 if shape is None else shape.lanes,
    )
    rows = what_if(program.target, beta) if explained or html_file else []
    if html_file:
        write_page(html_file, program, f"{model} on p-bits", rows)
    fields = {"program": output} | ({} if engine is None else {"engine": on_engine(program, engine)})
    if devices is None:
        program.save(output)
    else:
        fields |= save_divided(partition(program, devices), output)
    if as_json:
        explanation = {"explanation": explain(program), "what_if": [row.to_json() for row in rows]} if explained else {}
        print_json(fields | program.report.to_json() | explanation)
        return
    print_report(program.report)
    if explained:
        print_explanation(program, rows)
    if engine is not None:
        held = fields["engine"]
        print_fields(f"on {engine}", held | {"flips_per_s": rate(held["flips_per_s"], "flips/s")})
    if devices is not None:
        print_fields("devices", fields)
    console.print(f"wrote {output}", highlight=False)


def either(option: str, asked: Any, default: Any, engine: Any) -> Any:
    """What was asked for or the default, or what an engine has, which can be nothing else."""
    if engine is None:
        return default if asked is None else asked
    if asked not in (None, engine):
        raise RequestError(f"--{option} {asked} with an engine of {engine}; leave one of them out")
    return engine


def on_engine(program: Program, name: str) -> dict[str, Any]:
    """How a program lies in an engine, at the clock to expect."""
    stock = ENGINES[name]
    packing = pack(program.image, stock.shape)
    return {
        "kind": stock.shape.kind.name.lower(),
        "lanes": program.image.lanes,
        "replicas": program.image.interleave,
        "clocks_per_sweep": packing.clocks,
        "utilisation": round(packing.utilisation, 4),
        "clock_hz": stock.clock_hz,
        "flips_per_s": packing.flips_per_second(stock.clock_hz),
    }


def with_copies(model: Any, degree: int | None, topology: str | None, seed: int, strength: float) -> Any:
    """The model as the options for copies of its variables have it."""
    if degree is not None:
        return sparsify(model, degree, strength)
    return model if topology is None else embed(model, read_model(topology), strength, seed)


def save_divided(parts: Partition, output: str) -> dict[str, Any]:
    """Write a divided program and, beside it, the program of each device; returns their names and the report."""
    path = Path(output)
    files = [str(path.with_name(f"{path.stem}.{number}{path.suffix}")) for number in range(parts.devices)]
    for file, program in zip(files, parts.programs, strict=True):
        program.save(file)
    parts.save(output)
    return {"device_programs": files, **parts.report.to_json()}


def print_report(report: Report) -> None:
    """Print a compile report as a table."""
    fields = report.to_json()
    boards = fields.pop("boards")
    if report.interleave == 1:
        fields.pop("interleave")
    print_fields("program", fields)
    print_fields("boards", {name: _board_text(board) for name, board in boards.items()})


def print_explanation(program: Program, rows: list[Fidelity]) -> None:
    """Print what each pass did, and the fidelity of other formats."""
    print_fields("what the compiler did", dict(line.split(": ", 1) for line in explain(program)))
    print_rows(f"weight bits, at beta {rows[0].beta:g}", *what_if_rows(rows))


def _board_text(board: dict[str, Any]) -> str:
    """What an array needs of a board, in a line."""
    if board["reasons"]:
        return "does not fit: " + "; ".join(board["reasons"])
    ffs = f"at least {board['ffs_at_least']:,} of {board['ffs_available']:,} flip-flops"
    verdict = "likely fits" if board["likely"] else "likely too large"
    return f"{verdict}: about {board['luts_estimated']:,} of {board['luts_available']:,} LUTs, {ffs}"
