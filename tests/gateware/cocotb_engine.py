"""The cocotb side of `test_g11`: loads and runs a tiled engine, and notes states and registers after each colour."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import Timer

JOB, NOTES = "PBIT_ENGINE_JOB", "PBIT_ENGINE_NOTES"
"""Environment variables: the file to read, a list of `Load`, and the file to write, of what `Engine.watch` saw."""

INNER = ("store", "copy_0", "register")
"""What is looked at inside an engine: the states, the lanes' copies of them, and the generators' registers."""


class Load(NamedTuple):
    """Addresses and words for the bus, one after another, and how many sweeps follow.

    Parameters
    ----------
    words : list of (int, int)
    sweeps : (int, int)
        The address and word that start them.
    """

    words: list[tuple[int, int]]
    sweeps: tuple[int, int]


class Engine:
    """The bus, clock and memories of a tiled engine of one replica.

    Parameters
    ----------
    dut : cocotb handle
        It.
    """

    def __init__(self, dut: Any) -> None:
        self._dut = dut
        self._half = Timer(1, "ns")
        copies = [part.copy_0 for part in _inside(dut, "lane_")]
        self._registers = [part.register for part in _inside(dut, "generator_")]
        self._rows, *self._copies = ([memory[row] for row in range(len(memory))] for memory in (dut.store, *copies))
        self._mask = (1 << len(copies)) - 1

    async def tick(self) -> None:
        """Let a clock end, in the middle of which the caller is, and go to the middle of the next one."""
        self._dut.clk.value = 1
        await self._half
        self._dut.clk.value = 0
        await self._half

    async def put(self, address: int, word: int) -> None:
        """Hold a word until it is taken, and wait until it is carried out."""
        dut = self._dut
        dut.address.value, dut.data.value, dut.write.value = address, word, 1
        await self._until_ready()
        await self.tick()
        dut.write.value = 0
        await self.tick()
        await self._until_ready()

    async def _until_ready(self) -> None:
        while not int(self._dut.ready.value):
            await self.tick()

    async def watch(self) -> dict[str, Any]:
        """Let a run pass: rows of states and registers after each colour, and clocks in all."""
        dut, states, registers, clocks = self._dut, [], [], 0
        while int(dut.running.value):
            landed = int(dut.landed.value)
            await self.tick()
            clocks += 1
            if landed:
                states.append(self._states())
                registers.append([int(register.value) for register in self._registers])
        return {"states": states, "registers": registers, "clocks": clocks}

    def _states(self) -> list[int]:
        rows = [int(row.value) & self._mask for row in self._rows]
        for number, copy in enumerate(self._copies):
            assert [int(row.value) for row in copy] == rows, f"copy {number} of the states differs from the others"
        return rows


def _inside(part: Any, name: str) -> list[Any]:
    """Submodules of a name and a number, in the order of the numbers, however deep."""
    parts = [each for each in part if isinstance(each, HierarchyObject)]
    own = sorted((each for each in parts if each._name.startswith(name)), key=lambda each: int(each._name[len(name) :]))
    return own + [found for each in parts if each not in own for found in _inside(each, name)]


@cocotb.test()
async def play(dut: Any) -> None:
    """Carry out what the job says."""
    for signal in (dut.rst, dut.clk, dut.write):
        signal.value = 0
    await Timer(1, "ns")
    engine, notes = Engine(dut), []
    for words, sweeps in json.loads(Path(os.environ[JOB]).read_text()):
        for place, word in words:
            await engine.put(place, word)
        await engine.put(*sweeps)
        notes.append(await engine.watch())
    Path(os.environ[NOTES]).write_text(json.dumps(notes))
