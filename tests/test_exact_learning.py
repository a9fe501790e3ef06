"""Exact divergences of small distributions from what machines with hidden units learn of them, in both formats."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pbit_hw.compiler import BoltzmannMachine
from pbit_hw.compiler.program import Program
from pbit_hw.sim.exact import exact, state_index

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "exact_learning.py"
BARS = {"s[4][16]": 0.02, "s[4][5]": 0.05}


def enumerated(program: Program, rows: npt.NDArray[np.int8]) -> float:
    """KL(data || model) by enumeration of all units: nothing is summed out by formula."""
    model = program.quantised
    joint = exact(model).probabilities
    learned = np.bincount(np.arange(joint.size) & ((1 << rows.shape[1]) - 1), joint)
    places, counts = np.unique(state_index(rows), return_counts=True)
    shares = counts / counts.sum()
    return float(shares @ np.log(shares / learned[places]))


def check(found: tuple[dict[str, Any], dict[str, Any]], names: set[str], seeds: int) -> None:
    tasks, runs = found
    assert set(tasks) == set(runs) == names
    for name, task in tasks.items():
        assert len(runs[name]) == seeds * len(BARS)
        for run in runs[name]:
            assert run.divergence[-1] < BARS[run.weight_format], (name, run.weight_format, run.seed)
            assert run.epochs[-1] == task.epochs
            assert str(run.program.image.grid.weight_format) == run.weight_format
            model = run.program.quantised
            assert model.size == task.rows.shape[1] + task.hidden
            if model.size <= 16:
                assert enumerated(run.program, task.rows) == pytest.approx(run.divergence[-1], abs=1e-9)


def test_the_full_adder_and_parity_are_learned(tmp_path: Path) -> None:
    found = runpy.run_path(str(EXAMPLE))["main"](tmp_path / "figure.png", quick=True)
    assert (tmp_path / "figure.png").stat().st_size > 1000
    check(found, {"Full adder", "Even parity of 3"}, 1)


@pytest.mark.slow
def test_every_distribution_is_learned(tmp_path: Path) -> None:
    names = {f"Even parity of {size}" for size in (3, 4, 5)} | {"Full adder", "Random, 8 bits"}
    check(runpy.run_path(str(EXAMPLE))["main"](tmp_path / "figure.png"), names, 1)


def test_data_are_what_they_are_called() -> None:
    example = runpy.run_path(str(EXAMPLE))
    tasks = example["tasks"](3, quick=False)
    for size in (3, 4, 5):
        rows = tasks[f"Even parity of {size}"].rows
        assert ((rows > 0).sum(axis=1) % 2 == 0).all()
        assert tasks[f"Even parity of {size}"].entropy == pytest.approx((size - 1) * np.log(2))
    assert tasks["Full adder"].entropy == pytest.approx(3 * np.log(2))
    rows = tasks["Random, 8 bits"].rows
    assert rows.shape == (2048, 8)
    weights = np.exp(np.random.default_rng((3, 8)).normal(0, 1, 256))
    counts = np.bincount(state_index(rows), minlength=256)
    assert np.abs(counts - 2048 * weights / weights.sum()).max() < 1
    assert not np.array_equal(rows, example["tasks"](4, quick=False)["Random, 8 bits"].rows)


def test_without_hidden_units_parity_is_not_learned() -> None:
    """Negative control: parity has no correlations of two spins, so that such a machine is at best uniform."""
    example = runpy.run_path(str(EXAMPLE))
    rows = example["even_parity"](4)
    pairs = rows.T.astype(int) @ rows
    assert np.array_equal(pairs, len(rows) * np.eye(4))
    assert (rows.sum(axis=0) == 0).all()
    flat = exact(BoltzmannMachine(4)).probabilities
    assert float(-np.log(8) - np.log(flat[state_index(rows)]).mean()) == pytest.approx(np.log(2))
