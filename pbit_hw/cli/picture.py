"""Pictures that commands draw."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from ..contract.container import write_whole
from ..contract.errors import RequestError, ToolError

FORMATS = (".png", ".pdf", ".svg")
BLUE, ORANGE = "#0072b2", "#d55e00"


def check_picture(output: str) -> None:
    """Refuse a name that is no picture's.

    Raises
    ------
    RequestError
    """
    if Path(output).suffix not in FORMATS:
        raise RequestError(f"{output} is no picture that can be drawn; use a name that ends in {' '.join(FORMATS)}")


def new_figure(command: str) -> Any:
    """An empty figure of matplotlib for a command, which its absence names.

    Raises
    ------
    ToolError
        If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ToolError(f"{command} needs matplotlib, which is not installed: pip install pbit-hw[plot]") from None
    return Figure(figsize=(9, 4.2), layout="constrained")


def write_figure(figure: Any, output: str) -> None:
    """Write a figure, whole or not at all.

    Raises
    ------
    RequestError
        If the file cannot be written.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format=Path(output).suffix[1:], dpi=150)
    try:
        write_whole(output, buffer.getvalue())
    except OSError as error:
        raise RequestError(f"cannot write picture {output}: {error.strerror}; give a folder that exists") from error
