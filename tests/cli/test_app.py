"""The installed command itself, in a process of its own."""

import subprocess
import sys

COMMAND = [sys.executable, "-m", "pbit_hw.cli"]


def test_a_refusal_is_one_line_on_standard_error(tmp_path):
    done = subprocess.run([*COMMAND, "compile", "nosuch", "-o", "x"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert not done.stdout
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_help_lists_every_command(tmp_path):
    done = subprocess.run([*COMMAND, "--help"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0
    assert all(word in done.stdout for word in ("compile", "sample", "train", "verify", "build", "boards", "demo"))
