"""Damaged files: whatever is in them, a model comes out or a `ModelError` of one line, in bounded time and memory."""

from __future__ import annotations

import io
import json
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import dimod
import numpy as np
import pytest
import scipy.io
import scipy.sparse

from pbit_hw.compiler.base import Variables
from pbit_hw.compiler.bqm_files import read_bqm_json
from pbit_hw.compiler.cnf import Formula
from pbit_hw.compiler.dimacs import read_dimacs
from pbit_hw.compiler.graph_files import read_coo, read_edges, read_gset
from pbit_hw.compiler.matrix_files import read_mtx, read_npy, read_npz
from pbit_hw.compiler.models import Ising
from pbit_hw.contract.errors import ModelError

MATRIX = np.array([[1.5, -2.0, 0.0], [0.5, 0.0, 3.0], [0.0, 0.0, -1.0]])

WORDS = [
    *("nan", "inf", "-inf", "-1", "0", "1", "1e308", "-1e308", "1e999", "1e-400", "0x10", "1_0", "1.5", "1j"),
    *("2147483647", "2147483648", "4294967296", "9223372036854775807", "1000000000000", "9" * 30, "9" * 5000),
    *("null", "true", "-", "+", ".", ",", "\u0663", "\u00b2", "\u2028", "\ufeff", "\x00", "\x0c", "\r", "\t", "\n"),
    *("#", "%", "{", "[", '"', "[[", "]]", "# vartype=SPIN\n"),
]


def saved(save: Callable[..., object], *arguments: object, **options: object) -> bytes:
    stream = io.BytesIO()
    save(stream, *arguments, **options)
    return stream.getvalue()


SPARSE = scipy.sparse.csr_array(MATRIX)
BQM = dimod.BinaryQuadraticModel({"a": 1.0, "b": 0.5, 3: 0.0}, {("a", "b"): -2.0, ("b", 3): 1.5}, 0.25, "BINARY")

READERS: dict[str, tuple[Callable[[Path], object], list[bytes]]] = {
    "gset": (read_gset, [b"5 3\n1 2 1\n4 2 -2.5\n1 2 3\n", b"3 0\n", b"4 2\r\n1 2 1\r\n3 4 -1\r\n"]),
    "edges": (read_edges, [b"# w\n0 1 4\n1 0 4\n2 1 -4\n1 2 -4\n", b"0 1 1.5\n2 2 -1\n\n3 1 2 # x\n"]),
    "coo": (read_coo, [b"# vartype=SPIN\n0 0 1.0\n0 5 -2.0\n1 5 1.5\n", b"# vartype=BINARY\n0 1 1\n"]),
    "json": (read_bqm_json, [json.dumps(BQM.to_serializable()).encode()]),
    "mtx": (read_mtx, [saved(scipy.io.mmwrite, SPARSE), saved(scipy.io.mmwrite, SPARSE + SPARSE.T)]),
    "npy": (read_npy, [saved(np.save, MATRIX), saved(np.save, np.asfortranarray(MATRIX).astype(np.int16))]),
    "npz": (
        read_npz,
        [
            saved(np.savez, J=np.triu(MATRIX, 1), h=np.ones(3)),
            saved(np.savez_compressed, Q=MATRIX),
            saved(scipy.sparse.save_npz, SPARSE),
            saved(scipy.sparse.save_npz, SPARSE.tocoo(), compressed=False),
        ],
    ),
    "cnf": (read_dimacs, [b"c x\np cnf 4 3\n1 -2 0\n2 3\n-4 0 4 0\n", b"p cnf 3 1\r\n1 2 3 0\r\n%\r\n0\r\n"]),
    "wcnf": (read_dimacs, [b"p wcnf 3 2 9\n9 1 2 0\n4 -3 0\n", b"h 1 2 0\n3 -1 0\n"]),
}
"""Each reader with valid files of its format."""

USERS: dict[str, Callable[[Path], Variables]] = {name: Formula.from_dimacs for name in ("cnf", "wcnf")}
"""What users call where it is not `Ising.from_file`."""


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Up to four kinds of damage, one after the other."""
    for _ in range(int(rng.integers(1, 5))):
        data = DAMAGES[rng.integers(len(DAMAGES))](data, rng)
    return data


def flip(data: bytes, rng: np.random.Generator) -> bytes:
    array = np.frombuffer(data, np.uint8).copy()
    if len(array):
        array[rng.integers(len(array), size=int(rng.integers(1, 4)))] ^= np.uint8(1 << rng.integers(8))
    return array.tobytes()


def truncate(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: rng.integers(len(data) + 1)]


def cut(data: bytes, rng: np.random.Generator) -> bytes:
    first = int(rng.integers(len(data) + 1))
    return data[:first] + data[first + int(rng.integers(1, 20)) :]


def repeat_a_line(data: bytes, rng: np.random.Generator) -> bytes:
    lines = data.split(b"\n")
    k = int(rng.integers(len(lines)))
    return b"\n".join(lines[:k] + [lines[k]] * int(rng.integers(2, 50)) + lines[k:])


def insert_a_word(data: bytes, rng: np.random.Generator) -> bytes:
    place = int(rng.integers(len(data) + 1))
    return data[:place] + WORDS[rng.integers(len(WORDS))].encode() + data[place:]


def replace_a_word(data: bytes, rng: np.random.Generator) -> bytes:
    fields = data.split(b" ")
    fields[int(rng.integers(len(fields)))] = WORDS[rng.integers(len(WORDS))].encode()
    return b" ".join(fields)


def insert_bytes(data: bytes, rng: np.random.Generator) -> bytes:
    place = int(rng.integers(len(data) + 1))
    return data[:place] + rng.bytes(int(rng.integers(1, 20))) + data[place:]


def empty(data: bytes, rng: np.random.Generator) -> bytes:
    return b"" if rng.random() < 0.1 else data


DAMAGES = [flip, truncate, cut, repeat_a_line, insert_a_word, replace_a_word, insert_bytes, empty]


def fuzz(name: str, count: int, path: Path) -> tuple[int, int]:
    """How many files of a format were read, and how many refused."""
    reader, seeds = READERS[name]
    rng = np.random.default_rng(sorted(READERS).index(name))
    good, refusals = 0, []
    for number in range(count):
        data = mutated(seeds[number % len(seeds)], rng)
        path.write_bytes(data)
        try:
            reader(path)
            assert isinstance(USERS.get(name, Ising.from_file)(path), Variables)
            good += 1
        except ModelError as error:
            refusals.append(str(error))
        except Exception as error:
            raise AssertionError(f"{name}, file {number}: {data!r}") from error
    assert not [line for line in refusals if "\n" in line or len(line) > 1000]
    return good, len(refusals)


@pytest.mark.parametrize("name", READERS)
def test_the_undamaged_files_are_read(name: str, tmp_path: Path) -> None:
    reader, seeds = READERS[name]
    for data in seeds:
        (tmp_path / "file").write_bytes(data)
        reader(tmp_path / "file")
        assert USERS.get(name, Ising.from_file)(tmp_path / "file").size >= 2


@pytest.mark.parametrize("name", READERS)
def test_300_damaged_files(name: str, tmp_path: Path) -> None:
    good, bad = fuzz(name, 300, tmp_path / "file")
    assert bad > 50
    assert good + bad == 300


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_10_000_damaged_files(name: str, tmp_path: Path) -> None:
    """No file takes more than what a million isolated variables take."""
    tracemalloc.start()
    start = time.process_time()
    try:
        good, bad = fuzz(name, 10_000, tmp_path / "file")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert good + bad == 10_000
    assert good > 50
    assert peak < 1 << 29
    assert time.process_time() - start < 600
