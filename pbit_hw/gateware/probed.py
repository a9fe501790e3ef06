"""An array that shows what stands in it."""

from __future__ import annotations

from amaranth import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..contract.forms import Form
from ..contract.image import Image
from .array import Array
from .loader import WORD_BITS


class ProbedArray(wiring.Component):
    """An `Array` that shows its registers too, for simulators that see ports only.

    Parameters
    ----------
    image, form, counting, multipliers
        See `Array`.

    Members
    -------
    write, address, data, ready, running, home, state, sweeps_left, beta, steps_left, counter
        See `Array`.
    shown : Out(n)
        States of the replica at hand.
    clocked, active : Out(1)
        This is a clock of the counters, and of the p-bits, which follow them.
    phase : Out(bits of the period)
        See `sequencer.Sequencer`.
    states : Out(n * interleave)
        Rings, p-bit by p-bit.
    registers : Out(32 * streams * generator words)
        Generator registers, one after another, word 0 lowest.
    """

    def __init__(
        self, image: Image, form: Form = Form.ADDER, *, counting: bool = False, multipliers: int | None = None
    ) -> None:
        self.image = image
        self.array = Array(image, form, counting=counting, multipliers=multipliers)
        own = {
            "shown": Out(image.size),
            "clocked": Out(1),
            "active": Out(1),
            "phase": Out(self.array.sequencer.phase.shape()),
            "states": Out(image.size * image.interleave),
            "registers": Out(WORD_BITS * image.streams * image.generator.words),
        }
        super().__init__({**self.array.signature.members, **own})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.array = array = self.array
        for name, member in array.signature.members.items():
            inner, outer = getattr(array, name), getattr(self, name)
            m.d.comb += inner.eq(outer) if member.flow == In else outer.eq(inner)
        m.d.comb += [
            self.shown.eq(array.shown),
            self.clocked.eq(array.sequencer.active),
            self.active.eq(array.active[-1]),
            self.phase.eq(array.sequencer.phase),
            self.states.eq(Cat(ring.states for ring in array.rings)),
            self.registers.eq(Cat(generator.register for generator in array.generators)),
        ]
        return m
