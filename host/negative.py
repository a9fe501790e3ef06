"""The sides of a learning step that the array samples: clamped to data, on from there, or by chains that persist."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..compiler.models import Model
from ..contract.errors import RequestError
from ..contract.replicas import Snapshot
from ..contract.sampler import Sampler
from .chains import Chains, Places
from .moments import States


class Side:
    """Some sets of chains on one sampler, made when they are first needed."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler
        self._model: Model = sampler.program.model
        self._sets: list[Chains] = []

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
        for place, state in sorted(sets.items()):
            self._chains(len(state["states"]), place).restore(state)


class DataSide(Side):
    """Hidden units sampled with the visible ones clamped to data.

    Parameters
    ----------
    sampler : Sampler
    sweeps : int
        Of each batch; chains go on from the hidden units that they had before.
    """

    def __init__(self, sampler: Sampler, sweeps: int) -> None:
        super().__init__(sampler)
        self._sweeps = sweeps

    def advance(self, rows: States) -> Chains:
        """Chains of which the first ones hold rows; the others hold them again."""
        chains = self._chains(len(rows))
        chains.write(self._model.visible, rows)
        if len(self._model.hidden):
            chains.hold(self._model.visible)
            chains.run(self._sweeps)
        return chains


class ModelSide(Side, ABC):
    """What the model samples by itself."""

    @abstractmethod
    def advance(self, data: Chains | None) -> Chains:
        """Chains on from those of the data side, or from where they were."""

    def counted(self, rows: int) -> int:
        """How many of the chains count for a batch of so many rows."""
        return rows


class FromData(ModelSide):
    """CD-k: sweeps from the data, and one more in which all visible units stay and the hidden ones are drawn anew.

    So the result does not depend on the colour that a sweep ends with.

    Parameters
    ----------
    sampler : Sampler
    sweeps : int
    held : ndarray of int
        Variables that keep the values of the data: the model side of a conditional distribution.
    """

    def __init__(self, sampler: Sampler, sweeps: int, held: Places) -> None:
        super().__init__(sampler)
        self._sweeps, self._held = sweeps, held

    def advance(self, data: Chains | None) -> Chains:
        """See `ModelSide.advance`."""
        assert data is not None
        chains = self._chains(data.count)
        chains.follow(data)
        chains.hold(self._held)
        chains.run(self._sweeps)
        if len(self._model.hidden):
            chains.hold(self._model.visible)
            chains.run(1)
        return chains


class Persistent(ModelSide):
    """PCD: chains that are never set.

    Parameters
    ----------
    sampler : Sampler
    sweeps : int
        Of each step.
    count : int
        Chains.
    """

    def __init__(self, sampler: Sampler, sweeps: int, count: int) -> None:
        super().__init__(sampler)
        self._sweeps, self._count = sweeps, count

    def advance(self, data: Chains | None) -> Chains:
        """See `ModelSide.advance`."""
        chains = self._chains(self._count)
        chains.run(self._sweeps)
        return chains

    def counted(self, rows: int) -> int:
        """All of them."""
        return self._count


class Tempered(Persistent):
    """PCD whose chains exchange states with chains at lower betas after every step, even and odd neighbours in turn.

    Parameters
    ----------
    sampler : Sampler
    sweeps : int
        Of each step.
    count : int
        Chains at each beta.
    ladder : sequence of float
        Betas, ascending to 1.
    seed : sequence of int
        Of the exchanges.

    Raises
    ------
    RequestError
        If there are fewer than two betas, or they do not ascend to 1.
    """

    def __init__(self, sampler: Sampler, sweeps: int, count: int, ladder: Sequence[float], seed: Sequence[int]) -> None:
        super().__init__(sampler, sweeps, count)
        self._betas = np.asarray(ladder, np.float64)
        if len(ladder) < 2 or (np.diff(self._betas) <= 0).any() or self._betas[0] < 0 or self._betas[-1] != 1:
            raise RequestError(f"ladder is {list(ladder)}; give at least two betas from 0 on that ascend to 1")
        self._rng = np.random.default_rng(seed)
        self._odd = 0

    def advance(self, data: Chains | None) -> Chains:
        """See `ModelSide.advance`."""
        rungs = [self._chains(self._count, place) for place in range(len(self._betas))]
        for beta, chains in zip(self._betas, rungs, strict=True):
            chains.run(self._sweeps, beta)
        states = np.stack([chains.read() for chains in rungs])
        self._exchange(states)
        every = np.arange(self._model.size)
        for chains, own in zip(rungs, states, strict=True):
            chains.write(every, own)
        return rungs[-1]

    def _exchange(self, states: npt.NDArray[np.int8]) -> None:
        """Exchange states, shape (betas, chains, n), with probability min(1, exp((beta' - beta)(E' - E)))."""
        model = self._sampler.program.quantised
        energies = model.energies(states.reshape(-1, self._model.size)).reshape(states.shape[:2])
        lower = np.arange(self._odd, len(self._betas) - 1, 2)
        self._odd = 1 - self._odd
        gains = np.diff(self._betas)[lower, None] * np.diff(energies, axis=0)[lower]
        for place, accepted in zip(lower, np.log(self._rng.random(gains.shape)) < gains, strict=True):
            states[place, accepted], states[place + 1, accepted] = states[place + 1, accepted], states[place, accepted]

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
