"""Learning in situ makes good what devices that are not alike and weights of 6 bits cost: the example's claims."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

EXAMPLE = runpy.run_path(str(Path(__file__).resolve().parents[1] / "examples" / "in_situ.py"))


def test_weights_have_six_bits() -> None:
    program = EXAMPLE["pb"].compile(EXAMPLE["untrained"](EXAMPLE["split"](1).rows), weight_format="s[2][3]")
    assert EXAMPLE["WEIGHT_FORMAT"] == "s[2][3]"
    assert program.image.weight_format.bits == 6


def test_images_to_read_are_not_learned() -> None:
    digits = EXAMPLE["split"](797)
    assert len(digits.rows) + len(digits.images) == 1_797
    few = EXAMPLE["split"](250)
    assert np.array_equal(few.rows, digits.rows)
    assert np.array_equal(few.images, digits.images[:250])


def test_recovered_share_against_hand_counts() -> None:
    reference = np.arange(100) < 90
    deployed, taught = np.arange(100) < 70, np.arange(100) < 85
    lost, lost_error, share, error = EXAMPLE["recovered"](reference, deployed, taught)
    assert lost == pytest.approx(0.2)
    assert lost_error == pytest.approx(np.sqrt(0.2 * 0.8 / 100), rel=0.1)  # of a count
    assert share == pytest.approx(0.75)
    assert error == pytest.approx(np.sqrt(0.25 * 0.75 / 20), rel=0.15)  # of 15 of the 20 images lost
    assert EXAMPLE["recovered"](reference, deployed, deployed)[2] == 0


def test_one_array_learns_in_situ(tmp_path: Path) -> None:
    found = EXAMPLE["main"](tmp_path / "figure.png", quick=True)
    assert (tmp_path / "figure.png").stat().st_size > 1000
    lost, error, share, _ = EXAMPLE["recovered"](found.reference, found.bar.deployed, found.bar.taught)
    assert lost > 3 * error
    assert share > 0.6  # after three epochs


@pytest.mark.slow
def test_the_bar(tmp_path: Path) -> None:
    """20 % of variation and 6 bits: at least 80 % of the accuracy lost is recovered."""
    found = EXAMPLE["main"](tmp_path / "figure.png")
    lost, error, share, share_error = EXAMPLE["recovered"](found.reference, found.bar.deployed, found.bar.taught)
    assert lost > 5 * error
    assert share - share_error > 0.8
    for deployed, taught in zip(found.bar.deployed, found.bar.taught, strict=True):
        _, _, own, own_error = EXAMPLE["recovered"](found.reference, deployed, taught)
        assert own + own_error > 0.8  # a single draw loses little, and its share is not known as well
    swapped = EXAMPLE["recovered"](found.reference, found.bar.deployed, found.bar.swapped)[2]
    assert swapped < 0.5  # negative control: what other devices learned
    alike = next(case for case in found.cases if case.spread == 0)
    assert abs(EXAMPLE["recovered"](found.reference, alike.deployed, alike.taught)[0]) < 0.02  # 6 bits cost little
