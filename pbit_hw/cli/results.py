"""What commands say of samples, and how they write them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from ..compiler.samples import Samples
from ..contract.container import write_whole
from ..contract.errors import RequestError


def summary(samples: Samples) -> dict[str, Any]:
    """Figures of a run, with units in their names."""
    fields: dict[str, Any] = {"best_energy": float(samples.best.energy)}
    if hasattr(samples.model, "cut"):
        fields["best_cut"] = float(samples.model.cut(samples.best.state[None])[0])
    if samples.broken is not None:
        fields["mean_broken_share"] = float(samples.broken.mean())
    return fields | {
        "n_samples": len(samples.states),
        "flips_per_s": float(samples.flips_per_s),
        "wall_ns": int(samples.wall_ns),
    }


def write_samples(path: str, samples: Samples, seed: int) -> None:
    """Write states, energies and the sweep and replica of each row to an ``.npz``, whole or not at all.

    Raises
    ------
    RequestError
        If the file cannot be written.
    """
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        states=samples.states,
        energies=samples.energies,
        sweep=samples.sweep,
        replica=samples.replica,
        seed=np.int64(seed),
    )
    try:
        write_whole(Path(path), buffer.getvalue())
    except OSError as error:
        raise RequestError(f"cannot write samples to {path}: {error.strerror}; choose another place") from error
