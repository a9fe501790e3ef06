"""Simulated annealing on the array (Kirkpatrick, Gelatt and Vecchi, Science 220, 671, 1983)."""

from __future__ import annotations

from typing import Any

from .schedule import beta_range, geometric
from .simulator import Simulator

SWEEPS = 10_000
REPLICAS = 64


def anneal(
    program: Any,
    *,
    sweeps: int = SWEEPS,
    replicas: int = REPLICAS,
    beta: tuple[float, float] | None = None,
    seed: int = 0,
    **options: Any,
) -> Any:
    """Anneal independent replicas and return where they end.

    Parameters
    ----------
    program : Program
        A compiled program.
    sweeps : int
        Sweeps of each replica.
    replicas : int
        Replicas; 64 take little longer than one.
    beta : (float, float), optional
        From where to where, in equal ratios; `schedule.beta_range` by default.
    seed : int
        User seed; every replica has streams of its own.
    **options
        ``progress`` and ``threads`` of `Simulator`, ``clamp`` and ``initial`` of `Program.request`.

    Returns
    -------
    Samples
        One row per replica.
    """
    own = {name: options.pop(name) for name in ("progress", "threads") if name in options}
    hot, cold = beta or beta_range(program)
    betas = geometric(hot, cold, sweeps)
    return Simulator(program, seed=seed, **own).sample(
        sweeps, replicas=replicas, beta=betas, keep_every=sweeps, **options
    )
