"""The documentation does what it says: snippets run, tables are the contract's, links and commands exist."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import click
import pytest

from pbit_hw.cli.app import pbit

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def blocks(text: str, language: str) -> list[tuple[int, str]]:
    """Code blocks of a page in one language, each with the line before its first."""
    return [(text.count("\n", 0, m.start()) + 1, m[2]) for m in BLOCK.finditer(text) if m[1] == language]


def run_snippets(page: Path) -> None:
    """Run a page's Python blocks in order in one namespace; errors name the page's own lines."""
    namespace: dict[str, object] = {"__name__": page.stem}
    for line, source in blocks(page.read_text(), "python"):
        exec(compile("\n" * line + source, str(page), "exec"), namespace)


def commands(text: str) -> list[list[str]]:
    """Arguments of every `pbit` command in a page's shell blocks."""
    lines = [line for _, source in blocks(text, "sh") for line in source.splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("pbit ")]


def parse_command(arguments: list[str]) -> None:
    """Raise `click.UsageError` unless a command has these options and takes these arguments."""
    context = click.Context(pbit)
    command = pbit.get_command(context, arguments[0])
    if command is None:
        raise click.UsageError(f"no command {arguments[0]}")
    _, rest, _ = command.make_parser(click.Context(command)).parse_args(list(arguments[1:]))
    if rest:
        raise click.UsageError(f"left over: {rest}")


@every_page
def test_snippets_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_snippets(page)


def test_a_broken_snippet_is_found(tmp_path: Path) -> None:
    """Negative control, and the line that it names."""
    page = tmp_path / "page.md"
    page.write_text("# Title\n\n```python\nx = 1\n```\n\n```python\nassert x == 2\n```\n")
    with pytest.raises(AssertionError) as error:
        run_snippets(page)
    assert error.traceback[-1].lineno == 7  # counted from 0


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
    assert [t for t in targets if "://" not in t and not (page.parent / t).exists()] == []


@every_page
def test_commands_exist(page: Path) -> None:
    for arguments in commands(page.read_text()):
        parse_command(arguments)


@pytest.mark.parametrize("wrong", ["sampel x.pbit", "sample x.pbit --no-such-option 1", "boards left over"])
def test_a_wrong_command_is_found(wrong: str) -> None:
    """Negative control."""
    with pytest.raises(click.UsageError):
        parse_command(wrong.split())


def test_the_readme_shows_the_two_commands() -> None:
    shown = "\n".join(source for _, source in blocks((ROOT / "README.md").read_text(), "sh"))
    listed = (ROOT / "dev.py").read_text().split('"""')[1]
    for command in ("python3 dev.py demo", "python3 dev.py test"):
        assert command in shown
        assert command in listed


def test_tables_are_the_contracts() -> None:
    """If this fails, run: python docs/generate.py."""
    generate = runpy.run_path(str(ROOT / "docs" / "generate.py"))
    pages = [(ROOT / "docs" / name).read_text() for name in generate["PAGES"]]
    assert set(re.findall(r"<!-- table (\w+) -->", "".join(pages))) == set(generate["TABLES"])
    assert [generate["filled"](page) for page in pages] == pages
    page = pages[0]
    damaged = page.replace("| MAGIC |", "| MAGIK |")
    assert damaged != page
    assert generate["filled"](damaged) == page
