"""The file format: what is written is read, and nothing damaged is."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pbit_hw.contract import container
from pbit_hw.contract.errors import ImageError

META = {"contract": 1, "name": "größe"}
ARRAYS: dict[str, Any] = {
    "u1": np.arange(5, dtype=np.uint8),
    "i4": np.array([[1, -2], [3, 2**31 - 1]], np.int32),
    "f8": np.array([0.1, -np.pi]),
    "none": np.zeros((0, 3), np.int64),
}
FILE = container.dump(META, ARRAYS)
HEAD = 8 + 2 + 4


def sealed(body: bytes) -> bytes:
    """A body with a digest that fits."""
    return body + hashlib.sha256(body).digest()


def test_round_trip() -> None:
    meta, arrays = container.parse(FILE)
    assert meta == META
    assert list(arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        assert np.array_equal(arrays[name], array)
        assert arrays[name].flags.writeable


@given(st.sampled_from(["u1", "i1", "i4", "i8", "f8"]), hnp.array_shapes(min_dims=0, min_side=0), st.data())
def test_any_array_round_trips(dtype: str, shape: tuple[int, ...], data: st.DataObject) -> None:
    array = data.draw(hnp.arrays(np.dtype(dtype), shape))
    _, arrays = container.parse(container.dump({}, {"a": array}))
    assert arrays["a"].tobytes() == array.tobytes()
    assert arrays["a"].shape == array.shape


def test_equal_contents_give_equal_bytes() -> None:
    shuffled = {"name": META["name"], "contract": META["contract"]}
    foreign = {name: np.asfortranarray(array.astype(array.dtype.newbyteorder(">"))) for name, array in ARRAYS.items()}
    assert container.dump(shuffled, foreign) == FILE


def test_every_truncation_is_refused() -> None:
    for length in range(len(FILE)):
        with pytest.raises(ImageError, match=r"damaged|truncated|not a compiled"):
            container.parse(FILE[:length], "x.pbit")


def test_every_flipped_bit_is_refused() -> None:
    for position in range(8 * len(FILE)):
        damaged = bytearray(FILE)
        damaged[position // 8] ^= 1 << position % 8
        with pytest.raises(ImageError, match=r"x\.pbit"):
            container.parse(bytes(damaged), "x.pbit")


@given(st.binary(max_size=200))
def test_foreign_bytes_are_refused(data: bytes) -> None:
    for damaged in (data, FILE + data + b"\0", container.MAGIC + data):
        with pytest.raises(ImageError):
            container.parse(damaged)


def test_messages_name_the_file_and_the_way_out() -> None:
    with pytest.raises(ImageError, match=r"model\.txt is not a compiled pbit-hw program; make one with: pbit compile"):
        container.parse(b"800 1600\n", "model.txt")
    newer = sealed(FILE[:8] + b"\x63\x00" + FILE[10:-32])
    with pytest.raises(ImageError, match="file version 99, this pbit-hw reads 2; compile it again"):
        container.parse(newer)


@pytest.mark.parametrize("dtype", [np.float32, np.uint16, np.bool_, np.complex128, "U3", object, "datetime64[s]"])
def test_other_dtypes_are_not_written(dtype: Any) -> None:
    with pytest.raises(ImageError, match="array 'odd' has dtype"):
        container.dump({}, {"odd": np.zeros(2, dtype)})


@pytest.mark.parametrize("dtype", ["|O8", "<f4", "<u8"])
def test_other_dtypes_are_not_read(dtype: str) -> None:
    body = FILE[:-32].replace(b'"dtype": "|u1"', b'"dtype": "%s"' % dtype.encode())
    assert len(body) == len(FILE) - 32
    with pytest.raises(ImageError, match="array 'u1' has dtype"):
        container.parse(sealed(body))


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    target = tmp_path / "x.pbit"
    container.write_whole(target, FILE)
    container.write_whole(str(target), FILE + FILE)
    assert target.read_bytes() == FILE + FILE
    assert os.listdir(tmp_path) == ["x.pbit"]


@pytest.mark.parametrize("failing", ["fsync", "chmod", "replace"])
def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    target = tmp_path / "x.pbit"
    container.write_whole(target, b"old")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(OSError, match="disk full"):
        container.write_whole(target, FILE)
    assert os.listdir(tmp_path) == ["x.pbit"]
    assert target.read_bytes() == b"old"
