"""The command line ``pbit``. It may import anything and is imported by nothing."""

from __future__ import annotations


def main() -> None:
    """Entry point of the ``pbit`` command."""
    from .app import run

    run()
