"""Matrices in files: numpy's .npy and .npz, scipy's sparse .npz, MatrixMarket's .mtx."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract.errors import ModelError
from .edges import Float, Int64, edges_of_matrix, real_array
from .readers import Graph, spins_of_bits
from .tables import FilePath, check_size, data_lines, read_bytes, read_table, read_text, shown, whole_number

LARGEST = 1 << 31
"""Bytes that an archive may unpack to."""

MTX_FORM = "a MatrixMarket file starts with '%%MatrixMarket matrix coordinate real general' or symmetric"
ARCHIVE_FORM = "an .npz holds J (and h), a QUBO matrix Q, or what scipy.sparse.save_npz writes"

Entries = tuple[int, Int64, Int64, Float]
"""Side of a matrix, and rows, columns and values of its entries."""


def read_npy(path: FilePath) -> Graph:
    """The QUBO of a dense matrix, see ``docs/inputs.md``."""
    return qubo(_dense(_array(path, path, read_bytes(path)), str(path)))


def read_npz(path: FilePath) -> Graph:
    """J and h, a QUBO matrix Q or a sparse QUBO matrix of an .npz.

    Parameters
    ----------
    path : path-like

    Raises
    ------
    ModelError
        If it is damaged, unpacks to more than `LARGEST` bytes, or holds something else.
    """
    arrays = _archive(path)
    if "J" in arrays:
        couplings = real_array(arrays["J"], "J", (None, None))
        biases = real_array(arrays["h"], "h", (len(couplings),)) if "h" in arrays else np.zeros(len(couplings))
        with np.errstate(over="ignore", invalid="ignore"):  # an infinite result is refused with the model
            n, edges, strengths = edges_of_matrix(couplings)
        return Graph(list(range(n)), edges.astype(np.int64), strengths, biases)
    if "Q" in arrays:
        return qubo(_dense(arrays["Q"], "Q"))
    if {"format", "shape", "data"} <= set(arrays):
        return qubo(_sparse(path, arrays))
    raise ModelError(f"{path} does not hold what can be read, but {shown(', '.join(arrays))}; {ARCHIVE_FORM}")


def _archive(path: FilePath) -> dict[str, npt.NDArray[Any]]:
    """The arrays of an .npz."""
    data = read_bytes(path)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            total = sum(info.file_size for info in archive.infolist())
            if total > LARGEST:
                raise ModelError(f"{path} unpacks to {total} bytes, {LARGEST} are allowed; store a sparse matrix")
            members = {info.filename.removesuffix(".npy"): archive.read(info) for info in archive.infolist()}
    except ModelError:
        raise
    except Exception as error:  # zipfile and zlib raise nearly anything on damaged files
        raise ModelError(f"{path} is a damaged .npz ({_line(error)}); {ARCHIVE_FORM}") from None
    return {name: _array(path, name, contents) for name, contents in members.items()}


def _array(path: FilePath, name: FilePath, data: bytes) -> npt.NDArray[Any]:
    """An array in .npy format; it is not allocated before its size is known to be that of its data."""
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(stream)
        if dtype.hasobject or dtype.kind not in "biufSU":
            raise ValueError(f"{dtype} is no number")
        count = 1
        for length in shape:
            count *= int(length)
        if count < 0 or count * dtype.itemsize != len(data) - stream.tell():
            raise ValueError(f"{len(data) - stream.tell()} bytes for shape {shape} of {dtype}")
        flat = np.frombuffer(data, dtype, count, stream.tell())
        return flat.reshape(shape, order="F" if fortran else "C")
    except Exception as error:  # the header is a Python expression, which fails in many ways
        raise ModelError(f"{path} does not hold a numeric array {name} ({_line(error)}); write it again") from None


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:80]


def _dense(matrix: npt.NDArray[Any], name: str) -> Entries:
    values = real_array(matrix, name, (None, None))
    if values.shape[0] != values.shape[1]:
        raise ModelError(f"{name} has shape {values.shape}; it must be square")
    rows, columns = np.nonzero(values)
    return len(values), rows, columns, values[rows, columns]


def _sparse(path: FilePath, arrays: dict[str, npt.NDArray[Any]]) -> Entries:
    """Entries of a sparse matrix in one of scipy's formats csr, csc and coo."""
    form = arrays["format"].astype(str).ravel()[:1].tolist()
    first, second = ("row", "col") if form == ["coo"] else ("indptr", "indices")
    if form not in (["csr"], ["csc"], ["coo"]) or first not in arrays or second not in arrays:
        raise ModelError(f"{path} holds a sparse matrix of format {shown(''.join(form))}; save matrix.tocoo() instead")
    values = real_array(arrays["data"], f"{path}: data", (None,))
    n = _side(path, _integers(path, "shape", arrays["shape"]).tolist(), len(values))
    rows, columns = _integers(path, first, arrays[first]), _integers(path, second, arrays[second])
    if first == "indptr":
        counts = np.diff(rows)
        if len(rows) != n + 1 or rows[0] != 0 or rows[-1] != len(values) or (counts < 0).any():
            raise ModelError(f"{path} has an indptr that does not count its {len(values)} entries; write it again")
        rows = np.repeat(np.arange(n), counts)
    if not len(rows) == len(columns) == len(values):
        raise ModelError(f"{path} has {len(values)} values for {len(columns)} indices; write it again")
    for index in (rows, columns):
        if ((index < 0) | (index >= n)).any():
            raise ModelError(f"{path} has an index outside 0 to {n - 1}; write it again")
    return n, rows, columns, values


def _integers(path: FilePath, name: str, array: npt.NDArray[Any]) -> Int64:
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise ModelError(f"{path} has {name} of {array.dtype} and shape {array.shape}; it must be a row of integers")
    return array.astype(np.int64)


def _side(path: FilePath, shape: list[int], entries: int) -> int:
    if len(shape) != 2 or shape[0] != shape[1] or not 0 < shape[0] < 1 << 31:
        raise ModelError(f"{path} has shape {shown(str(tuple(shape)))}; it must be square, with a side below 2^31")
    check_size(path, shape[0], 2 * entries)
    return shape[0]


def read_mtx(path: FilePath) -> Graph:
    """The QUBO of a matrix in MatrixMarket's coordinate format, see ``docs/inputs.md``.

    Parameters
    ----------
    path : path-like
        Real, integer or pattern; general or symmetric (Boisvert, Pozo, Remington, NISTIR 5935, 1996).

    Raises
    ------
    ModelError
        If it is missing, damaged, not square or of another kind.
    """
    text = read_text(path, MTX_FORM)
    banner = text.partition("\n")[0]
    words = banner.lower().split()
    if len(words) != 5 or words[:3] != ["%%matrixmarket", "matrix", "coordinate"]:
        raise ModelError(f"{path} line 1 is {shown(banner)}; {MTX_FORM}; write dense matrices as .npy")
    if words[3] not in ("real", "integer", "pattern") or words[4] not in ("general", "symmetric"):
        raise ModelError(f"{path} is {words[3]} {words[4]}; {MTX_FORM}"[:300])
    number, header = next(data_lines(text, "%"), (0, ""))
    counts = [count for count in map(whole_number, header.split()) if count is not None]
    if len(counts) != 3 or len(header.split()) != 3:
        raise ModelError(f"{path} line {number} is {shown(header)}, not 'rows columns entries'")
    form = "i j" if words[3] == "pattern" else "i j value"
    table = read_table(path, text, skip=1, comment="%", form=form, hint="is it a MatrixMarket file?")
    if len(table.values) != counts[2]:
        raise ModelError(f"{path} has {len(table.values)} of {counts[2]} entries; fetch it again")
    n = _side(path, counts[:2], counts[2])
    outside = ((table.pairs < 1) | (table.pairs > n)).any(axis=1)
    if outside.any():
        raise ModelError(f"{table.where(int(np.argmax(outside)))}; indices are 1 to {n}")
    rows, columns = table.pairs.T - 1
    both = (words[4] == "symmetric") & (rows != columns)  # one triangle stands for both
    rows, columns = np.concatenate([rows, columns[both]]), np.concatenate([columns, rows[both]])
    return qubo((n, rows, columns, np.concatenate([table.values, table.values[both]])))


def qubo(entries: Entries) -> Graph:
    """The spins of a quadratic form of bits, E = x Q x.

    Parameters
    ----------
    entries : tuple
        Side n of Q, and its entries' rows, columns and values; repeated ones add up.
    """
    n, rows, columns, values = entries
    diagonal = rows == columns
    linear = np.bincount(rows[diagonal], values[diagonal], n).astype(np.float64)
    edges = np.stack([rows[~diagonal], columns[~diagonal]], axis=1).astype(np.int64)
    return spins_of_bits(list(range(n)), edges, values[~diagonal], linear)
