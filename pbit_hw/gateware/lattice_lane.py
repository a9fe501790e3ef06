"""One lane of a lattice engine: from a p-bit's neighbours to its next state."""

from __future__ import annotations

from collections.abc import Callable

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..contract.generator import WORD_BITS
from ..contract.lattice import COUPLING_BITS, DIRECTIONS
from .activation import THRESHOLD_BITS
from .update import delayed

COMPARISON = 5
"""Clocks from a p-bit's neighbours to its comparison with a random word; what is decided stands in the clock after."""


class LatticeLane(wiring.Component):
    """Adds up the neighbours of a p-bit, chooses its threshold and decides.

    ``word`` is taken `COMPARISON` clocks after ``states`` and ``couplings``; throughput one p-bit per clock, no state
    to reset.

    Members
    -------
    states, couplings : In
        Of the neighbours in `contract.lattice.DIRECTIONS`.
    thresholds : In(4 * 16)
        Of fields of 1 to 4 magnitudes.
    word : In(16)
        Random word.
    decided : Out(1)
        The next state.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "states": In(len(DIRECTIONS)),
                "couplings": In(len(DIRECTIONS) * COUPLING_BITS),
                "thresholds": In(len(DIRECTIONS) * THRESHOLD_BITS),
                "word": In(WORD_BITS),
                "decided": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        pulls = [
            self._pull(m, state, self.couplings.word_select(place, COUPLING_BITS))
            for place, state in enumerate(self.states)
        ]
        pairs = [
            delayed(m, looked_up(Cat(pulls[first : first + 2]), _of_pair, _PAIR_BITS), 1)
            for first in range(0, len(pulls), 2)
        ]
        even, large, negative, zero = delayed(m, looked_up(Cat(pairs), _of_field, _FIELD_BITS), 1)
        threshold = self._threshold(m, even, large)
        negative, zero = delayed(m, negative, 2), delayed(m, zero, 2)
        # without a field the threshold is one half, below which are the words whose highest bit is 0
        decided = Mux(zero, self.word[-1], (self.word < threshold) == negative)
        m.d.comb += self.decided.eq(delayed(m, decided, 1))
        return m

    def _threshold(self, m: Module, even: Value, large: Value) -> Value:
        """One of four in two clocks, with two LUTs a bit: where it is a large one, the first passes on which."""
        ones, twos, threes, fours = (self.thresholds.word_select(n, THRESHOLD_BITS) for n in range(len(DIRECTIONS)))
        small = delayed(m, Mux(large, even.replicate(THRESHOLD_BITS), Mux(even, twos, ones)), 1)
        large = delayed(m, large, 1)
        return delayed(m, Mux(large, (small & fours) | (~small & threes), small), 1)

    def _pull(self, m: Module, state: Value, coupling: Value) -> Value:
        """Whether a neighbour pulls up, and whether it pulls at all."""
        there, against = coupling
        return delayed(m, Cat(there & (state ^ against), there), 1)


_PAIR_BITS = 3
_FIELD_BITS = 4


def _of_pair(pulls: int) -> int:
    """Two neighbours' pulls added up, from -2 to 2, in two's complement."""
    total = sum((2 * (pull & 1) - 1) * (pull >> 1) for pull in (pulls & 3, pulls >> 2))
    return total & ((1 << _PAIR_BITS) - 1)


def _of_field(pairs: int) -> int:
    """Two pairs added up, as what chooses the threshold: even, above two in size, negative, zero."""
    total = sum((pair ^ 4) - 4 for pair in (pairs & 7, pairs >> _PAIR_BITS))
    return (total % 2 == 0) | (abs(total) > 2) << 1 | (total < 0) << 2 | (total == 0) << 3


def looked_up(place: Value, function: Callable[[int], int], bits: int) -> Value:
    """A function of a few bits, as a table for LUTs: sums would become chains of carries."""
    table = sum(function(each) << bits * each for each in range(1 << len(place)))
    return Const(table, bits << len(place)).word_select(place, bits)
