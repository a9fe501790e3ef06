"""Options from a TOML file: its keys are the names of a command's options, and the command line overrides them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from ..contract.errors import RequestError

APART = ("config", "json", "help")
"""Options that say nothing of what is computed."""


def names(command: click.Command) -> dict[str, str]:
    """Names of a command's arguments and options, without their dashes, and of the variables that they fill."""
    longest = {max(param.opts, key=len).lstrip("-"): param.name or "" for param in command.params}
    return {name: variable for name, variable in longest.items() if name not in APART}


def read_config(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Take defaults from a TOML file; a click callback of an eager option.

    Raises
    ------
    RequestError
        If the file is no TOML, or names what the command does not have.
    """
    if value is None:
        return None
    try:
        settings = tomllib.loads(Path(value).read_text())
    except (OSError, ValueError) as error:
        raise RequestError(f"{value} is no TOML file of options: {error}") from None
    known = names(ctx.command)
    for key in settings.keys() - known.keys():
        nearest = get_close_matches(key, known, 1, cutoff=0)[0]
        raise RequestError(
            f"{value} sets {key!r}, which pbit {ctx.info_name} does not have; the nearest is {nearest!r}"
        )
    # as texts, so that a value of another type is refused and not converted
    ctx.default_map = {known[key]: _text(setting) for key, setting in settings.items()}
    return value


def _text(setting: Any) -> str:
    return ",".join(map(str, setting)) if isinstance(setting, list) else str(setting)


def effective(ctx: click.Context) -> Mapping[str, Any]:
    """What the command runs with, by names that a file may have; what is not set is left out."""
    values = {name: ctx.params[variable] for name, variable in names(ctx.command).items()}
    return {name: value for name, value in values.items() if value is not None}


config_option = click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False),
    is_eager=True,
    expose_value=False,
    callback=read_config,
    help="TOML file whose keys are the names of these options; the command line overrides it.",
)
