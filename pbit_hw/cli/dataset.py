"""What ``pbit train`` learns from: rows of bits, with labels where there are some, and rows that are held out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..compiler import library
from ..contract.errors import ModelError, ToolError

Bits = npt.NDArray[np.int8]

HELD_OUT = 10
"""Without a number one row in so many is held out, of data sets that have labels."""


@dataclass(frozen=True, eq=False)
class Part:
    """Rows of bits, shape (k, n), and their labels, shape (k,), if they have some."""

    rows: Bits
    labels: npt.NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, places: Any) -> Part:
        return Part(self.rows[places], None if self.labels is None else self.labels[places])


@dataclass(frozen=True, eq=False)
class Data:
    """A part to train on, one that is held out, which may be empty, and how they were divided."""

    train: Part
    held_out: Part
    split: str


def read_data(text: str, held_out: int | None, split_seed: int | None) -> Data:
    """The data that the DATA argument names.

    Parameters
    ----------
    text : str
    held_out : int, optional
        Rows that are held out; without it one in ten of digits and IDX files, or a folder's test files.
    split_seed : int, optional
        Rows are held out at random; without it the last ones are.

    Raises
    ------
    ModelError
        If it names no data, or too few to hold out so many.
    ToolError
        If the digits are asked for without scikit-learn.
    """
    if text == "digits":
        whole = _digits()
    elif Path(text).is_dir() or _is_idx(text):
        images = _image_files(Path(text))
        whole = _read_images(images[0])
        if len(images) > 1 and held_out is None:
            test = _read_images(images[1])
            return Data(whole, test, f"{images[1].name}, {len(test):,} rows")
    else:
        whole = Part(read_rows(text))
    if held_out is None:
        held_out = 0 if whole.labels is None else len(whole) // HELD_OUT
    return _divided(whole, held_out, split_seed)


def _divided(whole: Part, held_out: int, split_seed: int | None) -> Data:
    from ..host.idx import split

    if not 0 <= held_out < len(whole):
        raise ModelError(f"{held_out} rows cannot be held out of {len(whole)}; give 0 to {len(whole) - 1}")
    count = len(whole) - held_out
    if not held_out:
        return Data(whole, whole[:0], "none")
    if split_seed is None:
        return Data(whole[:count], whole[count:], f"the last {held_out:,} of {len(whole):,} rows")
    first, rest = split(len(whole), count, seed=split_seed)
    return Data(whole[first], whole[rest], f"{held_out:,} of {len(whole):,} rows at random, seed {split_seed}")


def read_rows(text: str) -> Bits:
    """Rows of bits of full-adder or a text file, shape (rows, n).

    Raises
    ------
    ModelError
        If it names no file of 0 and 1.
    """
    if text == "full-adder":
        return np.tile(library.full_adder_truth_table(), (64, 1)).astype(np.int8)
    if not Path(text).is_file():
        raise ModelError(
            f"no data {text!r}: give full-adder, digits, a file of rows of 0 and 1, or IDX files as MNIST has"
        )
    lines = Path(text).read_text(errors="replace").replace(",", " ").splitlines()
    rows = [line.split() for line in lines if line.strip()]
    if not rows or len({len(row) for row in rows}) != 1 or not {cell for row in rows for cell in row} <= {"0", "1"}:
        raise ModelError(f"{text} does not hold equally long rows of 0 and 1, separated by commas or spaces")
    return np.array(rows, np.int8)


def _digits() -> Part:
    """scikit-learn's 1,797 digits of 8 x 8 pixels of 0 to 16, binarised at half."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise ToolError("digits come with scikit-learn, which is not installed: pip install pbit-hw[learn]") from None
    images, labels = load_digits(return_X_y=True)
    return Part((images > 7.5).astype(np.int8), labels)


def _is_idx(text: str) -> bool:
    if not Path(text).is_file():
        return False
    with open(text, "rb") as stream:
        return stream.read(2) in (b"\0\0", b"\x1f\x8b")


def _image_files(path: Path) -> list[Path]:
    """Files of images to train on and, if a folder has them, to test on."""
    if path.is_file():
        return [path]
    found = sorted(path.glob("*images*idx*"))
    if not found:
        raise ModelError(f"{path} holds no IDX file of images, such as t10k-images-idx3-ubyte.gz")
    train = [file for file in found if file.name.startswith("train")]
    test = [file for file in found if file.name.startswith("t10k")]
    return [train[0], *test[:1]] if train else found[:1]


def _read_images(path: Path) -> Part:
    """Images, binarised at half, and the labels beside them."""
    from ..host.idx import binarise, read_idx

    rows = binarise(read_idx(path))
    beside = path.with_name(path.name.replace("images", "labels").replace("idx3", "idx1"))
    if beside == path or not beside.is_file():
        return Part(rows)
    labels = read_idx(beside)
    if labels.shape != (len(rows),):
        raise ModelError(f"{beside} has labels of shape {labels.shape} for the {len(rows)} images of {path}")
    return Part(rows, labels)
