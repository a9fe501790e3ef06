"""Who may import whom: the arrows between the packages, and the libraries each of them may use."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = "pbit_hw"

ARROWS = {
    "contract": {"contract"},
    "compiler": {"compiler", "contract"},
    "sim": {"sim", "contract"},
    "gateware": {"gateware", "contract"},
    "host": {"host", "contract", "compiler"},
    "boards": {"boards", "gateware", "contract"},
    "cli": {"cli", "contract", "compiler", "sim", "gateware", "host", "boards", ""},
    "estimators": {"estimators", "contract", "compiler", "sim", "host"},
    "": {"contract", "compiler", "sim", "host", "boards", ""},
}
"""Packages that each package may import; the empty name is the public face, `pbit_hw` itself."""

LIBRARIES = {
    "contract": {"numpy"},
    "compiler": {"numpy", "networkx", "scipy", "dimod", "pymetis", "minorminer"},
    "sim": {"numpy", "numba", "llvmlite"},
    "gateware": {"numpy", "amaranth"},
    "host": {"numpy", "serial"},
    "boards": {"numpy", "amaranth", "amaranth_boards"},
    "cli": {"numpy", "amaranth", "click", "rich", "matplotlib", "networkx", "sklearn"},
    "estimators": {"numpy", "sklearn"},
    "": {"numpy", "dimod"},
}
"""Libraries, besides the standard one, that each package may import."""


def imported(source: str, package: tuple[str, ...]) -> set[str]:
    """Full names of all modules that a module of ``package`` imports, anywhere in its source."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


def violations(source: str, package: tuple[str, ...]) -> list[str]:
    """Imports of a module that its package must not have."""
    part = package[1] if len(package) > 1 else ""
    found = []
    for name in sorted(imported(source, package)):
        top, *rest = name.split(".")
        if top == PROJECT:
            target = rest[0] if rest and rest[0] in ARROWS else ""
            if target not in ARROWS[part]:
                found.append(name)
        elif top not in sys.stdlib_module_names and top not in LIBRARIES[part]:
            found.append(name)
    return found


def modules() -> list[tuple[Path, tuple[str, ...]]]:
    """Every source file of the project with the package that it is a module of."""
    paths = list((ROOT / PROJECT).glob("*.py"))
    for part in filter(None, ARROWS):
        paths += (ROOT / PROJECT / part).rglob("*.py")
    return [(path, path.relative_to(ROOT).parent.parts) for path in sorted(paths)]


@pytest.mark.parametrize(
    ("path", "package"), modules(), ids=lambda value: str(value) if isinstance(value, Path) else ""
)
def test_imports_follow_the_arrows(path: Path, package: tuple[str, ...]) -> None:
    assert violations(path.read_text(), package) == []


def test_every_package_is_looked_at() -> None:
    assert {package[1] if len(package) > 1 else "" for _, package in modules()} == set(ARROWS)
    folders = {path.name for path in (ROOT / PROJECT).iterdir() if (path / "__init__.py").exists()}
    assert folders == set(filter(None, ARROWS))


BAD = [
    ("contract", "from ..compiler import colouring"),
    ("contract", "import scipy.sparse"),
    ("compiler", "from ..sim import exact"),
    ("compiler", "from .. import sim"),
    ("compiler", "import pbit_hw"),
    ("sim", "from ..gateware.array import Array"),
    ("sim", "import amaranth"),
    ("gateware", "def late():\n    from ..sim import cycle"),
    ("gateware", "import numba"),
    ("host", "import pbit_hw.sim.virtual as virtual"),
    ("host", "from ..gateware import device"),
    ("boards", "from ..host import device"),
    ("compiler", "import serial"),
    ("sim", "from ..cli.lockstep import lockstep"),
    ("estimators", "from ..gateware import array"),
    ("estimators", "import torch"),
    ("", "from .cli import main"),
    ("", "import numba"),
]


@pytest.mark.parametrize(("part", "source"), BAD)
def test_a_bad_import_is_found(part: str, source: str) -> None:
    """Negative control: one module for each rule, broken."""
    package = (PROJECT, part) if part else (PROJECT,)
    assert len(violations(source, package)) == 1


def test_relative_imports_are_resolved() -> None:
    source = "from . import a\nfrom .b import c\nfrom ... import d\nfrom ...contract.link import Frame"
    names = {"pbit_hw.sim.devices.a", "pbit_hw.sim.devices.b.c", "pbit_hw.d", "pbit_hw.contract.link.Frame"}
    assert imported(source, (PROJECT, "sim", "devices")) == names


LIGHT = [
    ("pbit_hw", {"amaranth", "numba", "numpy", "networkx", "scipy", "serial", "click", "rich", "matplotlib"}),
    ("pbit_hw.compiler", {"amaranth", "numba", "serial", "matplotlib", "scipy", "dimod", "pymetis", "minorminer"}),
    ("pbit_hw.host", {"amaranth", "numba", "matplotlib"}),
    ("pbit_hw.cli.app", {"amaranth", "numba", "matplotlib", "networkx"}),
]


@pytest.mark.parametrize(("module", "heavy"), LIGHT)
def test_importing_loads_nothing_heavy(module: str, heavy: set[str]) -> None:
    script = f"import sys, {module}; print(*sorted(set(sys.modules) & {heavy}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
