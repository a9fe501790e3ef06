"""Reports: counted anew from the model, and what boards need."""

from __future__ import annotations

import json

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pbit_hw.compiler import Ising, Model, compile
from pbit_hw.contract.forms import demand
from pbit_hw.contract.targets import TARGETS


@settings(deadline=None)
@given(st.data())
def test_counts(models: SearchStrategy[Model], data: st.DataObject) -> None:
    model = data.draw(models)
    program = compile(model, weight_format="s[1][2]")
    report = program.report
    assert (report.pbits, report.edges) == (model.size, len(model.edges))
    degrees = np.bincount(model.edges.ravel(), minlength=model.size)
    assert report.degree_histogram == {degree: int((degrees == degree).sum()) for degree in set(degrees.tolist())}
    assert sum(report.colour_sizes) == model.size
    assert len(report.colour_sizes) == report.colours
    assert 0 not in report.colour_sizes
    fields = report.to_json()
    assert fields == json.loads(json.dumps(fields))
    errors = np.abs(np.concatenate([program.quantised.couplings, program.quantised.biases]))
    assert fields["weight_format"] == "s[1][2]"
    originals = np.concatenate([model.couplings, model.biases])
    signed = np.concatenate([program.quantised.couplings, program.quantised.biases])
    assert fields["max_quantisation_error"] == pytest.approx(np.abs(signed - originals).max())
    assert fields["rms_quantisation_error"] == pytest.approx(np.sqrt(np.mean((signed - originals) ** 2)))
    assert errors.max() <= 1.75


def test_boards() -> None:
    program = compile(Ising.from_networkx(nx.random_regular_graph(3, 64, seed=0), coupling=-1.0))
    report = program.report
    assert set(report.boards) == set(TARGETS)
    for name, fields in report.to_json()["boards"].items():
        assert fields["fits"] is report.boards[name].fits is (fields["reasons"] == [])
        need = demand(program.image, report.boards[name].demand.form)
        assert fields["form"] == need.form.value
        assert fields["ffs_at_least"] == need.ffs
        assert fields["ffs_available"] == TARGETS[name].ffs
        assert fields["luts_estimated"] == need.luts[TARGETS[name].family]
        assert fields["likely"] is (fields["fits"] and fields["luts_estimated"] <= fields["luts_available"])


def test_a_board_that_is_too_small_says_why() -> None:
    crowded = compile(Ising.from_networkx(nx.complete_graph(100))).report.to_json()["boards"]["icebreaker"]
    assert not crowded["fits"]
    assert any("degree 99" in reason for reason in crowded["reasons"])
    assert any("flip-flops" in reason for reason in crowded["reasons"])
