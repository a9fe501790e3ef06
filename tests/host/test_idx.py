"""IDX files: whole ones and damaged ones."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest

from pbit_hw.contract.errors import ModelError, RequestError
from pbit_hw.host.idx import binarise, read_idx, split


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def images():
    return np.random.default_rng(1).integers(0, 256, (7, 5, 4), np.uint8)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("axes", [1, 3])
def test_arrays_come_back(tmp_path, images, pack, axes):
    array = images if axes == 3 else images[:, 0, 0]
    path = tmp_path / "images"
    path.write_bytes(pack(idx(array)))
    got = read_idx(path)
    np.testing.assert_array_equal(got, array)
    assert got.dtype == np.uint8
    got[0] = 0  # the caller's own


DAMAGED = [
    (b"", "begins with nothing"),
    (b"\0\0\x08", "begins with 00 00 08,"),
    (b"\x89PNG....", "begins with 89 50 4e 47,"),
    (b"\0\0\x08\0", "1 to 4 axes"),
    (b"\0\0\x08\xff" + bytes(2000), "1 to 4 axes"),
    (b"\0\0\x0d\x01\0\0\0\x01" + bytes(4), "type 0x0d; only unsigned bytes"),
    (b"\0\0\x08\x02\0\0\0\x01\0\0", r"2 axes have lengths \(1,\)"),
    (b"\0\0\x08\x02\0\0\0\x01\0\0\0\0", r"lengths \(1, 0\)"),
    (b"\0\0\x08\x01\0\0\0\x03ab", r"too short for the 3 elements of shape \(3,\)"),
    (b"\0\0\x08\x01\0\0\0\x01ab", "too long for the 1 elements"),
    (b"\0\0\x08\x04" + b"\xff" * 16 + b"a", "too short for the 340282366604025813516997721482669850625 elements"),
]


@pytest.mark.parametrize(("data", "message"), DAMAGED)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_damage_is_named(tmp_path, data, message, pack):
    path = tmp_path / "images"
    path.write_bytes(pack(data))
    with pytest.raises(ModelError, match=message) as caught:
        read_idx(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"cannot read .*nothing"):
        read_idx(tmp_path / "nothing")


def test_a_damaged_gzip_stream_is_named(tmp_path, images):
    path = tmp_path / "images.gz"
    for data in (gzip.compress(idx(images))[:-9], gzip.compress(idx(images))[:-8] + bytes(8), b"\x1f\x8b"):
        path.write_bytes(data)
        with pytest.raises(ModelError, match="gzip stream is damaged"):
            read_idx(path)


def damaged(rng, data):
    """Some bytes changed, or cut off, or put in."""
    copy = bytearray(data)
    where = int(rng.integers(0, len(copy)))
    kind = rng.integers(0, 4)
    if kind == 0:
        for place in rng.integers(0, min(len(copy), 16), rng.integers(1, 4)):
            copy[place] = int(rng.integers(0, 256))
    elif kind == 1:
        del copy[where:]
    elif kind == 2:
        copy[where:where] = rng.bytes(int(rng.integers(1, 20)))
    else:
        copy[where] ^= 1 << int(rng.integers(0, 8))
    return bytes(copy)


def test_two_thousand_damaged_files(tmp_path, images):
    """Each is read as an array of bytes or refused in one line."""
    rng = np.random.default_rng(2)
    path = tmp_path / "images"
    refused = 0
    files = [idx(images), gzip.compress(idx(images))]
    for number in range(2000):
        path.write_bytes(damaged(rng, files[number % 2]))
        try:
            assert read_idx(path).dtype == np.uint8
        except ModelError as error:
            assert "\n" not in str(error)  # noqa: PT017
            refused += 1
    assert 1000 < refused < 2000


def test_binarise():
    rows = binarise(np.array([[[0, 127], [128, 255]]], np.uint8))
    assert rows.tolist() == [[0, 0, 1, 1]]
    assert rows.dtype == np.int8


def test_split():
    first, rest = split(10, 7, seed=1)
    assert len(first) == 7
    assert sorted([*first, *rest]) == list(range(10))
    assert (first == split(10, 7, seed=1)[0]).all()
    assert (first != split(10, 7, seed=2)[0]).any()
    for count in (0, 10):
        with pytest.raises(RequestError, match="1 to 9"):
            split(10, count, seed=1)
