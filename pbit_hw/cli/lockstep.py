"""Lockstep: an array's RTL and the simulator under the same script, compared in every register in every clock."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from amaranth.sim import Simulator as RtlSimulator

from ..contract.errors import PbitError
from ..contract.forms import Form
from ..contract.image import Image
from ..contract.registers import REGISTERS, Control, Region, Register, address
from ..gateware.probed import ProbedArray
from ..sim.cycle import CycleArray, Trace

PROGRESS_CLOCKS = 100


class LockstepError(PbitError):
    """The RTL and the simulator differ."""


class Write(NamedTuple):
    """A word for the bus, while the array is idle.

    Parameters
    ----------
    address, data : int
        See `pbit_hw.contract.registers`.
    """

    address: int
    data: int


@dataclass(frozen=True)
class Run:
    """A run of the array.

    Parameters
    ----------
    sweeps : int
        How many are asked for.
    stop : int
        The clock, counted from 1, that sees a stop; 0 if none does. At least 3.
    noise : tuple of Write
        Words that are written while it runs, one after the other, and must change nothing.
    """

    sweeps: int
    stop: int = 0
    noise: tuple[Write, ...] = ()


Script = list[Write | Run]

START, STOP, ROTATE = (address(Region.CONTROL, offset) for offset in (Control.SWEEPS, Control.STOP, Control.ROTATE))
WORD_BITS = 32


def expected_trace(image: Image, script: Iterable[Write | Run]) -> Trace:
    """Registers after each clock of the array, by the simulator.

    Parameters
    ----------
    image : Image
        The array.
    script : iterable of Write or Run
        What it is told.
    """
    array = CycleArray(image)
    parts = [array.trace(0)]
    for step in script:
        if isinstance(step, Write):
            array.write(step.address, step.data)
            continue
        array.write(START, step.sweeps)
        clocks = 0
        while array.sweeps_left:
            parts.append(array.trace(1))
            clocks += 1
            if clocks == step.stop:
                array.write(STOP, 0)
                parts[-1].sweeps_left[-1] = array.sweeps_left
        array.trace(1)  # in which it does not run: it takes words again
    return Trace(*(np.concatenate(rows) for rows in zip(*parts, strict=True)))


class Inputs(NamedTuple):
    """What stands at an array's inputs in a clock."""

    write: bool = False
    address: int = 0
    data: int = 0


class Outputs(NamedTuple):
    """What a `ProbedArray` shows in a clock, before its end, and after it from ``states`` on."""

    ready: int
    running: int
    clocked: int
    active: int
    states: int
    registers: int
    phase: int
    sweeps_left: int


BEFORE, AFTER = Outputs._fields[:4], Outputs._fields[4:]


@dataclass
class Rows:
    """Packed registers after each clock of the counters, and of the p-bits, which follow them."""

    counters: list[tuple[int, int]] = field(default_factory=list)
    pbits: list[tuple[int, int]] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    """Where in ``pbits`` each run begins."""


def play(script: Iterable[Write | Run], rows: Rows) -> Generator[Inputs, Outputs, None]:
    """Play a script to an array, whatever simulates it: yields the inputs of each clock and is sent its outputs.

    Parameters
    ----------
    script : iterable of Write or Run
        What it is told.
    rows : Rows
        Filled with what it does.
    """
    for step in script:
        rows.first.append(len(rows.pbits))
        if isinstance(step, Write):
            yield from _put(Inputs(True, *step))
            yield from _put(Inputs())
        else:
            yield from _put(Inputs(True, START, step.sweeps))
            yield Inputs()
            yield from _watch(step, rows)


def _put(inputs: Inputs) -> Generator[Inputs, Outputs, None]:
    """Hold inputs until the array is ready for a word. Rings that a word turns are back when the next run begins."""
    while not (yield inputs).ready:
        pass


def _watch(run: Run, rows: Rows) -> Generator[Inputs, Outputs, None]:
    """Let a run pass; a word is on the bus one clock before it is carried out."""
    clocks, noise = 0, iter(run.noise)
    inputs = Inputs()
    while True:
        outputs = _keep((yield inputs), rows)
        clocks += outputs.clocked
        if not outputs.running:
            return
        inputs = Inputs()
        if run.stop and clocks >= run.stop - 2:
            inputs = Inputs(clocks == run.stop - 2, STOP, 0)
        elif outputs.ready and not inputs.write and (word := next(noise, None)) is not None:
            # it is taken in the clock that sees it; the next clock is never the one that a stop needs
            inputs = Inputs(run.stop == 0 or clocks < run.stop - 6, *word)


def _keep(outputs: Outputs, rows: Rows) -> Outputs:
    if outputs.clocked:
        rows.counters.append((outputs.phase, outputs.sweeps_left))
    if outputs.active:
        rows.pbits.append((outputs.states, outputs.registers))
    return outputs


def rtl_trace(
    array: ProbedArray, script: Iterable[Write | Run], progress: Callable[[int], None] | None = None
) -> Trace:
    """Registers after each clock of the array, by Amaranth's simulator of the RTL.

    Parameters
    ----------
    array : ProbedArray
        The component; it is elaborated here.
    script : iterable of Write or Run
        What it is told.
    progress : callable, optional
        Called with clocks done.
    """
    rows = Rows()

    async def bench(ctx: Any) -> None:
        player = play(script, rows)
        inputs = next(player)
        while True:
            for name, value in inputs._asdict().items():
                ctx.set(getattr(array, name), value)
            before = [ctx.get(getattr(array, name)) for name in BEFORE]
            await ctx.tick()
            if progress is not None and len(rows.counters) % PROGRESS_CLOCKS == 0:
                progress(len(rows.counters))
            try:
                inputs = player.send(Outputs(*before, *(ctx.get(getattr(array, name)) for name in AFTER)))
            except StopIteration:
                return

    simulator = RtlSimulator(array)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return unpack_trace(array.image, rows)


def unpack_trace(image: Image, rows: Rows) -> Trace:
    """Turn packed registers into a trace; ``under_way`` is not seen."""
    clocks, interleave = len(rows.pbits), image.interleave
    states = _bits([row[0] for row in rows.pbits], image.size * interleave).reshape(clocks, image.size, interleave)
    runs = np.repeat(rows.first, np.diff([*rows.first, clocks]))
    done = np.arange(1, clocks + 1) - runs
    # where each replica is in the ring of a colour, so many clocks into a run
    behind = (image.colour + 1) * image.latency
    places = (done[:, None, None] - behind[:, None] - np.arange(interleave)) % interleave
    words = b"".join(row[1].to_bytes(4 * image.streams * image.generator.words, "little") for row in rows.pbits)
    counters = np.array(rows.counters, np.int64).reshape(-1, 2)
    return Trace(
        np.take_along_axis(states, places, axis=2).transpose(0, 2, 1),
        np.frombuffer(words, "<u4").reshape(clocks, image.streams, -1).astype(np.uint32),
        counters[:, 0],
        counters[:, 1],
        np.zeros(0, np.int64),
    )


def _bits(numbers: list[int], count: int) -> npt.NDArray[np.uint8]:
    size = (count + 7) // 8
    packed = np.frombuffer(b"".join(number.to_bytes(size, "little") for number in numbers), np.uint8)
    return np.unpackbits(packed.reshape(len(numbers), size), axis=1, count=count, bitorder="little")


COMPARED = Trace._fields[:4]


def compare(image: Image, expected: Trace, got: Trace) -> None:
    """Compare two traces register by register.

    Raises
    ------
    LockstepError
        At the first mismatch; names clock, colour, replica, p-bit, expected and got.
    """
    wrong = {}
    for name in COMPARED:
        wanted, seen = getattr(expected, name), getattr(got, name)
        clocks = min(len(wanted), len(seen))
        wrong[name] = (wanted[:clocks] != seen[:clocks]).reshape(clocks, -1).any(axis=1)
    if any(rows.any() for rows in wrong.values()):
        clock = min(int(rows.argmax()) for rows in wrong.values() if rows.any())
        name = next(name for name, rows in wrong.items() if rows[: clock + 1].any())
        raise LockstepError(_mismatch(image, name, clock, getattr(expected, name), getattr(got, name)))
    for name in COMPARED:
        if len(getattr(expected, name)) != len(getattr(got, name)):
            raise LockstepError(
                f"{name}: expected {len(getattr(expected, name))} clocks, got {len(getattr(got, name))}"
            )


def _mismatch(image: Image, name: str, clock: int, expected: npt.NDArray[Any], got: npt.NDArray[Any]) -> str:
    """What differs in a clock, in one line."""
    wanted, seen = expected[clock], got[clock]
    if not wanted.ndim:
        return f"clock {clock}: {name} expected {wanted}, got {seen}"
    first, second = np.argwhere(wanted != seen)[0].tolist()
    if name == "states":
        place = f"colour {image.colour[second]}, replica {first}, p-bit {second}"
        return f"clock {clock}, {place}: states expected {wanted[first, second]}, got {seen[first, second]}"
    texts = [" ".join(f"{word:#x}" for word in row[first]) for row in (wanted, seen)]
    return f"clock {clock}, generator {first}: registers expected {texts[0]}, got {texts[1]}"


# How often a random word goes where: data mostly.
_REGION_CHANCES = {Region.WEIGHT: 6, Region.BIAS: 4, Region.CLAMP: 2, Region.STATE: 3, Region.GENERATOR: 4}
_CONTROL_CHANCES = {Control.BETA: 4}
_FIXED = (Region.WEIGHT, Region.BIAS, Region.CONTROL)
"""What constants do not listen to."""

_MOST_WORDS = 12
_MOST_SWEEPS = 8
_TURN_CHANCE = 0.2


def random_script(image: Image, clocks: int, rng: np.random.Generator, form: Form = Form.ADDER) -> Script:
    """A script that reloads every kind of register between runs, some of which are stopped or disturbed.

    Parameters
    ----------
    image : Image
        The array.
    clocks : int
        Of the array, about.
    rng : numpy.random.Generator
        Where it comes from.
    form : Form
        Arrays of constants get no weights.
    """
    places = [
        register
        for register in REGISTERS
        if _chance(register) and register.words(image) and not (form is Form.BAKED and register.region in _FIXED)
    ]
    chances = np.array([_chance(register) for register in places], float)

    def word() -> Write:
        register = places[rng.choice(len(places), p=chances / chances.sum())]
        offset = register.offset + int(rng.integers(register.words(image)))
        return Write(address(register.region, offset), _random_word(register, rng))

    seeds = rng.integers(1, 1 << 32, image.streams * image.generator.words)
    script: Script = [Write(address(Region.GENERATOR, place), seed) for place, seed in enumerate(seeds.tolist())]
    while clocks > 0:
        script += [word() for _ in range(rng.integers(_MOST_WORDS))]
        if rng.random() < _TURN_CHANCE:
            script += _turn(image, rng)
        sweeps = int(rng.integers(_MOST_SWEEPS + 1))
        stop = int(rng.integers(3, sweeps * image.period + 4)) if sweeps and rng.random() < 0.3 else 0
        script.append(Run(sweeps, stop, tuple(word() for _ in range(rng.integers(3)))))
        clocks -= min(stop or clocks, sweeps * image.period)
    return script


def _turn(image: Image, rng: np.random.Generator) -> Script:
    """All replicas at hand in turn: some get states; a start, which is of no effect where it is not the first."""
    words = (image.size + WORD_BITS - 1) // WORD_BITS
    script: Script = []
    for _ in range(image.interleave):
        for word in np.flatnonzero(rng.random(words) < 0.4).tolist():
            script.append(Write(address(Region.STATE, word), int(rng.integers(1 << WORD_BITS))))
        if rng.random() < 0.1:
            script.append(Run(1))
        script.append(Write(ROTATE, 0))
    return script


def _chance(register: Register) -> int:
    if register.region is Region.CONTROL:
        return _CONTROL_CHANCES.get(Control(register.offset), 0)
    return _REGION_CHANCES.get(register.region, 0)


def _random_word(register: Register, rng: np.random.Generator) -> int:
    """A word for a register; numbers are of every order of magnitude that 32 bits hold."""
    word, other, shift = int(rng.integers(1 << 32)), int(rng.integers(1 << 32)), int(rng.integers(32))
    if register.region in (Region.STATE, Region.GENERATOR):
        return word
    if register.region is Region.CLAMP:
        return word & other
    if register.region in (Region.WEIGHT, Region.BIAS):
        return (word - (1 << 31) >> shift) & 0xFFFFFFFF
    return word >> shift


def run_program(
    image: Image, clocks: int, seed: int, progress: Callable[[int, int], None] | None = None, form: Form = Form.ADDER
) -> dict[str, int]:
    """Run a program's RTL and the simulator in lockstep under a random script.

    Parameters
    ----------
    image : Image
        The array.
    clocks : int
        Clocks to compare, about.
    seed : int
        Of the script.
    progress : callable, optional
        Called with clocks done and clocks in all.
    form : Form
        Of the p-bits.

    Returns
    -------
    dict
        What was compared.

    Raises
    ------
    LockstepError
        At the first mismatch.
    """
    script = random_script(image, clocks, np.random.default_rng(seed), form)
    expected = expected_trace(image, script)
    total = len(expected.phase)
    report = None if progress is None else lambda done: progress(done, total)
    compare(image, expected, rtl_trace(ProbedArray(image, form), script, report))
    return {
        "pbits": image.size,
        "replicas": image.interleave,
        "cycles": total,
        "bus_writes": sum(isinstance(step, Write) for step in script),
        "state_changes": int((np.diff(expected.states, axis=0) != 0).sum()),
    }
