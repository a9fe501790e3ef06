"""Nets that are equal or inverse to each other: constants folded, buffers and inverters absorbed."""

from __future__ import annotations

from collections.abc import Sequence

from .gates import Gate

INVERT = "~"
ONE = "1"
"""The net that is always 1; "0" is its inverse."""

Literal = tuple[str, int]
"""A net, and whether it is meant itself (1) or inverted (-1)."""


class Nets:
    """Classes of nets that are equal or inverse to each other; constants are those of net "1"."""

    def __init__(self) -> None:
        self._parent: dict[str, Literal] = {}

    def find(self, net: str) -> Literal:
        """Root of a net's class, and whether the net is it (1) or its inverse (-1)."""
        sign = 1
        if net[0] in INVERT:
            net, sign = net[1:], -1
        if net == "0":
            net, sign = ONE, -sign
        while net in self._parent:
            net, turn = self._parent[net]
            sign *= turn
        return net, sign

    def join(self, first: Literal, second: Literal) -> bool:
        """Make two literals equal; False if they are inverse."""
        first, second = (self.find(root) if sign > 0 else self.find(INVERT + root) for root, sign in (first, second))
        if first[0] == second[0]:
            return first[1] == second[1]
        if first[0] == ONE:
            first, second = second, first
        self._parent[first[0]] = (second[0], first[1] * second[1])
        return True


def consequences(gate: Gate, literals: Sequence[Literal]) -> list[tuple[Literal, Literal]] | None:
    """Literals that the gate's rows make equal, constants among them; None if no row is left."""
    rows = (1 << len(gate.table)) - 1
    columns = {ONE: rows}
    for (root, sign), column in zip(literals, gate.columns, strict=True):
        values = column if sign > 0 else ~column
        if root in columns:
            rows &= ~(columns[root] ^ values)
        else:
            columns[root] = values
    if not rows:
        return None
    seen: dict[int, Literal] = {}
    news = []
    for root, values in columns.items():
        for sign in (1, -1):
            key = (values if sign > 0 else ~values) & rows
            if key in seen:
                news.append(((root, sign), seen[key]))
                break
        else:
            seen[values & rows] = (root, 1)
    return news
