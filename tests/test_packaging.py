"""What is installed: a wheel with `pbit_hw` alone, and a lock file that fits pyproject.toml."""

from __future__ import annotations

import ast
import configparser
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "pbit_hw", "sim", "compiler", "host", "boards", "examples")
LOCKED_EXTRAS = ("build", "embed", "partition", "plot", "test")

BUILD = "from setuptools import build_meta; import sys; print(getattr(build_meta, sys.argv[1])(sys.argv[2]))"


def build(kind: str, source: Path, target: Path) -> Path:
    """Build a wheel or an sdist of a source tree, as an installer does."""
    command = [sys.executable, "-c", BUILD, f"build_{kind}", str(target)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return target / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what an installation needs, links kept."""
    tree = tmp_path_factory.mktemp("tree")
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, symlinks=True, ignore=ignore)
        else:
            shutil.copy(ROOT / name, tree / name)
    return tree


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of the source tree."""
    return zipfile.ZipFile(build("wheel", source, tmp_path_factory.mktemp("wheel")))


def test_the_wheel_installs_one_name(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert tops == {"pbit_hw", f"pbit_hw-{PROJECT['project']['version']}.dist-info"}


def test_the_wheel_has_every_module(wheel: zipfile.ZipFile) -> None:
    linked = ("sim", "compiler", "host", "boards", "examples")
    folders = [ROOT / "pbit_hw", *((ROOT / "pbit_hw" / part) for part in linked)]
    modules = {path.relative_to(ROOT).as_posix() for folder in folders for path in folder.rglob("*.py")}
    assert {name for name in wheel.namelist() if name.endswith(".py")} == modules
    assert "pbit_hw/py.typed" in wheel.namelist()
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())


def test_the_wheel_has_the_command(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    entries = configparser.ConfigParser()
    entries.read_string(wheel.read(name).decode())
    assert dict(entries["console_scripts"]) == {"pbit": "pbit_hw.cli:main"}


def test_the_sdist_gives_the_same_wheel(source: Path, wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    with tarfile.open(build("sdist", source, tmp_path)) as archive:
        archive.extractall(tmp_path, filter="data")
    (tree,) = (path for path in tmp_path.iterdir() if path.is_dir())
    again = zipfile.ZipFile(build("wheel", tree, tmp_path))
    assert sorted(again.namelist()) == sorted(wheel.namelist())
    assert all(again.read(name) == wheel.read(name) for name in wheel.namelist() if name.endswith(".py"))


@pytest.mark.parametrize("command", [["-m", "pytest"], [str(Path(sys.executable).with_name("pytest"))]])
def test_pytest_runs_both_ways(command: list[str]) -> None:
    arguments = ["--collect-only", "-p", "no:cacheprovider", "-n0", "tests/contract/test_gf2.py"]
    done = subprocess.run([sys.executable, *command, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_orbit_is_repeated_application" in done.stdout


def locked() -> dict[str, list[Requirement]]:
    """Pinned requirements of the lock file by name."""
    found: dict[str, list[Requirement]] = {}
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        if line and not line.startswith((" ", "#")):
            requirement = Requirement(line.rstrip(" \\"))
            found.setdefault(requirement.name, []).append(requirement)
    return found


def declared() -> list[Requirement]:
    """What pyproject.toml asks for, the benchmarks' extra left out."""
    extras = PROJECT["project"]["optional-dependencies"]
    texts = [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]]
    return [Requirement(text) for text in texts + [text for extra in LOCKED_EXTRAS for text in extras[extra]]]


@pytest.mark.parametrize("requirement", declared(), ids=lambda requirement: requirement.name)
def test_the_lock_file_satisfies(requirement: Requirement) -> None:
    pins = locked()[requirement.name.lower()]
    versions = [Version(str(pin.specifier).removeprefix("==")) for pin in pins]
    assert all(version in requirement.specifier for version in versions)


def test_the_lock_file_pins_hashes_and_names_no_host() -> None:
    text = (ROOT / "requirements.lock").read_text()
    entries = re.split(r"\n(?=\w)", text.strip())
    assert all(re.search(r"==\S+.*\\\n +--hash=sha256:[0-9a-f]{64}", entry) for entry in entries)
    assert "://" not in text
    assert "index-url" not in text


def test_every_bound_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    bounded = [line for line in text.splitlines() if re.match(r'\s*(requires.*)?"[\w-]+[<>=~]=?\d', line)]
    assert len(bounded) > 15
    assert [line for line in bounded if "#" not in line] == []


def test_dev_py_needs_nothing_installed() -> None:
    text = (ROOT / "dev.py").read_text()
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {getattr(node, "module", None) or node.names[0].name for node in nodes}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names
    assert len(text.splitlines()) < 150
