import json
import subprocess
import sys

import pytest


class Pbit:
    """Runs the command line in a process of its own, in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder

    def run(self, *arguments):
        command = [sys.executable, "-m", "pbit_hw.cli", *map(str, arguments)]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=300)

    def json(self, *arguments):
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def error(self, *arguments):
        """The one line that a refused command prints."""
        done = self.run(*arguments)
        assert done.returncode != 0
        assert not done.stdout
        assert "Traceback" not in done.stderr
        return done.stderr.strip()


@pytest.fixture
def pbit(tmp_path):
    return Pbit(tmp_path)


@pytest.fixture
def adder(pbit):
    pbit.json("compile", "full-adder", "-o", "adder.pbit")
    return "adder.pbit"
