"""The top of a bitstream: its pins and its divided clock."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from amaranth.hdl import ClockDomain, Fragment, Module, Signal
from amaranth.lib import io, wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from pbit_hw.boards import BOARDS, oscillator
from pbit_hw.boards.clock import Clock, choose
from pbit_hw.boards.top import Top


class Counter(wiring.Component):
    """Counts its clocks, and repeats what it receives."""

    def __init__(self):
        super().__init__({"rx": In(1), "tx": Out(1)})
        self.count = Signal(8)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.count.eq(self.count + 1)
        m.d.comb += self.tx.eq(self.rx)
        return m


class Pins:
    """A platform of which only the UART is asked for."""

    def __init__(self):
        self.uart = SimpleNamespace(rx=io.SimulationPort("i", 1), tx=io.SimulationPort("o", 1))

    def request(self, name, number, *, dir):
        assert (name, number, dir) == ("uart", 0, "-")
        return self.uart


@pytest.mark.parametrize("halvings", [0, 1, 2, 3])
def test_device_runs_at_the_divided_clock(halvings):
    device, pins = Counter(), Pins()
    top = Top(BOARDS["icebreaker"], device, Clock(12_000_000, halvings))
    simulator = Simulator(Fragment.get(top, pins))
    simulator.add_clock(1e-6)

    async def count(ctx):
        await ctx.tick().repeat(50)  # the reset of the divided domain
        before = ctx.get(device.count)
        await ctx.tick().repeat(16 * 2**halvings)
        assert ctx.get(device.count) - before == 16
        ctx.set(pins.uart.rx.i, 1)
        await ctx.tick()
        assert ctx.get(pins.uart.tx.o) == 1

    simulator.add_testbench(count)
    simulator.run()


def test_reset_is_held_until_the_pll_has_locked_and_settled():
    m, locked = Module(), Signal()
    m.domains += (domain := ClockDomain(oscillator.DOMAIN))
    oscillator._hold_reset(m, domain, locked, 20)
    simulator = Simulator(m)
    simulator.add_clock(1e-6, domain=oscillator.DOMAIN)

    async def lock(ctx):
        async def held(count):
            states = []
            for _ in range(count):
                await ctx.tick(oscillator.DOMAIN)
                states.append(ctx.get(domain.rst))
            return states

        assert all(await held(40))
        ctx.set(locked, 1)
        assert all(await held(20))
        assert not any((await held(10))[5:])
        ctx.set(locked, 0)
        assert all((await held(10))[5:])

    simulator.add_testbench(lock)
    simulator.run()


@pytest.mark.parametrize("entry", BOARDS.values(), ids=BOARDS)
@pytest.mark.parametrize("wanted_hz", [None, 3e6, 9.1e6, 40e6])
def test_elaborates_for_real_platforms(entry, wanted_hz):
    hz = entry.target.clock_hz
    chosen = Clock(hz) if wanted_hz is None else choose(wanted_hz, hz, entry.pll)
    plan = entry.platform().prepare(Top(entry, Counter(), chosen), "top", emit_src=False)
    netlist = plan.files["top.il"]
    assert ("wire width 1 \\pbit_clk\n" in netlist) is not chosen.plain
    assert (f"cell \\{entry.pll_cell} " in netlist) is (chosen.pll is not None)
    for resource, signal in entry.held_high:
        assert f"{resource}_0__{signal}__io" in netlist
