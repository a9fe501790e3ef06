"""``pbit sample``."""

from __future__ import annotations

import io
from pathlib import Path

import click
import numpy as np

from ..contract.container import write_whole
from .inputs import parse_beta, read_clamps, read_program
from .output import json_option, print_fields, print_json, progress_bar, rate, seed_option
from .samplers import baud_option, device_option, open_sampler


@click.command(epilog="Example: pbit sample g11.pbit --sweeps 2000 --replicas 64 --beta 0.2:3 --json")
@click.argument("program", type=click.Path(exists=True, dir_okay=False))
@click.option("--sweeps", default=1000, show_default=True, help="Sweeps of each replica.")
@click.option("--replicas", default=1, show_default=True, help="Independent replicas.")
@click.option("--beta", callback=parse_beta, default="1", show_default=True, help="Constant, or START:STOP to anneal.")
@click.option("--keep-every", type=int, help="Keep every so many sweeps [default: 1, or the last when annealing].")
@click.option("--burn-in", default=0, show_default=True, help="Sweeps before the first kept one.")
@click.option("--clamp", "clamps", multiple=True, metavar="LABEL=VALUE", help="Clamp a variable; repeatable.")
@device_option
@baud_option
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write states and energies (.npz).")
@seed_option
@json_option
def command(program, sweeps, replicas, beta, keep_every, burn_in, clamps, device, baud, output, seed, as_json):
    """Sample PROGRAM, on the simulator or on a device."""
    loaded = read_program(program)
    with progress_bar("sampling") as update, open_sampler(loaded, device, baud, seed, update) as sampler:
        samples = sampler.sample(
            sweeps,
            replicas=replicas,
            beta=beta,
            keep_every=keep_every,
            burn_in=burn_in,
            clamp=read_clamps(clamps, loaded.model),
        )
    if output:
        _write(output, samples)
    fields = _summary(samples)
    if as_json:
        print_json(fields)
    else:
        fields["flips_per_s"] = rate(samples.flips_per_s, "flips/s")
        print_fields("samples", fields)


def _summary(samples):
    fields = {"best_energy": float(samples.best.energy)}
    if hasattr(samples.model, "cut"):
        fields["best_cut"] = float(samples.model.cut(samples.best.state[None])[0])
    return fields | {
        "n_samples": len(samples.states),
        "flips_per_s": float(samples.flips_per_s),
        "wall_ns": int(samples.wall_ns),
    }


def _write(output, samples):
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer, states=samples.states, energies=samples.energies, sweep=samples.sweep, replica=samples.replica
    )
    write_whole(Path(output), buffer.getvalue())
