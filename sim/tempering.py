"""Parallel tempering on the array, 64 copies at once, with cluster moves and a ladder that adapts.

Replicas at neighbouring betas exchange their states with the Metropolis probability
min(1, exp((beta' - beta)(E' - E))) (Hukushima and Nemoto, J. Phys. Soc. Jpn. 65, 1604, 1996), even and odd pairs in
turn. The ladder is spaced for equal rejection from the rejections themselves (Syed et al., J. R. Stat. Soc. B 84, 321,
2022). Lanes are copies, so a rung is one vector and an exchange is three operations on its words.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract.errors import RequestError
from ..contract.generator import splitmix64
from ..contract.image import Image
from ..contract.request import Batch
from .clusters import exchange_clusters
from .codegen import LANES
from .ensemble import Ensemble
from .lanes import ReplicaLanes, to_bits, to_words
from .network import Network
from .schedule import beta_range, geometric

Float = npt.NDArray[np.float64]
Int32 = npt.NDArray[np.int32]

ROUNDS = 1_000
RUNGS = 24
SWEEPS_PER_ROUND = 10
"""The 64 copies are swept in less time than they take to exchange, so that one sweep would be too few."""

FIRST_TUNING_ROUNDS = 20
"""Rounds before the ladder is spaced anew for the first time; they double, and take half of all rounds at most."""

LEAST_REJECTION = 0.01
"""Counted between two rungs at least, so that rungs that always exchange stay apart."""


@dataclass(frozen=True, eq=False)
class Tempered:
    """What tempering gave.

    Parameters
    ----------
    samples : Samples
        States at the last, coldest beta after each kept round, 64 copies each.
    best : Samples
        One row: the state of lowest energy that any copy had at any beta at the end of a round.
    betas : ndarray of float64, shape (rungs,)
        The ladder as it was spaced last.
    swap_rates : ndarray of float64, shape (rungs - 1,)
        Share of exchanges that were accepted between each rung and the next, since then.
    """

    samples: Any
    best: Any
    betas: Float
    swap_rates: Float


def temper(
    program: Any,
    *,
    rounds: int = ROUNDS,
    rungs: int = RUNGS,
    beta: tuple[float, float] | None = None,
    sweeps_per_round: int = SWEEPS_PER_ROUND,
    clusters: bool = True,
    keep_every: int | None = None,
    clamp: Mapping[Any, Any] | None = None,
    seed: int = 0,
    threads: int | None = None,
    stop_at: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Tempered:
    """Run 64 independent copies of parallel tempering.

    Parameters
    ----------
    program : Program
        A compiled program.
    rounds : int
        Rounds of sweeps and exchanges; the first half of them spaces the ladder.
    rungs : int
        Betas of the ladder.
    beta : (float, float), optional
        Its ends; `schedule.beta_range` by default.
    sweeps_per_round : int
        Sweeps between exchanges.
    clusters : bool
        Whether copies at one beta exchange clusters once per round.
    keep_every : int, optional
        Rounds between kept states, of the second half; by default the last round is kept alone.
    clamp : mapping, optional
        See `Program.request`.
    seed : int
        User seed.
    threads : int, optional
        Most threads; as many as there are processors by default.
    stop_at : float, optional
        Stop after the round in which a copy has an energy of the quantised model that is no higher than this.
    progress : callable, optional
        Called with the rounds done and the rounds in all.

    Returns
    -------
    Tempered

    Raises
    ------
    RequestError
        If there are fewer than two rungs or rounds, or more rungs than betas that the format tells apart.
    """
    if rungs < 2 or rounds < 2:
        raise RequestError(f"{rungs} rungs and {rounds} rounds are too few to exchange; use at least 2 of each")
    ladder = _Ladder(
        program, _codes(program.image, geometric(*(beta or beta_range(program)), rungs)), clamp, seed, threads
    )
    began = time.perf_counter_ns()
    last_tuning = rounds // 2
    keep_every = keep_every or rounds - last_tuning
    tune_at, window, kept = FIRST_TUNING_ROUNDS, FIRST_TUNING_ROUNDS, []
    for done in range(1, rounds + 1):
        ladder.round(sweeps_per_round, clusters)
        solved = stop_at is not None and ladder.best_energy <= stop_at
        if done == min(tune_at, last_tuning):
            ladder.space()
            window *= 2
            tune_at += window
        if solved or (done > last_tuning and (done - last_tuning) % keep_every == 0):
            kept.append(ladder.coldest())
        if progress is not None:
            progress(done, rounds)
        if solved:
            break
    return ladder.result(done, sweeps_per_round, np.array(kept), time.perf_counter_ns() - began)


class _Ladder:
    """Rungs of 64 copies, coldest last."""

    def __init__(
        self, program: Any, codes: Int32, clamp: Mapping[Any, Any] | None, seed: int, threads: int | None
    ) -> None:
        image = program.image
        self._program, self._codes = program, codes
        request = program.request(1, replicas=LANES * len(codes), clamp=clamp, seed=seed)
        self._ensemble = Ensemble(Network(image), request.replicas, threads=threads, layout=ReplicaLanes)
        self._ensemble.load(request.start, request.generators(image), request.clamped)
        self._frozen = np.where(request.clamped, ~np.uint64(0), np.uint64(0))
        self._rng = np.random.Generator(np.random.PCG64(splitmix64(seed, 2)[1]))
        lowest = np.full((1, image.size), program.quantised.allowed[0])
        self._zero_energy = float(program.quantised.energies(lowest)[0])
        self.best_energy = np.inf
        self._best = request.start[:1]
        self._odd = 0
        self._forget()

    @property
    def _betas(self) -> Float:
        return self._codes * self._program.image.beta_step

    def _forget(self) -> None:
        """Start counting exchanges."""
        self._offered = np.zeros(len(self._codes) - 1)
        self._accepted = np.zeros(len(self._codes) - 1)

    def round(self, sweeps: int, clusters: bool) -> None:
        """Sweep every rung, note the best state, and exchange."""
        ensemble = self._ensemble
        ensemble.sweep(np.repeat(self._codes[:, None], sweeps, axis=1), np.empty(0, np.int64))
        energies = ensemble.energies() + self._zero_energy
        self._note_best(energies)
        self._exchange(energies)
        if clusters:
            layout = ensemble.layout
            for states in ensemble.state_words:
                exchange_clusters(states, self._frozen, layout.neighbours, layout.slot_first, self._rng)

    def _note_best(self, energies: Float) -> None:
        if energies.min() < self.best_energy:
            rung, lane = np.unravel_index(energies.argmin(), energies.shape)
            self.best_energy = float(energies[rung, lane])
            self._best = to_bits(self._ensemble.state_words[rung])[None, :, lane]

    def _exchange(self, energies: Float) -> None:
        """Exchange the states of every other pair of neighbouring rungs, copy by copy."""
        lower = np.arange(self._odd, len(self._codes) - 1, 2)
        self._odd = 1 - self._odd
        gain = np.diff(self._betas)[lower, None] * np.diff(energies, axis=0)[lower]
        accepted = np.log(self._rng.random(gain.shape)) < gain
        self._offered[lower] += LANES
        self._accepted[lower] += accepted.sum(axis=1)
        words = self._ensemble.state_words
        chosen = to_words(accepted.astype(np.uint8))[:, None]
        crossed = (words[lower] ^ words[lower + 1]) & chosen
        words[lower] ^= crossed
        words[lower + 1] ^= crossed

    def space(self) -> None:
        """Space the rungs for equal rejection, by interpolating the rejections up to each rung."""
        rejected = 1 - self._accepted / np.maximum(self._offered, 1)
        barrier = np.concatenate([[0], np.cumsum(np.maximum(rejected, LEAST_REJECTION))])
        even = np.linspace(0, barrier[-1], len(barrier))
        self._codes = _codes(self._program.image, np.interp(even, barrier, self._betas))
        self._forget()

    def coldest(self) -> npt.NDArray[np.uint8]:
        """States at the coldest beta, shape (64, n)."""
        return to_bits(self._ensemble.state_words[-1]).T

    def result(self, rounds: int, sweeps: int, kept: npt.NDArray[np.uint8], wall_ns: int) -> Tempered:
        """Translate states to the model's order."""
        flips = self._ensemble.state_words.size * LANES * rounds * sweeps

        def decode(states: npt.NDArray[np.uint8]) -> Any:
            count, replicas, _ = states.shape
            request = self._program.request(count, replicas=replicas)
            return self._program.decode(Batch(states, flips, wall_ns), request)

        rates = self._accepted / np.maximum(self._offered, 1)
        return Tempered(decode(kept), decode(self._best[None]), self._betas, rates)


def _codes(image: Image, betas: Float) -> Int32:
    """Different codes of rising betas, as near to them as the format allows."""
    count = len(betas)
    codes = image.beta_codes(betas)
    if codes[-1] - codes[0] < count - 1:
        raise RequestError(
            f"{count} rungs from beta {betas[0]:g} to {betas[-1]:g} need {count} betas, {image.beta_format} has "
            f"{codes[-1] - codes[0] + 1} there; use fewer rungs or compile with a finer beta_format"
        )
    places = np.arange(count)
    rising = np.maximum.accumulate(codes - places) + places
    falling = codes[-1] - (count - 1 - places)
    return np.minimum(rising, falling).astype(np.int32)
