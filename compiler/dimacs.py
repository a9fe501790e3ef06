"""Reader of formulas in conjunctive normal form: DIMACS CNF, WCNF of old and WCNF of the MaxSAT Evaluations since 2022.

https://maxsat-evaluations.github.io/2022/rules.html describes the last: no ``p`` line, ``h`` before hard clauses.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

from ..contract.errors import ModelError

MAX_VARIABLES = 1 << 22
"""Most variables that are read: more fit no array, and a slip in one number must not take all memory."""

MAX_WEIGHT = 1 << 53
"""Sums of weights stay below it, so that energies in float64 are exact."""


class Clauses(NamedTuple):
    """What was read.

    Parameters
    ----------
    size : int
        Number of variables.
    clauses : list of list of int
        DIMACS literals: i for variable i, from 1, and -i for its negation.
    weights : list of int or None
        None for hard clauses.
    """

    size: int
    clauses: list[list[int]]
    weights: list[int | None]


def read_dimacs(path: str | os.PathLike[str]) -> Clauses:
    """Read a file, line by line; see `parse_dimacs`.

    Raises
    ------
    ModelError
        If the file is missing or not of these formats.
    """
    try:
        with open(path, encoding="utf-8", errors="replace") as lines:
            return parse_dimacs(lines, str(path))
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from error


def parse_dimacs(lines: Iterable[str], source: str) -> Clauses:
    """Read the lines of a formula.

    Clauses may go on over several lines. Reading ends at a line of ``%``, as in the uf files of SATLIB. Clauses of
    ``p cnf`` are all hard; of ``p wcnf n m top`` those whose weight is ``top`` or more. Without a ``p`` line the
    formula is one of weighted clauses, unless its name ends in ``.cnf``.

    Parameters
    ----------
    lines : iterable of str
    source : str
        Name of the file, for errors.

    Raises
    ------
    ModelError
        If they are no formula, with the line and the value that is wrong.
    """
    reader = _Reader(source)
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("%"):
            break
        reader.take(number, line)
    return reader.finish()


class _Reader:
    """Words so far, as clauses and the beginning of one."""

    def __init__(self, source: str) -> None:
        self._source, self._number = source, 0
        self._size: int | None = None
        self._count: int | None = None
        self._top: int | None = None
        self._weighted = True
        self._clauses: list[list[int]] = []
        self._weights: list[int | None] = []
        self._open: list[int] | None = None
        self._largest = 0
        self._total = 0

    def _error(self, what: str) -> ModelError:
        return ModelError(f"{self._source} line {self._number}: {what}")

    def take(self, number: int, line: str) -> None:
        """Read one line."""
        self._number = number
        words = line.split()
        if not words or words[0].startswith("c"):
            return
        if words[0] == "p":
            self._header(words)
            return
        if self._size is None and self._source.endswith(".cnf"):
            raise self._error(f"{line.strip()[:40]!r} comes before a line 'p cnf n m'; a formula starts with one")
        for word in words:
            self._word(word)

    def _header(self, words: list[str]) -> None:
        if self._size is not None or self._clauses or self._open is not None:
            raise self._error("there is a 'p' line already, or a clause; a formula has one, before all clauses")
        numbers = words[2:]
        lengths = {"cnf": (2,), "wcnf": (2, 3)}.get(words[1] if len(words) > 1 else "", ())
        if len(numbers) not in lengths or not all(word.isascii() and word.isdigit() for word in numbers):
            raise self._error(f"{' '.join(words)[:40]!r} is not 'p cnf n m' or 'p wcnf n m top'")
        size, count, *top = (self._integer(word) for word in numbers)
        if not 1 <= size <= MAX_VARIABLES:
            raise self._error(f"{size} variables are announced; a formula has 1 to {MAX_VARIABLES}")
        self._size, self._count, self._top = size, count, top[0] if top else None
        self._weighted = words[1] == "wcnf"

    def _integer(self, word: str) -> int:
        digits = word[1:] if word.startswith("-") else word
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 20):
            raise self._error(f"{word[:40]!r} is no whole number")
        return int(word)

    def _word(self, word: str) -> None:
        if self._open is None:
            self._open = []
            if self._weighted:
                self._weights.append(self._weight(word))
                return
            self._weights.append(None)
        literal = self._integer(word)
        if literal:
            self._open.append(self._checked(literal))
            return
        if not self._open:
            raise self._error("the clause is empty, so nothing satisfies it; take it out")
        self._clauses.append(self._open)
        self._open = None
        if self._count is not None and len(self._clauses) > self._count:
            raise self._error(f"the 'p' line announces {self._count} clauses, but there are more")

    def _weight(self, word: str) -> int | None:
        if word == "h":
            if self._size is not None:
                raise self._error("'h' marks hard clauses of files without a 'p' line; here the weight 'top' does")
            return None
        weight = self._integer(word)
        if weight < 1:
            raise self._error(f"weight {weight} is not positive; negate the clause or take it out")
        if self._top is not None and weight >= self._top:
            return None
        self._total += weight
        if self._total >= MAX_WEIGHT:
            raise self._error(f"weights add up to {self._total}, the limit is {MAX_WEIGHT}; divide them all")
        return weight

    def _checked(self, literal: int) -> int:
        variable = abs(literal)
        limit = MAX_VARIABLES if self._size is None else self._size
        if variable > limit:
            raise self._error(f"literal {literal} names variable {variable}; they are 1 to {limit}")
        self._largest = max(self._largest, variable)
        return literal

    def finish(self) -> Clauses:
        """All clauses, if none is missing."""
        if self._open is not None:
            raise self._error("the last clause is not closed by 0; fetch the file again")
        if self._count is not None and len(self._clauses) < self._count:
            raise self._error(f"the file ends after {len(self._clauses)} of {self._count} clauses; fetch it again")
        if self._size is None and not self._clauses:
            raise ModelError(f"{self._source} holds no clause; a formula starts with a line 'p cnf n m'")
        return Clauses(self._size or self._largest, self._clauses, self._weights)
