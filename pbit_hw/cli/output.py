"""What commands print: tables for people, one JSON object for scripts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

console = Console()
errors = Console(stderr=True)

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
seed_option = click.option("--seed", default=0, show_default=True, help="User seed of all random streams.")


def print_json(fields: Mapping[str, Any]) -> None:
    """Print one JSON object on standard output."""
    click.echo(json.dumps(fields))


def print_fields(title: str, fields: Mapping[str, Any]) -> None:
    """Print names and values as a two-column table."""
    table = Table(title=title, title_justify="left", show_header=False, min_width=len(title) + 2)
    table.add_column(style="cyan", no_wrap=True)
    table.add_column()
    for name, value in fields.items():
        table.add_row(name, _shown(value))
    console.print(table)


def print_rows(title: str, names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table with headings."""
    table = Table(*names, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list) and value and all(isinstance(entry, float) for entry in value):
        return ", ".join(f"{entry:.3g}" for entry in value)
    return str(value)


def rate(per_second: float, unit: str) -> str:
    """A rate with an SI prefix, such as ``1.25 Gflips/s``."""
    for factor, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if per_second >= factor:
            return f"{per_second / factor:.3g} {prefix}{unit}"
    return f"{per_second:.3g} {unit}"


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, hidden where that is not a terminal.

    Yields
    ------
    callable
        ``update(done, total)``.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
