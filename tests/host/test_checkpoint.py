"""Checkpoint files: what is written is read, by its own run alone, and no half of one is ever there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pbit_hw.compiler import BoltzmannMachine, compile
from pbit_hw.contract import container
from pbit_hw.contract.errors import CheckpointError, ImageError
from pbit_hw.host import checkpoint
from pbit_hw.host.training import Trainer, train
from pbit_hw.sim.simulator import Simulator

DTYPES = ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (1,), (5,), (2, 3), (0,), (3, 0), (0, 4), (2, 1, 4)], ids=str)
def test_arrays_of_every_type_and_shape(tmp_path, dtype, shape):
    array = np.random.default_rng(1).normal(100, 50, shape).clip(0, 120) + 0.5
    with np.errstate(all="ignore"):
        array = np.asarray(array).astype(dtype)
    for given_array in (array, array.copy(order="F"), np.stack([array, array], axis=-1)[..., 0]):
        checkpoint.write(tmp_path / "run", {}, {}, {"a": given_array, "b": np.arange(3)})
        _, arrays = checkpoint.read(tmp_path / "run", {})
        assert list(arrays) == ["a", "b"]
        assert arrays["a"].dtype == array.dtype
        assert arrays["a"].shape == array.shape
        assert arrays["a"].tobytes() == array.tobytes()


@given(hnp.arrays(hnp.scalar_dtypes().filter(lambda kind: kind.kind in "biuf"), hnp.array_shapes(min_dims=0)))
def test_any_array(tmp_path_factory, array):
    path = tmp_path_factory.getbasetemp() / "any"
    checkpoint.write(path, {}, {}, {"a": array})
    read = checkpoint.read(path, {})[1]["a"]
    assert read.dtype == array.dtype
    np.testing.assert_array_equal(read, array)


def test_where_a_run_stands(tmp_path):
    """In JSON, NaN and infinity too; numbers of numpy become Python's."""
    meta = {"epoch": 3, "history": {"a": [1.5, float("nan"), float("inf")], "b": [np.float32(0.1), np.int64(2)]}}
    checkpoint.write(tmp_path / "run", {"seed": 1}, meta, {})
    read, arrays = checkpoint.read(tmp_path / "run", {"seed": 1})
    assert arrays == {}
    assert repr(read) == repr({"epoch": 3, "history": {"a": [1.5, np.nan, np.inf], "b": [float(np.float32(0.1)), 2]}})


def test_settings_are_compared_as_what_they_say(tmp_path):
    """A tuple and a list are the same, and so are numbers of numpy and Python's."""
    identity = {"learning_rate": (0.1, 0.01), "ladder": np.array([0.5, 1.0]), "epochs": np.int64(3)}
    checkpoint.write(tmp_path / "run", identity, {"epoch": 1}, {})
    same = {"learning_rate": [0.1, 0.01], "ladder": (0.5, 1.0), "epochs": 3}
    assert checkpoint.read(tmp_path / "run", same)[0] == {"epoch": 1}


@pytest.mark.parametrize(
    ("identity", "differing"),
    [
        ({"seed": 2, "data": "x", "sweeps": 1}, "another seed;"),
        ({"seed": 2, "data": "y", "sweeps": 1}, "another data and seed;"),
        ({"seed": 1, "data": "x"}, "another sweeps;"),
        ({"seed": 1, "data": "x", "sweeps": 1, "chains": 5}, "another chains;"),
    ],
)
def test_what_differs_is_named(tmp_path, identity, differing):
    path = tmp_path / "run"
    checkpoint.write(path, {"seed": 1, "data": "x", "sweeps": 1}, {}, {})
    with pytest.raises(CheckpointError, match=differing) as caught:
        checkpoint.read(path, identity)
    assert str(path) in str(caught.value)
    assert "go on with the same settings, or delete it" in str(caught.value)


def written(path, count=100):
    checkpoint.write(path, {"seed": 1}, {"epoch": 1}, {"a": np.arange(count)})
    return path.read_bytes()


def refused(path, message):
    with pytest.raises(CheckpointError, match=message) as caught:
        checkpoint.read(path, {"seed": 1})
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@given(st.data())
def test_damage_is_noticed_wherever_it_is(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "damaged"
    whole = written(path)
    place = data.draw(st.integers(0, len(whole) - 1))
    flipped = whole[place] ^ data.draw(st.integers(1, 255))
    path.write_bytes(whole[:place] + bytes([flipped]) + whole[place + 1 :])
    refused(path, "no whole checkpoint; delete it to begin anew")
    path.write_bytes(whole[:place])
    refused(path, "no whole checkpoint; delete it to begin anew")
    path.write_bytes(whole)
    assert checkpoint.read(path, {"seed": 1})[0] == {"epoch": 1}


def test_other_files_are_refused(tmp_path):
    program = tmp_path / "x.pbit"
    compile(BoltzmannMachine(2)).save(program)
    refused(program, "no checkpoint of this version; give another name, or delete it")
    text = tmp_path / "notes.txt"
    text.write_text("epoch 3")
    refused(text, "no whole checkpoint")
    later = tmp_path / "later"
    later.write_bytes(container.dump({"kind": "checkpoint 9", "identity": {"seed": 1}}, {}))
    refused(later, "no checkpoint of this version")
    refused(tmp_path / "none", "cannot read checkpoint .*: No such file")
    refused(tmp_path, "cannot read checkpoint .*: Is a directory")


def test_a_checkpoint_is_no_program(tmp_path):
    written(tmp_path / "run")
    with pytest.raises(ImageError, match="does not hold a program"):
        type(compile(BoltzmannMachine(2))).load(tmp_path / "run")


@pytest.mark.parametrize("place", [Path("none", "run"), Path()], ids=["missing folder", "a folder"])
def test_where_it_cannot_be_written(tmp_path, place):
    with pytest.raises(CheckpointError, match=r"cannot write checkpoint .*: (No such file|Is a directory)"):
        written(tmp_path / place)


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_one_alone(tmp_path, monkeypatch, failing):
    path = tmp_path / "run"
    before = written(path)

    def fail(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(CheckpointError, match="No space left on device"):
        written(path, 200)
    assert os.listdir(tmp_path) == ["run"]
    assert path.read_bytes() == before


ROWS = np.random.default_rng(2).choice([-1, 1], (12, 3))


def trainer(rows=ROWS, weight_format="s[3][4]", **changed):
    program = compile(BoltzmannMachine(3, 1), weight_format=weight_format)
    options: dict[str, Any] = {
        "epochs": 3,
        "learning_rate": (0.5, 0.1),
        "batch_size": 5,
        "seed": 1,
        "sweeps": 2,
        "chains": 4,
    }
    return Trainer(Simulator(program, seed=1), rows, **(options | changed))


@pytest.mark.parametrize(
    ("changed", "differing"),
    [
        ({"rows": ROWS[::-1]}, "data"),
        ({"weight_format": "s[3][5]"}, "program"),
        ({"epochs": 4}, "epochs"),
        ({"batch_size": 4}, "batch_size"),
        ({"learning_rate": 0.5}, "learning_rate"),
        ({"schedule": "geometric"}, "schedule"),
        ({"seed": 2, "sweeps": 3}, "seed and sweeps"),
        ({"chains": None}, "chains"),
        ({"momentum": 0.5}, "momentum"),
    ],
)
def test_a_trainer_goes_on_with_its_own_run_alone(tmp_path, changed, differing):
    trainer().save(tmp_path / "run")
    trainer().resume(tmp_path / "run")
    with pytest.raises(CheckpointError, match=f"of a run with another {differing};"):
        trainer(**changed).resume(tmp_path / "run")


def test_training_says_so_before_it_begins(tmp_path):
    """A file that is not its own is left alone."""
    path = tmp_path / "notes"
    path.write_text("mine")
    with pytest.raises(CheckpointError, match="no whole checkpoint"):
        train(Simulator(compile(BoltzmannMachine(3))), ROWS, epochs=1, learning_rate=0.1, checkpoint=path)
    assert path.read_text() == "mine"


def test_settings_of_numpy_can_be_saved(tmp_path):
    """And an evaluation of numpy's floats."""
    settings: dict[str, Any] = {"epochs": np.int64(2), "learning_rate": np.float32(0.1), "ladder": np.array([0.5, 1.0])}
    settings |= {"chains": 3, "evaluate": lambda program: program.model.couplings.astype(np.float32).sum()}
    program, path = compile(BoltzmannMachine(3)), tmp_path / "run"
    histories = [train(Simulator(program, seed=1), ROWS, checkpoint=path, **settings) for _ in range(2)]
    assert histories[0] == histories[1]
    assert len(histories[0].evaluation) == 2
