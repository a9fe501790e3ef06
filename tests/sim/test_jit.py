"""Compiled contract functions against the same functions interpreted, and the key of the cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pbit_hw
from pbit_hw.contract import activation, array, generator, update
from pbit_hw.sim import jit

WORD = st.integers(0, 2**32 - 1)
HALF = st.integers(0, 2**16 - 1)
FIELD = st.integers(-(2**30), 2**30)
BETA = st.integers(0, 2**24 - 1)
SHIFT = st.integers(-4, 30)

CASES = [
    (generator.lfsr48_next, (HALF, HALF, HALF)),
    (generator.lfsr48_word, (HALF, HALF, HALF)),
    (generator.rotate_left, (WORD, st.integers(1, 31), st.just(32))),
    (generator.halves, (WORD, WORD)),
    (generator.xoshiro_word, (st.just(32), WORD, WORD)),
    (generator.xoshiro_word, (st.just(16), HALF, HALF)),
    (generator.xoshiro_next, (st.just(32), WORD, WORD, WORD, WORD)),
    (generator.xoshiro_next, (st.just(16), HALF, HALF, HALF, HALF)),
    (activation.argument, (FIELD.map(abs), BETA, SHIFT)),
    (update.decide, (FIELD, st.integers(0, 2**16 - 1), BETA, SHIFT)),
    (generator.linear64_next, (st.tuples(HALF, HALF, HALF, HALF),)),
    (array.advance, (st.integers(0, 9), st.integers(1, 2**32 - 1), st.integers(0, 1), st.just(5), st.just(10))),
    (array.advance, (st.integers(0, 9), st.integers(1, 2**32 - 1), st.just(0), st.just(10), st.just(1))),
    (array.start, (st.integers(0, 2**32 - 1), st.integers(1, 10))),
    (array.turn, (st.integers(0, 4), st.integers(0, 9), st.integers(1, 9), st.integers(0, 1), st.just(5), st.just(10))),
]


@pytest.mark.parametrize(("function", "arguments"), CASES, ids=[function.__name__ for function, _ in CASES])
def test_compiled_equals_interpreted(function, arguments):
    @numba.njit
    def compiled(*values):
        return function(*values)

    @settings(max_examples=200, deadline=None)
    @given(st.tuples(*arguments))
    def check(values):
        assert compiled(*values) == function(*values)

    check()


def test_words_may_be_uint32():
    """Registers are uint32 in the kernels; numba's mixed integer types must lose nothing."""

    @numba.njit
    def compiled(rows, out):
        for k in range(len(rows)):
            s0, s1, s2, s3 = rows[k, 0], rows[k, 1], rows[k, 2], rows[k, 3]
            out[k, 0], out[k, 1], out[k, 2], out[k, 3] = generator.xoshiro_next(32, s0, s1, s2, s3)
            out[k, 4] = generator.xoshiro_word(32, s0, s3)
            low, middle, high, _ = generator.halves(s0, s1)
            out[k, 5], out[k, 6], out[k, 7] = generator.lfsr48_next(low, middle, high)
            out[k, 8] = generator.lfsr48_word(low, middle, high)

    rows = np.random.default_rng(0).integers(0, 2**32, (1000, 4), np.uint32)
    out = np.empty((1000, 9), np.uint32)
    compiled(rows, out)
    for row, got in zip(rows.tolist(), out.tolist(), strict=True):
        moved, word = generator.xoshiro_next(32, *row), generator.xoshiro_word(32, row[0], row[3])
        thirds = generator.halves(*row[:2])[:3]
        assert got == [*moved, word, *generator.lfsr48_next(*thirds), generator.lfsr48_word(*thirds)]


def test_key_changes_with_any_source():
    sources = [path.read_bytes() for path in jit.source_files()]
    keys = {jit.source_key(sources)}
    for place in range(len(sources)):
        keys.add(jit.source_key([*sources[:place], sources[place] + b"#", *sources[place + 1 :]]))
    assert len(keys) == len(sources) + 1


def test_sources_are_all_of_the_contract_and_the_simulator():
    root = Path(pbit_hw.__file__).parent
    names = {path.relative_to(root).as_posix() for path in jit.source_files()}
    assert {"contract/activation.py", "contract/generator.py", "contract/array.py", "sim/cycle.py"} <= names
    assert "sim/devices/autonomous.py" in names


@pytest.mark.parametrize(
    ("environment", "platform", "wanted"),
    [
        ({"NUMBA_CACHE_DIR": "/chosen", "XDG_CACHE_HOME": "/xdg"}, "linux", "/chosen"),
        ({"XDG_CACHE_HOME": "/xdg"}, "linux", "/xdg/pbit-hw/kernels"),
        ({}, "linux", "~/.cache/pbit-hw/kernels"),
        ({}, "darwin", "~/Library/Caches/pbit-hw/kernels"),
        ({"LOCALAPPDATA": "/local"}, "win32", "/local/pbit-hw/kernels"),
    ],
)
def test_cache_folder(environment, platform, wanted):
    assert jit.cache_folder(environment, platform) == Path(os.path.expanduser(wanted))


SCRIPT = """
import numpy as np
from pbit_hw.sim.cycle import CycleArray
from pbit_hw.compiler import compile, library
array = CycleArray(compile(library.and_gate(), generator="lfsr48").image)
array.sweeps_left = 1
array.clock()
print(array.registers[0, 0], CycleArray.__module__)
"""


@pytest.mark.slow
def test_a_changed_contract_is_noticed(tmp_path):
    """Run a cached kernel, change a function that it inlines from another file, and run it again."""
    package = shutil.copytree(Path(pbit_hw.__file__).parent, tmp_path / "pbit_hw")
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(tmp_path)}

    def first_register():
        run = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, cwd=tmp_path, check=True
        )
        return int(run.stdout.split()[0])

    before = first_register()
    assert first_register() == before
    source = package / "contract" / "generator.py"
    text = source.read_text()
    changed = text.replace("middle << 9", "middle << 8")
    assert changed != text
    source.write_text(changed)
    assert first_register() != before
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_unwritable_cache_is_done_without(monkeypatch):
    monkeypatch.setattr(jit, "_CACHE", None)
    assert jit.kernel(lambda x: x + 1)(2) == 3
