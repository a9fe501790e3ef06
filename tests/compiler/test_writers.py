"""Writers: what they write is read back, here and by dimod, or refused."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import dimod
import numpy as np
import pytest
from dimod.serialization import coo
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pbit_hw.compiler.base import Model
from pbit_hw.compiler.models import RBM, Ising
from pbit_hw.compiler.writers import write_bqm_json, write_coo, write_edge_list, write_gset
from pbit_hw.contract.errors import ModelError
from pbit_hw.contract.update import Unit


@settings(deadline=None)
@given(st.data())
def test_files_are_read_back(
    models: SearchStrategy[Model], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    source = data.draw(models)
    model = Ising.from_edges(source.size, source.edges, source.couplings, source.biases)
    path = tmp_path_factory.mktemp("models") / "model"
    for write in (write_coo, write_edge_list, write_bqm_json):
        write(model, path)
        same(Ising.from_file(path), model)
    write_gset(model.with_values(model.couplings, np.zeros(model.size)), path)
    assert Ising.from_file(path).couplings.tolist() == model.couplings.tolist()
    write_bqm_json(source, path)
    read = Ising.from_file(path)
    assert read.labels == source.labels
    states = np.array(list(itertools.islice(itertools.product((-1, 1), repeat=source.size), 64)))
    own = states if source.unit is Unit.SPIN else (states + 1) // 2
    assert read.energies(states) == pytest.approx(source.energies(own), abs=1e-9)


def same(read: Model, model: Model) -> None:
    assert read.labels == model.labels
    assert np.array_equal(read.edges, model.edges)
    assert np.array_equal(read.couplings, model.couplings)
    assert np.array_equal(read.biases, model.biases)


def test_dimod_reads_them(tmp_path: Path) -> None:
    model = Ising.from_edges(3, [(0, 2), (1, 2)], [1.5, -0.5], [0.25, 0, -1])
    states = np.array(list(itertools.product((-1, 1), repeat=3)))
    write_coo(model, tmp_path / "m.coo")
    bqm = coo.loads((tmp_path / "m.coo").read_text())
    assert bqm.energies((states, [0, 1, 2])) == pytest.approx(model.energies(states))
    write_bqm_json(model, tmp_path / "m.json")
    bqm = dimod.BinaryQuadraticModel.from_serializable(json.loads((tmp_path / "m.json").read_text()))
    assert bqm.energies((states, [0, 1, 2])) == pytest.approx(model.energies(states))


BIASED = Ising([1.0, 0.0], [[0, 1], [1, 0]])
NAMED = Ising([0.0, 0.0], [[0, 1], [1, 0]], labels=["a", 1j])
SHIFTED = Ising.from_edges(2, [(0, 1)], [1.0], offset=2.5)
BITS = RBM([[1.0]], [0.0], [0.0])


@pytest.mark.parametrize(
    ("write", "model", "message"),
    [
        (write_gset, BIASED, "variable 0 has bias 1, a G-set file holds none; use write_coo"),
        (write_gset, BITS, "the model is of bits, a G-set file is of spins"),
        (write_edge_list, BITS, "the model is of bits"),
        (write_gset, SHIFTED, "an offset of 2.5, which a G-set file does not hold; use write_bqm_json"),
        (write_coo, SHIFTED, "an offset of 2.5"),
        (write_coo, NAMED, "label 'a' is no integer from 0"),
        (write_bqm_json, NAMED, "a label cannot be written as JSON"),
    ],
)
def test_what_a_format_does_not_hold_is_refused(
    tmp_path: Path, write: Callable[[Model, Path], None], model: Model, message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        write(model, tmp_path / "m")
    assert not list(tmp_path.iterdir())
    with pytest.raises(ModelError, match="cannot write"):
        write_edge_list(BIASED, tmp_path / "nosuch" / "m")
