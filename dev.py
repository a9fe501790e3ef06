"""Set-up, demo and tests of a fresh clone, with the standard library alone.

python3 dev.py demo [ARGS]          set up, then run `pbit demo ARGS`
python3 dev.py test [-- ARGS]       set up, then lint, format check, types and `pytest ARGS`
python3 dev.py run COMMAND [ARGS]   set up, then run a command of the environment

Set-up makes `.venv` with what `requirements.lock` names, and takes over one that is up to date.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "pbit-hw.stamp"

CHECKS = (("ruff", "check"), ("ruff", "format", "--check"), ("mypy",))
PYTEST = ("pytest", "--numprocesses=auto", "--dist=loadfile")


def check_machine():
    """Stop with one line if the machine lacks what only its owner can install."""
    if sys.version_info < (3, 11):
        sys.exit("error: this is Python {}.{}, pbit-hw needs 3.11 or newer".format(*sys.version_info[:2]))
    if not any(shutil.which(name) for name in (os.environ.get("CXX", "c++"), "g++", "clang++")):
        sys.exit("error: no C++ compiler found (c++, g++ or clang++); the RTL is simulated as compiled C++")


def installer():
    """The command of a pip that installs into the environment, which is made if there is none that works."""
    inner = [str(PYTHON), "-m", "pip"]
    if PYTHON.exists() and subprocess.run([*inner, "--version"], capture_output=True).returncode == 0:
        return inner
    print("dev.py: making .venv", flush=True)
    with_pip = importlib.util.find_spec("ensurepip") is not None
    if not with_pip and importlib.util.find_spec("pip") is None:
        sys.exit(f"error: {sys.executable} has neither ensurepip nor pip; use a Python that has (Debian: python3-venv)")
    venv.create(VENV, clear=True, symlinks=True, with_pip=with_pip)
    return inner if with_pip else [sys.executable, "-m", "pip", "--python", str(PYTHON)]


def set_up():
    """Bring the environment to the state that the lock file and the project's own metadata name."""
    state = hashlib.sha256(LOCK.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if STAMP.exists() and STAMP.read_text() == state:
        return
    install = [*installer(), "--disable-pip-version-check", "install", "--quiet", "--no-deps", "--no-compile"]
    print("dev.py: installing the locked requirements (some 320 MB, once)", flush=True)
    for what in (["--require-hashes", "-r", str(LOCK)], ["--no-build-isolation", "--editable", str(ROOT)]):
        if status := subprocess.run([*install, *what]).returncode:
            sys.exit(f"error: the installation failed with status {status}; see pip's message above")
    STAMP.write_text(state)


def run(*command):
    """Run a command of the environment in the project's root and return its exit status."""
    path = f"{PYTHON.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    print("dev.py:", *command, flush=True)
    try:
        environment = {**os.environ, "PATH": path, "VIRTUAL_ENV": str(VENV)}
        return subprocess.run([PYTHON.parent / command[0], *command[1:]], cwd=ROOT, env=environment).returncode
    except FileNotFoundError:
        return f"error: the environment has no command {command[0]!r}"


def test(*arguments):
    """Run every check, then the tests; return the first exit status that is not zero."""
    statuses = [run(*command) for command in (*CHECKS, (*PYTEST, *arguments))]
    return next(filter(None, statuses), 0)


def main():
    """Run the command that the arguments name."""
    command, *arguments = sys.argv[1:] or [""]
    commands = {"demo": lambda *rest: run("pbit", "demo", *rest), "test": test, "run": run}
    if command not in commands or (command == "run" and not arguments):
        sys.exit(__doc__.strip())
    check_machine()
    set_up()
    sys.exit(commands[command](*(arguments[1:] if arguments[:1] == ["--"] else arguments)))


if __name__ == "__main__":
    main()
