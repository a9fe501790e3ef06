"""Graphs as text: what is read, and every way of being wrong named by file and line."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import dimod
import numpy as np
import pytest
from dimod.serialization import coo

from pbit_hw.compiler.graph_files import read_coo, read_gset
from pbit_hw.compiler.models import Ising, MaxCut
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
        ("1000000000000 1\n2 1 1\n", "line 1 is '1000000000000 1', not 'n m'"),
        ("2000000000 1\n2 1 1\n", "announces 2000000000 variables, of which its entries name at most 2"),
        (f"{'9' * 5000} 1\n2 1 1\n", "not 'n m' as a G-set file starts"),
        (f"5 1\n2 1{'0' * 5000} 1\n", "not 'i j w'"),
        ("5 1\n2 99999999999999999999 1\n", "line 2 names vertex '99999999999999999999'; an index is below 2^31"),
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
    with pytest.raises(ModelError, match=r"cannot read .*(directory|device)"):
        read_gset(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelError, match="it is a device or a pipe"):
        read_gset(tmp_path / "pipe")
    with pytest.raises(ModelError, match="cannot read"):
        read_gset("\0")


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


class TestEdgeList:
    def test_has_dimods_sign_biases_and_vertices_from_0(self, tmp_path: Path) -> None:
        model = Ising.from_file(write(tmp_path, "# a comment\n0 1 2.5\n\n3 1 -1  # more\n0 1 1\n1 1 0.5\n4 4 0\n"))
        assert type(model) is Ising
        assert model.labels == (0, 1, 2, 3, 4)
        assert model.edges.tolist() == [[0, 1], [1, 3]]
        assert model.couplings.tolist() == [-3.5, 1.0]
        assert model.biases.tolist() == [0, -0.5, 0, 0, 0]

    def test_pairs_both_ways_round_count_once(self, tmp_path: Path) -> None:
        model = Ising.from_file(write(tmp_path, "1 0 4\n0 1 4\n2 1 -4\n1 2 -4\n"))
        assert model.edges.tolist() == [[0, 1], [1, 2]]
        assert model.couplings.tolist() == [-4, 4]

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("1 0 4\n0 1 4\n2 1 -4\n", "gives 0 1 both ways round, but not every pair"),
            ("1 0 4\n0 1 5\n", "gives 0 1 as 5 and 1 0 as 4; make them equal"),
            ("0 1 1\n-1 2 1\n", "line 2 names vertex -1; they are 0 to 2147483647"),
            ("0 1 1\n0 2 1 7\n", "line 2 is '0 2 1 7', not 'i j w'"),
            ("0 1 1\n\n0 2 nan\n", "line 3 is '0 2 nan'; edges join two vertices by a finite weight"),
            ("0 2000000000 1\n", "announces 2000000001 variables"),
            ("0 1 1e308\n0 1 1e308\n", "couplings[0] is -inf"),
        ],
    )
    def test_wrong_ones_are_refused(self, tmp_path: Path, text: str, message: str) -> None:
        path = write(tmp_path, text)
        with pytest.raises(ModelError) as caught:
            Ising.from_file(path)
        assert str(path) in str(caught.value)
        assert message in str(caught.value)

    def test_spin_glass_instances(self, gset: Path) -> None:
        """Bonds that the file gives twice: those of an 8^3 lattice that is open in two directions, 3 * 512 - 2 * 64."""
        model = Ising.from_file(gset.parent / "ea3d" / "L08_0000.txt")
        assert (model.size, len(model.edges)) == (512, 1408)
        assert set(model.couplings.tolist()) == {-4.0, 4.0}
        model = Ising.from_file(gset.parent / "ea3d" / "L10_0000.txt")
        assert model.size == model.edges.max() + 1 == 999  # the last of 1000 has no bond, so the file does not tell


class TestCoo:
    @pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
    def test_energies_are_dimods(self, tmp_path: Path, vartype: str) -> None:
        linear = {0: 1.5, 7: 0.0, 3: -2.0, 100: 0.25}
        bqm = dimod.BinaryQuadraticModel(linear, {(0, 7): 1.0, (7, 3): -2.5, (100, 0): 4}, 0.0, vartype)
        path = tmp_path / "model.coo"
        path.write_text(coo.dumps(bqm, vartype_header=True))
        model = Ising.from_file(path)
        assert model.labels == (0, 3, 7, 100)
        states = np.array(list(itertools.product((-1, 1), repeat=4)))
        theirs = states if vartype == "SPIN" else (states + 1) // 2
        assert model.energies(states) == pytest.approx(bqm.energies((theirs, list(model.labels))))

    def test_the_vartype_may_be_given(self, tmp_path: Path) -> None:
        path = write(tmp_path, "0 0 1\n0 1 2\n")
        assert read_coo(path, "SPIN").couplings == [-2.0]
        with pytest.raises(ModelError, match=r"has no vartype; a COO file has a line '# vartype=SPIN'"):
            read_coo(path)
        with pytest.raises(ModelError, match="has vartype 'INTEGER'"):
            read_coo(write(tmp_path, "# vartype=INTEGER\n0 0 1\n"))
        with pytest.raises(ModelError, match="is empty"):
            read_coo(write(tmp_path, "# vartype=SPIN\n"))
