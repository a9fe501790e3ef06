"""The tiled engine: lanes that p-bits of any graph take turns at; `tiling` says what its memories hold for a graph.

An engine has K lanes. P-bit i of a colour belongs to lane i % K and to *round* i // K of that colour (see
`Image.lanes`); rounds follow one another through all colours, and the states of a round are one *row* of K bits.
A lane adds up the field of its p-bit one *entry* per clock, an entry being a neighbour's place and what it adds when
it is 1, so that a round takes as many clocks as the largest degree in it; fields are computed modulo 2^bits, which
is exact for every image that fits. An engine may hold several replicas of a graph: a lane then adds up the fields of
its p-bit in all of them from the same entries. Lanes share units for their decisions, `Shape.group` of them one, which
decides for them in turn in one replica after another; so a round takes `Shape.turns` clocks at least. Before a colour
begins, the one before it is written: `Shape.drain` clocks.

Nothing of a graph is in the hardware. So one `Shape` runs every image of its lanes, generator and widths. A
product of field and beta that is to be shifted by less than the engine does is made larger first: by weights and
biases in more significant bits as far as there are some, and then by a larger code of beta.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .engine import WORD_BITS, Engine, Kind
from .errors import FitError
from .generator import Generator

PIPELINE = 19
"""Clocks that the last entry of a colour takes to be written, beyond those in which the lanes of a group take turns."""

SPAN = 2
"""Groups that are told of everything in the same clock; others hear of it later, one span after another, so that no
register has to reach all over a large chip. A generator whose lanes are not all of one span moves when those of the
later one have taken their words, too: they are the first of their group."""

ROUND_ENDS, COLOUR_ENDS, SWEEP_ENDS = 1, 2, 3
"""What the schedule says of a slot; 0 is none of them."""


@dataclass(frozen=True)
class Shape(Engine):
    """What an engine is built for.

    Parameters
    ----------
    lanes : int
        Lanes K.
    rows : int
        Rounds of a sweep, all colours together; p-bits are at most ``lanes * rows``.
    slots : int
        Entries of each lane.
    addend_bits : int
        Signed width of what a neighbour adds: weights of spins count twice.
    bias_bits : int
        Signed width of folded biases and fields, see `Image.bias_bits`.
    beta_bits : int
        Width of the code of beta.
    argument_shift : int
        Fraction bits between |field| * beta and the activation's argument.
    generator : Generator
        Kind of random-number generator.
    group : int
        Lanes that share a decision unit.
    interleave : int
        Replicas in the engine.

    Raises
    ------
    FitError
        If there is no such engine.
    """

    kind: ClassVar[Kind] = Kind.TILED

    lanes: int
    rows: int
    slots: int
    addend_bits: int
    bias_bits: int
    beta_bits: int
    argument_shift: int
    generator: Generator
    group: int = 4
    interleave: int = 1

    def __post_init__(self) -> None:
        self.check(
            {
                "lanes": (self.generator.share + 1, 2 * WORD_BITS),
                "rows": (1, 1 << 16),
                "slots": (self.turns, 1 << 16),
                "addend_bits": (1, self.bias_bits),
                "bias_bits": (2, WORD_BITS - 1),
                "beta_bits": (1, WORD_BITS),
                "argument_shift": (0, self.bias_bits + self.beta_bits),
                # with fewer turns a replica's row would be read while the one before is written
                "group": (2 if self.interleave == 1 else 3, self.lanes),
                "interleave": (1, 16),
            }
        )
        if self.entry_bits > WORD_BITS:
            raise FitError(f"entries of a tiled engine have {self.entry_bits} bits, a word {WORD_BITS}; use fewer rows")

    @property
    def lane_bits(self) -> int:
        """Bits that name a lane."""
        return (self.lanes - 1).bit_length()

    @property
    def row_bits(self) -> int:
        """Bits that name a row."""
        return max((self.rows - 1).bit_length(), 1)

    @property
    def slot_bits(self) -> int:
        """Bits that name a slot."""
        return max((self.slots - 1).bit_length(), 1)

    @property
    def turn_bits(self) -> int:
        """Bits that name a lane of a group."""
        return (self.group - 1).bit_length()

    @property
    def entry_bits(self) -> int:
        """Bits of an entry: the lane lowest, then the row, then what is added."""
        return self.lane_bits + self.row_bits + self.addend_bits

    @property
    def groups(self) -> int:
        """Decision units."""
        return -(-self.lanes // self.group)

    @property
    def turns(self) -> int:
        """Decisions of a unit in a round."""
        return self.group * self.interleave

    @property
    def spans(self) -> int:
        """Sets of groups that follow one another by a clock, see `SPAN`."""
        return -(-self.groups // SPAN)

    @property
    def row_words(self) -> int:
        """Words that a row of states takes on the bus: a power of two."""
        return 1 if self.lanes <= WORD_BITS else 2

    @property
    def size(self) -> int:
        """Most p-bits."""
        return self.lanes * self.rows

    @property
    def drain(self) -> int:
        """Clocks of a colour beyond those of its rounds."""
        return PIPELINE + self.turns + self.spans - 1

    @property
    def memories(self) -> dict[str, int]:
        """Words of states, biases and weights."""
        return {
            "packed": self.rows * self.row_words,
            "n": self.groups << (self.row_bits + self.turn_bits),
            "slots": (self.lanes + 1) << self.slot_bits,
        }

    @property
    def sizes(self) -> tuple[int, int, int]:
        """P-bits, weights and colours that a device says it has; any colours will do, which is 0."""
        return self.size, self.lanes * self.slots, 0
