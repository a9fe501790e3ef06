"""A device of a partition is an ordinary array for the gateware too, with its ghosts and a colour that it lacks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pbit_hw.cli.lockstep import run_program
from pbit_hw.compiler import Ising, compile
from pbit_hw.compiler.partition import Partition
from pbit_hw.contract.forms import Form

CLOCKS = 300


@pytest.mark.parametrize(("form", "latency"), [(Form.ADDER, 0), (Form.ADDER, 1), (Form.TABLE, 2), (Form.BAKED, 2)])
def test_a_device_that_lacks_a_colour_and_holds_a_ghost(form, latency):
    edges = [(0, 1), (1, 2), (0, 2), (2, 3), (3, 4), (4, 5)]
    program = compile(Ising.from_edges(6, edges, [0.5, -0.5, 0.5, 0.5, -0.5, 0.5]))
    device = np.array([0, 0, 0, 1, 1, 1], np.int32)[program.order]
    image = Partition(program, device).programs[1].image
    assert 0 in np.diff(image.colour_first)
    assert image.clamped.sum() == 1
    image = replace(image, interleave=max(latency * image.colours, 1))
    assert run_program(image, CLOCKS, 0, form=form)["state_changes"] > 50
