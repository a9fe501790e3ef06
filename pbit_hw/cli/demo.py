"""``pbit demo``: the main job, from a model to a bitstream, and pictures of what p-bits do."""

from __future__ import annotations

import runpy
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import click
import numpy as np
from click.core import ParameterSource

from ..compiler import compile, library
from ..compiler.program import Program
from ..contract.errors import RequestError, ToolError
from .build import build_with_status
from .compile import print_report
from .output import console, errors, json_option, print_fields, print_json, progress_bar
from .picture import new_figure

SWEEPS = 2_000
REPLICAS = 256
LOCKSTEP_CYCLES = 1_000
EPOCHS = 30


CHAPTERS = {
    "two-spins": "two_spins",
    "hopfield": "hopfield_recall",
    "unlearning": "hopfield_unlearning",
    "negative-phase": "negative_phase",
    "small-machines": "exact_learning",
    "rbm": "train_digits",
    "restoring": "restore_digits",
    "in-situ": "in_situ",
}
"""Examples that are chapters; each ends with a picture."""


@click.command(epilog="Example: pbit demo; pbit demo hopfield restoring --output pictures")
@click.argument("chapters", nargs=-1, type=click.Choice(list(CHAPTERS)))
@click.option("-o", "--output", default="demo", show_default=True, type=click.Path(file_okay=False), help="Folder.")
@click.option("--board", default="icebreaker", show_default=True, help="Board of the bitstream.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="User seed of all random streams.")
@json_option
@click.pass_context
def command(ctx, /, chapters, output, board, seed, as_json):
    """Take the invertible full adder down the whole path, and leave program, picture and bitstream in a folder.

    With CHAPTERS draw these pictures instead; each takes from some seconds to two minutes.
    """
    if chapters and any(ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE for name in ("board", "seed")):
        raise click.UsageError("chapters take neither --board nor --seed; leave them out")
    folder = _made_folder(output)
    if not chapters:
        new_figure("pbit demo")  # so that nothing begins if its picture cannot be drawn
        _main_job(folder, board, seed, as_json)
        return
    pictures = [draw_chapter(chapter, folder) for chapter in chapters]
    if as_json:
        print_json({"pictures": pictures})


def _main_job(folder: Path, board: str, seed: int, as_json: bool) -> None:
    program = compile(library.full_adder())
    program.save(folder / "full_adder.pbit")
    if not as_json:
        print_report(program.report)
    say = (lambda *_: None) if as_json else print_fields
    sampled, distributions = sample(program, seed)
    say("simulator against the exact distribution, beta 1", sampled)
    locked = lockstep(program, seed)
    say("simulator against the RTL, every register in every clock", locked)
    trained, curve = learn(seed, folder)
    say("contrastive divergence over the link protocol", trained)
    draw(folder / "demo.png", *distributions, curve)
    built = build_with_status(program.image, board, folder / board).to_json()
    say(f"bitstream for {board}, not run on a board", built)
    if as_json:
        print_json({"sample": sampled, "lockstep": locked, "training": trained, "bitstream": built})
    else:
        console.print(f"wrote program, picture and bitstream to {folder}/", highlight=False)


def _made_folder(output: str) -> Path:
    folder = Path(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RequestError(f"cannot make folder {output}: {error.strerror}; give another --output") from error
    return folder


def draw_chapter(chapter: str, folder: Path) -> str:
    """Run an example; what it prints goes to standard error. Returns the path of its picture.

    Raises
    ------
    ToolError
        If a package that it draws or learns with is not installed.
    """
    example = Path(__file__).parents[1] / "examples" / f"{CHAPTERS[chapter]}.py"
    path = folder / f"{chapter}.png"
    try:
        module = runpy.run_path(str(example))
        summary = module["__doc__"].splitlines()[0]
        with errors.status(f"{chapter}: {summary}"), redirect_stdout(sys.stderr):
            module["main"](path)
    except ImportError as error:
        raise ToolError(
            f"chapter {chapter} needs a package that is not installed ({error}): pip install pbit-hw[plot,learn]"
        ) from error
    errors.print(f"wrote {path}", highlight=False)
    return str(path)


def sample(program: Program, seed: int) -> tuple[dict[str, Any], tuple[np.ndarray, np.ndarray]]:
    """Sample on the simulator; figures, and the sampled and the exact distribution."""
    from ..sim.exact import exact
    from ..sim.simulator import Simulator
    from ..sim.statistics import histogram, noise_floor, total_variation

    samples = Simulator(program, seed=seed).sample(SWEEPS, replicas=REPLICAS, burn_in=100, keep_every=10)
    reference = exact(program.quantised).probabilities
    sampled = histogram(samples.states, program.image.size) / len(samples.states)
    figures = {
        "n_samples": len(samples.states),
        "tv_distance": total_variation(sampled, reference),
        "tv_noise_floor": noise_floor(reference, len(samples.states)),
        "flips_per_s": samples.flips_per_s,
    }
    return figures, (sampled, reference)


def lockstep(program: Program, seed: int) -> dict[str, Any]:
    """Run the RTL and the simulator side by side."""
    from .lockstep import run_program

    with progress_bar("lockstep") as update:
        return run_program(program.image, clocks=LOCKSTEP_CYCLES, seed=seed, progress=update)


def learn(seed: int, folder: Path) -> tuple[dict[str, Any], list[float]]:
    """Learn the adder from its truth table over the virtual device; figures, and KL after each epoch."""
    from ..host.device import Device
    from ..host.training import train
    from ..sim.virtual import VirtualDevice
    from .dataset import read_rows
    from .learning import new_machine, quality

    rows = read_rows("full-adder") * 2 - 1
    program = compile(new_machine(rows.shape[1], 0, False, seed), weight_format="s[3][5]")
    device = Device(program, VirtualDevice(program.image), seed=seed)
    with progress_bar("training") as update:
        history = train(
            device,
            rows,
            epochs=EPOCHS,
            learning_rate=(0.7, 0.05),
            batch_size=16,
            sweeps=10,
            seed=seed,
            evaluate=lambda trained: quality(trained, rows)["kl_data_model_nats"],
            progress=update,
        )
    device.program.save(folder / "learned.pbit")
    return {"epochs": EPOCHS, "kl_data_model_nats": history.evaluation[-1]}, history.evaluation


def draw(path: Path, sampled: np.ndarray, reference: np.ndarray, curve: list[float]) -> None:
    """The sampled against the exact distribution, and the learning curve."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 3.6), layout="constrained", width_ratios=(2, 1))
    order = np.argsort(-reference, kind="stable")
    labels = [format(index, "05b")[::-1] for index in order]
    places = np.arange(len(order))
    left.bar(places - 0.2, reference[order], 0.4, label="exact", color="0.75")
    left.bar(places + 0.2, sampled[order], 0.4, label="p-bit array", color="tab:blue")
    left.set_xticks(places, labels, rotation=90, family="monospace", fontsize=7)
    left.set(xlabel="A B Cin S Cout", ylabel="probability", title="Invertible full adder, beta = 1")
    left.legend()
    right.semilogy(np.arange(1, len(curve) + 1), curve, color="tab:orange")
    right.axhline(0.05, color="0.6", linestyle="--", linewidth=1)
    right.set(xlabel="epoch", ylabel="KL(data || model) in nats", title="Learning it over the link")
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
