"""Text files of lines of numbers: read at the speed of numpy, with errors that name the line."""

from __future__ import annotations

import io
import os
import stat
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..contract.errors import ModelError
from .edges import Float, Int64

FilePath = str | os.PathLike[str]

ISOLATED = 1_000_000
"""Variables that a file may have without naming them: a damaged number must not fill the memory."""

_ROW = np.dtype([("first", np.int64), ("second", np.int64), ("value", np.float64)])


def read_bytes(path: FilePath) -> bytes:
    """All of a regular file.

    Raises
    ------
    ModelError
        If it is missing, no regular file, or cannot be read.
    """
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ModelError(f"cannot read {path}: it is a device or a pipe; save its contents to a file first")
            return file.read()
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # a pipe that nobody writes to would be waited for


def read_text(path: FilePath, form: str) -> str:
    """A file's text; ``form`` says what it should hold, for errors."""
    try:
        return read_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        raise ModelError(f"{path} is not a text file; {form}") from None


def data_lines(text: str, comment: str = "#") -> Iterator[tuple[int, str]]:
    """Lines that hold something besides a comment, with their numbers."""
    for number, line in enumerate(io.StringIO(text), 1):
        data = line.partition(comment)[0].strip()
        if data:
            yield number, data


@dataclass(frozen=True, eq=False)
class Table:
    """Lines ``i j value`` of a file.

    Parameters
    ----------
    path : path-like
    text : str
        Everything in the file.
    skip : int
        Lines of data before the table.
    comment : str
        What starts a comment.
    pairs : ndarray of int64, shape (m, 2)
    values : ndarray of float64, shape (m,)
    """

    path: FilePath
    text: str
    skip: int
    comment: str
    pairs: Int64
    values: Float

    def line(self, row: int) -> tuple[int, str]:
        """Number and contents of the line of a row; the last line for row -1."""
        number, data = 0, ""
        for count, (number, data) in enumerate(data_lines(self.text, self.comment)):  # noqa: B007 the last one stays
            if count == row + self.skip and row >= 0:
                break
        return number, data

    def where(self, row: int) -> str:
        """File, line and contents of a row, to begin an error with."""
        number, data = self.line(row)
        return f"{self.path} line {number} is {shown(data)}"


def read_table(
    path: FilePath, text: str, *, skip: int = 0, comment: str = "#", form: str = "i j w", hint: str
) -> Table:
    """Take lines of two integers and a number apart.

    Parameters
    ----------
    path : path-like
        For errors.
    text : str
        Everything in the file.
    skip : int
        Lines of data before the table.
    comment : str
        What starts a comment.
    form : str
        How a line should look; where it has two words, the value is 1.
    hint : str
        The way out, for errors.

    Raises
    ------
    ModelError
        If a line is something else, or its value is not finite.
    """
    width = len(form.split())
    rows = _fast(text, skip, comment, width)
    if rows is None:
        rows = _slow(path, text, skip, comment, form, hint)
    pairs = np.stack([rows["first"], rows["second"]], axis=1)
    values = rows["value"].copy() if width == 3 else np.ones(len(rows))
    table = Table(path, text, skip, comment, pairs, values)
    if not np.isfinite(values).all():
        raise ModelError(
            f"{table.where(int(np.argmin(np.isfinite(values))))}; edges join two vertices by a finite weight"
        )
    return table


def _fast(text: str, skip: int, comment: str, width: int) -> np.ndarray | None:
    """The rows by numpy's reader, or None if it does not take them."""
    names = list(_ROW.names or ())[:width]
    stream = io.StringIO(text)
    while skip:
        skip -= bool(stream.readline().partition(comment)[0].strip())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # numpy takes 1.5 for an integer with a warning
            return np.atleast_1d(np.loadtxt(stream, _ROW[names], comments=comment))
    except (ValueError, Warning, OverflowError):
        return None


def _slow(path: FilePath, text: str, skip: int, comment: str, form: str, hint: str) -> np.ndarray:
    width = len(form.split())
    rows = []
    for count, (number, data) in enumerate(data_lines(text, comment)):
        if count < skip:
            continue
        try:
            fields = data.split()
            if len(fields) != width:
                raise ValueError
            i, j = int(fields[0]), int(fields[1])
            value = float(fields[2]) if width == 3 else 1.0
        except ValueError:
            raise ModelError(f"{path} line {number} is {shown(data)}, not {form!r}; {hint}") from None
        if max(abs(i), abs(j)) >= 1 << 31:
            large = i if abs(i) >= 1 << 31 else j
            raise ModelError(f"{path} line {number} names vertex {shown(str(large))}; an index is below 2^31")
        rows.append((i, j, value))
    return np.array(rows, _ROW)


def whole_number(text: str) -> int | None:
    """A number of up to 18 digits, or None."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def check_size(path: FilePath, n: int, named: int) -> None:
    """Raise `ModelError` if a file announces far more variables than it can name.

    Parameters
    ----------
    path : path-like
    n : int
        Variables that it announces.
    named : int
        Most that its entries can name.
    """
    if n > named + ISOLATED:
        raise ModelError(
            f"{path} announces {n} variables, of which its entries name at most {named}; {ISOLATED} may be isolated, "
            "so is it damaged? Number the variables without gaps"
        )


def shown(text: str) -> str:
    """The beginning of a line, quoted."""
    return repr(text.strip()[:40])
