"""Chapters of the demo: each is an example, and leaves its picture."""

from __future__ import annotations

import json
import runpy
import sys
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


@pytest.mark.parametrize("name", ["matplotlib.figure", "sklearn.datasets"])
def test_a_chapter_without_its_packages_says_what_to_install(pbit, monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    line = pbit.error("demo", "restoring")
    assert line.startswith("error: chapter restoring needs a package that is not installed")
    assert name in line
    assert line.endswith("pip install pbit-hw[plot,learn]")


def test_the_main_job_does_not_begin_without_matplotlib(pbit, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert pbit.error("demo") == "error: pbit demo needs matplotlib, which is not installed: pip install pbit-hw[plot]"
    assert not list((pbit.folder / "demo").iterdir())


def test_a_folder_that_cannot_be_made(pbit):
    (pbit.folder / "file").touch()
    line = pbit.error("demo", "two-spins", "--output", "file/pictures")
    assert line == "error: cannot make folder file/pictures: Not a directory; give another --output"


@pytest.mark.parametrize("option", [("--seed", 0), ("--board", "icebreaker")])
def test_chapters_take_neither_seed_nor_board(pbit, option):
    assert "chapters take neither --board nor --seed" in pbit.error("demo", "two-spins", *option)
    assert not (pbit.folder / "demo").exists()


def test_a_seed_is_no_negative_number(pbit):
    assert "-1 is not in the range x>=0" in pbit.error("demo", "--seed", -1)
