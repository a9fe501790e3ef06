"""The figures of the device examples show what the models do."""

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "examples"


def run(name, folder):
    """What an example returns; that it leaves its figure is tested with all the others."""
    return runpy.run_path(str(EXAMPLES / name))["main"](folder / "figure.png", quick=True)


def test_smtj_dwell_times(tmp_path):
    """The smallest of the 26 means is of 1,000 dwells."""
    assert run("smtj_dwell_times.py", tmp_path) < 4 / 1_000**0.5


def test_autonomous_timestep(tmp_path):
    sampled = run("autonomous_timestep.py", tmp_path)
    assert sampled[1.0, 0.2][0] == pytest.approx(1, abs=0.01)
    assert sampled[0.5, 0.2][0] == pytest.approx(0.21, abs=0.05)
    assert all(noise < 0.05 for (_, step), (_, noise) in sampled.items() if step <= 0.02)


def test_lfsr_shifts(tmp_path):
    """One and two shifts are wrong on both models, four on the lattice alone, eight and sixteen on neither."""
    found = run("lfsr_shifts.py", tmp_path)
    assert list(found) == [1, 2, 4, 8, 16]
    assert found[1].distance == pytest.approx(0.043, abs=0.003)
    assert found[1].energy.value == pytest.approx(-1.4337, abs=0.01)
    assert all(value.exact_energy == pytest.approx(-1.131318, abs=1e-5) for value in found.values())
    assert [shifts for shifts in found if found[shifts].floors > 3] == [1, 2]
    assert [shifts for shifts in found if abs(found[shifts].errors) > 4] == [1, 2, 4]
