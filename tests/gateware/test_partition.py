"""A device of a partition is an ordinary array for the gateware too, with its ghosts and a colour that it lacks."""

from __future__ import annotations

import numpy as np

from pbit_hw.cli.lockstep import compare, expected_trace, random_writes, rtl_trace
from pbit_hw.compiler import Ising, compile
from pbit_hw.compiler.partition import Partition
from pbit_hw.gateware.array import ProbedArray

CYCLES = 300


def test_a_device_that_lacks_a_colour_and_holds_a_ghost():
    edges = [(0, 1), (1, 2), (0, 2), (2, 3), (3, 4), (4, 5)]
    program = compile(Ising.from_edges(6, edges, [0.5, -0.5, 0.5, 0.5, -0.5, 0.5]))
    device = np.array([0, 0, 0, 1, 1, 1], np.int32)[program.order]
    image = Partition(program, device).programs[1].image
    assert 0 in np.diff(image.colour_first)
    assert image.clamped.sum() == 1
    writes = random_writes(image, CYCLES, np.random.default_rng(0))
    compare(image, expected_trace(image, writes, CYCLES), rtl_trace(ProbedArray(image), writes, CYCLES))
