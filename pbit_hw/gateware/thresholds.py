"""The few thresholds that all lanes of a lattice engine compare with."""

from __future__ import annotations

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..contract.lattice import DIRECTIONS, LatticeShape
from .activation import THRESHOLD_BITS
from .loader import WORD_BITS
from .threshold import STAGES, Threshold

MAKING = STAGES + len(DIRECTIONS) + 1
"""Clocks in which thresholds are made: those of 0 to 4 times the magnitude, one per clock."""


class Thresholds(wiring.Component):
    """Thresholds of fields that are 1 to 4 times a magnitude.

    They are made in the `MAKING` clocks after one in which something is ``fresh``, by one `Threshold`, and stand
    afterwards. At reset the magnitude is 0, and thresholds are about to be made.

    Parameters
    ----------
    shape : LatticeShape
        The engine.
    blocks : bool
        See `threshold.Threshold`.

    Members
    -------
    load : In(1)
        Take ``magnitude``.
    magnitude : In(32)
        Of couplings.
    beta : In(beta bits)
        Code of the inverse temperature, which is another one from the clock after a ``fresh`` one on.
    fresh : In(1)
        Magnitude or beta are loaded in this clock.
    making : Out(1)
        Thresholds do not stand yet.
    thresholds : Out(4 * 16)
        That of the magnitude itself lowest.
    """

    def __init__(self, shape: LatticeShape, *, blocks: bool) -> None:
        self._shape = shape
        self._blocks = blocks
        super().__init__(
            {
                "load": In(1),
                "magnitude": In(WORD_BITS),
                "beta": In(shape.beta_bits),
                "fresh": In(1),
                "making": Out(1),
                "thresholds": Out(len(DIRECTIONS) * THRESHOLD_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shape = self._shape
        m.submodules.threshold = threshold = Threshold(
            shape.bias_bits, shape.beta_bits, shape.argument_shift, blocks=self._blocks
        )
        waiting = Signal(range(MAKING + 1), init=MAKING)
        step, total = Signal(shape.bias_bits - 3), Signal(shape.bias_bits)
        held = Signal(len(self.thresholds), reset_less=True)
        m.d.comb += [
            threshold.total.eq(total),
            threshold.beta.eq(self.beta),
            self.thresholds.eq(held),
            self.making.eq(self.fresh | waiting.any()),
        ]
        with m.If(self.load):
            m.d.sync += step.eq(self.magnitude)
        with m.If(self.fresh):
            m.d.sync += [waiting.eq(MAKING), total.eq(0)]
        with m.Elif(waiting.any()):
            # the last ones to be shifted in stay, which are those of the first fields
            m.d.sync += [
                waiting.eq(waiting - 1),
                total.eq(total + step),
                held.eq(Cat(held[THRESHOLD_BITS:], threshold.threshold)),
            ]
        return m
