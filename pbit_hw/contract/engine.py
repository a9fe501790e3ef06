"""What engines have in common: hardware that p-bits take turns at, built for a shape and not for a graph."""

from __future__ import annotations

import enum
import hashlib
from abc import ABC, abstractmethod
from dataclasses import astuple, fields
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from . import VERSION
from .errors import FitError
from .generator import Generator
from .link import MAX_ANSWER
from .registers import Control
from .registers import identity as common_identity

WORD_BITS = 32
"""Of a word of the bus."""

SHAPE_WORDS = 16
"""Words of `Engine.words`."""


class Kind(enum.IntEnum):
    """Engines, as the first word of `Control.SHAPE` names them."""

    TILED = 1
    LATTICE = 2
    DENSE = 3


class Engine(ABC):
    """Base of the dataclasses that say what an engine is built for; their fields are integers."""

    kind: ClassVar[Kind]
    lanes: int
    generator: Generator

    @property
    @abstractmethod
    def memories(self) -> dict[str, int]:
        """Words of states, biases and weights, as `register_counts` names them."""

    @property
    @abstractmethod
    def sizes(self) -> tuple[int, int, int]:
        """P-bits, weights and colours that a device says it has; any colours will do, which is 0."""

    @property
    def streams(self) -> int:
        """Generator registers."""
        return -(-self.lanes // self.generator.share)

    @property
    def register_counts(self) -> dict[str, int]:
        """Words of each register that is not of a fixed size, see `registers.Register`."""
        own = {"streams * words": self.streams * self.generator.words, "shape": SHAPE_WORDS}
        return {**self.memories, **own, "steps": 0, "schedule": 0, "counters": 0}

    @property
    def interleave(self) -> int:
        """Replicas in the engine."""
        return 1

    def check(self, limits: dict[str, tuple[int, int]]) -> None:
        """Raise `FitError` unless fields lie between these, and the link can answer with a sample."""
        for name, (least, most) in limits.items():
            if not least <= getattr(self, name) <= most:
                kind = self.kind.name.lower()
                raise FitError(f"{name} of a {kind} engine is {getattr(self, name)}; use {least} to {most}")
        if (size := WORD_BITS // 8 * self.interleave * self.memories["packed"]) > MAX_ANSWER:
            raise FitError(
                f"states of an engine make a sample of {size:,} bytes, an answer of the link holds {MAX_ANSWER:,}; "
                f"use fewer p-bits or replicas"
            )

    @property
    def words(self) -> tuple[int, ...]:
        """Kind and shape as the registers say them; see `of`."""
        own = (int(self.kind), *(int(value) for value in astuple(self)))  # type: ignore[call-overload]
        return own + (0,) * (SHAPE_WORDS - len(own))

    @classmethod
    def of(cls, words: npt.ArrayLike) -> Self:
        """The shape that a device says it has.

        Raises
        ------
        FitError
            If there is no such engine.
        """
        names = [each.name for each in fields(cls)]  # type: ignore[arg-type]
        own: dict[str, Any] = dict(zip(names, map(int, np.asarray(words)[1:]), strict=False))
        if own["generator"] not in set(Generator):
            raise FitError(f"an engine says that it has generator {own['generator']}, which this version does not know")
        return cls(**own | {"generator": Generator(own["generator"])})

    @cached_property
    def digest(self) -> bytes:
        """16 bytes that name the engine and the contract's version."""
        text = f"pbit-engine {VERSION} {' '.join(map(str, self.words))}"
        return hashlib.sha256(text.encode()).digest()[:16]


def identity(shape: Any, clock_hz: int) -> dict[int, int]:
    """Contents of an engine's read-only control registers, by offset."""
    own = {Control.SHAPE + place: word for place, word in enumerate(shape.words)}
    return common_identity(shape, clock_hz) | own
