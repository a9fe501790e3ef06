"""Compile the contract's functions as they stand, and cache what numba makes of them.

Importing this module makes every plain function of the contract callable from
compiled code; nothing of the arithmetic is written a second time.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numba
from numba.extending import register_jitable

from ..contract import activation, array, generator, update

_CONTRACT = (
    activation.argument,
    activation.scaled,
    array.advance,
    array.clock,
    array.move,
    array.start,
    array.turn,
    array.word,
    generator._joined,
    generator._word_at,
    generator.halves,
    generator.lfsr48_next,
    generator.lfsr48_word,
    generator.linear64_next,
    generator.linear64_word,
    generator.rotate_left,
    generator.rotated_word,
    generator.shifted_word,
    generator.xoshiro_next,
    generator.xoshiro_word,
    update.decide,
    update.field,
    update.next_state,
)

for _function in _CONTRACT:
    register_jitable(_function)


def source_key(sources: Iterable[bytes]) -> str:
    """Name of the cache folder for kernels built from these sources.

    numba's own check sees the file of a kernel alone: a cached kernel would go
    on computing with an old version of a function that it inlined from another
    file. So the sources of everything that may be inlined name the folder.

    Parameters
    ----------
    sources : iterable of bytes
        Contents of the source files, in a fixed order.
    """
    sha = hashlib.sha256()
    for source in sources:
        sha.update(hashlib.sha256(source).digest())
    return sha.hexdigest()[:16]


def source_files() -> list[Path]:
    """The sources of the contract and of the simulator."""
    contract, sim = Path(array.__file__).parent, Path(__file__).parent
    return sorted(contract.glob("*.py")) + sorted(sim.rglob("*.py"))


def cache_folder(environment: dict[str, str], platform: str) -> Path:
    """The user's cache folder for compiled kernels, as the platform has it.

    Parameters
    ----------
    environment : dict of str to str
        Environment variables; ``NUMBA_CACHE_DIR`` overrides the platform's place.
    platform : str
        As ``sys.platform``.
    """
    if chosen := environment.get("NUMBA_CACHE_DIR"):
        return Path(chosen)
    home = Path(os.path.expanduser("~"))
    places = {"win32": ("LOCALAPPDATA", home / "AppData/Local"), "darwin": ("", home / "Library/Caches")}
    variable, default = places.get(platform, ("XDG_CACHE_HOME", home / ".cache"))
    return Path(environment.get(variable) or default) / "pbit-hw" / "kernels"


def _writable_cache() -> Path | None:
    folder = cache_folder(dict(os.environ), sys.platform) / source_key(path.read_bytes() for path in source_files())
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


_CACHE = _writable_cache()


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function with numba; cached on disk where the user's cache folder can be written."""
    if _CACHE is None:
        return numba.njit(function)
    settings: Any = numba.config
    before = settings.CACHE_DIR
    settings.CACHE_DIR = str(_CACHE)  # numba reads it once, when it decorates
    try:
        return numba.njit(cache=True)(function)
    finally:
        settings.CACHE_DIR = before
