"""What the examples of small networks show, in their quick forms: the claims that their pictures make."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def run(name: str, folder: Path) -> Any:
    found = runpy.run_path(str(EXAMPLES / name))["main"](folder / "figure.png", quick=True)
    assert (folder / "figure.png").stat().st_size > 1000
    return found


def test_two_spins_follow_boltzmann(tmp_path: Path) -> None:
    deviations = np.array([measured.deviations for measured in run("two_spins.py", tmp_path)])
    assert np.abs(deviations).max() < 4.5  # 40 of them
    assert 0.4 < (deviations**2).mean() < 2.0  # three of each four are independent


def test_only_the_negative_phase_keeps_weights_finite(tmp_path: Path) -> None:
    runs = run("negative_phase.py", tmp_path)
    learned, collapsed = runs["with the negative phase"], runs["without it"]
    assert learned.largest[-1] < 1
    assert learned.probabilities[-1].max() < 0.5
    assert collapsed.largest[-1] > 3.9  # the format ends at 255 / 64
    assert collapsed.probabilities[-1].max() > 0.99
    assert np.array_equal(learned.probabilities[0], collapsed.probabilities[0])


def test_ten_digits_are_recalled_by_the_pseudo_inverse_alone(tmp_path: Path) -> None:
    found = {name: success for name, (_, success) in run("hopfield_recall.py", tmp_path).items()}
    assert found["Hebb, 2 digits"].from_noise[:3].min() > 0.9
    assert found["Pseudo-inverse, 10 digits"].from_noise[0] > 0.9
    assert min(found["Pseudo-inverse, 10 digits"].from_half.values()) > 0.9
    assert found["Hebb, 10 digits"].from_noise.max() == 0


def test_unlearning_passes_through_a_best(tmp_path: Path) -> None:
    found = run("hopfield_unlearning.py", tmp_path)
    first, best = found.rows[0].minima, found.best.minima
    assert best.pattern_share > first.pattern_share + 3 * np.hypot(best.error, first.error)
