"""What the example of restored digits shows, in its quick form."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "restore_digits.py"


def test_digits_are_restored_better_than_by_looking_them_up(tmp_path: Path) -> None:
    """Flips are halved but for noise, a blank half is more than halved, and both beat the nearest training image."""
    flipped, hidden = runpy.run_path(str(EXAMPLE))["main"](tmp_path / "figure.png", quick=True)
    assert (tmp_path / "figure.png").stat().st_size > 1000
    for found, before in ((flipped, "corrupted"), (hidden, "left blank")):
        wrong = found.wrong
        assert list(wrong) == [before, "nearest training image", "restored"]
        assert {len(shares) for shares in wrong.values()} == {297}
        assert wrong["restored"].mean() < 0.55 * wrong[before].mean()
        gain = wrong["nearest training image"] - wrong["restored"]
        assert gain.mean() > 3 * gain.std(ddof=1) / np.sqrt(len(gain))


def test_another_half_does_not_fit() -> None:
    """Negative control: lower halves restored from the upper halves of other images are worse."""
    example = runpy.run_path(str(EXAMPLE))
    training, truth = example["digits"]()
    program = example["learn"](training, 10, 1)
    own, other = (
        example["restore"](example["half_hidden"](program, images, 1), training, truth).wrong["restored"]
        for images in (truth, np.roll(truth, 1, axis=0))
    )
    loss = other - own
    assert loss.mean() > 5 * loss.std(ddof=1) / np.sqrt(len(loss))
