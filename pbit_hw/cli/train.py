"""``pbit train``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ..compiler import compile
from ..contract.errors import RequestError
from .config import config_option, effective
from .output import json_option, print_fields, print_json, progress_bar
from .samplers import baud_option, device_option, open_sampler, threads_option


def parse_ladder(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[float, ...]:
    """Turn ``0.5,0.75,1`` into numbers; a click callback."""
    try:
        return tuple(float(part) for part in value.split(",")) if value else ()
    except ValueError:
        raise click.BadParameter(f"{value!r} is no list of betas, such as 0.5,0.75,1", ctx, param) from None


RULE: dict[str, dict[str, Any]] = {
    "sweeps": {"default": 10, "show_default": True, "help": "The k of CD-k."},
    "averaged": {"default": 1, "show_default": True, "help": "Sweeps whose moments are averaged, the last ones."},
    "chains": {"type": int, "help": "Persistent chains instead of starting from the data."},
    "ladder": {"callback": parse_ladder, "metavar": "BETAS", "help": "Temper the chains at betas such as 0.5,0.75,1."},
    "mean_field": {"is_flag": True, "help": "Hidden units of an RBM count as their means, computed on the host."},
    "momentum": {"default": 0.0, "show_default": True, "help": "Share of the last direction that a step keeps."},
    "weight_decay": {"default": 0.0, "show_default": True, "help": "Times couplings is taken from their gradient."},
    "centring": {"type": click.Choice(["data", "enhanced"]), "help": "Whose means are subtracted from the units."},
    "rounding": {
        "type": click.Choice(["nearest", "stochastic"]),
        "default": "nearest",
        "show_default": True,
        "help": "How weights are rounded to the array's format while it learns.",
    },
    "discriminative": {
        "default": 0.0,
        "show_default": True,
        "help": "Share of P(label | row) in what is learned, 0 to 1.",
    },
}
"""Options of `ContrastiveDivergence`, by its names."""


def rule_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of the learning rule."""
    for name, how in reversed(RULE.items()):
        command = click.option(f"--{name.replace('_', '-')}", **how)(command)
    return command


@click.command(
    epilog="Example: pbit train digits --labels --rbm --hidden 64 --chains 64 --discriminative 0.9 -o digits.pbit"
)
@click.argument("data")
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False), help="Trained program to write (.pbit)."
)
@config_option
@click.option("--hidden", default=0, show_default=True, help="Hidden units.")
@click.option("--rbm", is_flag=True, help="A restricted machine of bits instead of a fully connected one of spins.")
@click.option("--labels", is_flag=True, help="Learn labels too, as visible units of which one is on.")
@click.option("--label-copies", default=1, show_default=True, help="Units of each class.")
@click.option("--held-out", type=int, help="Rows to judge by [default: a tenth if rows have labels, or a test file].")
@click.option("--split-seed", type=click.IntRange(0), help="Hold out rows drawn at random [default: the last ones].")
@click.option("--epochs", default=30, show_default=True, help="Passes over the data.")
@click.option("--batch-size", default=16, show_default=True, help="Rows of a step.")
@click.option("--learning-rate", default=0.5, show_default=True, help="Of the first step.")
@click.option("--last-learning-rate", type=float, help="Of the last step [default: a tenth of the first].")
@click.option(
    "--schedule",
    type=click.Choice(["linear", "geometric"]),
    default="linear",
    show_default=True,
    help="How the learning rate gets there.",
)
@rule_options
@click.option("--weight-format", default="s[3][5]", show_default=True, help="Format of couplings on the array.")
@click.option("--evaluate-every", default=1, show_default=True, type=click.IntRange(1), help="Epochs between scores.")
@click.option("--patience", type=int, help="End after so many scores in a row without a better one.")
@click.option("--checkpoint", type=click.Path(dir_okay=False), help="Written after every epoch, and gone on from.")
@click.option("--ais", is_flag=True, help="Log-likelihood of an RBM at the end, by annealed importance sampling.")
@click.option("--plot", type=click.Path(dir_okay=False), help="Picture of the learning curve: .png .pdf .svg")
@device_option
@baud_option
@threads_option
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="User seed of all random streams.")
@json_option
@click.pass_context
def command(ctx, /, data, output, held_out, split_seed, as_json, **options):
    """Train a Boltzmann machine on DATA by contrastive divergence, with the array in the loop.

    DATA is full-adder (its truth table, repeated), digits (scikit-learn's, 8 x 8), a file of rows of 0 and 1
    separated by commas or spaces, or an IDX file of images or a folder of them, as MNIST has. Master weights stay in
    float on the host; the array gets them in fixed point in every step.

    The score after an epoch is the accuracy of labels that the array samples, if they are learned; else the exact KL
    divergence of a machine of up to 16 units, or the pseudo-likelihood of an RBM. It is of the rows held out, if there
    are some.
    """
    from .dataset import read_data
    from .learning import Task

    _check_options(output, options)
    figure = _new_curve(options["plot"])
    read = read_data(data, held_out, split_seed)
    task = Task(read, options["rbm"], options["label_copies"] if options["labels"] else 0)
    fields = {"program": output, "rows": len(read.train), "held_out": read.split}
    watch, found = _train(task, output, options)
    fields |= found
    if figure is not None:
        from .watch import draw_curve

        scored = f"scored on {read.split}" if len(read.held_out) else "scored on them"
        title = f"pbit train {data}: {len(read.train):,} rows, {scored}, seed {options['seed']}"
        draw_curve(figure, watch, title, options["plot"])
        fields["picture"] = options["plot"]
    if as_json:
        print_json(fields | watch.measured() | {"config": effective(ctx)})
    else:
        print_fields("training", fields)


def _check_options(output: str, options: dict[str, Any]) -> None:
    """Refuse what would fail only after training."""
    if not options["labels"] and (options["discriminative"] or options["label_copies"] != 1):
        raise click.UsageError("--discriminative and --label-copies belong to --labels")
    if options["label_copies"] < 1:
        raise RequestError(f"--label-copies is {options['label_copies']}; it must be at least 1")
    if not options["rbm"] and (options["ais"] or options["mean_field"]):
        raise click.UsageError("--ais and --mean-field belong to --rbm")
    for path in filter(None, (output, options["checkpoint"], options["plot"])):
        if not Path(path).absolute().parent.is_dir():
            raise RequestError(f"cannot write {path}: its folder is not there; make it first")


def _new_curve(path: str | None) -> Any:
    """A figure to draw, so that training does not begin if it cannot be."""
    if path is None:
        return None
    from .picture import check_picture, new_figure

    check_picture(path)
    return new_figure("pbit train --plot")


def _train(task: Any, output: str, options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Train, write the program, and judge it; what watched, and figures."""
    from .learning import figures, likelihood, new_machine, score_of
    from .watch import Watch

    machine = new_machine(task.visible, options["hidden"], options["rbm"], options["seed"])
    program = compile(machine, weight_format=options["weight_format"])
    ends = {name: options[name] for name in ("patience", "checkpoint")}
    score, every = score_of(task, machine.size), options["evaluate_every"]
    where = {name: options[name] for name in ("device", "baud", "seed", "threads")}
    with open_sampler(program, **where) as sampler:
        watch = Watch(_trainer(task, sampler, options), sampler, options["epochs"], score, every, **ends)
        watch.run()
        sampler.program.save(output)
        with progress_bar("judging") as update:
            found = figures(task, sampler, update)
        trained = sampler.program.quantised
    if options["ais"]:
        with progress_bar("annealed importance sampling") as update:
            found |= likelihood(task, trained, options["seed"], update)
    done = {"epochs": watch.trainer.epoch, "stopped_early": watch.trainer.epoch < options["epochs"]}
    return watch, done | {"moment_error": watch.trainer.history.moment_error[-1]} | found


def _trainer(task: Any, sampler: Any, options: dict[str, Any]) -> Any:
    from ..host.training import Trainer

    first, last = options["learning_rate"], options["last_learning_rate"]
    names = ("epochs", "schedule", "batch_size", "seed", *RULE)
    return Trainer(
        sampler,
        task.values(task.data.train),
        learning_rate=(first, first / 10 if last is None else last),
        targets=[unit for units in task.units for unit in units],
        **{name: options[name] for name in names},
    )
