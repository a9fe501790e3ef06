"""The public face: everything is there, nothing is loaded before it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pbit_hw as pb
from pbit_hw.contract import errors


@pytest.mark.parametrize("name", pb.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(pb, name).__name__ == name
    assert name in dir(pb)


def test_all_errors_are_public() -> None:
    theirs = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert theirs <= set(pb.__all__)


@pytest.mark.parametrize("package", ["boards", "compiler", "host", "sim"])
def test_packages_are_attributes(package: str) -> None:
    assert getattr(pb, package).__name__ == f"pbit_hw.{package}"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'pbit_hw' has no attribute 'Potts'"):
        pb.Potts  # noqa: B018
    assert not hasattr(pb, "numpy")


def test_the_type_checkers_names_are_the_real_ones() -> None:
    """What stands under TYPE_CHECKING is what is imported at run time."""
    source = pb.__file__
    with open(source) as file:
        typed = {line.split(" as ")[1].strip() for line in file if line.startswith("    from .")}
    assert typed == set(pb.__all__)


def loaded(script: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{script}\nimport sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in done.stdout.split()}


def test_compiling_loads_neither_numba_nor_amaranth() -> None:
    heavy = {"numba", "amaranth", "serial", "scipy", "dimod"}
    script = "import pbit_hw as pb; pb.compile(pb.Ising([0.0, 0.0], [[0, 1], [1, 0]])); pb.Samples; pb.PbitError"
    modules = loaded(script)
    assert not modules & heavy
    assert "numpy" in modules  # so the list of modules is one
