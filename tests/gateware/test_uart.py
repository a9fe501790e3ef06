"""The UART against serial lines made and read bit by bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from pbit_hw.contract.errors import FitError
from pbit_hw.gateware.uart import UARTReceiver, UARTTransmitter, divisor

CLOCK_S = 1e-6
BYTES = [0x00, 0xFF, 0x55, 0xAA, 0xB5, 0x01, 0x80, *np.random.default_rng(0).integers(0, 256, 20).tolist()]


def line_bits(byte: int) -> list[int]:
    return [0, *(byte >> bit & 1 for bit in range(8)), 1]


def receive(bits: list[int], clocks_per_bit: int, bit_clocks: float | None = None, ready: bool = True) -> list[int]:
    """Bytes that a receiver makes of a line whose bits last ``bit_clocks``."""
    dut, got = UARTReceiver(clocks_per_bit), []
    bit_clocks = bit_clocks or clocks_per_bit

    async def line(ctx: Any) -> None:
        await ctx.delay(7.3 * CLOCK_S)
        for bit in bits:
            ctx.set(dut.rx, bit)
            await ctx.delay(bit_clocks * CLOCK_S)
        ctx.set(dut.rx, 1)
        await ctx.delay(12 * bit_clocks * CLOCK_S)
        ctx.set(dut.bytes.ready, 1)
        await ctx.tick()

    async def take(ctx: Any) -> None:
        ctx.set(dut.bytes.ready, ready)
        async for _, _, given, byte in ctx.tick().sample(dut.bytes.valid & dut.bytes.ready, dut.bytes.payload):
            if given:
                got.append(byte)

    simulator = Simulator(dut)
    simulator.add_clock(CLOCK_S)
    simulator.add_process(take)
    simulator.add_testbench(line)
    simulator.run()
    return got


@pytest.mark.parametrize("clocks_per_bit", [4, 5, 12, 217])
def test_bytes_are_received_back_to_back(clocks_per_bit):
    assert receive([bit for byte in BYTES for bit in line_bits(byte)], clocks_per_bit) == BYTES


@pytest.mark.parametrize("error", [-0.04, -0.02, 0.02, 0.04])
def test_receiver_stands_a_wrong_rate(error):
    """Between two ends that are each at the limit of `divisor`."""
    bits = [bit for byte in BYTES for bit in line_bits(byte)]
    assert receive(bits, 16, 16 * (1 + error)) == BYTES


def test_a_rate_that_is_far_off_is_noticed():
    """Negative control: what the tests above can fail at."""
    assert receive([bit for byte in BYTES for bit in line_bits(byte)], 16, 18) != BYTES


def test_framing_error_drops_the_byte():
    """A byte with a low stop bit is lost, a break is no byte, and the next byte is right."""
    broken = [0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 1, 1]
    line_break = [0] * 25 + [1, 1]
    bits = [*line_bits(0x11), *broken, *line_bits(0x22), *line_break, *line_bits(0x33)]
    assert receive(bits, 8) == [0x11, 0x22, 0x33]


def test_a_glitch_is_no_start_bit():
    """The line is low for less than half a bit."""
    assert receive([0, *[1] * 12, *(bit for bit in line_bits(0x5A) for _ in range(4))], 16, 4) == [0x5A]


def test_a_byte_that_is_not_taken_stays_and_the_next_is_lost():
    bits = [bit for byte in (0x41, 0x42, 0x43) for bit in line_bits(byte)]
    assert receive(bits, 8, ready=False) == [0x41]


@pytest.mark.parametrize("clocks_per_bit", [4, 12, 217])
def test_transmitter_makes_the_line(clocks_per_bit):
    """Clock by clock; bytes that are ready follow one another after one clock more than the stop bit."""
    dut, line = UARTTransmitter(clocks_per_bit), []

    async def give(ctx: Any) -> None:
        ctx.set(dut.bytes.valid, 1)
        for byte in BYTES[:6]:
            ctx.set(dut.bytes.payload, byte)
            await ctx.tick().until(dut.bytes.ready)
        ctx.set(dut.bytes.valid, 0)
        await ctx.tick().repeat(10 * clocks_per_bit)

    async def watch(ctx: Any) -> None:
        async for _, _, level in ctx.tick().sample(dut.tx):
            line.append(level)

    simulator = Simulator(dut)
    simulator.add_clock(CLOCK_S)
    simulator.add_testbench(give)
    simulator.add_process(watch)
    simulator.run()
    expected = [[bit for bit in line_bits(byte) for _ in range(clocks_per_bit)] for byte in BYTES[:6]]
    assert line == [level for byte in expected for level in [1, *byte]]


@pytest.mark.parametrize(
    ("clock_hz", "baud", "clocks"),
    [(12_000_000, 1_000_000, 12), (25_000_000, 115_200, 217), (12_000_000, 3_000_000, 4)],
)
def test_divisor(clock_hz, baud, clocks):
    assert divisor(clock_hz, baud) == clocks


@pytest.mark.parametrize(
    ("clock_hz", "baud"), [(12_000_000, 921_600 * 2), (12_000_000, 6_000_000), (25_000_000, 3_000_000)]
)
def test_a_rate_that_the_clock_cannot_make_is_refused(clock_hz, baud):
    with pytest.raises(FitError, match=rf"{clock_hz} Hz cannot make {baud} baud within 2%; the nearest .* \d+ baud"):
        divisor(clock_hz, baud)
