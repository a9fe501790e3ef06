"""Argument and table in RTL against the contract's functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pytest

from pbit_hw.contract.activation import ARGUMENT_LIMIT, NODES, SEGMENT_BITS, TABLE, argument
from pbit_hw.gateware import activation
from pbit_hw.gateware.activation import Activation, Argument


def thresholds(simulate: Callable[..., None], arguments: Iterable[int]) -> list[int]:
    """Thresholds of some arguments, from the RTL."""
    dut = Activation()
    found: list[int] = []

    async def bench(ctx):
        for place in arguments:
            ctx.set(dut.argument, int(place))
            found.append(ctx.get(dut.threshold))

    simulate(dut, bench, clocked=False)
    return found


def test_every_threshold(simulate):
    np.testing.assert_array_equal(thresholds(simulate, range(ARGUMENT_LIMIT + 1)), TABLE)


@pytest.mark.parametrize("node", [0, 17, 90, 120])
def test_one_bit_of_a_node_shows(node, simulate, monkeypatch):
    """The negative control: the lowest bit of a node in the RTL changes its threshold."""
    nodes = NODES.copy()
    nodes[node] ^= 1
    monkeypatch.setattr(activation, "NODES", nodes)
    assert thresholds(simulate, [node << SEGMENT_BITS]) != TABLE[node << SEGMENT_BITS]


def test_the_threshold_beyond_the_table_is_zero():
    """What `Argument` leaves to the comparison."""
    assert TABLE[ARGUMENT_LIMIT] == 0


def read(ctx, dut):
    """The saturated argument."""
    return ARGUMENT_LIMIT if ctx.get(dut.beyond) else ctx.get(dut.argument)


@pytest.mark.parametrize("multiplier", [True, False])
@pytest.mark.parametrize("shift", [-3, 0, 1, 5])
@pytest.mark.parametrize("widths", [(1, 1), (3, 6), (6, 3), (7, 5)])
def test_every_argument_of_narrow_formats(widths, shift, multiplier, simulate):
    dut = Argument(widths[0], widths[1], shift, multiplier=multiplier)

    async def bench(ctx):
        for beta in range(1 << widths[1]):
            ctx.set(dut.beta, beta)
            for magnitude in range(1 << widths[0]):
                ctx.set(dut.magnitude, magnitude)
                assert read(ctx, dut) == argument(magnitude, beta, shift), (magnitude, beta)

    simulate(dut, bench, clocked=False)


@pytest.mark.parametrize("multiplier", [True, False])
@pytest.mark.parametrize(("magnitude_bits", "beta_bits", "shift"), [(12, 12, 6), (30, 24, 20), (16, 1, 25), (2, 24, 9)])
def test_arguments_of_wide_formats(magnitude_bits, beta_bits, shift, multiplier, simulate):
    """Factors of every order of magnitude, the largest included; products about the point of saturation."""
    rng = np.random.default_rng(1)
    dut = Argument(magnitude_bits, beta_bits, shift, multiplier=multiplier)
    largest = ((1 << magnitude_bits) - 1, (1 << beta_bits) - 1)
    factors = [(limit >> rng.integers(0, limit.bit_length(), 150)) for limit in largest]
    factors = [values & rng.integers(0, limit + 1, 150) for values, limit in zip(factors, largest, strict=True)]

    async def bench(ctx):
        for magnitude, beta in [largest, *zip(*(values.tolist() for values in factors), strict=True)]:
            ctx.set(dut.magnitude, magnitude)
            ctx.set(dut.beta, beta)
            assert read(ctx, dut) == argument(magnitude, beta, shift), (magnitude, beta)

    simulate(dut, bench, clocked=False)
