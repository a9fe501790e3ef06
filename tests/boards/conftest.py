"""Small arrays, and stand-ins for the toolchain that write what the real tools write."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pbit_hw.contract.formats import SignedFormat, UnsignedFormat
from pbit_hw.contract.generator import Generator
from pbit_hw.contract.image import Image
from pbit_hw.contract.update import Unit


def _pair() -> Image:
    """Two coupled spins."""
    image = Image(
        unit=Unit.SPIN,
        generator=Generator.LFSR48,
        weight_format=SignedFormat(2, 0),
        beta_format=UnsignedFormat(3, 9),
        colour_first=np.array([0, 1, 2], np.int32),
        slot_first=np.array([0, 1, 2], np.int32),
        neighbours=np.array([1, 0], np.int32),
        weights=np.array([1, 1], np.int32),
        biases=np.array([-1, -1], np.int32),
        clamped=np.zeros(2, np.uint8),
        clamp_values=np.zeros(2, np.uint8),
    )
    image.check()
    return image


@pytest.fixture(scope="session")
def pair() -> Image:
    """Two coupled spins, degree 1, two colours."""
    return _pair()


_TOOL = """#!{python}
import json, pathlib, sys
if "--version" in sys.argv:
    print("tool 1.2.3 (built for tests)")
    sys.exit()
name = {name!r}
calls = pathlib.Path({calls!r})
calls.write_text(calls.read_text() + name + chr(10) if calls.exists() else name + chr(10))
{body}
"""

_BODIES = {
    "yosys": """
pathlib.Path("top.json").write_text(json.dumps({"modules": {"top": {"cells": {
    "a": {"type": "SB_DFFESR"}, "b": {"type": "SB_DFF"}, "c": {"type": "SB_LUT4"}}}}}))
""",
    "nextpnr-ice40": """
fmax = json.loads(pathlib.Path({fmax!r}).read_text())
made = "set_frequency pbit_clk" in pathlib.Path("top.pcf").read_text()
name = "pbit_clk_$glb_clk" if made else "cd_sync.clk"
clocks = {{name: {{"achieved": fmax, "constraint": 12.0}}}}
used = {{"ICESTORM_LC": 100, "ICESTORM_RAM": 2, "ICESTORM_DSP": 0}}
pathlib.Path("report.json").write_text(json.dumps({{
    "fmax": clocks, "critical_paths": [{{"from": "posedge " + name, "to": "<async>"}}],
    "utilization": {{kind: {{"used": count, "available": 5280}} for kind, count in used.items()}}}}))
pathlib.Path("top.asc").write_text("asc")
""",
    "icepack": """
pathlib.Path("top.bin").write_bytes(b"bitstream of " + pathlib.Path("top.pcf").read_bytes())
""",
}


class StandIns:
    """Programs that take the places of yosys, nextpnr-ice40 and icepack.

    Parameters
    ----------
    folder : Path
        Where they are written.
    monkeypatch : pytest.MonkeyPatch
        Points the environment at them.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._monkeypatch = monkeypatch
        self._fmax = folder / "fmax.json"
        self._calls = folder / "calls"
        monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        self.fmax_mhz(10.0)
        for name, body in _BODIES.items():
            self.replace(name, body.format(fmax=str(self._fmax)) if "{fmax" in body else body)

    def fmax_mhz(self, value: float) -> None:
        """Set the Fmax that place and route reports."""
        self._fmax.write_text(json.dumps(value))

    def replace(self, name: str, body: str) -> None:
        """Give a tool another program."""
        path = self._folder / name
        path.write_text(_TOOL.format(python=sys.executable, name=name, calls=str(self._calls), body=body))
        path.chmod(0o755)
        self._monkeypatch.setenv(name.upper().replace("-", "_"), str(path))

    @property
    def calls(self) -> list[str]:
        """Tools that ran, in order."""
        return self._calls.read_text().split() if self._calls.exists() else []


@pytest.fixture
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIns:
    """Tools that answer at once."""
    folder = tmp_path / "tools"
    folder.mkdir()
    return StandIns(folder, monkeypatch)


@pytest.fixture
def no_tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], None]:
    """A function that hides every tool."""

    def hide() -> None:
        for name in ("YOSYS", "NEXTPNR_ICE40", "ICEPACK"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("PATH", os.fspath(tmp_path))
        monkeypatch.setattr(sys, "executable", os.fspath(tmp_path / "python"))

    return hide
