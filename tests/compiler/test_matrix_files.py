"""Matrices in files: energies of the QUBO by definition, in every format, and what is refused."""

from __future__ import annotations

import io
import itertools
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from pbit_hw.compiler.models import Ising
from pbit_hw.contract.errors import ModelError

Q = np.array([[1.5, -2.0, 0.0, 0.25], [0.5, 0.0, 3.0, 0.0], [0.0, 0.0, -1.0, 0.0], [0.0, 1.0, 0.0, 0.0]])
SPARSE = scipy.sparse.coo_array(Q)


def save_npy(path: Path) -> Path:
    np.save(path.with_suffix(".npy"), Q)
    return path.with_suffix(".npy")


def save_fortran(path: Path) -> Path:
    np.save(path.with_suffix(".npy"), np.asfortranarray(Q.astype(np.float32)))
    return path.with_suffix(".npy")


def save_npz(path: Path) -> Path:
    np.savez_compressed(path.with_suffix(".npz"), Q=Q)
    return path.with_suffix(".npz")


def save_sparse(matrix: Any) -> Callable[[Path], Path]:
    def save(path: Path) -> Path:
        scipy.sparse.save_npz(path.with_suffix(".npz"), matrix)
        return path.with_suffix(".npz")

    return save


def save_mtx(path: Path) -> Path:
    scipy.io.mmwrite(path.with_suffix(".mtx"), SPARSE, comment="made by a test", symmetry="general")
    return path.with_suffix(".mtx")


@pytest.mark.parametrize(
    "save", [save_npy, save_fortran, save_npz, *map(save_sparse, (SPARSE, SPARSE.tocsr(), SPARSE.tocsc())), save_mtx]
)
def test_energies_are_those_of_the_bits(tmp_path: Path, save: Callable[[Path], Path]) -> None:
    model = Ising.from_file(save(tmp_path / "matrix"))
    bits = np.array(list(itertools.product((0, 1), repeat=4)))
    assert model.labels == (0, 1, 2, 3)
    assert model.energies(2 * bits - 1) == pytest.approx(np.einsum("ki,ij,kj->k", bits, Q, bits))


def test_symmetric_and_pattern_matrix_market(tmp_path: Path) -> None:
    path, symmetric = tmp_path / "m.mtx", Q + Q.T
    scipy.io.mmwrite(path, scipy.sparse.coo_array(symmetric), symmetry="symmetric")
    bits = np.array(list(itertools.product((0, 1), repeat=4)))
    energies = np.einsum("ki,ij,kj->k", bits, symmetric, bits)
    assert Ising.from_file(path).energies(2 * bits - 1) == pytest.approx(energies)
    path.write_text("%%MatrixMarket matrix coordinate pattern symmetric\n3 3 2\n2 1\n3 3\n")
    bits = np.array(list(itertools.product((0, 1), repeat=3)))
    energies = 2 * bits[:, 0] * bits[:, 1] + bits[:, 2]
    assert Ising.from_file(path).energies(2 * bits - 1) == pytest.approx(energies)


def test_an_npz_with_couplings_and_biases(tmp_path: Path) -> None:
    couplings = np.array([[0, 1.5], [1.5, 0]])
    np.savez(tmp_path / "m.npz", J=couplings, h=[0.5, -1])
    model = Ising.from_file(tmp_path / "m.npz")
    assert (model.couplings.tolist(), model.biases.tolist()) == ([1.5], [0.5, -1])
    np.savez(tmp_path / "m.npz", J=couplings)
    assert not Ising.from_file(tmp_path / "m.npz").biases.any()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"J": np.ones((2, 3))}, "J has shape (2, 3); it must be square"),
        ({"J": np.zeros((2, 2)), "h": np.ones(3)}, "h has shape (3,); the model needs (2)"),
        ({"J": np.array([["a", "b"], ["c", "d"]])}, "J must be an array of real numbers"),
        ({"J": np.array([[None]])}, "does not hold a numeric array J (object is no number)"),
        ({"Q": np.array([[np.nan]])}, "Q[0, 0] is nan"),
        ({"Q": np.ones(3)}, "Q has shape (3,)"),
        ({"Q": np.ones((2, 3))}, "Q has shape (2, 3); it must be square"),
        ({"x": np.ones(3)}, "does not hold what can be read, but 'x'; an .npz holds J (and h)"),
        ({"format": b"dia", "shape": [1, 1], "data": [1.0]}, "format 'dia'; save matrix.tocoo() instead"),
        ({"format": b"coo", "shape": [2, 3], "data": [1.0], "row": [0], "col": [0]}, "it must be square"),
        ({"format": b"coo", "shape": [2, 2], "data": [1.0], "row": [0], "col": [2]}, "an index outside 0 to 1"),
        ({"format": b"coo", "shape": [2, 2], "data": [1.0], "row": [0], "col": [0, 1]}, "1 values for 2 indices"),
        ({"format": b"coo", "shape": [2, 2], "data": [1.0], "row": [0.5], "col": [0]}, "must be a row of integers"),
        (
            {"format": b"csr", "shape": [10**9, 10**9], "data": [1.0], "indptr": [0], "indices": [0]},
            "announces 1000000000 variables, of which its entries name at most 2",
        ),
        (
            {"format": b"csr", "shape": [2, 2], "data": [1.0], "indptr": [0, 5, 1], "indices": [0]},
            "an indptr that does not count its 1 entries",
        ),
    ],
)  # fmt: skip
def test_wrong_archives_are_refused(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    path = tmp_path / "m.npz"
    np.savez(path, **arrays)
    refused(path, message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("%%MatrixMarket matrix array real general\n1 1\n1\n", "write dense matrices as .npy"),
        ("%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1 0\n", "is complex general"),
        ("%%MatrixMarket matrix coordinate real general\n", "line 0 is '', not 'rows columns entries'"),
        ("%%MatrixMarket matrix coordinate real general\n% x\n2 2\n", "line 3 is '2 2', not 'rows columns entries'"),
        ("%%MatrixMarket matrix coordinate real general\n2 2 2\n1 1 1\n", "has 1 of 2 entries; fetch it again"),
        ("%%MatrixMarket matrix coordinate real general\n2 2 1\n3 1 1\n", "line 3 is '3 1 1'; indices are 1 to 2"),
        ("%%MatrixMarket matrix coordinate real general\n2 3 1\n1 1 1\n", "it must be square"),
        ("%%MatrixMarket matrix coordinate real general\n2 2 1\n1 1 x\n", "line 3 is '1 1 x', not 'i j value'"),
        ("%%MatrixMarket matrix coordinate real general\n999999999999 999999999999 0\n", "with a side below 2^31"),
        ("%%MatrixMarket matrix coordinate real general\n1000000000 1000000000 0\n", "announces 1000000000 variables"),
    ],
)
def test_wrong_matrix_market_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "m.mtx"
    path.write_text(text)
    refused(path, message)


def test_sums_that_overflow_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", J=np.array([[0, 1.5e308], [1.5e308, 0]]))
    refused(tmp_path / "m.npz", "couplings[0] is inf")
    (tmp_path / "m.mtx").write_text("%%MatrixMarket matrix coordinate real symmetric\n2 2 1\n2 1 1.5e308\n")
    refused(tmp_path / "m.mtx", "the values add up to")


def test_a_header_that_promises_too_much_allocates_nothing(tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": (10**6, 10**6)})
    path = tmp_path / "m.npy"
    path.write_bytes(stream.getvalue() + bytes(8))
    refused(path, "8 bytes for shape (1000000, 1000000) of float64")
    np.save(path, np.array([["a"]], object), allow_pickle=True)
    refused(path, "does not hold a numeric array")


def test_an_archive_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pbit_hw.compiler.matrix_files.LARGEST", 1000)
    path = tmp_path / "m.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Q.npy", bytes(1001))
    refused(path, "unpacks to 1001 bytes, 1000 are allowed; store a sparse matrix")


def refused(path: Path, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        Ising.from_file(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
