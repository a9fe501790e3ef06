"""The sides of a learning step that the array samples: clamped to data, on from there, or by chains that persist."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..compiler.models import Model
from ..contract.errors import ModelError, RequestError
from ..contract.replicas import Snapshot
from ..contract.sampler import Sampler
from .chains import Chains, Places
from .moments import Both, States

Measure = Callable[[Chains, int], Both]
"""Moments over the first so many chains."""


class Side:
    """Some sets of chains on one sampler, made when they are first needed.

    Parameters
    ----------
    sampler : Sampler
    sweeps : int
        Of each step.
    averaged : int
        Over how many sweeps, the last ones, moments are averaged.
    """

    def __init__(self, sampler: Sampler, sweeps: int, averaged: int = 1) -> None:
        self._sampler, self._sweeps, self._averaged = sampler, sweeps, averaged
        self._model: Model = sampler.program.model
        self._sets: list[Chains] = []

    def _sampled(self, chains: Chains, sweeps: int, count: int, measure: Measure = Chains.moments) -> Both:
        """Moments over the first chains, at the end of a run and before."""
        chains.run(sweeps - self._averaged + 1)
        correlation, mean = measure(chains, count)
        for _ in range(self._averaged - 1):
            chains.run(1)
            further = measure(chains, count)
            correlation, mean = correlation + further[0], mean + further[1]
        share = np.float32(1 / self._averaged)
        return share * correlation, share * mean

    def _chains(self, count: int, place: int = 0) -> Chains:
        """The chains of a set, made anew if there are too few."""
        if place == len(self._sets):
            self._sets.append(Chains(self._sampler, count))
        elif self._sets[place].count < count:
            self._sets[place] = Chains(self._sampler, count)
        return self._sets[place]

    def snapshot(self) -> Snapshot:
        """All that further steps depend on, as arrays by name."""
        states = [chains.snapshot() for chains in self._sets]
        return {f"{place}.{name}": array for place, state in enumerate(states) for name, array in state.items()}

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot."""
        sets: dict[int, Snapshot] = {}
        for key, array in snapshot.items():
            number, _, name = key.partition(".")
            sets.setdefault(int(number), {})[name] = array
        self._sets = []  # there may be more chains by now
        for place, state in sorted(sets.items()):
            self._chains(len(state["states"]), place).restore(state)


class Clamped(Side):
    """Chains with some visible units clamped to data, the others sampled.

    What is not clamped goes on from where the last batch left it.

    Parameters
    ----------
    sampler, sweeps, averaged
        See `Side`.
    columns : ndarray of int
        Which visible units are clamped: all of them for the data side, some for the model side of a conditional
        distribution.
    """

    def __init__(self, sampler: Sampler, sweeps: int, averaged: int, columns: Places) -> None:
        super().__init__(sampler, sweeps, averaged)
        self._columns = columns

    def hold(self, rows: States) -> Chains:
        """Chains of which the first ones hold rows; the others hold them again."""
        chains = self._chains(len(rows))
        held = self._model.visible[self._columns]
        chains.write(held, rows[:, self._columns])
        chains.hold(held)
        return chains

    def advance(self, rows: States, measure: Measure = Chains.moments) -> tuple[Chains, Both]:
        """Chains that hold rows, and moments over them."""
        chains = self.hold(rows)
        return chains, self._sampled(chains, self._sweeps, len(rows), measure)


class ModelSide(Side, ABC):
    """What the model samples by itself."""

    @abstractmethod
    def advance(self, data: Chains | None, rows: int) -> Both:
        """Moments of chains that go on from those of the data side, of which the first ones count, or of other chains.

        Parameters
        ----------
        data : Chains or None
            Needed by a side that begins there.
        rows : int
            How many of them count.
        """


class FromData(ModelSide):
    """CD-k: sweeps from the data, and further ones in which visible units stay and hidden ones are drawn anew.

    So the result does not depend on the colour that a sweep ends with.
    """

    def advance(self, data: Chains | None, rows: int) -> Both:
        """See `ModelSide.advance`."""
        assert data is not None
        chains = self._chains(data.count)
        chains.follow(data)
        chains.run(self._sweeps)
        if not len(self._model.hidden):
            return chains.moments(rows)
        chains.hold(self._model.visible)
        return self._sampled(chains, self._averaged, rows)


class Persistent(ModelSide):
    """PCD: chains that are never set.

    Parameters
    ----------
    sampler, sweeps, averaged
        See `Side`.
    count : int
        Chains.
    """

    def __init__(self, sampler: Sampler, sweeps: int, averaged: int, count: int) -> None:
        super().__init__(sampler, sweeps, averaged)
        self._count = count

    def advance(self, data: Chains | None, rows: int) -> Both:
        """See `ModelSide.advance`."""
        return self._sampled(self._chains(self._count), self._sweeps, self._count)


class Tempered(Persistent):
    """PCD whose chains exchange states with chains at lower betas after every step, even and odd neighbours in turn.

    Parameters
    ----------
    sampler, sweeps, averaged
        See `Side`.
    count : int
        Chains at each beta.
    ladder : sequence of float
        Betas, ascending to 1.
    seed : sequence of int
        Of the exchanges.

    Raises
    ------
    ModelError
        If several p-bits stand for a variable.
    RequestError
        If there are fewer than two betas, or they do not ascend to 1.
    """

    def __init__(
        self, sampler: Sampler, sweeps: int, averaged: int, count: int, ladder: Sequence[float], seed: Sequence[int]
    ) -> None:
        super().__init__(sampler, sweeps, averaged, count)
        if sampler.program.expansion is not None:
            raise ModelError("a ladder of betas needs one p-bit for each variable; compile without copies, or drop it")
        self._betas = np.asarray(ladder, np.float64)
        if len(ladder) < 2 or (np.diff(self._betas) <= 0).any() or self._betas[0] < 0 or self._betas[-1] != 1:
            raise RequestError(f"ladder is {list(ladder)}; give at least two betas from 0 on that ascend to 1")
        image = sampler.program.image
        self._betas = image.beta_codes(self._betas) * image.beta_step  # as the array has them
        self._rng = np.random.default_rng(seed)
        self._odd = 0

    def advance(self, data: Chains | None, rows: int) -> Both:
        """See `ModelSide.advance`."""
        *hotter, coldest = (self._chains(self._count, place) for place in range(len(self._betas)))
        for beta, chains in zip(self._betas, hotter, strict=False):
            chains.run(self._sweeps, beta)
        moments = self._sampled(coldest, self._sweeps, self._count)
        self._exchange([*hotter, coldest])
        return moments

    def _exchange(self, rungs: Sequence[Chains]) -> None:
        """Exchange states of neighbours with probability min(1, exp((beta' - beta)(E' - E)))."""
        states = np.stack([chains.read() for chains in rungs])
        model = self._sampler.program.quantised
        energies = model.energies(states.reshape(-1, model.size)).reshape(states.shape[:2])
        lower = np.arange(self._odd, len(rungs) - 1, 2)
        self._odd = 1 - self._odd
        gains = np.diff(self._betas)[lower, None] * np.diff(energies, axis=0)[lower]
        for place, accepted in zip(lower, np.log(self._rng.random(gains.shape)) < gains, strict=True):
            states[place, accepted], states[place + 1, accepted] = states[place + 1, accepted], states[place, accepted]
        every = np.arange(self._model.size)
        for chains, own in zip(rungs, states, strict=True):
            chains.write(every, own)

    def snapshot(self) -> Snapshot:
        """See `Side.snapshot`."""
        return super().snapshot() | {"rng": packed(self._rng), "odd": np.array(self._odd)}

    def restore(self, snapshot: Snapshot) -> None:
        """See `Side.restore`."""
        unpack(snapshot["rng"], self._rng)
        self._odd = int(snapshot["odd"])
        super().restore({key: array for key, array in snapshot.items() if key not in ("rng", "odd")})


def packed(rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """The state of a PCG64 generator as numbers that a file can hold."""
    state: Any = rng.bit_generator.state
    words = [state["state"][name] >> shift & 0xFFFFFFFF for name in ("state", "inc") for shift in (0, 32, 64, 96)]
    return np.array([*words, state["has_uint32"], state["uinteger"]], np.int64)


def unpack(words: npt.NDArray[np.int64], rng: np.random.Generator) -> None:
    """Set a generator to a state that `packed` gave."""
    values = [int(word) for word in words]
    state, increment = (sum(value << 32 * k for k, value in enumerate(values[at : at + 4])) for at in (0, 4))
    rng.bit_generator.state = {
        "bit_generator": "PCG64",
        "state": {"state": state, "inc": increment},
        "has_uint32": values[8],
        "uinteger": values[9],
    }
