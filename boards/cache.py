"""Builds that were made before, kept by what they were made from.

An entry is a folder named by a hash of sources, commands and tool versions. It
holds the files that came out and a digest of all of them; an entry whose files
do not have that digest any more is thrown away.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

_DIGEST = "digest"
_FORMAT = 1
"""Of entries; another number makes all of them unknown."""

_PLACES = re.compile(r'^\s*attribute \\src ".*"\n', re.MULTILINE)
"""Where in whose sources a line of RTLIL comes from: the same design has them elsewhere in another checkout."""


def folder() -> Path:
    """Where builds are kept: in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "pbit-hw" / "builds"


def key(files: Mapping[str, str | bytes], commands: Sequence[Sequence[str]], versions: Mapping[str, str]) -> str:
    """Name of the entry of a build.

    Parameters
    ----------
    files : mapping of str to str or bytes
        All that the tools read, by name.
    commands : sequence of sequences of str
        What is run on them.
    versions : mapping of str to str
        Versions of the tools.
    """
    contents = {name: hashlib.sha256(_content(data)).hexdigest() for name, data in files.items()}
    parts = {"format": _FORMAT, "files": contents, "commands": commands, "versions": dict(versions)}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _content(data: str | bytes) -> bytes:
    text = data.decode(errors="surrogateescape") if isinstance(data, bytes) else data
    return _PLACES.sub("", text).encode(errors="surrogateescape")


def fetch(name: str, work: Path) -> bool:
    """Copy the files of an entry, and say whether there was one; one that is damaged is removed.

    Parameters
    ----------
    name : str
        See `key`.
    work : Path
        Folder to copy them to.
    """
    entry = folder() / name
    try:
        files = {path.name: path.read_bytes() for path in entry.iterdir()}
    except OSError:
        return False
    if files.pop(_DIGEST, b"").decode(errors="replace") != _digest(files):
        shutil.rmtree(entry, ignore_errors=True)
        return False
    for file, data in files.items():
        (work / file).write_bytes(data)
    return True


def store(name: str, paths: Iterable[Path]) -> None:
    """Keep files as an entry; a cache that cannot be written to is no error.

    Parameters
    ----------
    name : str
        See `key`.
    paths : iterable of Path
        Files with different names.
    """
    files = {path.name: path.read_bytes() for path in paths}
    try:
        folder().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=folder(), ignore_cleanup_errors=True) as temporary:
            whole = Path(temporary) / name
            whole.mkdir()
            for file, data in files.items():
                (whole / file).write_bytes(data)
            (whole / _DIGEST).write_text(_digest(files))
            shutil.rmtree(folder() / name, ignore_errors=True)
            os.replace(whole, folder() / name)
    except OSError:
        return


def _digest(files: Mapping[str, bytes]) -> str:
    sums: dict[str, Any] = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    return hashlib.sha256(json.dumps(sums, sort_keys=True).encode()).hexdigest()
