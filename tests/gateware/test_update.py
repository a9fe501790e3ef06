"""Field and decision in RTL against the contract's functions."""

from __future__ import annotations

import numpy as np
import pytest

from pbit_hw.contract.activation import TABLE, argument
from pbit_hw.contract.update import Unit, decide, field
from pbit_hw.gateware.update import CHAIN_SLOTS, Decision, Field, FieldShape


@pytest.mark.parametrize("unit", list(Unit))
@pytest.mark.parametrize("slots", [0, 1, CHAIN_SLOTS, CHAIN_SLOTS + 1, 16])
def test_field_is_exact_whatever_the_registers_hold(slots, unit, simulate):
    """Most positive and most negative codes everywhere, then random ones, loaded over the bus."""
    rng = np.random.default_rng(slots)
    shape = FieldShape(unit, bias_bits=9, weight_bits=5)
    dut = Field(shape, -200, [3] * slots)
    extremes = [((-256, -16), -1), ((255, 15), 1)]
    drawn = [((int(rng.integers(-256, 256)), rng.integers(-16, 16, slots)), 0) for _ in range(20)]

    async def load(ctx, bias, weights):
        for strobe, index, word in [(dut.load_bias, 0, bias), *((dut.load_weights, *w) for w in enumerate(weights))]:
            ctx.set(dut.data, int(word) & 0xFFFFFFFF)
            ctx.set(strobe, 1 << index)
            await ctx.tick()
            ctx.set(strobe, 0)

    async def bench(ctx):
        ctx.set(dut.neighbours, (1 << slots) - 1)
        assert ctx.get(dut.total) == -200 + 3 * slots * (1 << unit)
        for (bias, weights), _ in extremes + drawn:
            weights = np.broadcast_to(weights, slots)
            await load(ctx, bias, weights)
            for chosen in [np.ones(slots, int), np.zeros(slots, int), rng.integers(0, 2, slots)]:
                ctx.set(dut.neighbours, sum(int(bit) << slot for slot, bit in enumerate(chosen)))
                expected = field(bias, weights, range(slots), chosen, 0, slots, int(unit))
                assert ctx.get(dut.total) == expected

    simulate(dut, bench)


@pytest.mark.parametrize("unit", list(Unit))
def test_field_is_no_wider_than_its_values(unit):
    shape = FieldShape(unit, bias_bits=6, weight_bits=3)
    assert shape.partial(2, bias=True) == range(-32 - (8 << unit), 31 + (6 << unit) + 1)
    assert shape.partial(3, bias=False) == range(-(12 << unit), (9 << unit) + 1)
    assert shape.bits(2) == 7
    assert [FieldShape(unit, 4, 2).bits(slots) for slots in (0, 1, 5)] == [4, 5, 6]


@pytest.mark.parametrize("registers", range(4))
@pytest.mark.parametrize("multiplier", [True, False])
def test_decision_at_and_beside_every_threshold(multiplier, registers, simulate):
    """The words just below and just at the threshold, and the extreme ones, for fields of both signs and zero.

    One per clock: the field comes as many clocks before its word as there are registers.
    """
    dut = Decision(9, 6, 1, multiplier=multiplier, registers=registers)
    cases = []
    for total in (*range(-256, 256, 5), -1, 0, 1, 255):
        threshold = int(TABLE[argument(abs(total), 12, 1)])
        cases += [(total, word) for word in sorted({0, max(threshold - 1, 0), threshold, 0xFFFF})]

    async def bench(ctx):
        ctx.set(dut.beta, 12)
        for clock in range(len(cases) + registers):
            ctx.set(dut.total, cases[min(clock, len(cases) - 1)][0])
            if clock >= registers:
                total, word = cases[clock - registers]
                ctx.set(dut.word, word)
                assert ctx.get(dut.state) == decide(total, word, 12, 1), (total, word)
            if registers:
                await ctx.tick()

    simulate(dut, bench, clocked=registers > 0)
