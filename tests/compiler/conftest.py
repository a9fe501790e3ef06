"""Strategies and references for the tests of the compiler."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from pbit_hw.compiler.base import Model, fill
from pbit_hw.compiler.edges import canonical_edges
from pbit_hw.contract.update import Unit

GSET = Path(__file__).resolve().parents[3] / "shared" / "data" / "gset"


@st.composite
def edge_lists(draw: DrawFn, max_size: int = 12) -> tuple[int, npt.NDArray[np.int64]]:
    """A number of vertices and pairs of different ones, repeated perhaps."""
    n = draw(st.integers(1, max_size))
    if n == 1:
        return n, np.empty((0, 2), np.int64)
    pair = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda ends: ends[0] != ends[1])
    return n, np.array(draw(st.lists(pair, max_size=3 * n)), np.int64).reshape(-1, 2)


@st.composite
def random_models(draw: DrawFn) -> Model:
    """A model of up to 12 spins or bits with any couplings up to 8."""
    n, edges = draw(edge_lists())
    number = st.floats(-8, 8) | st.integers(-8, 8).map(float)
    couplings = draw(st.lists(number, min_size=len(edges), max_size=len(edges)))
    biases = draw(st.lists(number, min_size=n, max_size=n))
    labels = draw(st.sampled_from([None, [f"x{i}" for i in range(n)], [("x", i) for i in range(n)]]))
    model = Model.__new__(Model)
    fill(model, draw(st.sampled_from(Unit)), n, *canonical_edges(n, edges, couplings), np.array(biases), labels)
    return model


@pytest.fixture(scope="session")
def graphs() -> SearchStrategy[tuple[int, npt.NDArray[np.int64]]]:
    """`edge_lists`, up to 40 vertices."""
    return edge_lists(40)


@pytest.fixture(scope="session")
def models() -> SearchStrategy[Model]:
    """`random_models`."""
    return random_models()


@pytest.fixture(scope="session")
def gset() -> Path:
    """The folder of G-set files, which lies beside the project and need not be there."""
    if not GSET.is_dir():
        pytest.skip(f"no G-set files: {GSET} does not exist")
    return GSET
