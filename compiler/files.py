"""One entry to all files that hold a model: the contents, not the name, say what it is."""

from __future__ import annotations

import numpy as np

from ..contract.errors import ModelError
from .bqm_files import read_bqm_json
from .graph_files import VARTYPE, read_coo, read_edges, read_gset
from .matrix_files import read_mtx, read_npy, read_npz
from .readers import Graph
from .tables import FilePath, data_lines, read_bytes

_HEAD = 1 << 16
"""Bytes that are looked at to tell formats apart."""


def read_file(path: FilePath) -> Graph:
    """Read a model of any known format, see `Ising.from_file`."""
    data = read_bytes(path)[:_HEAD]
    try:
        return _read(path, data)
    except ModelError as error:
        raise error if str(path) in str(error) else ModelError(f"{path}: {error}") from None


def _read(path: FilePath, data: bytes) -> Graph:
    for magic, reader in ((b"PK", read_npz), (b"\x93NUMPY", read_npy), (b"%%MatrixMarket", read_mtx)):
        if data.startswith(magic):
            return reader(path)
    if data.lstrip().startswith(b"{"):
        return read_bqm_json(path)
    text = data.decode("utf-8", "replace")
    if VARTYPE.search(text):
        return read_coo(path)
    return read_edges(path) if _is_edge(next(data_lines(text), (0, ""))[1]) else gset_graph(path)


def _is_edge(line: str) -> bool:
    fields = line.split()
    return len(fields) == 3 and all(field.lstrip("+-").isdecimal() for field in fields[:2])


def gset_graph(path: FilePath) -> Graph:
    """The max-cut problem of a G-set file, see `Ising.from_gset`."""
    n, edges, weights = read_gset(path)
    return Graph(list(range(n)), edges.astype(np.int64), -weights, np.zeros(n), max_cut=True)
