"""The conditional distribution of one p-bit in its three forms: a table, constants, or an adder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from amaranth import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..contract.generator import WORD_BITS
from ..contract.image import Image
from ..contract.update import entry, field
from .generator import REGISTER_BITS
from .ram import block_ram, read
from .update import Decision, Field, FieldShape, delayed

ENTRY_BITS = 16
"""See `contract.update.entry`."""


def below(entry: Value, word: Value) -> Value:
    """The state that an entry and a random word decide, by one carry chain: `contract.update.state_of`."""
    borrow = Cat(Const(0, 1), word) - Cat(entry[ENTRY_BITS - 2], entry[: ENTRY_BITS - 1])
    return borrow[WORD_BITS + 1] ^ entry[ENTRY_BITS - 1]


def entries(image: Image, pbit: int, beta: int) -> list[int]:
    """Entry of every set of neighbours of a p-bit, with the image's weights."""
    slots = slice(image.slot_first[pbit], image.slot_first[pbit + 1])
    weights, degree = image.weights[slots], int(image.degrees[pbit])
    sets = np.arange(1 << degree)[:, None] >> np.arange(degree) & 1
    totals = (field(image.biases[pbit], weights, range(degree), row, 0, degree, int(image.unit)) for row in sets)
    return [int(entry(int(total), beta, image.argument_shift)) for total in totals]


class Table(wiring.Component):
    """The conditional of a p-bit as a memory of one `contract.update.entry` per set of its neighbours.

    Small ones lie in LUTs where the part has such memories, others in block RAM. Latency ``latency - 1``, throughput 1
    per clock; ``word`` belongs to the last clock. Contents are undefined at reset.

    Parameters
    ----------
    degree, latency : int
        Neighbours, and clocks of an update, at least 2.

    Members
    -------
    neighbours : In(degree)
        States of the neighbours.
    word : In(16)
        Random word.
    decided : Out(1)
        The next state.
    write : In(1)
        Write ``entry`` to ``address`` at the end of the clock.
    address : In(degree)
        Set of neighbours.
    entry : In(16)
        See `contract.update.entry`.
    """

    def __init__(self, degree: int, latency: int) -> None:
        self._latency = latency
        super().__init__(
            {
                "neighbours": In(degree),
                "word": In(WORD_BITS),
                "decided": Out(1),
                "write": In(1),
                "address": In(degree),
                "entry": In(ENTRY_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.table = table = block_ram(ENTRY_BITS, 1 << len(self.neighbours))
        # the array waits while tables are made
        write, held = table.write_port(), read(m, table, self.neighbours)
        m.d.comb += [
            write.en.eq(self.write),
            write.addr.eq(self.address),
            write.data.eq(self.entry),
            self.decided.eq(below(delayed(m, held, self._latency - 2), self.word)),
        ]
        return m


class Baked(wiring.Component):
    """The conditional of a p-bit as constants.

    Latency ``latency - 1``, throughput 1 per clock; ``word`` belongs to the last clock.

    Parameters
    ----------
    entries : sequence of int
        A `contract.update.entry` for every set of neighbours.
    latency : int
        Clocks of an update, at least 2.

    Members
    -------
    neighbours, word, decided
        See `Table`.
    """

    def __init__(self, entries: Sequence[int], latency: int) -> None:
        self._entries = entries
        self._latency = latency
        degree = (len(entries) - 1).bit_length()
        super().__init__({"neighbours": In(degree), "word": In(WORD_BITS), "decided": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        held = Signal(ENTRY_BITS, reset_less=True)
        for place in range(ENTRY_BITS):
            column = sum((each >> place & 1) << row for row, each in enumerate(self._entries))
            m.d.sync += held[place].eq(Const(column, len(self._entries)).bit_select(self.neighbours, 1))
        m.d.comb += self.decided.eq(below(delayed(m, held, self._latency - 2), self.word))
        return m


class Adder(wiring.Component):
    """The conditional of a p-bit computed from its weights, bias and beta.

    Latency ``latency - 1``: with 2, 3 or 4 clocks of an update the field, the argument and the threshold are
    registered, in this order; more delay the threshold. Throughput 1 per clock; ``word`` belongs to the last clock.

    Parameters
    ----------
    image : Image
        The array.
    pbit : int
        Which of its p-bits.
    multiplier : bool
        See `activation.Argument`.

    Members
    -------
    neighbours, word, decided
        See `Table`.
    beta : In(beta bits)
        Code of the inverse temperature.
    data, load_bias, load_weights
        See `update.Field`.
    """

    def __init__(self, image: Image, pbit: int, *, multiplier: bool) -> None:
        weights = image.weights[image.slot_first[pbit] : image.slot_first[pbit + 1]].tolist()
        self._latency = image.latency
        self._field = Field(FieldShape.of(image), int(image.biases[pbit]), weights)
        bits = len(self._field.total)
        self._decision = Decision(
            bits,
            image.beta_format.bits,
            image.argument_shift,
            multiplier=multiplier,
            registers=max(image.latency - 2, 0),
        )
        super().__init__(
            {
                "neighbours": In(len(weights)),
                "word": In(WORD_BITS),
                "decided": Out(1),
                "beta": In(image.beta_format.bits),
                "data": In(REGISTER_BITS),
                "load_bias": In(1),
                "load_weights": In(len(weights)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.field, m.submodules.decision = field, decision = self._field, self._decision
        m.d.comb += [
            field.neighbours.eq(self.neighbours),
            field.data.eq(self.data),
            field.load_bias.eq(self.load_bias),
            field.load_weights.eq(self.load_weights),
            decision.total.eq(delayed(m, field.total, min(self._latency - 1, 1))),
            decision.beta.eq(self.beta),
            decision.word.eq(self.word),
            self.decided.eq(decision.state),
        ]
        return m
