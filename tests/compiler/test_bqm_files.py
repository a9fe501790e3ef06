"""Binary quadratic models as JSON: dimod's energies, and what is refused."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import dimod
import numpy as np
import pytest

from pbit_hw.compiler.models import Ising
from pbit_hw.contract.errors import ModelError


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_energies_are_dimods(tmp_path: Path, vartype: str) -> None:
    linear = {"a": 1.0, ("t", 1): 0.0, 3: 0.5}
    bqm = dimod.BinaryQuadraticModel(linear, {("a", 3): -2.0, (3, ("t", 1)): 1.5}, 0.25, vartype)
    path = tmp_path / "bqm.json"
    path.write_text(json.dumps(bqm.to_serializable(), indent=1))
    model = Ising.from_file(path)
    assert model.labels == tuple(bqm.variables)
    states = np.array(list(itertools.product((-1, 1), repeat=3)))
    theirs = states if vartype == "SPIN" else (states + 1) // 2
    assert model.energies(states) == pytest.approx(bqm.energies((theirs, list(model.labels))))


GOOD = dimod.BinaryQuadraticModel({0: 1.0, 1: 2.0}, {(0, 1): 3.0}, 0.0, "SPIN").to_serializable()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"type": "DiscreteQuadraticModel"}, "is JSON, but no dimod BinaryQuadraticModel"),
        ({"use_bytes": True}, "holds bytes, which JSON does not"),
        ({"variable_type": "INTEGER"}, "has variable_type 'INTEGER', not SPIN or BINARY"),
        ({"variable_labels": 2}, "has variable_labels '2'; they must be a list"),
        ({"variable_labels": [0, {"a": 1}]}, "use numbers, strings or lists of them"),
        ({"variable_labels": [0, 0]}, "only 1 of them different"),
        ({"variable_labels": []}, "linear_biases has shape (2,); the model needs (0)"),
        ({"linear_biases": [1.0]}, "linear_biases has shape (1,); the model needs (2)"),
        ({"linear_biases": [1.0, 10**400]}, "linear_biases must be an array of real numbers"),
        ({"linear_biases": [1.0, float("nan")]}, "linear_biases[1] is nan"),
        ({"quadratic_head": [0.5]}, "quadratic_head that is not one integer for each of 1 quadratic biases"),
        ({"quadratic_head": []}, "quadratic_head that is not one integer"),
        ({"quadratic_tail": [7]}, "has '7' in quadratic_tail; variables are 0 to 1"),
        ({"quadratic_tail": [0]}, "variable 0 is coupled to itself"),
        ({"offset": None}, "offset"),
        ({"offset": "x"}, "offset must be an array of real numbers"),
    ],
)
def test_wrong_models_are_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    refused(tmp_path, json.dumps({**GOOD, **change}), message)


def test_missing_fields_and_what_is_no_json_are_refused(tmp_path: Path) -> None:
    refused(tmp_path, json.dumps({k: v for k, v in GOOD.items() if k != "offset"}), "has no offset")
    refused(tmp_path, json.dumps(GOOD)[:-5], "line 1 column")
    refused(tmp_path, '{"a":' * 100_000, "is no JSON that can be read")
    refused(tmp_path, '{"a": ' + "1" * 5000 + "}", "is no JSON that can be read")


def refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bqm.json"
    path.write_text(text)
    with pytest.raises(ModelError) as caught:
        Ising.from_file(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
