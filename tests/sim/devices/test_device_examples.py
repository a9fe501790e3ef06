"""The device examples and the snippets of docs/devices.md, run as a reader would run them."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def example(name):
    return runpy.run_path(str(ROOT / "examples" / name))["main"]


def is_png(path):
    return path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 10_000


def test_smtj_dwell_times(tmp_path):
    worst = example("smtj_dwell_times.py")(tmp_path / "dwells.png", dwells=20_000)
    assert worst < 5 / 1_000**0.5
    assert is_png(tmp_path / "dwells.png")


def test_autonomous_timestep(tmp_path):
    sampled = example("autonomous_timestep.py")(tmp_path / "timestep.png", kept=500)
    assert is_png(tmp_path / "timestep.png")
    assert sampled[1.0, 0.2][0] == pytest.approx(1, abs=0.01)
    assert sampled[0.5, 0.2][0] == pytest.approx(0.21, abs=0.05)
    assert all(noise < 0.05 for (_, step), (_, noise) in sampled.items() if step <= 0.02)


def test_snippets_of_the_documentation(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "devices.md").read_text()
    snippets = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(snippets) >= 3
    names: dict[str, object] = {}
    for snippet in snippets:
        exec(compile(snippet, "docs/devices.md", "exec"), names)
