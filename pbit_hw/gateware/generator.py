"""Random-number generator of a p-bit: the mirror of `contract.generator`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from amaranth import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..contract import gf2
from ..contract.generator import WORD_BITS, Generator, next_rows

REGISTER_BITS = 32


def taps(kind: Generator) -> list[list[int]]:
    """The bits whose XOR is each bit of the next register, read off the contract's next-state function.

    Parameters
    ----------
    kind : Generator
        The generator; its next state is linear over GF(2).

    Returns
    -------
    list of list of int
        One list per bit of the register, lowest bit first.
    """
    images = gf2.matrix(next_rows(kind), kind.words)
    places = range(REGISTER_BITS * kind.words)
    image_bits = np.array([(images[:, bit // REGISTER_BITS] >> bit % REGISTER_BITS) & 1 for bit in places])
    return [np.flatnonzero(row).tolist() for row in image_bits]


class RandomGenerator(wiring.Component):
    """A generator register, its leap to the next random word, and its load.

    ``word`` follows the register combinationally. The register changes at the
    end of the clock in which ``step`` or a bit of ``load`` is set; a load wins.

    Parameters
    ----------
    kind : Generator
        The generator.
    seed : sequence of int
        The register at reset, ``kind.words`` words.

    Members
    -------
    step : In(1)
        Move on by one update.
    load : In(kind.words)
        Which words to replace by ``data``.
    data : In(32)
        The word to load.
    register : Out(32 * kind.words)
        The register, word 0 lowest.
    word : Out(16)
        Random bits of the register as it stands.
    """

    def __init__(self, kind: Generator, seed: Sequence[int]) -> None:
        self._kind = kind
        init = sum(int(word) << REGISTER_BITS * place for place, word in enumerate(seed))
        super().__init__(
            {
                "step": In(1),
                "load": In(kind.words),
                "data": In(REGISTER_BITS),
                "register": Out(REGISTER_BITS * kind.words, init=init),
                "word": Out(WORD_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        with m.If(self.step):
            m.d.sync += self.register.eq(Cat(_parity(self.register, places) for places in taps(self._kind)))
        for place in range(self._kind.words):
            with m.If(self.load[place]):
                m.d.sync += self.register.word_select(place, REGISTER_BITS).eq(self.data)
        if self._kind is Generator.LFSR32:
            m.d.comb += self.word.eq(self.register)
        else:
            self._xoshiro_word(m)
        return m

    def _xoshiro_word(self, m: Module) -> None:
        """The high bits of xoshiro128++'s output: two 32-bit sums with a rotation between them."""
        s0, s3 = self.register.word_select(0, REGISTER_BITS), self.register.word_select(3, REGISTER_BITS)
        inner, outer = Signal(REGISTER_BITS), Signal(REGISTER_BITS)
        m.d.comb += [
            inner.eq(s0 + s3),
            outer.eq(inner.rotate_left(7) + s0),
            self.word.eq(outer[-WORD_BITS:]),
        ]


def _parity(register: Signal, places: list[int]) -> Value:
    return Cat(register[place] for place in places).xor()
