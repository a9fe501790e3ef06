"""The register map in RTL against the contract's table."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from pbit_hw.compiler import Ising, compile
from pbit_hw.contract.image import Image
from pbit_hw.contract.registers import REGISTERS, Control, Region, address, find, identity
from pbit_hw.gateware.registers import READ_LATENCY, AccessCheck, RegisterReader, longest_access, spans

CLOCK_HZ = 12_345_678


def complete_image(size: int, generator: str = "lfsr48") -> Image:
    """All p-bits coupled, so that there are far more slots than p-bits; none for ``size`` 1."""
    couplings = np.ones((size, size)) - np.eye(size)
    return compile(Ising(np.zeros(size), couplings), generator=generator).image


IMAGES = pytest.mark.parametrize(
    ("size", "generator"), [(1, "lfsr48"), (5, "xoshiro128"), (5, "linear64"), (33, "lfsr48")]
)


CHECK_LATENCY = 3


@IMAGES
def test_access_is_allowed_exactly_where_the_table_says(size, generator, simulate):
    """Runs of words that start near the edge of a register, and far off, after a run that was not like it."""
    image = complete_image(size, generator)
    edges = {address(row.region, row.offset) + last for row in REGISTERS for last in (0, row.words(image))}
    starts = {edge + delta for edge in edges for delta in (-2, -1, 0, 1)} | {1 << bit for bit in range(32)}
    accesses = {start + k: row.access for start in starts for k in (0, 1, 2) if (row := find(start + k, image))}
    dut = AccessCheck(image)

    async def bench(ctx: Any) -> None:
        for start, words, write in product(sorted(starts - {-2, -1}), (1, 2, 3, 1 << 15), (0, 1)):
            allowed = words <= 3 and all("rw"[write] in accesses.get(start + k, "") for k in range(words))
            for name, value in (("address", start), ("words", words), ("write", write)):
                ctx.set(getattr(dut, name), value)
            await ctx.tick().repeat(CHECK_LATENCY)
            assert ctx.get(dut.allowed) == allowed, (hex(start), words, write)

    simulate(dut, bench)


@pytest.mark.parametrize("fixed", [0, 0xFEEDBEEF])
@IMAGES
def test_every_readable_word_reads(size, generator, fixed, simulate):
    """`READ_LATENCY` clocks after its address stands."""
    image = complete_image(size, generator).interleaved(3 * complete_image(size, generator).colours)
    states, sweeps_left, beta = (1 << size) - 1 & 0x1_9ABC_DEF3, 0xFEDCBA98, 0x9A5
    expected = {address(Region.CONTROL, offset): word for offset, word in identity(image, CLOCK_HZ, fixed).items()}
    expected[address(Region.CONTROL, Control.SWEEPS)] = sweeps_left
    expected[address(Region.CONTROL, Control.BETA)] = beta
    expected |= {address(Region.STATE, k): states >> 32 * k & 0xFFFFFFFF for k in range((size + 31) // 32)}
    readable = {
        address(row.region, row.offset) + k for row in REGISTERS if "r" in row.access for k in range(row.words(image))
    }
    assert expected.keys() == readable
    assert expected[address(Region.CONTROL, Control.INTERLEAVE)] == image.interleave
    assert expected[address(Region.CONTROL, Control.FIXED)] == fixed
    dut = RegisterReader(identity(image, CLOCK_HZ, fixed), image.beta_format.bits)

    async def bench(ctx: Any) -> None:
        ctx.set(dut.sweeps_left, sweeps_left)
        ctx.set(dut.beta, beta)
        for place, word in [*expected.items(), *list(expected.items())[::-1]]:
            ctx.set(dut.address, place)
            ctx.set(dut.state, states >> 32 * (place & 0xFFFFFF) & 0xFFFFFFFF)
            await ctx.tick().repeat(READ_LATENCY)
            assert ctx.get(dut.data) == word, hex(place)

    simulate(dut, bench)


def test_spans_join_neighbouring_registers():
    image = complete_image(5)
    reads = [(Control.MAGIC, Control.STOP), (Control.BETA, Control.ROTATE), (Control.FIXED, Control.FIXED + 1)]
    writes = [(Control.SWEEPS, Control.INTERLEAVE), (Control.ROTATE, Control.FIXED)]
    assert spans(image, Region.CONTROL, "r") == reads
    assert spans(image, Region.CONTROL, "w") == writes
    assert spans(image, Region.STATE, "w") == spans(image, Region.STATE, "r") == [(0, 1)]
    assert spans(image, Region.WEIGHT, "w") == [(0, 20)]
    assert spans(image, Region.WEIGHT, "r") == []


def test_no_request_is_longer_than_the_longest_access():
    """A frame holds 63 words to write; states of 2,100 p-bits are 66, and samples those of every replica."""
    assert longest_access(complete_image(33)) == 63
    image = compile(Ising.from_edges(2100, [(0, 1)], [1.0])).image
    assert longest_access(image) == 66
    assert longest_access(image.interleaved(3 * image.colours)) == 66 * 3 * image.colours
