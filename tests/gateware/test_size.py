"""How much there is to read of the gateware of table p-bits, from the UART to the states."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

import pbit_hw.gateware

FOLDER = Path(pbit_hw.gateware.__file__).parent
MODULES = (
    "array",
    "conditional",
    "device",
    "frames",
    "generator",
    "link",
    "loader",
    "ram",
    "registers",
    "ring",
    "sequencer",
    "tabulate",
    "uart",
)
"""Of `update` and `activation` it takes no more than two functions and two constants."""

LAYOUT = (tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT, tokenize.ENDMARKER)


def code_lines(source: str) -> int:
    """Lines that are not blank, comment or docstring."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    lines = {line for token in tokens if token.type not in LAYOUT for line in range(token.start[0], token.end[0] + 1)}
    texts = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]
    return len(lines.difference(*(range(text.lineno, (text.end_lineno or text.lineno) + 1) for text in texts)))


def test_lines_are_counted() -> None:
    assert code_lines('"""Text\nof two lines."""\n\nx = [  # one\n    1,\n]\n"""Of x."""\n') == 3


def test_the_gateware_of_table_pbits_is_small() -> None:
    assert sum(code_lines((FOLDER / f"{name}.py").read_text()) for name in MODULES) < 1500
