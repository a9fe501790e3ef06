"""IDX files, the format of MNIST: http://yann.lecun.com/exdb/mnist/."""

from __future__ import annotations

import gzip
import io
import zlib
from math import prod

import numpy as np
import numpy.typing as npt

from ..compiler.tables import FilePath, read_bytes
from ..contract.errors import ModelError, RequestError

UNSIGNED_BYTE = 0x08
"""The code of the only type of element that is read."""

MAX_AXES = 4

_GZIP = b"\x1f\x8b"
_MAX_RATIO = 1032
"""Bytes that one byte of a deflate stream can stand for (zlib's technical details)."""

Bytes = npt.NDArray[np.uint8]


def read_idx(path: FilePath) -> Bytes:
    """Read the array of an IDX file.

    Two zero bytes, the type's code, the number of axes, their lengths as
    big-endian integers of 32 bits, and the elements in C order.

    Parameters
    ----------
    path : path-like
        A file of unsigned bytes, as it is or compressed by gzip.

    Returns
    -------
    ndarray of uint8
        For MNIST of shape (k, 28, 28), or (k,) for labels.

    Raises
    ------
    ModelError
        If the file is missing, damaged, or of another format or type.
    """
    data = read_bytes(path)
    packed = data.startswith(_GZIP)
    try:
        with gzip.open(io.BytesIO(data)) if packed else io.BytesIO(data) as stream:
            return _read(stream, len(data) * (_MAX_RATIO if packed else 1))
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    except (EOFError, OSError, zlib.error) as error:
        raise ModelError(f"{path}: its gzip stream is damaged: {error}") from None


def _read(stream: gzip.GzipFile | io.BytesIO, most: int) -> Bytes:
    """The array of a stream that can hold no more bytes than ``most``."""
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or not 1 <= magic[3] <= MAX_AXES:
        raise ModelError(f"it begins with {magic.hex(' ') or 'nothing'}, not as an IDX file of 1 to {MAX_AXES} axes")
    if magic[2] != UNSIGNED_BYTE:
        raise ModelError(f"elements are of type 0x{magic[2]:02x}; only unsigned bytes, 0x08, are read")
    lengths = stream.read(4 * magic[3])
    shape = tuple(int(length) for length in np.frombuffer(lengths[: len(lengths) // 4 * 4], ">u4"))
    if len(shape) < magic[3] or 0 in shape:
        raise ModelError(f"its {magic[3]} axes have lengths {shape}; each must be there and at least 1")
    count = prod(shape)
    elements = stream.read(count + 1) if count <= most else b""
    if len(elements) != count:
        shorter = len(elements) < count
        raise ModelError(f"it is too {'short' if shorter else 'long'} for the {count} elements of shape {shape}")
    return np.frombuffer(elements, np.uint8).reshape(shape).copy()


def binarise(images: npt.ArrayLike) -> npt.NDArray[np.int8]:
    """Rows of bits, 1 where a pixel is above half of 255.

    Parameters
    ----------
    images : array_like of uint8, shape (k, ...)

    Returns
    -------
    ndarray of int8, shape (k, pixels)
    """
    array = np.asarray(images)
    return (array > 127).astype(np.int8).reshape(len(array), -1)


def split(count: int, first: int, *, seed: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Indices of two random parts, to train on and to test on.

    Parameters
    ----------
    count : int
        Rows in all.
    first : int
        Rows of the first part.
    seed : int
        Of the shuffle.

    Returns
    -------
    first, rest : ndarray of int64, shapes (first,) and (count - first,)

    Raises
    ------
    RequestError
        If a part would be empty.
    """
    if not 0 < first < count:
        raise RequestError(f"{first} of {count} rows leave a part empty; give 1 to {count - 1}")
    order = np.random.default_rng(seed).permutation(count)
    return order[:first], order[first:]
