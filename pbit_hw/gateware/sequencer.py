"""Whose turn it is: the counters of `contract.array`."""

from __future__ import annotations

from amaranth import Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..contract.image import Image

COUNT_BITS = 32


class Sequencer(wiring.Component):
    """Phase and sweeps left, and which colours update.

    The counters change at the end of a clock as `contract.array.advance`, ``start`` and ``stop`` say. Nothing counts
    while ``wait`` is set. At reset the array is idle.

    Parameters
    ----------
    image : Image
        The array.

    Members
    -------
    start : In(1)
        Begin ``sweeps`` sweeps, unless the array runs.
    sweeps : In(32)
        How many.
    stop : In(1)
        Finish the sweep under way, and no other.
    wait : In(1)
        Let nothing happen in this clock.
    phase : Out(bits of the period)
        Clock of the sweep.
    sweeps_left : Out(32)
        Sweeps to do, the one under way and the way home included; 0 when idle.
    running : Out(1)
        Some are left.
    active : Out(1)
        Whether this is a clock of the array.
    turns : Out(colours)
        Which colours update in this clock.
    """

    def __init__(self, image: Image) -> None:
        self._image = image
        super().__init__(
            {
                "start": In(1),
                "sweeps": In(COUNT_BITS),
                "stop": In(1),
                "wait": In(1),
                "phase": Out(max(1, (image.period - 1).bit_length())),
                "sweeps_left": Out(COUNT_BITS),
                "running": Out(1),
                "active": Out(1),
                "turns": Out(image.colours),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        home = int(self._image.interleave > 1)
        last = self.phase == self._image.period - 1
        running, under_way = self.running, Signal()
        one, two = Signal(), Signal()  # whether so many sweeps are left: flags are faster than the carries of the count
        done = self.active & last
        phase, left = Signal.like(self.phase), Signal.like(self.sweeps_left)
        some, single, double = Signal(), Signal(), Signal()
        m.d.comb += [
            self.active.eq(running & ~self.wait),
            phase.eq(Mux(self.active, Mux(last, 0, self.phase + 1), self.phase)),
            left.eq(self.sweeps_left - done),
            some.eq(running & ~(done & one)),
            single.eq(Mux(done, two, one)),
            double.eq(Mux(done, self.sweeps_left == 3, two)),
        ]
        m.d.sync += [self.phase.eq(phase), self.sweeps_left.eq(left)]
        m.d.sync += [running.eq(some), one.eq(single), two.eq(double)]
        issuing = running & ~one if home else running
        with m.If(done):
            m.d.sync += under_way.eq(issuing & home)
        # at most the sweep under way and the way home
        with m.If(self.stop & some & ~single):
            self._set(m, (running, one, two), home + phase.any())
        with m.Elif(self.stop & some & ~(phase.any() | home)):
            self._set(m, (running, one, two), Const(0))
        with m.If(self.start & ~running):
            m.d.sync += [
                self.sweeps_left.eq(Mux(self.sweeps.any(), self.sweeps + home, 0)),
                running.eq(self.sweeps.any()),
                one.eq((self.sweeps == 1) & (not home)),
                two.eq(self.sweeps == 2 - home),
            ]
        for colour in range(self._image.colours):
            m.d.comb += self.turns[colour].eq(self.active & self._turn(colour, issuing, under_way))
        return m

    def _set(self, m: Module, flags: tuple[Signal, Signal, Signal], left: Value) -> None:
        """Set the sweeps that are left, at most 2, and the flags of the count."""
        m.d.sync += [
            self.sweeps_left.eq(left),
            *(flag.eq(test) for flag, test in zip(flags, (left != 0, left == 1, left == 2), strict=True)),
        ]

    def _turn(self, colour: int, issuing: Value, under_way: Value) -> Value:
        """Whether a colour updates while the array runs: see `contract.array.turn`."""
        if self._image.interleave == 1:
            return self.phase == colour
        return Mux(self.phase >= (colour + 1) * self._image.latency - 1, issuing, under_way)
