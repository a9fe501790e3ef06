"""The cocotb side of `test_cocotb`: drives an array clock by clock and compares every register with the simulator's."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import Timer

from pbit_hw.cli.lockstep import compare, unpack_trace
from pbit_hw.contract import container
from pbit_hw.contract.image import Image
from pbit_hw.sim.cycle import Trace

JOB = "PBIT_LOCKSTEP_JOB"
"""Environment variable: the file that `save_job` wrote."""

OUTPUTS = ("states", "registers", "phase", "sweeps_left")


def save_job(path: Path, image: Image, writes: list[Any], expected: Trace) -> None:
    """Write what the cocotb test needs: the image, the bus writes, and the simulator's registers after each clock."""
    meta, arrays = image.parts()
    trace = {name: column.astype(np.int64) for name, column in expected._asdict().items()}
    script = np.array(writes, np.int64).reshape(-1, 3)
    path.write_bytes(container.dump(meta, {**arrays, "writes": script, **{f"trace_{k}": v for k, v in trace.items()}}))


@cocotb.test()
async def lockstep(dut: Any) -> None:
    """Every register equals the simulator's after every clock."""
    meta, arrays = container.parse(Path(os.environ[JOB]).read_bytes())
    image = Image.from_parts(meta, arrays)
    expected = Trace(*(arrays[f"trace_{name}"] for name in Trace._fields))
    script = {cycle: (address, word) for cycle, address, word in arrays["writes"].tolist()}
    outputs = [getattr(dut, name) for name in OUTPUTS]
    dut.rst.value = 0
    rows: list[Any] = []
    for cycle in range(len(expected.phase)):
        dut.write.value = cycle in script
        dut.address.value, dut.data.value = script.get(cycle, (0, 0))
        dut.clk.value = 0
        await Timer(1, "ns")
        dut.clk.value = 1
        await Timer(1, "ns")
        rows.append(tuple(int(output.value) for output in outputs))
    compare(image, expected, unpack_trace(image, rows))
