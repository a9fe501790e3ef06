"""Replica exchange between programs: one array with several sets of weights, 64 copies of each.

Copies of neighbouring programs exchange their states x, y with the Metropolis probability
min(1, exp(f(x) + g(y) - f(y) - g(x))), where f and g are beta times the energies of the two (Hamiltonian replica
exchange: Fukunishi, Watanabe and Takada, J. Chem. Phys. 116, 9058, 2002), even and odd pairs in turn. So every program
samples its own Boltzmann distribution, and one whose states hardly move borrows the moves of those that move fast.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract.errors import RequestError
from ..contract.request import Batch, Request, call_seed
from .codegen import LANES
from .ensemble import Ensemble
from .lanes import ReplicaLanes, to_bits, to_words
from .network import Network

Float = npt.NDArray[np.float64]
Words = npt.NDArray[np.uint64]

SWEEPS_PER_ROUND = 20
"""An exchange takes about as long as two sweeps of both programs."""


@dataclass(frozen=True, eq=False)
class Exchanged:
    """What replica exchange gave.

    Parameters
    ----------
    samples : tuple of Samples
        Of each program, 64 copies after each kept round.
    swap_rates : ndarray of float64, shape (programs - 1,)
        Share of exchanges that were accepted between each program and the next.
    """

    samples: tuple[Any, ...]
    swap_rates: Float


def exchange(
    programs: Sequence[Any],
    *,
    rounds: int,
    beta: float = 1.0,
    sweeps_per_round: int = SWEEPS_PER_ROUND,
    burn_in: int = 0,
    keep_every: int = 1,
    initial: npt.ArrayLike | None = None,
    clamp: Mapping[Any, Any] | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Exchanged:
    """Run 64 independent copies of replica exchange between programs.

    Parameters
    ----------
    programs : sequence of Program
        At least two, of the same p-bits in the same order, so that a state of one is a state of all; neighbours should
        be alike enough to exchange. Programs of one graph that were compiled alike are.
    rounds : int
        Rounds of sweeps and exchanges.
    beta : float
        Inverse temperature of all programs.
    sweeps_per_round : int
        Sweeps between exchanges.
    burn_in : int
        Rounds before any are kept.
    keep_every : int
        Rounds between kept states.
    initial : array_like, shape (64, n), optional
        States in which the copies of every program start; random by default.
    clamp : mapping, optional
        See `Program.request`.
    seed : int
        User seed.
    threads : int, optional
        Most threads, one per program; as many as there are processors by default. Samples do not depend on it.
    progress : callable, optional
        Called with the rounds done and the rounds in all.

    Returns
    -------
    Exchanged

    Raises
    ------
    RequestError
        If there are fewer than two programs, they are not of the same p-bits, or the run is none.
    """
    _check(programs)
    run = {"replicas": LANES, "beta": beta, "burn_in": burn_in * sweeps_per_round, "initial": initial, "clamp": clamp}
    run |= {"sweeps": rounds * sweeps_per_round, "keep_every": keep_every * sweeps_per_round}
    requests = [program.request(seed=call_seed(seed, place), **run) for place, program in enumerate(programs)]
    ladder = _Ladder(programs, requests, call_seed(seed, len(programs)))
    keep = set((requests[0].keep // sweeps_per_round).tolist())
    kept = []
    began = time.perf_counter_ns()
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        for done in range(1, rounds + 1):
            list(pool.map(lambda rung: rung.sweep(sweeps_per_round), ladder.rungs))
            ladder.exchange()
            if done in keep:
                kept.append(ladder.states())
            if progress is not None:
                progress(done, rounds)
    wall_ns = time.perf_counter_ns() - began
    each = zip(programs, requests, zip(*kept, strict=True), strict=True)
    return Exchanged(tuple(_decoded(*one, wall_ns) for one in each), ladder.swap_rates)


class _Rung:
    """64 copies of one program."""

    def __init__(self, program: Any, request: Request) -> None:
        image = program.image
        self._ensemble = Ensemble(Network(image), LANES, threads=1, layout=ReplicaLanes)
        self._ensemble.load(request.start, request.generators(image), request.clamped)
        self._codes = request.betas
        self._beta = request.betas[0] * image.beta_step

    @property
    def states(self) -> Words:
        """A word of 64 copies for each p-bit, shape (n,): a view that may be written."""
        return self._ensemble.state_words[0]

    def sweep(self, sweeps: int) -> None:
        """Sweep the copies."""
        self._ensemble.sweep(self._codes[:sweeps], np.empty(0, np.int64))

    def actions(self) -> Float:
        """Beta times the energy of each copy, up to a constant, shape (64,)."""
        return self._beta * self._ensemble.energies()[0]


class _Ladder:
    """Programs in a row, each of which exchanges with the next."""

    def __init__(self, programs: Sequence[Any], requests: list[Request], seed: int) -> None:
        self.rungs = [_Rung(*pair) for pair in zip(programs, requests, strict=True)]
        self._rng = np.random.Generator(np.random.PCG64(seed))
        self._odd = 0
        self._offered = np.zeros(len(programs) - 1)
        self._accepted = np.zeros(len(programs) - 1)

    def exchange(self) -> None:
        """Exchange the states of every other pair of neighbours, copy by copy."""
        for lower in range(self._odd, len(self.rungs) - 1, 2):
            one, other = self.rungs[lower : lower + 2]
            before = one.actions() + other.actions()
            _swap(one.states, other.states, np.ones(LANES, bool))
            refused = self._rng.standard_exponential(LANES) < one.actions() + other.actions() - before
            _swap(one.states, other.states, refused)
            self._offered[lower] += LANES
            self._accepted[lower] += LANES - refused.sum()
        self._odd = 1 - self._odd

    def states(self) -> list[Words]:
        """The states of every rung as they stand."""
        return [rung.states.copy() for rung in self.rungs]

    @property
    def swap_rates(self) -> Float:
        """Share of exchanges that were accepted."""
        return self._accepted / np.maximum(self._offered, 1)


def _check(programs: Sequence[Any]) -> None:
    if len(programs) < 2:
        raise RequestError(f"{len(programs)} programs have none to exchange with; give at least 2")
    for program in programs[1:]:
        if not np.array_equal(program.order, programs[0].order):
            raise RequestError("programs have different p-bits; compile models of one graph with the same options")


def _swap(one: Words, other: Words, copies: npt.NDArray[np.bool_]) -> None:
    crossed = (one ^ other) & to_words(copies[None].astype(np.uint8))
    one ^= crossed
    other ^= crossed


def _decoded(program: Any, request: Request, kept: Sequence[Words], wall_ns: int) -> Any:
    """States in the model's order."""
    states = to_bits(np.array(kept)).swapaxes(1, 2)
    return program.decode(Batch(states, request.initial.size * len(request.betas), wall_ns), request)
