"""The cocotb side of `test_cocotb`: plays a script to an array and compares every register with the simulator's."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import Timer

from pbit_hw.cli.lockstep import AFTER, BEFORE, Inputs, Outputs, Rows, Run, Script, Write, compare, play, unpack_trace
from pbit_hw.contract import container
from pbit_hw.contract.image import Image
from pbit_hw.sim.cycle import Trace

JOB = "PBIT_LOCKSTEP_JOB"
"""Environment variable: the file that `save_job` wrote."""


def save_job(path: Path, image: Image, script: Script, expected: Trace) -> None:
    """Write what the cocotb test needs: the image, the script, and the simulator's registers after each clock."""
    meta, arrays = image.parts()
    columns = expected._replace(registers=expected.registers.astype(np.int64))  # no file holds unsigned words
    trace = {f"trace_{name}": column for name, column in columns._asdict().items()}
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
    inputs, standing = next(player), None
    driven, before_of, after_of = ([getattr(dut, name) for name in names] for names in (Inputs._fields, BEFORE, AFTER))
    half = Timer(1, "ns")
    dut.rst.value = 0
    while True:
        if inputs != standing:
            for handle, value in zip(driven, inputs, strict=True):
                handle.value = value
            standing = inputs
        dut.clk.value = 0
        await half
        before = [int(handle.value) for handle in before_of]
        dut.clk.value = 1
        await half
        # what stands after a clock has thousands of bits, so it is read only where it may have moved
        moved = any(before[BEFORE.index("clocked") :])
        after = [int(handle.value) if moved else 0 for handle in after_of]
        try:
            inputs = player.send(Outputs(*before, *after))
        except StopIteration:
            break
    compare(image, expected, unpack_trace(image, rows))
