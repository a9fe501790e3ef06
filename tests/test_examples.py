"""Every example runs, in its quick form, and leaves the file that it was asked for."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).resolve().parents[1] / "examples").glob("*.py"))

ELSEWHERE = {
    "exact_learning": "test_exact_learning.py",
    "hopfield_recall": "test_example_results.py",
    "hopfield_unlearning": "test_example_results.py",
    "in_situ": "test_in_situ.py",
    "negative_phase": "test_example_results.py",
    "restore_digits": "test_restore_example.py",
    "two_spins": "test_example_results.py",
}
"""Examples that a test of their results runs in their quick forms, so that they need not be run twice."""


def test_there_are_examples() -> None:
    assert EXAMPLES
    assert set(ELSEWHERE) <= {example.stem for example in EXAMPLES}


@pytest.mark.parametrize(("example", "test"), ELSEWHERE.items())
def test_the_others_are_run_elsewhere(example: str, test: str) -> None:
    source = Path(__file__).with_name(test).read_text()
    assert f"{example}.py" in source
    assert "quick=True" in source
    assert ".stat().st_size" in source


@pytest.mark.parametrize(
    "example", [path for path in EXAMPLES if path.stem not in ELSEWHERE], ids=lambda path: path.stem
)
def test_example(example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    output = tmp_path / f"{example.stem}.png"
    runpy.run_path(str(example))["main"](output, quick=True)
    assert output.stat().st_size > 1000
