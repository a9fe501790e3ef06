"""The states of one p-bit in all replicas, and its clamp."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Ring(wiring.Component):
    """The states of a p-bit in its replicas, which go round together.

    Everything changes at the end of the clock whose ``shift`` is set, but for the
    clamp, and one state goes in per clock. Latency 1, throughput 1 per clock.
    There is no reset: it would have to reach every p-bit in one clock.

    Parameters
    ----------
    length : int
        Replicas.
    home : int
        Place of the state that is shown and can be replaced.
    clamped, state : int
        At power-up: the clamp, and the state in every replica.

    Members
    -------
    shift : In(1)
        Go round by one place.
    land : In(1)
        What comes in is ``decided``, unless the p-bit is clamped; else it is what goes out.
    decided : In(1)
        The new state.
    replace : In(1)
        The state that is shown becomes ``data`` as it moves on.
    load_clamp : In(1)
        The clamp becomes ``data``.
    data : In(1)
        What to load.
    states : Out(length)
        By place; ``decided`` comes in at 0.
    shown : Out(1)
        The state at ``home``.
    """

    def __init__(self, length: int, home: int, clamped: int, state: int) -> None:
        self._home = home
        self._clamped = Signal(init=clamped, reset_less=True)
        self._held = Signal(length, init=(1 << length) - 1 if state else 0, reset_less=True)
        super().__init__(
            {
                "shift": In(1),
                "land": In(1),
                "decided": In(1),
                "replace": In(1),
                "load_clamp": In(1),
                "data": In(1),
                "states": Out(length),
                "shown": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        with m.If(self.load_clamp):
            m.d.sync += self._clamped.eq(self.data)
        kept, following = Signal(), Signal(len(self.states))
        places = [
            state if place != self._home else Mux(self.replace, self.data, state)
            for place, state in enumerate(self.states)
        ]
        m.d.comb += [
            # a replacement never meets a landing, so the choice between them stays off the path from ``decided``
            kept.eq(self._clamped | ~self.land),
            following.eq(Cat(Mux(kept, places[-1], self.decided), places[:-1])),
            self.states.eq(self._held),
            self.shown.eq(self.states[self._home]),
        ]
        with m.If(self.shift):
            m.d.sync += self._held.eq(following)
        return m
