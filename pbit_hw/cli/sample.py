"""``pbit sample``."""

from __future__ import annotations

import click

from .certificate import check_certifiable, make_certificate, print_certificate
from .inputs import parse_beta, read_clamps, read_program
from .output import json_option, print_fields, print_json, progress_bar, rate, seed_option
from .results import summary, write_samples
from .samplers import (
    baud_option,
    device_option,
    entropy_option,
    exchange_option,
    open_devices,
    open_sampler,
    threads_option,
)


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
@entropy_option
@exchange_option
@click.option("--certify", "with_certificate", is_flag=True, help="Judge the samples: chains, and exact references.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write states and energies (.npz).")
@threads_option
@seed_option
@json_option
def command(
    program,
    sweeps,
    replicas,
    beta,
    keep_every,
    burn_in,
    clamps,
    device,
    baud,
    entropy,
    exchange_every,
    with_certificate,
    output,
    threads,
    seed,
    as_json,
):
    """Sample PROGRAM, on the simulator or on a device."""
    loaded = read_program(program)
    clamp = read_clamps(clamps, loaded.model)
    if with_certificate:
        check_certifiable(beta)
    if exchange_every is not None and (device != "simulator" or entropy):
        raise click.UsageError("--exchange-every belongs to the simulator with the program's own generators")
    with (
        progress_bar("sampling") as update,
        open_sampler(loaded, device, baud, seed, update, threads, entropy)
        if exchange_every is None
        else open_devices(program, exchange_every, seed, update, threads) as sampler,
    ):
        samples = sampler.sample(
            sweeps,
            replicas=replicas,
            beta=beta,
            keep_every=keep_every,
            burn_in=burn_in,
            clamp=clamp,
        )
    if output:
        write_samples(output, samples, seed)
    fields = summary(samples)
    certificate = make_certificate(samples, loaded, beta, clamp) if with_certificate else None
    if as_json:
        print_json(fields | ({"certificate": certificate.to_json()} if certificate else {}))
        return
    fields["flips_per_s"] = rate(samples.flips_per_s, "flips/s")
    print_fields("samples", fields)
    if certificate:
        print_certificate(certificate)
