"""From a compiled image to a bitstream."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..contract.container import write_whole
from ..contract.errors import FitError, PbitError, ToolError
from ..contract.image import Image
from ..contract.targets import fit
from ..gateware.device import PbitDevice
from . import catalogue, clock, report, tools
from .catalogue import Board
from .top import CLOCK, Top

STAGES = ("synthesis", "place and route", "pack")
SEED = 1
"""Of the placer: equal inputs give equal bitstreams."""


@dataclass(frozen=True)
class BuildResult:
    """A bitstream and what became of the array in it.

    Parameters
    ----------
    board, digest : str
        Name of the board, and the array's digest in hexadecimal, which the device reports too.
    bitstream : Path
        The file to load.
    fmax_hz, clock_hz : int
        Post-route Fmax of the array's clock, and the clock it runs at.
    baud : int
        Rate of the link in bits per second.
    flips_per_s : float
        P-bits updated per second while the array runs: n / colours per clock.
    luts, ffs, brams, multipliers : int
        Logic cells with a 4-input LUT, flip-flops, block RAMs and hardware multipliers used.
    wall_ns : int
        Time the build took.
    tools : dict of str to str
        Versions.
    logs : tuple of Path
        The tools' logs of the last run, and nextpnr's report.
    """

    board: str
    digest: str
    bitstream: Path
    fmax_hz: int
    clock_hz: int
    baud: int
    flips_per_s: float
    luts: int
    ffs: int
    brams: int
    multipliers: int
    wall_ns: int
    tools: dict[str, str]
    logs: tuple[Path, ...]

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON can hold it."""
        plain = dataclasses.asdict(self)
        return {**plain, "bitstream": str(self.bitstream), "logs": [str(log) for log in self.logs]}


@dataclass(frozen=True)
class _Routed:
    """One pass through the tools at one clock."""

    timings: list[report.Timing]
    utilisation: dict[str, Any]
    ffs: int

    @property
    def _array(self) -> report.Timing:
        """The array's clock: the divided one where there is one, else the only one."""
        divided = [timing for timing in self.timings if CLOCK in timing.clock]
        return (divided or self.timings)[0]

    @property
    def fmax_hz(self) -> float:
        return self._array.fmax_hz

    def meets(self, clock_hz: int) -> bool:
        """Whether the array may run at a clock, and all else at what it was constrained to."""
        others = [timing for timing in self.timings if timing is not self._array]
        return self.fmax_hz >= clock_hz and all(timing.met for timing in others)


def build(
    image: Image, board: str, out_dir: str | os.PathLike[str], progress: tools.Progress | None = None
) -> BuildResult:
    """Build the bitstream of an array for a board.

    Files appear in ``out_dir`` whole, and only if everything went well; of a
    build that failed only its logs appear.

    Parameters
    ----------
    image : Image
        The array; its weights, biases and clamps are what it powers up with.
    board : str
        Name of a board, see `catalogue.BOARDS`.
    out_dir : path
        Folder for the bitstream and logs, made if it is not there.
    progress : callable, optional
        Called with a stage of `STAGES` and the seconds since it began.

    Raises
    ------
    FitError
        If the array does not fit the board, before synthesis where that can be known.
    ToolError
        If a tool is missing or fails.
    """
    began = time.monotonic_ns()
    chosen = catalogue.board(board)
    _check(image, chosen)
    folder = Path(out_dir)
    versions = _versions(chosen)
    with _workspace(folder, chosen) as work:
        halvings, routed = _close_timing(image, chosen, work, progress)
        products = _keep(work, folder, chosen)
    result = _result(image, chosen, halvings, routed, products, versions, time.monotonic_ns() - began)
    write_whole(folder / f"{chosen.name}.build.json", json.dumps(result.to_json(), indent=2).encode() + b"\n")
    return result


def _result(
    image: Image,
    board: Board,
    halvings: int,
    routed: _Routed,
    products: tuple[Path, ...],
    versions: dict[str, str],
    wall_ns: int,
) -> BuildResult:
    clock_hz = board.target.clock_hz >> halvings
    return BuildResult(
        board=board.name,
        digest=image.digest.hex(),
        bitstream=products[0],
        fmax_hz=int(routed.fmax_hz),
        clock_hz=clock_hz,
        baud=clock.baud(clock_hz),
        flips_per_s=image.size / image.colours * clock_hz,
        luts=report.used(routed.utilisation, board.cells),
        ffs=routed.ffs,
        brams=report.used(routed.utilisation, board.memories),
        multipliers=report.used(routed.utilisation, board.multipliers),
        wall_ns=wall_ns,
        tools=versions,
        logs=products[1:],
    )


def _versions(board: Board) -> dict[str, str]:
    """Versions of synthesis and place and route; raises unless the packer is there too."""
    *measured, packer = board.platform().required_tools[: len(STAGES)]
    tools.find(packer)
    return {tool: tools.version(tool) for tool in measured}


def _check(image: Image, board: Board) -> None:
    verdict = fit(image, board.target)
    if not verdict.fits:
        raise FitError(
            f"{image.size} p-bits do not fit {board.target.title}: {'; '.join(verdict.reasons)}; "
            "use fewer p-bits, fewer couplings, narrower weights or a larger board"
        )


def _close_timing(image: Image, board: Board, work: Path, progress: tools.Progress | None) -> tuple[int, _Routed]:
    """Build at a guess, then at as large a fraction of the oscillator as Fmax allows; pack what meets timing."""
    least, halvings = 0, board.first_halvings
    while True:
        clock_hz = board.target.clock_hz >> halvings
        steps = _plan(image, board, halvings, work)
        for stage, command in zip(STAGES[:2], steps[:2], strict=True):
            _step(stage, command, board, work, progress)
        routed = _routed(board, work)
        if not routed.meets(clock_hz):
            least = halvings + 1
        best = clock.halvings(routed.fmax_hz, board.target.clock_hz, least)
        if best == halvings:
            _step(STAGES[2], steps[2], board, work, progress)
            return halvings, routed
        halvings = best


def _plan(image: Image, board: Board, halvings: int, work: Path) -> list[list[str]]:
    """Write sources and constraints; return the commands of synthesis, place and route, and packing."""
    clock_hz = board.target.clock_hz >> halvings
    override, line = board.constraint
    constraint = line.format(net=CLOCK, mhz=clock_hz / 1e6) if halvings else ""
    device = PbitDevice(image, clock_hz, clock.baud(clock_hz), multipliers=board.multipliers_for(image))
    plan = board.platform().prepare(
        Top(board, device, halvings),
        "top",
        emit_src=False,
        verbose=True,
        nextpnr_opts=f"--seed {SEED} --report report.json --timing-allow-fail",
        **{override: constraint},
    )
    plan.extract(work)
    commands: list[list[str]] = json.loads(plan.files["build_top.json"])["commands"]
    return commands


def _step(stage: str, command: list[str], board: Board, work: Path, progress: tools.Progress | None) -> None:
    log = work / f"{stage.replace(' ', '-')}.log"
    try:
        tools.run(command, work, log, stage, progress)
    except ToolError:
        if rows := report.overfull(log.read_text(errors="replace")):
            needs = ", ".join(f"{needed:,} {kind} of {available:,}" for kind, needed, available in rows)
            raise FitError(
                f"the device does not fit {board.target.title}: it needs {needs}; "
                "use fewer p-bits, fewer couplings, narrower weights or a larger board"
            ) from None
        raise


def _routed(board: Board, work: Path) -> _Routed:
    utilisation = report.load(work / "report.json")
    netlist = report.load(work / "top.json")
    return _Routed(report.timings(utilisation), utilisation, report.flip_flops(netlist, board))


@contextmanager
def _workspace(folder: Path, board: Board) -> Iterator[Path]:
    """A temporary folder beside the results; of a failed build its logs are kept."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".build-", dir=folder))
    except OSError as error:
        raise ToolError(f"cannot write to {folder}: {error.strerror}; choose another folder") from None
    try:
        yield work
    except PbitError as error:
        logs = sorted(work.glob("*.log"), key=lambda log: log.stat().st_mtime)
        if not logs:
            raise
        kept = [_move(log, folder / f"{board.name}.{log.stem}.failed.log") for log in logs]
        raise type(error)(f"{error}; see {kept[-1]}") from None
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _keep(work: Path, folder: Path, board: Board) -> tuple[Path, ...]:
    """Move logs and then the bitstream to their places; return their paths, the bitstream first."""
    logs = [_move(log, folder / f"{board.name}.{log.name}") for log in sorted(work.glob("*.log"))]
    logs.append(_move(work / "report.json", folder / f"{board.name}.report.json"))
    bitstream = _move(work / f"top{board.bitstream}", folder / f"{board.name}{board.bitstream}")
    return (bitstream, *logs)


def _move(source: Path, target: Path) -> Path:
    os.replace(source, target)
    return target
