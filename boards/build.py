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

from ..contract import engines
from ..contract.container import write_whole
from ..contract.errors import FitError, PbitError, RequestError, ToolError
from ..contract.forms import Form
from ..contract.image import Image
from ..contract.targets import Fit, fit
from . import catalogue, clock, gowin, report, subject, tools
from .attempt import STAGES, Attempt, Order, attempt, bitstream, products
from .catalogue import Board
from .clock import Clock
from .subject import Subject

SEED = 1
"""Of the placer: equal inputs give equal bitstreams."""

MARGIN = 0.97
"""Of Fmax at which the next attempt aims: the constants of another clock move Fmax a little either way."""

WASTE = 1.3
"""A clock that nobody asked for is not raised to an Fmax that is less than this many times as high."""

MAX_ATTEMPTS = 5


@dataclass(frozen=True)
class BuildResult:
    """A bitstream and what became of the array in it.

    Parameters
    ----------
    board, digest : str
        Name of the board, and the array's digest in hexadecimal, which the device reports too.
    pbits, degree, colours : int
        Size of the array.
    form : str
        What its p-bits are made of, see `contract.forms.Form`, or the kind of engine.
    engine : str
        Name of the engine that holds it, see `contract.engines.ENGINES`; "" of an array of its own.
    interleave : int
        Replicas in the array: the program's, if they were enough for the form.
    counters : bool
        Whether the device has a schedule and counters.
    bitstream : Path
        The file to load.
    fmax_hz, clock_hz : int
        Post-route Fmax of the array's clock, and the clock it runs at.
    clock_source : str
        What makes that clock.
    baud : int
        Rate of the link in bits per second.
    flips_per_s : float
        P-bits updated per second while the array runs, in all its replicas.
    sweeps_per_s : float
        Sweeps per second of each replica.
    luts, ffs, brams, multipliers : int
        Logic cells with a 4-input LUT, flip-flops, block RAMs and hardware multipliers used.
    seed : int
        Of the placer.
    attempts : int
        How often the array was placed and routed, or would have been, had it not been before.
    cached : bool
        Whether all files are those of an earlier build of the same.
    wall_ns : int
        Time the build took.
    peak_bytes : int
        The most memory that a tool took, in the build that made the files.
    tools : dict of str to str
        Versions.
    logs : tuple of Path
        The tools' logs of the last attempt, and nextpnr's report.
    """

    board: str
    digest: str
    pbits: int
    degree: int
    colours: int
    form: str
    engine: str
    interleave: int
    counters: bool
    bitstream: Path
    fmax_hz: int
    clock_hz: int
    clock_source: str
    baud: int
    flips_per_s: float
    sweeps_per_s: float
    luts: int
    ffs: int
    brams: int
    multipliers: int
    seed: int
    attempts: int
    cached: bool
    wall_ns: int
    peak_bytes: int
    tools: dict[str, str]
    logs: tuple[Path, ...]

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON can hold it."""
        plain = dataclasses.asdict(self)
        return {**plain, "bitstream": str(self.bitstream), "logs": [str(log) for log in self.logs]}


def build(
    image: Image,
    board: str,
    out_dir: str | os.PathLike[str],
    progress: tools.Progress | None = None,
    *,
    form: Form | None = None,
    counters: bool = False,
    clock_hz: float | None = None,
    seed: int = SEED,
    cache: bool = True,
) -> BuildResult:
    """Build the bitstream of an array for a board, or of the board's engine that an image for lanes fits.

    Files appear in ``out_dir`` whole, and only if everything went well; of a
    build that failed only its logs appear. The array is placed and routed for a
    clock; where it turns out not to run so fast, it is built again for the one it can have.

    Parameters
    ----------
    image : Image
        The array; its weights, biases and clamps are what it powers up with, while an engine powers up empty.
    board : str
        Name of a board, see `catalogue.BOARDS`.
    out_dir : path
        Folder for the bitstream and logs, made if it is not there.
    progress : callable, optional
        Called with a stage of `STAGES` and the seconds since it began.
    form : Form, optional
        What p-bits of an array are made of; by default the better one of those that can be loaded, see
        `contract.targets.choices`.
        Where its p-bits take more clocks than the image's replicas leave them, the array holds more replicas.
    counters : bool
        Whether an array has a schedule and counters of moments, see `contract.schedule`.
    clock_hz : float, optional
        The most that the clock may have; by default what the array can have, or not much less.
    seed : int
        Of the placer.
    cache : bool
        Whether the files of an equal build may be taken.

    Raises
    ------
    FitError
        If the array does not fit the board, before synthesis where that can be known.
    RequestError
        If an engine is to have forms or counters.
    ToolError
        If a tool is missing or fails.
    """
    began = time.monotonic_ns()
    chosen = catalogue.board(board)
    if image.lanes and (form is not None or counters):
        raise RequestError("the program is for an engine, which has no forms and no counters; leave them out")
    what, guess_hz = _engine(image, chosen) if image.lanes else _array(image, chosen, form, counters)
    first = clock.choose(guess_hz if clock_hz is None else clock_hz, chosen.target.clock_hz, chosen.pll)
    folder = Path(out_dir)
    order = Order(what, chosen, seed, _versions(chosen), cache)
    with _workspace(folder, chosen) as work:
        attempts = _close_timing(order, first, clock_hz, work, progress)
        kept = _keep(attempts[-1], folder, chosen)
    result = _result(order, attempts, kept, time.monotonic_ns() - began)
    write_whole(folder / f"{chosen.name}.build.json", json.dumps(result.to_json(), indent=2).encode() + b"\n")
    return result


def _result(order: Order, attempts: list[Attempt], kept: tuple[Path, ...], wall_ns: int) -> BuildResult:
    board, what, last = order.board, order.subject, attempts[-1]
    image = what.image
    return BuildResult(
        board=board.name,
        digest=what.digest.hex(),
        pbits=image.size,
        degree=int(image.degrees.max(initial=0)),
        colours=image.colours,
        form=what.form,
        engine=what.engine,
        interleave=image.interleave,
        counters=what.counters,
        bitstream=kept[0],
        fmax_hz=int(last.fmax_hz),
        clock_hz=last.clock.hz,
        clock_source=str(last.clock),
        baud=clock.baud(last.clock.hz),
        flips_per_s=what.flips_per_clock * last.clock.hz,
        sweeps_per_s=last.clock.hz / what.sweep_clocks,
        luts=report.used(last.utilisation, board.family.cells),
        ffs=last.ffs,
        brams=report.used(last.utilisation, board.family.memories),
        multipliers=report.used(last.utilisation, board.family.multipliers),
        seed=order.seed,
        attempts=len(attempts),
        cached=all(made.cached for made in attempts),
        wall_ns=wall_ns,
        peak_bytes=max(made.peak_bytes for made in attempts),
        tools=order.versions,
        logs=kept[1:],
    )


def _versions(board: Board) -> dict[str, str]:
    """Versions of the tools; raises unless all of them are there."""
    names = [gowin.successor(tool) for tool in board.platform().required_tools[: len(STAGES)]]
    return {name: tools.version(name) for name in names}


def _engine(image: Image, board: Board) -> tuple[Subject, int]:
    """The board's engine for an image, and the clock to try first."""
    name, packing = engines.find(image, board.name)
    return subject.engine(name, packing, board), engines.ENGINES[name].clock_hz


def _array(image: Image, board: Board, form: Form | None, counters: bool) -> tuple[Subject, int]:
    """An array of the image's own, and the clock to try first."""
    verdict = _check(image, board, form)
    held = image.interleaved(verdict.interleave)
    return subject.array(held, verdict.demand.form, counters, board), verdict.guess_hz


def _check(image: Image, board: Board, form: Form | None) -> Fit:
    verdict = fit(image, board.target, form)
    if not verdict.fits:
        raise FitError(
            f"{image.size} p-bits do not fit {board.target.title}: {'; '.join(verdict.reasons)}; "
            "use fewer p-bits, fewer couplings, narrower weights, another form or a larger board"
        )
    return verdict


def _close_timing(
    order: Order, first: Clock, asked_hz: float | None, work: Path, progress: tools.Progress | None
) -> list[Attempt]:
    """Build at a first clock, then at what was achieved, until timing is met; the last of the attempts met it."""
    made: list[Attempt] = []
    following: Clock | None = first
    while following is not None:
        if len(made) == MAX_ATTEMPTS:
            raise ToolError(
                f"timing was not met in {MAX_ATTEMPTS} attempts, the last with an Fmax of "
                f"{made[-1].fmax_hz / 1e6:.3f} MHz for {float(made[-1].clock.exact_hz) / 1e6:.3f} MHz; "
                "ask for a lower --clock or another --seed"
            )
        folder = work / str(len(made))
        folder.mkdir()
        made.append(attempt(order, following, folder, progress))
        following = _next_clock(made, order.board, asked_hz)
    return made


def _next_clock(made: list[Attempt], board: Board, asked_hz: float | None) -> Clock | None:
    """The clock to try next; None if the last attempt will do."""
    last = made[-1]
    if last.met and (asked_hz is not None or len(made) > 1 or last.fmax_hz < WASTE * last.clock.exact_hz):
        return None
    wanted = MARGIN * last.fmax_hz
    failed = [float(earlier.clock.exact_hz) for earlier in made if not earlier.met]
    if failed:
        wanted = min(wanted, MARGIN * min(failed))
    following = clock.choose(wanted, board.target.clock_hz, board.pll)
    return None if last.met and following.exact_hz <= last.clock.exact_hz else following


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
        logs = sorted(work.glob("*/*.log"), key=lambda log: log.stat().st_mtime)
        if not logs:
            raise
        kept = [_move(log, folder / f"{board.name}.{log.stem}.failed.log") for log in logs]
        raise type(error)(f"{error}; see {kept[-1]}") from None
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _keep(made: Attempt, folder: Path, board: Board) -> tuple[Path, ...]:
    """Move logs and then the bitstream to their places; return their paths, the bitstream first."""
    image = bitstream(board, made.folder)
    others = [path for path in products(board, made.folder) if path not in (image, made.folder / "measured.json")]
    logs = [_move(path, folder / f"{board.name}.{path.name}") for path in others]
    return (_move(image, folder / f"{board.name}{board.family.bitstream}"), *logs)


def _move(source: Path, target: Path) -> Path:
    os.replace(source, target)
    return target
