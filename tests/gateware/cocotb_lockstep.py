"""The cocotb side of `test_cocotb`: plays a script to an array and compares every register with the simulator's."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import Timer

from pbit_hw.cli.lockstep import AFTER, BEFORE, Outputs, Rows, Run, Script, Write, compare, play, unpack_trace
from pbit_hw.contract import container
from pbit_hw.contract.image import Image
from pbit_hw.sim.cycle import Trace

JOB = "PBIT_LOCKSTEP_JOB"
"""Environment variable: the file that `save_job` wrote."""


def save_job(path: Path, image: Image, script: Script, expected: Trace) -> None:
    """Write what the cocotb test needs: the image, the script, and the simulator's registers after each clock."""
    meta, arrays = image.parts()
    trace = {f"trace_{name}": column.astype(np.int64) for name, column in expected._asdict().items()}
    path.write_bytes(container.dump({**meta, "script": [list(_row(step)) for step in script]}, {**arrays, **trace}))


def _row(step: Write | Run) -> tuple[Any, ...]:
    return tuple(step) if isinstance(step, Write) else (step.sweeps, step.stop, step.noise)


def _step(row: list[Any]) -> Write | Run:
    if len(row) == len(Write._fields):
        return Write(*row)
    sweeps, stop, noise = row
    return Run(sweeps, stop, tuple(Write(*word) for word in noise))


@cocotb.test()
async def lockstep(dut: Any) -> None:
    """Every register equals the simulator's after every clock."""
    meta, arrays = container.parse(Path(os.environ[JOB]).read_bytes())
    image = Image.from_parts(meta, arrays)
    expected = Trace(*(arrays[f"trace_{name}"] for name in Trace._fields))
    rows = Rows()
    player = play(map(_step, meta["script"]), rows)
    inputs = next(player)
    dut.rst.value = 0
    while True:
        for name, value in inputs._asdict().items():
            getattr(dut, name).value = value
        dut.clk.value = 0
        await Timer(1, "ns")
        before = [int(getattr(dut, name).value) for name in BEFORE]
        dut.clk.value = 1
        await Timer(1, "ns")
        try:
            inputs = player.send(Outputs(*before, *(int(getattr(dut, name).value) for name in AFTER)))
        except StopIteration:
            break
    compare(image, expected, unpack_trace(image, rows))
