"""File format of compiled images: a JSON header, raw little-endian arrays, a digest over all of it.

Layout: ``PBITFILE``, version u16, header length u32, header (UTF-8 JSON: ``meta``
and, per array, name, dtype, shape), the arrays in that order, SHA-256 of every
byte before it. Nothing in a file is ever executed.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import ImageError

MAGIC = b"PBITFILE"
FILE_VERSION = 2
HEAD = struct.Struct("<8sHI")
"""Magic, file version, header length."""

DTYPES = {"|u1", "|i1", "<i4", "<i8", "<f8"}
"""What an array may hold."""


def dump(meta: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """The bytes of a file; equal contents give equal bytes.

    Parameters
    ----------
    meta : mapping
        Anything JSON can hold.
    arrays : mapping of str to ndarray
        uint8, int8, int32, int64 or float64.
    """
    little = {name: np.asarray(a, np.asarray(a).dtype.newbyteorder("<"), order="C") for name, a in arrays.items()}
    for name, array in little.items():
        if array.dtype.str not in DTYPES:
            raise ImageError(f"array {name!r} has dtype {array.dtype}, the file format holds {sorted(DTYPES)}")
    entries = [{"name": name, "dtype": a.dtype.str, "shape": a.shape} for name, a in little.items()]
    header = json.dumps({"meta": meta, "arrays": entries}, sort_keys=True).encode()
    body = HEAD.pack(MAGIC, FILE_VERSION, len(header)) + header + b"".join(a.tobytes() for a in little.values())
    return body + hashlib.sha256(body).digest()


def parse(data: bytes, source: str = "image") -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Check a file's bytes and take them apart.

    Parameters
    ----------
    data : bytes
        A whole file.
    source : str
        Its name, for errors.

    Returns
    -------
    meta : dict
    arrays : dict of str to ndarray

    Raises
    ------
    ImageError
        If the bytes are not a pbit-hw file, of another version, truncated or altered.
    """
    if not data.startswith(MAGIC):
        raise ImageError(f"{source} is not a compiled pbit-hw program; make one with: pbit compile MODEL -o x.pbit")
    if len(data) < HEAD.size + 32:
        raise ImageError(f"{source} is truncated after {len(data)} bytes; copy or compile it again")
    _, version, header_length = HEAD.unpack(data[: HEAD.size])
    if version != FILE_VERSION:
        raise ImageError(f"{source} has file version {version}, this pbit-hw reads {FILE_VERSION}; compile it again")
    body, digest = data[:-32], data[-32:]
    if hashlib.sha256(body).digest() != digest:
        raise ImageError(f"{source} is damaged or truncated: its SHA-256 does not match; copy or compile it again")
    header = json.loads(body[HEAD.size : HEAD.size + header_length])
    return header["meta"], dict(_arrays(header["arrays"], body, HEAD.size + header_length))


def _arrays(entries: list[dict[str, Any]], body: bytes, offset: int) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    for entry in entries:
        if entry["dtype"] not in DTYPES:
            raise ImageError(f"array {entry['name']!r} has dtype {entry['dtype']}, not one of {sorted(DTYPES)}")
        count = int(np.prod(entry["shape"], dtype=np.int64))
        array = np.frombuffer(body, entry["dtype"], count, offset).reshape(entry["shape"])
        offset += array.nbytes
        yield entry["name"], array.astype(array.dtype.newbyteorder("="))


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file whole or not at all: to a temporary file beside it, then rename."""
    target = Path(path)
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as temporary:
        try:
            temporary.write(data)
            temporary.flush()
            os.fsync(temporary.fileno())
            os.chmod(temporary.name, 0o644)
            os.replace(temporary.name, target)
        except BaseException:
            os.unlink(temporary.name)
            raise
