"""The register map in RTL against the contract's table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from pbit_hw.compiler import Ising, compile
from pbit_hw.contract.image import Image
from pbit_hw.contract.registers import REGISTERS, Control, Region, address, find, identity
from pbit_hw.gateware.registers import AccessCheck, RegisterReader, longest_access, spans

CLOCK_HZ = 12_345_678


def complete_image(size: int, generator: str = "lfsr48") -> Image:
    """All p-bits coupled, so that there are far more slots than p-bits; none for ``size`` 1."""
    couplings = np.ones((size, size)) - np.eye(size)
    return compile(Ising(np.zeros(size), couplings), generator=generator).image


IMAGES = pytest.mark.parametrize(("size", "generator"), [(1, "lfsr48"), (5, "xoshiro128"), (33, "lfsr48")])


def combinational(dut: Any, bench: Any) -> None:
    simulator = Simulator(dut)
    simulator.add_testbench(bench)
    simulator.run()


@IMAGES
def test_access_is_allowed_exactly_where_the_table_says(size, generator):
    """Runs of words that start near the edge of a register, and far off."""
    image = complete_image(size, generator)
    edges = {address(row.region, row.offset) + last for row in REGISTERS for last in (0, row.words(image))}
    starts = {edge + delta for edge in edges for delta in (-2, -1, 0, 1)} | {1 << bit for bit in range(32)}
    dut = AccessCheck(image)

    async def bench(ctx: Any) -> None:
        for start in sorted(starts - {-2, -1}):
            ctx.set(dut.address, start)
            for words in (1, 2, 3, 1 << 15):
                rows = [find(start + k, image) for k in range(min(words, image.slots + 99))]
                ctx.set(dut.words, words)
                for write in (0, 1):
                    ctx.set(dut.write, write)
                    allowed = all(row is not None and "rw"[write] in row.access for row in rows)
                    assert ctx.get(dut.allowed) == allowed, (hex(start), words, write)

    combinational(dut, bench)


@IMAGES
def test_every_readable_word_reads(size, generator):
    image = complete_image(size, generator)
    states, sweeps_left, beta = (1 << size) - 1 & 0x1_9ABC_DEF3, 0xFEDCBA98, 0x9A5
    expected = {address(Region.CONTROL, offset): word for offset, word in identity(image, CLOCK_HZ).items()}
    expected[address(Region.CONTROL, Control.SWEEPS)] = sweeps_left
    expected[address(Region.CONTROL, Control.BETA)] = beta
    expected |= {address(Region.STATE, k): states >> 32 * k & 0xFFFFFFFF for k in range((size + 31) // 32)}
    readable = {
        address(row.region, row.offset) + k for row in REGISTERS if "r" in row.access for k in range(row.words(image))
    }
    assert expected.keys() == readable
    dut = RegisterReader(image, CLOCK_HZ)

    async def bench(ctx: Any) -> None:
        ctx.set(dut.states, states)
        ctx.set(dut.sweeps_left, sweeps_left)
        ctx.set(dut.beta, beta)
        for place, word in expected.items():
            ctx.set(dut.address, place)
            assert ctx.get(dut.data) == word, hex(place)

    combinational(dut, bench)


def test_spans_join_neighbouring_registers():
    image = complete_image(5)
    assert spans(image, Region.CONTROL, "r") == [(Control.MAGIC, Control.STOP), (Control.BETA, Control.BETA + 1)]
    assert spans(image, Region.CONTROL, "w") == [(Control.SWEEPS, Control.BETA + 1)]
    assert spans(image, Region.WEIGHT, "w") == [(0, 20)]
    assert spans(image, Region.WEIGHT, "r") == []


def test_no_request_is_longer_than_the_longest_access():
    """Of the complete graph of 33 p-bits a frame holds 63 words; states of 2,100 p-bits are 66."""
    assert longest_access(complete_image(33)) == 63
    assert longest_access(compile(Ising.from_edges(2100, [(0, 1)], [1.0])).image) == 66
