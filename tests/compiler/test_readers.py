"""G-set files: what is read, and every way of being wrong named by file and line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pbit_hw.compiler.models import Ising, MaxCut
from pbit_hw.compiler.readers import read_gset
from pbit_hw.contract.errors import ModelError

GOOD = "5 3\n1 2 1\n4 2 -2.5\n1 2 3\n"


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "graph.txt"
    path.write_text(text)
    return path


def test_a_file_is_read(tmp_path: Path) -> None:
    n, edges, weights = read_gset(write(tmp_path, GOOD))
    assert n == 5
    assert edges.tolist() == [[0, 1], [3, 1], [0, 1]]
    assert weights.tolist() == [1.0, -2.5, 3.0]


def test_the_model_keeps_isolated_vertices_and_adds_repeated_edges(tmp_path: Path) -> None:
    model = Ising.from_gset(str(write(tmp_path, GOOD)))
    assert isinstance(model, MaxCut)
    assert model.size == 5
    assert model.edges.tolist() == [[0, 1], [1, 3]]
    assert model.couplings.tolist() == [-4.0, 2.5]
    assert model.cut([[1, -1, 1, 1, 1]])[0] == 4.0 - 2.5


def test_blank_lines_and_a_graph_without_edges(tmp_path: Path) -> None:
    assert read_gset(write(tmp_path, "\n" + GOOD.replace("\n", "\r\n\n")))[0] == 5
    n, edges, weights = read_gset(write(tmp_path, "3 0\n"))
    assert (n, edges.shape, weights.shape) == (3, (0, 2), (0,))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; a G-set file starts with a line 'n m'"),
        ("\n\n", "is empty"),
        ("hello\n", "line 1 is 'hello', not 'n m' as a G-set file starts"),
        ("5\n", "line 1 is '5', not 'n m'"),
        ("0 0\n", "line 1 is '0 0', not 'n m'"),
        ("-5 3\n", "line 1 is '-5 3', not 'n m'"),
        ("5.0 3\n", "line 1 is '5.0 3', not 'n m'"),
        ("1 2 1\n", "line 1 is '1 2 1', not 'n m'"),
        ("5 3\n1 2 1\n4 2 1\n", "line 3: the file ends after 2 of 3 edges; fetch it again"),
        ("5 99999999999\n1 2 1\n", "line 2: the file ends after 1 of 99999999999 edges"),
        ("5 1\n1 2 1\n4 2 1\n", "line 3: the first line announces 1 edges, but there are more"),
        ("5 2\n\n1 2 1\n4 2\n", "line 4 is '4 2', not 'i j w'; is it a G-set file?"),
        ("5 1\n1 2 x\n", "line 2 is '1 2 x', not 'i j w'"),
        ("5 1\n1.5 2 1\n", "line 2 is '1.5 2 1', not 'i j w'"),
        ("5 1\n1 2 3 4\n", "line 2 is '1 2 3 4', not 'i j w'"),
        ("5 1\n0 2 1\n", "line 2 names vertex 0; they are 1 to 5"),
        ("5 1\n2 6 1\n", "line 2 names vertex 6; they are 1 to 5"),
        ("5 1\n2 2 1\n", "line 2 is '2 2 1'; edges join two vertices by a finite weight"),
        ("5 1\n2 1 nan\n", "line 2 is '2 1 nan'; edges join two vertices by a finite weight"),
        ("5 1\n2 1 inf\n", "by a finite weight"),
    ],
)
def test_wrong_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ModelError) as caught:
        Ising.from_gset(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_truncation_by_lines_is_refused(tmp_path: Path) -> None:
    lines = GOOD.splitlines(keepends=True)
    for count in range(len(lines)):
        with pytest.raises(ModelError, match=r"graph\.txt"):
            read_gset(write(tmp_path, "".join(lines[:count])))


def test_files_that_are_no_text_or_not_there(tmp_path: Path) -> None:
    binary = tmp_path / "x.bin"
    binary.write_bytes(bytes(range(256)))
    with pytest.raises(ModelError, match=r"x\.bin is not a text file"):
        read_gset(binary)
    with pytest.raises(ModelError, match=r"cannot read .*none\.txt: No such file"):
        read_gset(tmp_path / "none.txt")
    with pytest.raises(ModelError, match=r"cannot read .*directory"):
        read_gset(tmp_path)


@pytest.mark.parametrize(
    ("name", "n", "m", "best"),
    [
        ("G1", 800, 19176, 11624),
        ("G11", 800, 1600, 564),
        ("G14", 800, 4694, 3064),
        ("G22", 2000, 19990, 13359),
        ("G43", 1000, 9990, 6660),
    ],
)
def test_real_instances(gset: Path, name: str, n: int, m: int, best: int) -> None:
    model = Ising.from_gset(gset / f"{name}.txt")
    assert (model.size, len(model.edges)) == (n, m)
    states = np.random.default_rng(0).choice([-1, 1], size=(20, n))
    weights = -model.couplings
    i, j = model.edges.T
    for state, cut, energy in zip(states, model.cut(states), model.energies(states), strict=True):
        assert cut == weights[state[i] != state[j]].sum()
        assert cut == (weights.sum() - energy) / 2
        assert cut < best
