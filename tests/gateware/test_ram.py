"""Block RAM, and what the tests make of a word that is read while it is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pbit_hw.gateware import lane, ram

pytestmark = pytest.mark.usefixtures("undefined_reads")


class Words(wiring.Component):
    """Four words of 8 bits, read by a function."""

    def __init__(self, read: Callable[..., Any]) -> None:
        super().__init__({"address": In(2), "place": In(2), "data": In(8), "write": In(1), "word": Out(8)})
        self._read = read

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.words = words = ram.block_ram(8, 4, [10, 11, 12])
        m.d.comb += self.word.eq(self._read(m, words, self.address))
        port = words.write_port()
        m.d.comb += [port.addr.eq(self.place), port.data.eq(self.data), port.en.eq(self.write)]
        return m


@pytest.mark.parametrize(("module", "collided"), [(ram, 12), (lane, 12 ^ 0xFF)], ids=["ram", "as tests have it"])
def test_words_are_read(simulate: Callable[..., None], module: Any, collided: int) -> None:
    dut = Words(module.read)

    async def bench(ctx: Any) -> None:
        seen = []
        for address, write in ((1, 0), (3, 0), (2, 1), (2, 0)):
            ctx.set(dut.address, address)
            ctx.set(dut.place, 2)
            ctx.set(dut.data, 99)
            ctx.set(dut.write, write)
            await ctx.tick()
            seen.append(ctx.get(dut.word))
        assert seen == [11, 0, collided, 99]

    simulate(dut, bench)
