"""Conditionals of p-bits in RTL, in every form, against the contract's decision."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from amaranth import Cat, Const, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pbit_hw.contract.forms import Form
from pbit_hw.contract.image import Image
from pbit_hw.contract.update import decide, entry, field, state_of
from pbit_hw.gateware.conditional import ENTRY_BITS, Adder, Baked, Table, below, entries

CASES = [
    *((Form.ADDER, latency) for latency in range(1, 6)),
    *((form, latency) for form in (Form.TABLE, Form.BAKED) for latency in range(2, 5)),
]


class Comparisons(wiring.Component):
    """An entry compared with the 256 words of one high byte."""

    def __init__(self) -> None:
        super().__init__({"entry": In(ENTRY_BITS), "high": In(8), "states": Out(256)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.states.eq(Cat(below(self.entry, Cat(Const(low, 8), self.high)) for low in range(256)))
        return m


@pytest.mark.parametrize("held", [0, 1, 0x3FFF, 0x4000, 0x5A5A, 0x7FFF, 0x8000, 0xBFFF, 0xC000, 0xFFFF])
def test_an_entry_and_every_word_decide_as_the_contract_says(held, simulate):
    expected = np.array([state_of(held, word) for word in range(1 << 16)]).reshape(256, 256)
    dut = Comparisons()

    async def bench(ctx):
        ctx.set(dut.entry, held)
        for high, row in enumerate(expected):
            ctx.set(dut.high, high)
            assert ctx.get(dut.states) == int.from_bytes(np.packbits(row, bitorder="little").tobytes(), "little")

    simulate(dut, bench, clocked=False)


def drawn(random_image: Any, seed: int, latency: int) -> tuple[Image, int]:
    """An array, and its p-bit of the largest degree."""
    image = random_image(np.random.default_rng(seed), 6, 8, max_degree=5, latencies=[1])
    image = replace(image, interleave=max(latency, 1) * image.colours)
    return image, int(np.argmax(image.degrees))


def made(form: Form, image: Image, pbit: int) -> Any:
    if form is Form.ADDER:
        return Adder(image, pbit, multiplier=False)
    if form is Form.TABLE:
        return Table(int(image.degrees[pbit]), image.latency)
    return Baked(entries(image, pbit, image.reset_beta), image.latency)


def total_of(image: Image, pbit: int, neighbours: int) -> int:
    slots = slice(image.slot_first[pbit], image.slot_first[pbit + 1])
    degree = int(image.degrees[pbit])
    states = neighbours >> np.arange(degree) & 1
    return int(field(image.biases[pbit], image.weights[slots], range(degree), states, 0, degree, int(image.unit)))


@pytest.mark.parametrize("seed", range(4))
def test_entries_are_the_contracts_of_every_set_of_neighbours(seed, random_image):
    image, pbit = drawn(random_image, seed, 2)
    totals = [total_of(image, pbit, chosen) for chosen in range(1 << int(image.degrees[pbit]))]
    assert entries(image, pbit, 3) == [entry(total, 3, image.argument_shift) for total in totals]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("form", "latency"), CASES)
def test_every_form_decides_equally_one_per_clock_after_its_latency(form, latency, seed, random_image, simulate):
    """``latency - 1`` clocks from the neighbours to the state; the word is the last clock's, and near a threshold."""
    image, pbit = drawn(random_image, seed, latency)
    rng = np.random.default_rng(seed)
    dut = made(form, image, pbit)
    beta, shift = image.reset_beta, image.argument_shift
    held = entries(image, pbit, beta)
    chosen = rng.integers(0, len(held), 300)

    async def bench(ctx):
        if form is Form.TABLE:
            ctx.set(dut.write, 1)
            for address, each in enumerate(held):
                ctx.set(dut.address, address)
                ctx.set(dut.entry, each)
                await ctx.tick()
            ctx.set(dut.write, 0)
        if form is Form.ADDER:
            ctx.set(dut.beta, beta)
        for clock in range(len(chosen)):
            ctx.set(dut.neighbours, int(chosen[clock]))
            if clock >= latency - 1:
                seen = int(chosen[clock - latency + 1])
                threshold = (held[seen] & 0x7FFF) + (held[seen] >> 14 & 1)
                word = max(threshold - int(rng.integers(2)), 0) if rng.random() < 0.5 else int(rng.integers(1 << 16))
                ctx.set(dut.word, word)
                assert ctx.get(dut.decided) == decide(total_of(image, pbit, seen), word, beta, shift)
            await ctx.tick()

    simulate(dut, bench)
