"""The command group, and what every command does with errors."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from ..contract.errors import PbitError
from .output import errors

COMMANDS = {
    "compile": "Compile a model to a coloured fixed-point p-bit array.",
    "reweight": "Give a compiled program other couplings and biases.",
    "sample": "Sample a compiled program on the simulator or a device.",
    "plot": "Draw what a run sampled.",
    "solve": "Look for the states of lowest energy of a program.",
    "train": "Train a Boltzmann machine with the array in the loop.",
    "verify": "Run a program in lockstep with its RTL.",
    "build": "Build the bitstream of a program for a board.",
    "program": "Load a bitstream into a board.",
    "boards": "List the boards and what fits on them.",
    "demo": "The whole path on a small model, in one command.",
}


class LazyGroup(click.Group):
    """Imports a command's module when it is used, so that `pbit --help` is instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands in the order of the path."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f".{cmd_name}", __package__).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pbit-hw")
def pbit() -> None:
    """Probabilistic computing with p-bit arrays: from a graph to samples and bitstreams.

    \b
    Example:
      pbit compile full-adder -o adder.pbit
      pbit sample adder.pbit --sweeps 10000 --beta 1
      pbit build adder.pbit --board icebreaker
    """


def run(arguments: list[str] | None = None) -> None:
    """Run the command line; a `PbitError` becomes one line on standard error and exit code 1.

    Parameters
    ----------
    arguments : list of str, optional
        Those of the process by default.
    """
    try:
        pbit(args=arguments, prog_name="pbit")
    except PbitError as error:
        errors.print(f"error: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)
