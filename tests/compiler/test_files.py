"""Formats told from contents, and the time that large files take."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from pbit_hw.compiler.colouring import colour
from pbit_hw.compiler.library import lattice
from pbit_hw.compiler.models import Ising, MaxCut
from pbit_hw.compiler.placement import place
from pbit_hw.compiler.writers import write_edge_list, write_gset
from pbit_hw.contract.errors import ModelError


@pytest.mark.parametrize(
    ("text", "kind", "couplings"),
    [
        ("2 1\n1 2 3\n", MaxCut, [-3.0]),
        ("\n# 0 1 2\n0 1 3\n", Ising, [-3.0]),
        ("# vartype=SPIN\n5 9 3\n", Ising, [-3.0]),
        ("# vartype=BINARY\n5 9 3\n", Ising, [-0.75]),
        ("%%MatrixMarket matrix coordinate integer general\n2 2 1\n1 2 3\n", Ising, [-0.75]),
    ],
)
def test_the_name_does_not_matter(tmp_path: Path, text: str, kind: type[Ising], couplings: list[float]) -> None:
    path = tmp_path / "model"
    path.write_text(text)
    model = Ising.from_file(path)
    assert type(model) is kind
    assert model.couplings.tolist() == couplings


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"what is this", b"\xff\xfe\x00", b"PK\x03\x04", b"\x93NUMPY", b"{", b"1 2 3 4\n"]
)
def test_what_is_no_model_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"model\.bin"):
        Ising.from_file(path)


def test_a_torus_of_20_000_vertices_is_read_coloured_and_placed(tmp_path: Path) -> None:
    """As large as G81: measured at 0.1 s."""
    path = tmp_path / "torus.txt"
    torus = lattice((100, 200), spin_glass_seed=1)
    write_gset(torus, path)
    start = time.process_time()
    model = Ising.from_file(path)
    place(model.edges, colour(model.size, model.edges))
    assert time.process_time() - start < 2
    assert np.array_equal(model.couplings, torus.couplings)


@pytest.mark.slow
def test_a_million_lines(tmp_path: Path) -> None:
    path = tmp_path / "large.txt"
    model = lattice((80, 80, 80), spin_glass_seed=1)
    write_edge_list(model, path)
    start = time.process_time()
    read = Ising.from_file(path)
    assert time.process_time() - start < 15
    assert np.array_equal(read.couplings, model.couplings)
