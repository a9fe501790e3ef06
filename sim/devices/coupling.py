"""What p-bits without a clock share: their couplings as the device models take them, and the bounds of a run."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ...contract.errors import RequestError
from ...contract.update import Unit

Float = npt.NDArray[np.float64]


def check_step(dt_over_tau: float, beta: float) -> None:
    """Raise `RequestError` unless a time step is positive and beta is finite."""
    if not 0 < dt_over_tau < np.inf:
        raise RequestError(f"a time step of {dt_over_tau} tau_N is impossible; give a positive one, at most about 0.01")
    if not np.isfinite(beta):
        raise RequestError(f"beta is {beta}; give a finite number")


def check_kept(steps: int, burn_in: int, keep_every: int) -> None:
    """Raise `RequestError` unless a run keeps a state."""
    if keep_every < 1 or burn_in < 0 or steps - burn_in < keep_every:
        raise RequestError(
            f"{steps} steps with a burn-in of {burn_in} keep no state at one in {keep_every}; ask for more steps"
        )


def low_value(model: Any) -> int:
    """Value of a p-bit that is down."""
    return -1 if model.unit is Unit.SPIN else 0


def drive_scale(model: Any, beta: float) -> float:
    """Drive per unit of field: a bit is a spin under half its field."""
    return beta if model.unit is Unit.SPIN else beta / 2


def adjacency(model: Any) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Float, Float]:
    """First slot of each p-bit, and per slot neighbour and coupling; biases."""
    owners = np.concatenate([model.edges[:, 0], model.edges[:, 1]]).astype(np.int64)
    others = np.concatenate([model.edges[:, 1], model.edges[:, 0]]).astype(np.int64)
    order = np.argsort(owners, kind="stable")
    first = np.searchsorted(owners[order], np.arange(len(model.biases) + 1))
    return first, others[order], np.tile(model.couplings, 2)[order], model.biases
