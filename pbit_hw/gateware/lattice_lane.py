"""One lane of a lattice engine: from a p-bit's neighbours to its next state."""

from __future__ import annotations

from collections.abc import Callable

from amaranth import Cat, Const, Module, Mux, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..contract.activation import NODES
from ..contract.generator import WORD_BITS
from ..contract.lattice import COUPLING_BITS, DIRECTIONS
from .activation import THRESHOLD_BITS
from .update import delayed

COMPARISON = 3
"""Clocks from a p-bit's neighbours to its comparison with a random word; what is decided stands in the clock after."""


class LatticeLane(wiring.Component):
    """Adds up the neighbours of a p-bit, chooses its threshold and decides.

    ``word`` is taken `COMPARISON` clocks after ``states`` and ``couplings``; throughput one p-bit per clock, no state
    to reset.

    Members
    -------
    states, couplings : In
        Of the neighbours in `contract.lattice.DIRECTIONS`.
    complements : In(4 * 16)
        Of the thresholds of fields of 1 to 4 magnitudes: a chain of carries would need a LUT to invert every bit.
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
                "complements": In(len(DIRECTIONS) * THRESHOLD_BITS),
                "word": In(WORD_BITS),
                "decided": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        pulls = []
        for place, state in enumerate(self.states):
            there, against = self.couplings.word_select(place, COUPLING_BITS)
            pulls.append(Cat(there & (state ^ against), there))
        pairs = [
            delayed(m, looked_up(Cat(pulls[first : first + 2]), _of_pair, _PAIR_BITS), 1)
            for first in range(0, len(pulls), 2)
        ]
        even, large, positive, zero = looked_up(Cat(pairs), _of_field, _FIELD_BITS)
        complement = self._chosen(m, even, large, zero)
        # the borrow of the comparison turns the sign, in one chain of carries
        difference = Cat(self.word, delayed(m, positive, 2)) - ~complement
        m.d.comb += self.decided.eq(delayed(m, difference[WORD_BITS], 1))
        return m

    def _chosen(self, m: Module, even: Value, large: Value, zero: Value) -> Value:
        """One of four in two clocks, with two LUTs a bit: where it is a large one, the first passes on which."""
        ones, twos, threes, fours = (self.complements.word_select(n, THRESHOLD_BITS) for n in range(len(DIRECTIONS)))
        small = delayed(m, Mux(large, even.replicate(THRESHOLD_BITS), Mux(even, twos, ones)), 1)
        chosen = Mux(delayed(m, large, 1), (small & fours) | (~small & threes), small)
        return delayed(m, Mux(delayed(m, zero, 1), ~HALF, chosen)[:THRESHOLD_BITS], 1)


HALF = Const(int(NODES[0]), THRESHOLD_BITS)
"""Threshold where there is no field."""

_PAIR_BITS = 3
_FIELD_BITS = 4


def _of_pair(pulls: int) -> int:
    """Two neighbours that pull up or not, if they do at all, added up: whether that is negative, there, and odd."""
    total = sum((2 * (pull & 1) - 1) * (pull >> 1) for pull in (pulls & 3, pulls >> 2))
    return (total < 0) | (total != 0) << 1 | (total % 2) << 2


def _of_field(pairs: int) -> int:
    """Two pairs added up, as what chooses the threshold: even, above two in size, not negative, zero."""
    total = sum(_total(pair) for pair in (pairs & 7, pairs >> _PAIR_BITS))
    return (total % 2 == 0) | (abs(total) > 2) << 1 | (total >= 0) << 2 | (total == 0) << 3


def _total(pair: int) -> int:
    """What `_of_pair` says; of what it never does, what costs fewest LUTs."""
    negative, there, odd = pair & 1, pair >> 1 & 1, pair >> 2
    return (2 - odd) * (negative | there) * (1 - 2 * negative)


def looked_up(place: Value, function: Callable[[int], int], bits: int) -> Value:
    """A function of a few bits, as a table for LUTs: sums would become chains of carries."""
    table = sum(function(each) << bits * each for each in range(1 << len(place)))
    return Const(table, bits << len(place)).word_select(place, bits)
