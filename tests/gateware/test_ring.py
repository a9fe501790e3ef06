"""Rings of states in RTL against a list that is turned."""

from __future__ import annotations

import numpy as np
import pytest

from pbit_hw.gateware.ring import Ring


@pytest.mark.parametrize("state", [0, 1])
@pytest.mark.parametrize(("length", "home"), [(1, 0), (2, 1), (6, 0), (6, 4)])
def test_reset_is_one_state_everywhere(length, home, state, simulate):
    dut = Ring(length, home, 1, state)

    async def bench(ctx):
        assert ctx.get(dut.states) == ((1 << length) - 1) * state
        assert ctx.get(dut.shown) == state

    simulate(dut, bench)


@pytest.mark.parametrize("clamped", [0, 1])
@pytest.mark.parametrize(("length", "home"), [(1, 0), (2, 0), (2, 1), (5, 0), (5, 3), (5, 4)])
def test_follows_a_list_in_every_clock(length, home, clamped, simulate):
    """Any combination of inputs but a landing of what is replaced; one clock of latency, one state a clock."""
    rng = np.random.default_rng(10 * length + home)
    dut = Ring(length, home, clamped, 0)

    async def bench(ctx):
        states, held = [0] * length, clamped
        for _ in range(400):
            shift, land, decided, replace, load, data = rng.integers(0, 2, 6).tolist()
            replace &= ~land
            named = zip(
                ("shift", "land", "decided", "replace", "load_clamp", "data"),
                (shift, land, decided, replace, load, data),
                strict=True,
            )
            for name, value in named:
                ctx.set(getattr(dut, name), value)
            assert ctx.get(dut.shown) == states[home]
            if shift:
                moved = [*states]
                if replace:
                    moved[home] = data
                last = moved.pop()
                states = [decided if land and not held else last, *moved]
            held = data if load else held
            await ctx.tick()
            assert ctx.get(dut.states) == sum(state << place for place, state in enumerate(states))

    simulate(dut, bench)


def test_what_is_replaced_is_back_after_a_turn(simulate):
    """How a word of states is written: one turn, the first clock of which replaces."""
    dut = Ring(4, 2, 0, 0)

    async def bench(ctx):
        ctx.set(dut.shift, 1)
        ctx.set(dut.replace, 1)
        ctx.set(dut.data, 1)
        await ctx.tick()
        ctx.set(dut.replace, 0)
        await ctx.tick().repeat(3)
        assert ctx.get(dut.states) == 0b100
        assert ctx.get(dut.shown) == 1

    simulate(dut, bench)


def test_a_clamp_acts_from_the_clock_after_its_write(simulate):
    dut = Ring(1, 0, 0, 0)

    async def bench(ctx):
        for name in ("shift", "land", "decided", "load_clamp", "data"):
            ctx.set(getattr(dut, name), 1)
        await ctx.tick()
        assert ctx.get(dut.shown) == 1
        ctx.set(dut.decided, 0)
        ctx.set(dut.data, 0)
        await ctx.tick()
        assert ctx.get(dut.shown) == 1
        await ctx.tick()
        assert ctx.get(dut.shown) == 0

    simulate(dut, bench)
