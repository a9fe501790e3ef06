"""One pass through the tools at one clock: synthesis, place and route, and packing if timing is met."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..contract.errors import FitError, ToolError
from . import cache, clock, floorplan, gowin, report, tools
from .catalogue import Board
from .clock import Clock
from .families import SDC
from .oscillator import CLOCK, FAST_CLOCK
from .subject import Subject
from .top import Top

STAGES = ("synthesis", "place and route", "pack")
_REPORT, _MEASURED = "report.json", "measured.json"
_SITES = "sites.json"


@dataclass(frozen=True)
class Order:
    """What is wanted of every attempt.

    Parameters
    ----------
    subject : Subject
        What is in the bitstream.
    board : Board
        The board.
    seed : int
        Of the placer.
    versions : dict of str to str
        Versions of the tools.
    cached : bool
        Whether an earlier build of the same may be taken.
    """

    subject: Subject
    board: Board
    seed: int
    versions: dict[str, str]
    cached: bool


@dataclass(frozen=True)
class Attempt:
    """What became of one pass.

    Parameters
    ----------
    clock : Clock
        What the array runs from.
    folder : Path
        Has logs, nextpnr's report and, if timing is met, the bitstream.
    timings : list of report.Timing
        Of every clock.
    utilisation : dict
        nextpnr's report.
    ffs, peak_bytes : int
        Flip-flops, and the most memory that a tool took.
    cached : bool
        Whether it was made before.
    """

    clock: Clock
    folder: Path
    timings: list[report.Timing]
    utilisation: dict[str, Any]
    ffs: int
    peak_bytes: int
    cached: bool

    @property
    def _array(self) -> report.Timing:
        """The array's clock: the one that was made for it, or the only one."""
        made = [timing for timing in self.timings if CLOCK in timing.clock]
        return (made or self.timings)[0]

    @property
    def fmax_hz(self) -> float:
        """Post-route Fmax of the array's clock."""
        return self._array.fmax_hz

    @property
    def met(self) -> bool:
        """Whether the array may run at its clock, and all else at what it was constrained to."""
        others = [timing for timing in self.timings if timing is not self._array]
        return self.fmax_hz >= self.clock.exact_hz and all(timing.met for timing in others)


def attempt(order: Order, chosen: Clock, work: Path, progress: tools.Progress | None) -> Attempt:
    """Build at a clock, or take what an equal build left.

    Parameters
    ----------
    order : Order
        What to build.
    chosen : Clock
        Where its clock comes from.
    work : Path
        A folder of its own.
    progress : callable, optional
        See `tools.Progress`.

    Raises
    ------
    FitError
        If the device does not fit.
    ToolError
        If a tool fails.
    """
    files, commands = _plan(order, chosen)
    for name, content in files.items():
        (work / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    key = cache.key(files, commands, order.versions)
    if order.cached and cache.fetch(key, work):
        return _read(order.board, chosen, work, cached=True)
    made = _make(order.board, commands, chosen, work, progress)
    cache.store(key, products(order.board, work))
    return made


def _make(
    board: Board, commands: list[list[str]], chosen: Clock, work: Path, progress: tools.Progress | None
) -> Attempt:
    synthesis, route, pack = [(board, work, progress, *step) for step in zip(STAGES, commands, strict=True)]
    peak = _step(*synthesis)
    if (work / _SITES).exists():
        sites = json.loads((work / _SITES).read_bytes())
        floorplan.lay(work / board.family.netlist, board.family.memories, sites)
    peak = max(peak, _step(*route))
    made = _measured(board, chosen, work, peak)
    if not made.met:
        return made
    return _measured(board, chosen, work, max(peak, _step(*pack)))


def _plan(order: Order, chosen: Clock) -> tuple[dict[str, str | bytes], list[list[str]]]:
    """Sources and constraints, and the commands of synthesis, place and route, and packing."""
    board, family = order.board, order.board.family
    device = order.subject.device(chosen.hz, clock.baud(chosen.hz))
    platform = board.platform()
    constraints = _constraints(family.constraint, chosen)
    if not family.override:
        platform.add_file(SDC, constraints)
    own = "" if order.subject.engine else family.array_options
    floor = board.floor if order.subject.engine else None
    options = f"--seed {order.seed} --freq {chosen.oscillator_hz / 1e6:g} --report {_REPORT} --timing-allow-fail"
    plan = platform.prepare(
        Top(board, device, chosen),
        "top",
        emit_src=False,
        verbose=True,
        synth_opts=f"{family.synthesis} {board.synthesis}",
        nextpnr_opts=f"{options} {family.options} {own}",
        **({family.override: constraints} if family.override else {}),
    )
    commands = json.loads(plan.files["build_top.json"])["commands"]
    sites: dict[str, str | bytes] = {_SITES: json.dumps(floor.sites)} if floor else {}
    return dict(plan.files) | sites, [gowin.adapt(command) for command in commands]


def _constraints(line: str, chosen: Clock) -> str:
    """One for each clock that is made; place and route knows the oscillator's."""
    made = {} if chosen.plain else {CLOCK: float(chosen.exact_hz)}
    if chosen.pll is not None and chosen.halvings:
        made[FAST_CLOCK] = float(chosen.source_hz)
    return "".join(line.format(net=net, mhz=hz / 1e6, ns=1e9 / hz) + "\n" for net, hz in made.items())


def _step(board: Board, work: Path, progress: tools.Progress | None, stage: str, command: list[str]) -> int:
    """Run a tool; return the most memory it took in bytes."""
    log = _log(stage, work)
    try:
        return tools.run(command, work, log, stage, progress)
    except ToolError:
        if rows := report.overfull(log.read_text(errors="replace")):
            needs = ", ".join(f"{needed:,} {kind} of {available:,}" for kind, needed, available in rows)
            raise FitError(
                f"the device does not fit {board.target.title}: it needs {needs}; "
                "use fewer p-bits, fewer couplings, narrower weights or a larger board"
            ) from None
        raise


def _log(stage: str, work: Path) -> Path:
    return work / f"{stage.replace(' ', '-')}.log"


def _measured(board: Board, chosen: Clock, work: Path, peak_bytes: int) -> Attempt:
    """Keep what only this run knows beside nextpnr's report."""
    netlist = report.load(work / board.family.netlist)
    ffs = report.flip_flops(netlist, board.family)
    (work / _MEASURED).write_text(json.dumps({"ffs": ffs, "peak_bytes": peak_bytes}))
    return _read(board, chosen, work, cached=False)


def _read(board: Board, chosen: Clock, work: Path, cached: bool) -> Attempt:
    utilisation, measured = report.load(work / _REPORT), report.load(work / _MEASURED)
    timings, optimism = report.timings(utilisation), board.family.optimism
    if optimism > 1:
        timings = report.doubted(timings, _log(STAGES[1], work).read_text(errors="replace"), optimism)
    return Attempt(
        clock=chosen,
        folder=work,
        timings=timings,
        utilisation=utilisation,
        ffs=measured["ffs"],
        peak_bytes=measured["peak_bytes"],
        cached=cached,
    )


def bitstream(board: Board, work: Path) -> Path:
    """Where an attempt that met timing leaves its bitstream."""
    return work / f"top{board.family.bitstream}"


def products(board: Board, work: Path) -> list[Path]:
    """Files worth keeping of an attempt."""
    made = [work / _REPORT, work / _MEASURED, bitstream(board, work), *sorted(work.glob("*.log"))]
    return [path for path in made if path.exists()]
