"""Random-number generators: the mirror of `contract.generator`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cache, reduce
from operator import xor

from amaranth import Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..contract import gf2
from ..contract.generator import INJECTED_BIT, WORD_BITS, Generator, next_rows

REGISTER_BITS = 32


@cache
def diagonals(kind: Generator) -> dict[int, int]:
    """The next-state matrix of a generator by diagonals, read off the contract's next-state function.

    Parameters
    ----------
    kind : Generator
        The generator; its next state is linear over GF(2).

    Returns
    -------
    dict of int to int
        Mask per distance: bit i of the next register is the XOR of bits i +
        distance of this one over all distances whose mask has bit i.
    """
    masks: dict[int, int] = defaultdict(int)
    for source, image in enumerate(gf2.matrix(next_rows(kind), kind.words).tolist()):
        register = sum(word << REGISTER_BITS * place for place, word in enumerate(image))
        for target in range(REGISTER_BITS * kind.words):
            if register >> target & 1:
                masks[source - target] |= 1 << target
    return dict(masks)


def following(kind: Generator, register: Value) -> Value:
    """A generator's register after an update."""
    bits = len(register)
    moved = {
        distance: register[distance:] if distance >= 0 else (register << -distance)[:bits]
        for distance in diagonals(kind)
    }
    return reduce(xor, (moved[distance] & mask for distance, mask in diagonals(kind).items()))


class RandomGenerator(wiring.Component):
    """The generator register of one p-bit, its leap to the next random word, and its load.

    ``word`` follows the register combinationally. The register changes at the
    end of the clock in which ``step`` or a bit of ``load`` is set; a load wins.
    Throughput one word per clock.

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
        The register, word 0 lowest; bits beyond ``kind.bits`` are always 0.
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
            m.d.sync += self.register.eq(following(self._kind, self.register))
        for place in range(self._kind.words):
            with m.If(self.load[place]):
                m.d.sync += self.register[: self._kind.bits].word_select(place, REGISTER_BITS).eq(self.data)
        if self._kind is Generator.LFSR48:
            half = self._kind.bits // 2
            m.d.comb += self.word.eq((self.register[:half] + self.register[half : 2 * half])[half - WORD_BITS :])
        else:
            self._xoshiro_word(m, len(self.register) // 4)
        return m

    def _xoshiro_word(self, m: Module, bits: int) -> None:
        """The high bits of the ++ output: two sums with a rotation between them."""
        s0, s3 = self.register.word_select(0, bits), self.register.word_select(3, bits)
        inner, outer = Signal(bits), Signal(bits)
        m.d.comb += [
            inner.eq(s0 + s3),
            outer.eq(inner.rotate_left(7) + s0),
            self.word.eq(outer[-WORD_BITS:]),
        ]


class SharedGenerator(wiring.Component):
    """A ``LINEAR64`` register, whose four words are four p-bits' of a colour.

    The register changes at the end of the clock in which
    ``step`` or ``clear`` is set; clearing wins. Throughput four words per clock,
    one LUT and one flip-flop a bit: there is no load, see `contract.generator.seeds`.

    At power-up the register is 0 and stays so until it is seeded; a reset leaves it as it is.

    Members
    -------
    step : In(1)
        Move on by one update.
    clear : In(1)
        Set every bit to 0.
    inject : In(1)
        What is added to one bit of the next register.
    register : Out(64)
        The register, word 0 lowest.
    """

    def __init__(self) -> None:
        super().__init__({"step": In(1), "clear": In(1), "inject": In(1), "register": Out(Generator.LINEAR64.bits)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # flip-flops of ECP5 come up as they are cleared: a seed at power-up would take a second LUT a bit
        held = Signal(len(self.register), reset_less=True)
        m.d.comb += self.register.eq(held)
        with m.If(self.clear):
            m.d.sync += held.eq(0)
        with m.Elif(self.step):
            m.d.sync += held.eq(following(Generator.LINEAR64, held) ^ (self.inject << INJECTED_BIT))
        return m
