"""Loading a bitstream into a board, by openFPGALoader."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from ..contract.errors import FitError, ToolError
from .catalogue import Board
from .tools import find_loader


def program(path: str | os.PathLike[str], board: Board, flash: bool = False) -> Path:
    """Load a bitstream into a board.

    Parameters
    ----------
    path : path
        The bitstream, or the folder that it was built in.
    board : Board
        The board.
    flash : bool
        Whether to write it to the board's flash, so that it is there after power-up.

    Returns
    -------
    Path
        What was loaded.

    Raises
    ------
    FitError
        If there is no bitstream of that board.
    ToolError
        If openFPGALoader is missing or fails, with its own last words.
    """
    bitstream = find_bitstream(Path(path), board)
    command = [find_loader(), "--board", board.loader, *(["--write-flash"] if flash else []), str(bitstream)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise ToolError(_failure(done.stdout + done.stderr, done.returncode))
    return bitstream


def find_bitstream(path: Path, board: Board) -> Path:
    """The bitstream at a path or in a folder, checked against the record that `build` left beside it."""
    bitstream = path / f"{board.name}{board.family.bitstream}" if path.is_dir() else path
    if not bitstream.is_file():
        raise FitError(f"there is no bitstream {bitstream}; make one with: pbit build PROGRAM --board {board.name}")
    record = bitstream.with_suffix(".build.json")
    try:
        built_for = json.loads(record.read_bytes())["board"]
    except (OSError, ValueError, KeyError, TypeError):
        raise FitError(
            f"there is no readable {record.name} beside {bitstream}, so its board is unknown; "
            f"build it again with: pbit build PROGRAM --board {board.name}"
        ) from None
    if built_for != board.name:
        raise FitError(
            f"{bitstream} was built for {built_for}, not for {board.name}; use --board {built_for} or build it again"
        )
    return bitstream


def _failure(output: str, status: int) -> str:
    """What went wrong, and the way out of the commonest case."""
    lines = [line.strip() for line in output.splitlines() if line.strip()] or ["it said nothing"]
    wanting = [line for line in lines if "error while loading shared libraries" in line]
    if wanting:
        return f"{wanting[0]}; install libusb-1.0 and libftdi1 (Debian: apt install libftdi1-2)"
    wrong = [line for line in lines if "error" in line.lower() or "fail" in line.lower()]
    return f"openFPGALoader failed ({status}): {(wrong or lines)[-1]}; is the board connected, and may you use it?"
