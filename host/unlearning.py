"""Unlearning: what a Hopfield network falls into from anywhere is made a little less deep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..compiler.edges import Float, pair_means
from ..compiler.hopfield import spin_rows
from ..compiler.models import Model
from ..contract.errors import ModelError, RequestError
from ..contract.sampler import Sampler
from ..contract.update import Unit

SWEEPS = 20
"""Sweeps of each fall."""

QUENCH = (1.0, 7.5)
"""From which beta to which, for couplings whose fields are about 1, as those of `Hopfield` are."""


def unlearn(
    sampler: Sampler,
    steps: int,
    *,
    rate: float = 0.01,
    replicas: int = 1,
    sweeps: int = SWEEPS,
    beta: Any = QUENCH,
) -> None:
    """Let the array fall from random states, and weaken what it falls into: dJ_ij = -rate x_i x_j / n.

    What most random states fall into are spurious minima once a network holds many patterns, and so these lose most
    (Hopfield, Feinstein and Palmer, Nature 304, 158, 1983). Too much of it destroys the patterns as well: measure, with
    `count_minima` or by recall, and stop. Calling again continues.

    Only the model's edges change, so give `Hopfield` ``all_pairs``. Couplings stay in float on the host and are
    quantised when they are streamed. The program's format is fixed when it is compiled: give it a step of about
    ``rate / n``.

    Parameters
    ----------
    sampler : Sampler
        Simulator or device that holds a program of spins.
    steps : int
        How often to fall and change the couplings.
    rate : float
        Of each fallen state, as a share of what Hebb's rule learns a pattern with.
    replicas : int
        States that fall, and are unlearned together, in each step.
    sweeps : int
        Sweeps of each fall.
    beta : float, (float, float) or array_like of shape (sweeps,)
        Inverse temperature during a fall, as for `Program.request`.

    Raises
    ------
    ModelError
        If the program's model is not one of spins coupled in pairs.
    RequestError
        If there is no step, or a run cannot be done.
    LinkError
        If the sampler is a device and its link fails.
    """
    model = sampler.program.model
    if not isinstance(model, Model) or model.unit is not Unit.SPIN:
        kind = f"{type(model).__name__} of {model.unit.name.lower()}s"
        raise ModelError(f"a {kind} cannot unlearn, that takes spins coupled in pairs; give Hopfield or another Ising")
    if steps < 1:
        raise RequestError(f"steps is {steps}; it must be at least 1")
    bound = sampler.program.image.grid.largest
    couplings = model.couplings.copy()
    for _ in range(steps):
        states = sampler.sample(sweeps, replicas=replicas, keep_every=sweeps, beta=beta).states
        couplings -= rate * replicas / model.size * pair_means(states, model.edges)
        couplings.clip(-bound, bound, out=couplings)
        sampler.set_weights(couplings, model.biases)


@dataclass(frozen=True)
class Minima:
    """Which minima descents ended in.

    Parameters
    ----------
    starts : int
        Descents.
    patterns, spurious : int
        Different minima that are patterns, and that are none; a state and its inverse are one.
    pattern_share, spurious_share : float
        Share of the descents that ended in either kind.
    """

    starts: int
    patterns: int
    spurious: int
    pattern_share: float
    spurious_share: float

    @property
    def distinct(self) -> int:
        """Different minima in all."""
        return self.patterns + self.spurious

    @property
    def error(self) -> float:
        """Standard error of the shares, of independent descents."""
        return float(np.sqrt(self.pattern_share * self.spurious_share / self.starts))


def count_minima(states: npt.ArrayLike, patterns: npt.ArrayLike) -> Minima:
    """Tell patterns and spurious minima apart among states in which descents ended.

    A minimum that differs from a pattern in a single spin is a spurious one. Minima that no descent ended in are not
    counted, so that the numbers grow with the number of descents, and the shares do not.

    Parameters
    ----------
    states : array_like of int, shape (k, n)
        Minima of +1 and -1, such as ``pb.descend(program, replicas=1000).states`` from random states.
    patterns : array_like of int, shape (p, n)
        What the network should remember.

    Returns
    -------
    Minima

    Raises
    ------
    ModelError
        If either are no such rows.
    """
    known = spin_rows(patterns, "patterns")
    ends, counts = np.unique(_upright(spin_rows(states, "states", known.shape[1])), axis=0, return_counts=True)
    if not len(ends):
        raise ModelError("there are no states to count; give one or more")
    stored = {row.tobytes() for row in _upright(known)}
    is_pattern = np.array([row.tobytes() in stored for row in ends])
    starts, patterns_found = int(counts.sum()), int(is_pattern.sum())
    share = float(counts[is_pattern].sum() / starts)
    return Minima(starts, patterns_found, len(ends) - patterns_found, share, 1 - share)


def _upright(rows: Float) -> npt.NDArray[np.int8]:
    """Of each row and its inverse the one whose first spin is +1."""
    return (rows * rows[:, :1]).astype(np.int8)
