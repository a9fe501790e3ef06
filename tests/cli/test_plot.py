"""`pbit plot` and `pbit sample --certify` as a script uses them."""

import sys

import numpy as np
import pytest

KINDS = ["energy", "histogram", "autocorrelation", "lattice"]


@pytest.fixture
def samples(pbit, adder):
    pbit.json("sample", adder, "--sweeps", 300, "--replicas", 4, "-o", "s.npz")
    return "s.npz"


@pytest.fixture
def lattice(pbit):
    pbit.json("compile", "lattice:4x4", "-o", "lattice.pbit")
    pbit.json("sample", "lattice.pbit", "--sweeps", 200, "--replicas", 12, "--beta", 0.4, "-o", "l.npz")
    return "l.npz"


def image(path):
    """Pixels of a picture, after a check that it is not blank."""
    from matplotlib.image import imread

    pixels = imread(path)[..., :3]
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 20
    return pixels


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_drawn(pbit, lattice, kind):
    fields = pbit.json("plot", lattice, "--program", "lattice.pbit", "--kind", kind, "-o", "p.png")
    assert fields == {"picture": "p.png", "kind": kind, "n_samples": 2400}
    height, width, _ = image(pbit.folder / "p.png").shape
    assert (height, width) == (630, 1350)
    assert sorted(path.name for path in pbit.folder.glob("*p.png")) == ["p.png"]


def test_titles_count_the_samples(pbit, samples, adder):
    pbit.json("plot", samples, "--program", adder, "--kind", "histogram", "--beta", 1, "-o", "p.svg")
    text = (pbit.folder / "p.svg").read_text()
    for shown in ("adder: 1,200 samples, 300 kept sweeps of 4 replicas", "share of samples", "exact, beta = 1"):
        assert f"<!-- {shown}" in text


def test_the_seed_is_named(pbit, adder):
    pbit.json("sample", adder, "--sweeps", 50, "--replicas", 4, "--seed", 7, "-o", "s.npz")
    pbit.json("plot", "s.npz", "-o", "p.svg")
    assert "4 replicas, seed 7" in (pbit.folder / "p.svg").read_text()


def test_an_annealed_run_is_drawn(pbit, adder):
    """One kept sweep: energies of the replicas."""
    pbit.json("sample", adder, "--sweeps", 50, "--replicas", 12, "--beta", "0.2:3", "-o", "s.npz")
    pbit.json("plot", "s.npz", "-o", "p.svg")
    assert "replica, after sweep 50" in (pbit.folder / "p.svg").read_text()
    assert "1 kept sweeps have no autocorrelation" in pbit.error(
        "plot", "s.npz", "--kind", "autocorrelation", "-o", "a.png"
    )


def test_shapes(pbit, samples):
    pbit.json("plot", samples, "--kind", "lattice", "--shape", "5x1", "-o", "p.png")
    lattice = ("plot", samples, "--kind", "lattice", "-o", "q.png")
    assert "5 variables are no square; say how they lie with --shape" in pbit.error(*lattice)
    assert "shape 2x3 has 6 sites for 5 variables" in pbit.error(*lattice, "--shape", "2x3")
    assert "shape 'wide' is not ROWSxCOLUMNS" in pbit.error(*lattice, "--shape", "wide")
    assert not (pbit.folder / "q.png").exists()


def test_wrong_input(pbit, samples, adder, lattice):
    np.savez(pbit.folder / "other.npz", J=np.eye(2))
    for path in ("other.npz", adder):
        assert f"{path} does not hold samples; write it with: pbit sample" in pbit.error("plot", path, "-o", "p.png")
    arrays = dict(np.load(pbit.folder / samples))
    np.savez(pbit.folder / "cut.npz", **{name: array[:-1] if array.ndim else array for name, array in arrays.items()})
    assert "1199 rows, not 300 sweeps of 4 replicas" in pbit.error("plot", "cut.npz", "-o", "p.png")
    assert "the samples have 5 variables, the program 16" in pbit.error(
        "plot", samples, "--program", "lattice.pbit", "-o", "p.png"
    )
    assert "--beta draws the exact histogram" in pbit.error("plot", samples, "--beta", 1, "-o", "p.png")
    assert "p.gif is no picture that can be drawn" in pbit.error("plot", samples, "-o", "p.gif")
    assert "cannot write picture nosuch/p.png" in pbit.error("plot", samples, "-o", "nosuch/p.png")
    assert not list(pbit.folder.glob("*p.*"))


def test_without_matplotlib(pbit, samples, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert "pip install pbit-hw[plot]" in pbit.error("plot", samples, "-o", "p.png")


CONSTANT = ("--sweeps", 4200, "--burn-in", 200, "--keep-every", 4, "--replicas", 16, "--certify")


def test_certificate_as_json(pbit, adder):
    certificate = pbit.json("sample", adder, *CONSTANT)["certificate"]
    assert certificate["n_samples"] == 16_000
    assert certificate["keep_every_sweeps"] == 4
    assert certificate["exact"]["total_variation"] < 3 * certificate["exact"]["total_variation_noise_floor"]
    assert certificate["warnings"] == []


def test_certificate_as_a_table(pbit, adder):
    shown = pbit.run("sample", adder, *CONSTANT, "--clamp", "S=1").stdout
    for name in ("effective samples", "split R-hat", "noise floors", "KL(samples", "no limit is passed"):
        assert name in shown


def test_warnings_of_a_certificate(pbit):
    """A ferromagnet far below its critical temperature, from random states."""
    pbit.json("compile", "lattice:8x8", "-o", "lattice.pbit")
    options = ("lattice.pbit", "--sweeps", 60, "--replicas", 4, "--beta", 2, "--certify")
    assert "warning: R-hat of a variable" in pbit.run("sample", *options).stdout
    assert pbit.json("sample", *options)["certificate"]["kaufman"]["side"] == 8


def test_no_certificate_of_an_annealed_run(pbit, adder):
    line = pbit.error("sample", adder, "--beta", "0.2:3", "--certify", "-o", "s.npz")
    assert "beta varies from 0.2 to 3: an annealed run has no stationary distribution" in line
    assert "sample at one beta" in line
    assert not (pbit.folder / "s.npz").exists()
