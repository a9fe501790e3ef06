import json
from types import SimpleNamespace

import pytest

from pbit_hw.cli.app import run


class Pbit:
    """Runs the command line in a folder of its own and keeps what it prints."""

    def __init__(self, folder, capsys):
        self.folder = folder
        self._capsys = capsys

    def run(self, *arguments):
        self._capsys.readouterr()
        code: str | int = 0
        try:
            run([str(argument) for argument in arguments])
        except SystemExit as stop:
            code = stop.code or 0
        printed = self._capsys.readouterr()
        return SimpleNamespace(returncode=code, stdout=printed.out, stderr=printed.err)

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
def pbit(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    return Pbit(tmp_path, capsys)


@pytest.fixture
def adder(pbit):
    pbit.json("compile", "full-adder", "-o", "adder.pbit")
    return "adder.pbit"
