"""The top of a bitstream: its pins and its divided clock."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from amaranth.hdl import Fragment, Module, Signal
from amaranth.lib import io, wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from pbit_hw.boards import BOARDS
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
    simulator = Simulator(Fragment.get(Top(BOARDS["icebreaker"], device, halvings), pins))
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


@pytest.mark.parametrize("entry", BOARDS.values(), ids=BOARDS)
@pytest.mark.parametrize("halvings", [0, 2])
def test_elaborates_for_real_platforms(entry, halvings):
    plan = entry.platform().prepare(Top(entry, Counter(), halvings), "top", emit_src=False)
    netlist = plan.files["top.il"]
    assert ("wire width 1 \\pbit_clk\n" in netlist) is (halvings > 0)
    for resource, signal in entry.held_high:
        assert f"{resource}_0__{signal}__io" in netlist
