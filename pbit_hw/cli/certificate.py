"""What `pbit sample --certify` adds to a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..compiler.program import Program
from ..compiler.samples import Samples
from .output import console, print_fields

if TYPE_CHECKING:
    from ..sim.certificate import Certificate


def check_certifiable(beta: float | tuple[float, float]) -> None:
    """Refuse, before anything runs, a schedule that no certificate can be made for."""
    from ..sim.certificate import constant_beta

    constant_beta(beta)


def make_certificate(
    samples: Samples, program: Program, beta: float | tuple[float, float], clamp: Mapping[Any, float] | None
) -> Certificate:
    """Certify the samples of a program."""
    from ..sim.certificate import certify

    return certify(samples, program, beta=beta, clamp=clamp)


def print_certificate(certificate: Certificate) -> None:
    """Print a certificate as a table, and its warnings below."""
    print_fields("certificate", rows(certificate))
    for warning in certificate.warnings:
        console.print(f"warning: {warning}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    if not certificate.warnings:
        console.print("no limit is passed", style="green", highlight=False)


def rows(certificate: Certificate) -> dict[str, str]:
    """Names and values of the table."""
    energy, variables = certificate.energy, certificate.variables
    least = min(mean.effective_samples for mean in certificate.by_replica)
    fields = {
        "samples": f"{certificate.n_samples:,}: {certificate.kept_sweeps:,} kept sweeps of {certificate.replicas:,} "
        f"replicas, every {certificate.keep_every:,} sweeps",
        "energy": f"{energy.value:.6g} +- {energy.error:.2g}",
        "autocorrelation time": f"{certificate.autocorrelation_time:.3g} kept sweeps, of the energy",
        "effective samples": f"{energy.effective_samples:,.0f} of the energy, at least {least:,.0f} in a replica; "
        f"{variables.effective_samples:,.0f} of the slowest variable, {variables.slowest}",
        "split R-hat": f"{certificate.rhat:.4f} of the energy, {variables.rhat:.4f} at most of "
        f"{variables.examined:,} variables",
    }
    if distance := certificate.distance:
        fields["total variation"] = (
            f"{distance.total_variation:.4g} from exact, {distance.floors:.2f} noise floors of "
            f"{distance.total_variation_floor:.2g}"
        )
        fields["KL(samples || exact)"] = f"{distance.kl:.3g} nats, noise floor {distance.kl_floor:.2g}"
    if lattice := certificate.lattice:
        fields["energy per spin"] = (
            f"{lattice.energy_per_spin:.6f} +- {lattice.error:.2g}, Kaufman {lattice.exact:.6f} at K = "
            f"{lattice.coupling:.4g}: {lattice.z:+.2f} standard errors"
        )
    return fields
