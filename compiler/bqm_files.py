"""Binary quadratic models as JSON, the form of dimod's ``to_serializable``."""

from __future__ import annotations

import json
from collections.abc import Hashable
from typing import Any

import numpy as np

from ..contract.errors import ModelError
from .edges import Int64, real_array
from .readers import Graph, spins_of_bits
from .tables import FilePath, read_text, shown

FORM = "write it with json.dumps(bqm.to_serializable())"


def read_bqm_json(path: FilePath) -> Graph:
    """Read a binary quadratic model of schema 3, see ``docs/inputs.md``."""
    fields = _fields(path)
    labels = _labels(path, fields["variable_labels"])
    n = len(labels)
    linear = real_array(fields["linear_biases"], f"{path}: linear_biases", (n,))
    quadratic = real_array(fields["quadratic_biases"], f"{path}: quadratic_biases", (None,))
    heads = _indices(path, "quadratic_head", fields["quadratic_head"], len(quadratic), n)
    tails = _indices(path, "quadratic_tail", fields["quadratic_tail"], len(quadratic), n)
    offset = float(real_array([fields["offset"]], f"{path}: offset", (1,))[0])
    edges = np.stack([heads, tails], axis=1)
    if fields["variable_type"] == "BINARY":
        return spins_of_bits(labels, edges, quadratic, linear, offset)
    return Graph(labels, edges, -quadratic, -linear, offset)


def _fields(path: FilePath) -> dict[str, Any]:
    try:
        fields = json.loads(read_text(path, FORM))
    except json.JSONDecodeError as error:
        raise ModelError(f"{path} line {error.lineno} column {error.colno} is no JSON: {error.msg}; {FORM}") from None
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is no JSON that can be read: {str(error)[:80]}; {FORM}") from None
    if not isinstance(fields, dict) or fields.get("type") != "BinaryQuadraticModel":
        raise ModelError(f"{path} is JSON, but no dimod BinaryQuadraticModel; {FORM}")
    if fields.get("use_bytes"):
        raise ModelError(f"{path} holds bytes, which JSON does not; {FORM}")
    if fields.get("variable_type") not in ("SPIN", "BINARY"):
        raise ModelError(f"{path} has variable_type {shown(str(fields.get('variable_type')))}, not SPIN or BINARY")
    names = ("variable_labels", "linear_biases", "quadratic_biases", "quadratic_head", "quadratic_tail", "offset")
    missing = [name for name in names if name not in fields]
    if missing:
        raise ModelError(f"{path} has no {missing[0]}; {FORM}, with dimod 0.9 or later")
    return fields


def _labels(path: FilePath, labels: Any) -> list[Hashable]:
    """Labels as dimod makes them of JSON: lists are tuples."""
    if not isinstance(labels, list):
        raise ModelError(f"{path} has variable_labels {shown(str(labels))}; they must be a list")
    return [_label(path, label) for label in labels]


def _label(path: FilePath, label: Any) -> Hashable:
    if isinstance(label, dict):
        raise ModelError(f"{path} has a label {shown(str(label))}; use numbers, strings or lists of them")
    return tuple(_label(path, part) for part in label) if isinstance(label, list) else label


def _indices(path: FilePath, name: str, values: Any, length: int, n: int) -> Int64:
    if not isinstance(values, list) or len(values) != length or any(type(value) is not int for value in values):
        raise ModelError(f"{path} has a {name} that is not one integer for each of {length} quadratic biases")
    wrong = next((value for value in values if not 0 <= value < n), None)
    if wrong is not None:
        raise ModelError(f"{path} has {shown(str(wrong))} in {name}; variables are 0 to {n - 1}")
    return np.array(values, np.int64)
