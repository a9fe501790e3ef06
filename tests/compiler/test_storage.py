"""Program files: what is saved is loaded, and nothing foreign, damaged or contradictory is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pbit_hw.compiler import RBM, BoltzmannMachine, Hopfield, Ising, MaxCut, Model, Program, compile, load, storage
from pbit_hw.compiler.library import full_adder
from pbit_hw.contract import container
from pbit_hw.contract.errors import ImageError, ModelError


def dump(program: Program) -> bytes:
    return storage.dump(program.target, program.image, program.order, program.slot_edges, program.expansion)


def assert_same(first: Program, second: Program) -> None:
    assert type(first.model) is type(second.model)
    assert first.image.digest == second.image.digest
    assert first.model.labels == second.model.labels
    assert first.model.unit is second.model.unit
    assert first.model.offset == second.model.offset
    for name in ("edges", "couplings", "biases", "visible", "hidden"):
        ours, theirs = getattr(first.model, name), getattr(second.model, name)
        assert np.array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype
    for name in ("weights", "biases", "clamped", "clamp_values", "colour_first", "slot_first", "neighbours"):
        assert np.array_equal(getattr(first.image, name), getattr(second.image, name))
    assert np.array_equal(first.order, second.order)
    assert np.array_equal(first.slot_edges, second.slot_edges)


MODELS = [
    Ising([0.1, 0.2], [[0, 1.5], [1.5, 0]], labels=["a", "größe"]),
    MaxCut.from_edges(3, [(0, 1)], [-1.0]),
    BoltzmannMachine(2, ["top"]),
    RBM(np.eye(2), np.ones(2), np.zeros(2)),
    Hopfield([[1, -1, 1]]),
    Ising.from_edges(4, [(0, 1)], [1.0], labels=[0, -1.5, ("x", (1, 2)), None], offset=0.75),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_every_kind_of_model_round_trips(model: Model, tmp_path: Path) -> None:
    program = compile(model, clamp={model.labels[0]: 1}, generator="xoshiro128")
    program.save(tmp_path / "x.pbit")
    loaded = load(tmp_path / "x.pbit")
    assert_same(program, loaded)
    assert loaded.quantisation == program.quantisation
    assert np.array_equal(loaded.model.index[model.labels[-1]], model.size - 1)
    assert_same(
        program.reweighted(model.couplings, model.biases + 1), loaded.reweighted(model.couplings, model.biases + 1)
    )


@settings(deadline=None)
@given(st.data(), st.sampled_from([None, "s[1][1]", "s[2][6]"]))
def test_any_program_round_trips(models: SearchStrategy[Model], data: st.DataObject, weight_format: str | None) -> None:
    model = data.draw(models)
    as_ising = Ising.from_edges(model.size, model.edges, model.couplings, model.biases, model.labels)
    program = compile(as_ising, weight_format=weight_format)
    loaded = Program(*storage.parse(dump(program), "x.pbit"))
    assert_same(program, loaded)
    assert dump(loaded) == dump(program)


def test_numpy_labels_become_plain(tmp_path: Path) -> None:
    program = compile(Ising.from_edges(2, [(0, 1)], [1.0], labels=list(np.arange(2))))
    program.save(str(tmp_path / "x.pbit"))
    assert Program.load(tmp_path / "x.pbit").model.labels == (0, 1)


def test_labels_that_json_cannot_hold_are_refused(tmp_path: Path) -> None:
    program = compile(Ising([0.0], [[0.0]], labels=[frozenset({1})]))
    with pytest.raises(ModelError, match=r"label frozenset\(\{1\}\) cannot be saved; use numbers, strings or tuples"):
        program.save(tmp_path / "x.pbit")
    assert os.listdir(tmp_path) == []


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    data = dump(compile(full_adder()))
    path = tmp_path / "cut.pbit"
    for length in [*range(0, len(data), 97), len(data) - 1]:
        path.write_bytes(data[:length])
        with pytest.raises(ImageError, match=r"cut\.pbit is") as caught:
            load(path)
        assert "\n" not in str(caught.value)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_every_damage_is_refused(data: st.DataObject) -> None:
    damaged = bytearray(DATA)
    damaged[data.draw(st.integers(0, len(DATA) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ImageError, match=r"x\.pbit"):
        storage.parse(bytes(damaged), "x.pbit")


def test_foreign_and_missing_files(tmp_path: Path) -> None:
    foreign = tmp_path / "G11.txt"
    foreign.write_text("800 1600\n")
    with pytest.raises(ImageError, match=r"G11\.txt is not a compiled pbit-hw program"):
        load(foreign)
    with pytest.raises(ImageError, match=r"cannot read program .*none\.pbit: No such file or directory"):
        load(tmp_path / "none.pbit")
    with pytest.raises(ImageError, match=r"cannot read program .*: Is a directory"):
        load(tmp_path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"cannot write program .*x\.pbit: No such file or directory"):
        compile(full_adder()).save(tmp_path / "none" / "x.pbit")


DATA = dump(compile(full_adder(), weight_format="s[2][2]"))


def altered(change: Any) -> bytes:
    """A file whose contents were changed before it was sealed, as a faulty writer would."""
    meta, arrays = container.parse(DATA)
    change(meta, arrays)
    return container.dump(meta, arrays)


def set_array(name: str, index: Any, value: Any) -> Any:
    def change(_: Any, arrays: dict[str, Any]) -> None:
        arrays[name][index] = value

    return change


def replace_array(name: str, value: Any) -> Any:
    return lambda _, arrays: arrays.update({name: value})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda meta, _: meta.pop("labels"), r"x\.pbit does not hold a program \('labels'\); compile it again"),
        (lambda meta, _: meta.update(kind="Potts"), r"does not hold a program \('Potts'\)"),
        (lambda meta, _: meta.update(labels=[0, 1, 2]), "does not hold a program"),
        (lambda meta, _: meta.update(labels=[0, 0, 2, 3, 4]), "does not hold a program .*different"),
        (lambda meta, _: meta["image"].update(contract=99), r"x\.pbit: image is of contract version 99"),
        (lambda meta, _: meta["image"].update(generator="MT"), r"does not hold a program \('MT'\)"),
        (lambda meta, _: meta["image"].update(generator="LFSR32"), r"x\.pbit: image was .* LFSR32, which is no longer"),
        (lambda meta, _: meta["image"].update(weight_format="s[2]"), "does not hold a program .*fixed-point"),
        (lambda _, arrays: arrays.pop("order"), r"does not hold a program \('order'\)"),
        (set_array("couplings", 0, np.nan), "does not hold a program .*finite"),
        (set_array("edges", 0, [3, 1]), "does not hold a program .*sorted"),
        (set_array("couplings", 0, 1.75), "contradicts itself"),
        (set_array("model_biases", 0, 1.0), "contradicts itself"),
        (set_array("order", 0, 3), "contradicts itself"),
        (set_array("slot_edges", [0, 1], [1, 0]), "contradicts itself"),
        (set_array("slot_edges", 0, 999), "does not hold a program"),
        (replace_array("order", np.arange(4, dtype=np.int32)), "contradicts itself"),
        (set_array("neighbours", 0, 77), r"x\.pbit: a neighbour lies outside"),
        (set_array("weights", 0, 77), r"x\.pbit: weight 77 exceeds"),
    ],
)
def test_contradictory_contents_are_refused(change: Any, message: str) -> None:
    with pytest.raises(ImageError, match=message) as caught:
        storage.parse(altered(change), "x.pbit")
    assert "\n" not in str(caught.value)


def test_an_unaltered_file_is_accepted() -> None:
    """Negative control of the test above."""
    storage.parse(altered(lambda meta, arrays: None), "x.pbit")
