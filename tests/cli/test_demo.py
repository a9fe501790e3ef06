"""Chapters of the demo: each is an example, and leaves its picture."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pbit_hw.cli import demo
from pbit_hw.cli.app import pbit


@pytest.mark.parametrize("chapter", demo.CHAPTERS)
def test_every_chapter_is_an_example(chapter, tmp_path, monkeypatch):
    """Run whole by `tests/test_examples.py`; here its name, its first line, and where its picture goes."""
    paths: list[Path] = []
    load = runpy.run_path

    def main(output: Path) -> None:
        paths.append(output)
        print("a figure")

    def loaded(path: str) -> dict[str, Any]:
        return load(path) | {"main": main}

    monkeypatch.setattr(runpy, "run_path", loaded)
    done = CliRunner().invoke(pbit, ["demo", chapter, "--output", str(tmp_path / "pictures"), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {"pictures": [str(tmp_path / "pictures" / f"{chapter}.png")]}
    assert "a figure" in done.stderr
    assert [path.name for path in paths] == [f"{chapter}.png"]


def test_a_chapter_draws(tmp_path):
    done = CliRunner().invoke(pbit, ["demo", "two-spins", "--output", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "two-spins.png").stat().st_size > 10_000


def test_no_such_chapter():
    done = CliRunner().invoke(pbit, ["demo", "no-such"])
    assert done.exit_code == 2
    assert "two-spins" in done.output
