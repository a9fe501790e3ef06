"""The decision unit of a tiled engine: the lanes of a group in turn, in one replica after another."""

from __future__ import annotations

from functools import reduce
from operator import or_

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..contract.generator import WORD_BITS
from ..contract.tiled import Shape
from .ram import block_ram, read
from .threshold import STAGES, Threshold
from .update import delayed

LATENCY = STAGES + 1
"""Clocks from a lane's turn to its comparison."""


class Decider(wiring.Component):
    """Biases and decisions of the lanes of a group.

    In the clock after ``capture`` the first lane's turn in the first replica begins, one turn per clock; its comparison
    is `LATENCY` clocks later. In the clock before that ``turns`` must have its bit and ``words`` must stand. The bias
    is asked for two clocks before the turn. ``decided`` of all lanes stands in the clock of a replica's last
    comparison, ``present`` in the clock before. Throughput one turn per clock.
    Biases are 0 at reset, and no lane has a p-bit.

    Parameters
    ----------
    shape : Shape
        The engine.
    count : int
        Lanes of the group that there are, the first ones.
    blocks : bool
        See `threshold.Threshold`.

    Members
    -------
    totals : In(turns * bias bits)
        Sums of the lanes in the order of their turns, the first one lowest.
    capture : In(1)
        They stand in this clock.
    row, place : In
        Whose bias to read.
    beta : In(beta bits)
        Code of the inverse temperature.
    turns : In(turns)
        Whose word is drawn.
    words : In(16 * count)
        Random words of the lanes.
    decided : Out(count)
        New states.
    present : Out(count)
        Whether the lane has a p-bit.
    load : In(1)
        Write ``bias`` to ``load_place``.
    load_place : In
        The lane lowest, then the row.
    bias : In(bias bits + 1)
        Lowest whether there is a p-bit, then its bias.
    """

    def __init__(self, shape: Shape, count: int, *, blocks: bool) -> None:
        self._shape = shape
        self._count = count
        self._blocks = blocks
        places = shape.row_bits + shape.turn_bits
        super().__init__(
            {
                "totals": In(shape.turns * shape.bias_bits),
                "capture": In(1),
                "row": In(shape.row_bits),
                "place": In(shape.turn_bits),
                "beta": In(shape.beta_bits),
                "turns": In(shape.turns),
                "words": In(WORD_BITS * count),
                "decided": Out(count),
                "present": Out(count),
                "load": In(1),
                "load_place": In(places),
                "bias": In(shape.bias_bits + 1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shape = self._shape
        m.submodules.threshold = threshold = Threshold(
            shape.bias_bits, shape.beta_bits, shape.argument_shift, blocks=self._blocks
        )
        waiting = Signal.like(self.totals, reset_less=True)
        m.d.sync += waiting.eq(Mux(self.capture, self.totals, waiting >> shape.bias_bits))
        bias = self._bias(m)
        m.d.comb += [
            threshold.total.eq(delayed(m, (waiting[: shape.bias_bits] + bias[1:])[: shape.bias_bits], 1)),
            threshold.beta.eq(self.beta),
        ]
        lanes = [self.turns[lane :: shape.group].any() for lane in range(self._count)]
        words = [self.words.word_select(lane, WORD_BITS) for lane in range(self._count)]
        word = reduce(or_, (Mux(lane, each, 0) for lane, each in zip(lanes, words, strict=True)))
        decided = (delayed(m, word, 1) < threshold.threshold) == threshold.negative
        m.d.comb += [
            self.decided.eq(self._gathered(m, decided)),
            self.present.eq(self._gathered(m, delayed(m, bias[0], LATENCY - 1))),
        ]
        return m

    def _bias(self, m: Module) -> Signal:
        """The word of a lane's bias, two clocks after it is asked for."""
        shape = self._shape
        places = shape.row_bits + shape.turn_bits
        m.submodules.biases = biases = block_ram(shape.bias_bits + 1, 1 << places)
        write = biases.write_port()
        m.d.comb += [
            write.en.eq(self.load),
            write.addr.eq(self.load_place),
            write.data.eq(self.bias),
        ]
        return delayed(m, read(m, biases, Cat(self.place, self.row)), 1)

    def _gathered(self, m: Module, bit: Signal) -> Signal:
        """A bit of every lane of the group, as that of the last one comes."""
        before = Signal(self._shape.group - 1)
        gathered = Cat(before, bit)
        m.d.sync += before.eq(gathered[1:])
        return gathered
