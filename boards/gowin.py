"""Amaranth 0.5's command line of the retired ``nextpnr-gowin`` as the one of its successor."""

from __future__ import annotations

from collections.abc import Sequence

_OLD = "nextpnr-gowin"
_NEW = "nextpnr-himbaechel-gowin"
_MOVED = {"--family": "family", "--cst": "cst"}
"""Options that are now the architecture's own."""


def successor(tool: str) -> str:
    """The tool that does what a tool did; most do so themselves."""
    return _NEW if tool == _OLD else tool


def adapt(command: Sequence[str]) -> list[str]:
    """A command line for the tools there are."""
    if command[0] != _OLD:
        return list(command)
    adapted, rest = [_NEW], iter(command[1:])
    for word in rest:
        adapted += ["--vopt", f"{_MOVED[word]}={next(rest)}"] if word in _MOVED else [word]
    return adapted
