"""Telegraph noise of a superparamagnetic tunnel junction, and random words made of it.

A junction whose free layer has a low barrier hops between its two states
m = -1, +1 by thermal activation. The time it dwells in a state is exponential,
with mean tau_m = tau_N exp(I m) and tau_N = tau0 exp(Delta / kT) (Brown, Phys.
Rev. 130, 1677, 1963; that a voltage lengthens one dwell time and shortens the
other: Rippard et al., Phys. Rev. B 84, 064439, 2011). A junction read much
less often than it hops is a source of random bits (Vodenicarevic et al., Phys.
Rev. Applied 8, 054045, 2017); read too often, its bits remember each other.

A real junction is not symmetric: tau_m = tau_N exp((I0 + I) m + k I). The
offset I0 is a field that is there without input. The skew k makes the dwell
times of the two states respond unequally: the voltage that turns the magnet by
spin torque, which enters with m, also changes its anisotropy and with it both
barriers, which enters without m (the two parts of d ln tau_m / dV that Reiss
et al., arXiv:1908.02139, separate). Even powers of the voltage are left out:
Joule heating and the field-like torque (Schnitzspan et al., arXiv:2301.05694;
Rippard et al.), which are small while the voltage is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...contract.errors import ModelError
from ...contract.generator import WORD_BITS

Float = npt.NDArray[np.float64]
Uint8 = npt.NDArray[np.uint8]

_CHANCE_BITS = 32
"""Resolution, in bits, of the chances of `bernoulli_words`."""


@dataclass(frozen=True)
class Telegraph:
    """One two-state junction.

    Parameters
    ----------
    barrier_kt : float
        Energy barrier Delta in units of kT.
    attempt_ns : float
        Attempt time tau0 in ns; 0.01 to 1 in the literature.
    drive : float
        Dimensionless input I, as in P(m = +1) = (1 + tanh(I0 + I)) / 2.
    offset : float
        Drive I0 that is there without input.
    skew : float
        Part k of the drive that lengthens both dwell times alike:
        d ln tau_m / dI = k + m. It changes how fast the junction is, not what
        it samples.

    Raises
    ------
    ModelError
        If a dwell time is not positive and finite.
    """

    barrier_kt: float
    attempt_ns: float = 1.0
    drive: float = 0.0
    offset: float = 0.0
    skew: float = 0.0

    def __post_init__(self) -> None:
        with np.errstate(over="ignore"):
            dwells = self.mean_dwell_ns
        if not (np.isfinite(dwells).all() and (dwells > 0).all()):
            raise ModelError(
                f"barrier {self.barrier_kt} kT, attempt time {self.attempt_ns} ns, drive {self.drive}, offset "
                f"{self.offset} and skew {self.skew} give mean dwell times of {dwells[0]} and {dwells[1]} ns; choose "
                "values that make both positive and finite"
            )

    @property
    def mean_dwell_ns(self) -> Float:
        """Mean dwell times in ns of s = 0 and s = 1 (m = -1 and +1), shape (2,)."""
        barrier = np.float64(self.barrier_kt) + self.skew * self.drive
        return self.attempt_ns * np.exp(barrier + (self.offset + self.drive) * np.array([-1.0, 1.0]))

    @property
    def probability_up(self) -> float:
        """Share of the time spent in s = 1."""
        down, up = self.mean_dwell_ns
        return float(up / (down + up))

    @property
    def correlation_ns(self) -> float:
        """Decay time in ns of the autocorrelation: 1 / (1 / tau_down + 1 / tau_up)."""
        return float(1 / (1 / self.mean_dwell_ns).sum())

    def memory(self, interval_ns: float) -> float:
        """Correlation of two readings ``interval_ns`` apart, exp(-interval / correlation time).

        Raises
        ------
        ModelError
            If the interval is not positive.
        """
        if not interval_ns > 0:
            raise ModelError(f"a reading interval of {interval_ns} ns is impossible; give a positive one")
        return float(np.exp(-interval_ns / self.correlation_ns))

    def transition(self, interval_ns: float) -> Float:
        """Exact chances of each state one interval after each state, shape (2, 2), from row to column."""
        stationary = np.array([1 - self.probability_up, self.probability_up])
        memory = self.memory(interval_ns)
        return memory * np.eye(2) + (1 - memory) * stationary

    def dwells(self, count: int, seed: int = 0) -> tuple[Uint8, Float]:
        """Draw dwell by dwell, without a time step.

        Parameters
        ----------
        count : int
            Number of dwells; the first is in s = 0.
        seed : int
            Seed.

        Returns
        -------
        states : ndarray of uint8, shape (count,)
            0, 1, 0, 1, ...
        dwells_ns : ndarray of float64, shape (count,)
            How long each lasted.
        """
        states = (np.arange(count) % 2).astype(np.uint8)
        return states, np.random.default_rng(seed).exponential(self.mean_dwell_ns[states])

    def readings(self, count: int, interval_ns: float, devices: int = 1, seed: int = 0) -> Uint8:
        """Read independent junctions, in equilibrium from the start, at a fixed interval.

        Exact at any interval: over an interval a two-state process keeps its
        state with probability `memory` and is in equilibrium otherwise.

        Parameters
        ----------
        count : int
            Readings of each junction.
        interval_ns : float
            Time between readings.
        devices : int
            Number of junctions.
        seed : int
            Seed.

        Returns
        -------
        ndarray of uint8, shape (count, devices)
        """
        rng = np.random.default_rng(seed)
        fresh = (rng.random((count, devices)) < self.probability_up).astype(np.uint8)
        renewed = rng.random((count, devices)) >= self.memory(interval_ns)
        renewed[0] = True
        latest = np.maximum.accumulate(np.where(renewed, np.arange(count)[:, None], 0), axis=0)
        return np.take_along_axis(fresh, latest, axis=0)


IN_PLANE = Telegraph(barrier_kt=4.4, attempt_ns=0.1)
"""Junction with an in-plane easy axis, tau_N = 8.1 ns.

Relaxation times down to 8 ns: Hayakawa et al., Phys. Rev. Lett. 126, 117202, 2021; dwell times below 10 ns and
autocorrelation times down to 5 ns: Schnitzspan et al., arXiv:2301.05694. What is measured is the time. The attempt
time is this module's choice within the usual 0.01 to 1 ns, and the barrier is what it leaves. A junction whose easy
axis is a whole plane has no two states (Safranski et al., Nano Lett. 21, 2040, 2021): it is a `Macrospin`.
"""

PERPENDICULAR = Telegraph(barrier_kt=13.8, attempt_ns=1.0)
"""Junction with a perpendicular easy axis, tau_N = 0.99 ms.

Dwell times from 0.3 ms to seconds at 34 nm, turned into barriers with an assumed attempt time of 1 ns: Funatsu et al.,
Nat. Commun. 13, 4079, 2022. That the time is 1 ms is this module's choice within that range. Measured attempt times of
perpendicular junctions are shorter by many orders, and their barriers higher by as much (Soumah et al.,
arXiv:2402.03452, also with dwell times down to 2.7 ns): at one temperature only tau_N counts.
"""


def states_at(states: Uint8, dwells_ns: Float, times_ns: npt.ArrayLike) -> Uint8:
    """State of a junction at given times after its first dwell began.

    Parameters
    ----------
    states, dwells_ns : ndarray, shape (count,)
        What `Telegraph.dwells` drew.
    times_ns : array_like of float
        Times within the trace.

    Returns
    -------
    ndarray of uint8, of the shape of ``times_ns``

    Raises
    ------
    ModelError
        If a time lies outside the trace.
    """
    times, ends = np.asarray(times_ns, np.float64), np.cumsum(dwells_ns)
    if times.size and not 0 <= times.min() <= times.max() < ends[-1]:
        raise ModelError(f"times {times.min()} to {times.max()} ns leave the trace of {ends[-1]} ns; draw more dwells")
    return states[np.searchsorted(ends, times, side="right")]


class TelegraphWords:
    """Random words read from junctions, for a simulated array instead of its digital generators.

    Every p-bit has 16 junctions of its own, one per bit of its word, all read
    once per sweep. Replicas are separate arrays of junctions.

    Parameters
    ----------
    device : Telegraph
        Every junction; without drive its bits are fair.
    period_ns : float
        Time between two sweeps.
    seed : int
        Seed.
    """

    def __init__(self, device: Telegraph, period_ns: float, seed: int = 0) -> None:
        self.device = device
        self.period_ns = period_ns
        self._memory = device.memory(period_ns)
        self._rng = np.random.default_rng(seed)
        self._words = np.empty((0, 0), np.uint16)

    def words(self, replicas: int, n: int) -> npt.NDArray[np.uint32]:
        """Read every junction and let one period pass.

        Parameters
        ----------
        replicas, n : int
            Size of the array; junctions that were not there in the call
            before start in equilibrium.

        Returns
        -------
        ndarray of uint32, shape (n, replicas)
            Words of 16 bits.
        """
        shape = (n, replicas)
        fresh = bernoulli_words(self.device.probability_up, shape, self._rng)
        if self._words.shape == shape:
            kept = bernoulli_words(self._memory, shape, self._rng)
            fresh = (self._words & kept) | (fresh & ~kept)
        self._words = fresh
        return fresh.astype(np.uint32)


def bernoulli_words(chance: float, shape: tuple[int, ...], rng: np.random.Generator) -> npt.NDArray[np.uint16]:
    """Words each of whose bits is one with a chance, independently.

    From the lowest binary digit of the chance up, a fair bit is ORed in for a
    one and ANDed in for a zero: each halves what is there and adds the digit.

    Parameters
    ----------
    chance : float
        From 0 to 1, rounded to 2^-32.
    shape : tuple of int
        Shape of the result.
    rng : numpy.random.Generator
        Source.

    Returns
    -------
    ndarray of uint16
    """
    code = round(chance * 2**_CHANCE_BITS)
    if code == 2**_CHANCE_BITS:
        return np.full(shape, 2**WORD_BITS - 1, np.uint16)
    words = np.zeros(shape, np.uint16)
    lowest = (code & -code).bit_length() - 1
    for digit in range(lowest, _CHANCE_BITS) if code else ():
        fair = rng.integers(0, 2**WORD_BITS, shape, np.uint16)
        words = words | fair if code >> digit & 1 else words & fair
    return words
