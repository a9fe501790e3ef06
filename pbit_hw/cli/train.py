"""``pbit train``."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from ..compiler import RBM, BoltzmannMachine, compile, library
from ..compiler.program import Program
from ..contract.errors import ModelError
from ..contract.update import Unit
from .output import json_option, print_fields, print_json, progress_bar, seed_option
from .samplers import baud_option, device_option, open_sampler

EXACT_SIZE = 16
"""Machines up to this size are compared with the data exactly."""


@click.command(epilog="Example: pbit train full-adder --device virtual -o learned.pbit")
@click.argument("data")
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False), help="Trained program to write (.pbit)."
)
@click.option("--hidden", default=0, show_default=True, help="Hidden units.")
@click.option("--rbm", is_flag=True, help="A restricted machine of bits instead of a fully connected one of spins.")
@click.option("--epochs", default=30, show_default=True, help="Passes over the data.")
@click.option("--batch-size", default=16, show_default=True, help="Rows of a step.")
@click.option("--sweeps", default=10, show_default=True, help="The k of CD-k.")
@click.option("--chains", type=int, help="Persistent chains instead of starting from the data.")
@click.option("--learning-rate", default=0.5, show_default=True, help="Falls linearly to a tenth.")
@click.option("--weight-format", default="s[3][5]", show_default=True, help="Format of couplings on the array.")
@device_option
@baud_option
@seed_option
@json_option
def command(
    data,
    output,
    hidden,
    rbm,
    epochs,
    batch_size,
    sweeps,
    chains,
    learning_rate,
    weight_format,
    device,
    baud,
    seed,
    as_json,
):
    """Train a Boltzmann machine on DATA by contrastive divergence, with the array in the loop.

    DATA is full-adder (its truth table, repeated), or a file of rows of 0 and 1
    separated by commas or spaces. Master weights stay in float on the host; the
    array gets them in fixed point in every step.
    """
    from ..host.training import train

    bits = read_rows(data)
    program = compile(new_machine(bits.shape[1], hidden, rbm, seed), weight_format=weight_format)
    rows = bits if rbm else bits * 2 - 1
    with progress_bar("training") as update, open_sampler(program, device, baud, seed) as sampler:
        history = train(
            sampler,
            rows,
            epochs=epochs,
            learning_rate=(learning_rate, learning_rate / 10),
            batch_size=batch_size,
            sweeps=sweeps,
            chains=chains,
            seed=seed,
            progress=update,
        )
        trained = sampler.program
    trained.save(output)
    fields = {"program": output, "rows": len(rows), "epochs": epochs, "moment_error": history.moment_error[-1]}
    fields |= quality(trained, rows)
    if as_json:
        print_json(fields)
    else:
        print_fields("training", fields)


def read_rows(text: str) -> np.ndarray:
    """Rows of bits that the DATA argument names.

    Returns
    -------
    ndarray of int8, shape (rows, n_visible)

    Raises
    ------
    ModelError
        If it names no file of 0 and 1.
    """
    if text == "full-adder":
        return np.tile(library.full_adder_truth_table(), (64, 1)).astype(np.int8)
    if not Path(text).is_file():
        raise ModelError(f"no data {text!r}: give full-adder or a file of rows of 0 and 1")
    lines = Path(text).read_text(errors="replace").replace(",", " ").splitlines()
    rows = [line.split() for line in lines if line.strip()]
    if not rows or len({len(row) for row in rows}) != 1 or not {cell for row in rows for cell in row} <= {"0", "1"}:
        raise ModelError(f"{text} does not hold equally long rows of 0 and 1, separated by commas or spaces")
    return np.array(rows, np.int8)


def new_machine(visible: int, hidden: int, rbm: bool, seed: int) -> RBM | BoltzmannMachine:
    """An untrained machine; with hidden units, small random couplings break their symmetry."""
    noise = np.random.default_rng(seed)
    if rbm:
        if hidden < 1:
            raise ModelError(f"an RBM has at least one hidden unit; --hidden is {hidden}")
        return RBM(noise.normal(0, 0.1, (visible, hidden)), np.zeros(visible), np.zeros(hidden))
    size = visible + hidden
    couplings = np.triu(noise.normal(0, 0.1 if hidden else 0.0, (size, size)), 1)
    edges = np.stack(np.triu_indices(size, 1), axis=1)
    return BoltzmannMachine(visible, hidden, J=couplings, unit=Unit.SPIN, edges=edges)


def quality(program: Program, rows: np.ndarray) -> dict[str, float]:
    """KL(data || model) in nats, exact, of the quantised machine at beta 1; nothing for large machines."""
    model = program.quantised
    if model.size > EXACT_SIZE:
        return {}
    from ..sim.exact import exact, state_index

    joint = exact(model).probabilities
    mask = (1 << len(model.visible)) - 1
    visible = np.bincount(np.arange(len(joint)) & mask, joint)
    index, counts = np.unique(state_index(rows), return_counts=True)
    share = counts / counts.sum()
    return {"kl_data_model_nats": float(share @ np.log(share / visible[index]))}
