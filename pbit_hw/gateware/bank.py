"""The generators of lanes: registers that p-bits take turns at."""

from __future__ import annotations

from typing import Any

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..contract.generator import WORD_BITS, Generator, powered_up
from .generator import REGISTER_BITS, RandomGenerator, SharedGenerator
from .loader import Loader


class Bank(wiring.Component):
    """Generators, and what loads them.

    A register changes at the end of the clock in which it moves, or two clocks after a word for it is on the bus.
    At reset registers are as `contract.generator.powered_up` says.

    Parameters
    ----------
    shape : Engine
        With lanes.

    Members
    -------
    moves : In(streams)
        Which registers move on by one update.
    words : Out(16 * lanes)
        Random words of the lanes.
    hits : In(streams * generator words)
        Which word the one on the bus is, and `Loader`'s strobes and data.
    generator, seed, clear, inject, data
        See `loader.Loader`.
    """

    def __init__(self, shape: Any) -> None:
        self._shape = shape
        shared = shape.generator is Generator.LINEAR64
        self.generators: list[Any] = [
            SharedGenerator() if shared else RandomGenerator(shape.generator, seed)
            for seed in powered_up(shape.generator, shape.streams).tolist()
        ]
        strobes = ("generator", "seed", "clear", "inject")
        super().__init__(
            {
                "moves": In(shape.streams),
                "words": Out(WORD_BITS * shape.lanes),
                "hits": In(self.count),
                "data": In(REGISTER_BITS),
                **{strobe: In(1) for strobe in strobes},
            }
        )

    @property
    def count(self) -> int:
        """Words of all registers."""
        return int(self._shape.streams * self._shape.generator.words)

    def listen(self, m: Module, loader: Loader) -> None:
        """Connect the bus."""
        m.d.comb += [
            self.hits.eq(Cat(loader.hit(word) for word in range(self.count))),
            self.generator.eq(loader.generator),
            self.seed.eq(loader.seed),
            self.clear.eq(loader.clear),
            self.inject.eq(loader.inject),
            self.data.eq(loader.data),
        ]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        share, words = self._shape.generator.share, self._shape.generator.words
        inject = Signal()
        m.d.sync += inject.eq(self.inject)
        for stream, generator in enumerate(self.generators):
            m.submodules[f"generator_{stream}"] = generator
            hits, moves = self.hits.word_select(stream, words), self.moves[stream]
            if share == 1:
                load = Signal(words, name=f"load_{stream}")
                m.d.sync += load.eq(Cat(self.generator & hit for hit in hits))
                m.d.comb += [generator.step.eq(moves), generator.load.eq(load), generator.data.eq(self.data)]
                continue
            seed, clear = Signal(), Signal()
            m.d.sync += [seed.eq(self.seed & hits[-1]), clear.eq(self.clear & hits[-1])]
            m.d.comb += [generator.step.eq(moves | seed), generator.clear.eq(clear), generator.inject.eq(inject)]
        drawn = [generator.word if share == 1 else generator.register for generator in self.generators]
        m.d.comb += self.words.eq(Cat(drawn))
        return m
