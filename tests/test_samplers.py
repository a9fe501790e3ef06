"""dimod's own conformance tests, and what a user of Ocean relies on."""

from __future__ import annotations

import inspect
import unittest
import warnings
from functools import partial
from typing import Any

import dimod
import dimod.testing
import numpy as np
import pytest

from pbit_hw.contract.errors import RequestError
from pbit_hw.samplers import AnnealSampler, DescentSampler, MetropolisSampler, QuantumAnnealSampler, TemperSampler

SAMPLERS = [AnnealSampler, TemperSampler, QuantumAnnealSampler, MetropolisSampler, DescentSampler]
QUICK = {
    AnnealSampler: {"num_sweeps": 50},
    TemperSampler: {"num_rounds": 20, "rungs": 4},
    QuantumAnnealSampler: {"num_steps": 15, "slices": 4, "num_reads": 8},
    MetropolisSampler: {"num_sweeps": 50},
    DescentSampler: {},
}

every_sampler = pytest.mark.parametrize("kind", SAMPLERS, ids=lambda kind: kind.__name__)


@every_sampler
def test_api(kind):
    dimod.testing.assert_sampler_api(kind())


def quick(kind: Any) -> Any:
    """The sampler with less work by default."""

    class Quick(kind):
        def sample(self, bqm, **options):
            return super().sample(bqm, **{**QUICK[kind], **options})

    Quick.__name__ = kind.__name__
    return Quick


@dimod.testing.load_sampler_bqm_tests(AnnealSampler)
@dimod.testing.load_sampler_bqm_tests(quick(TemperSampler))
@dimod.testing.load_sampler_bqm_tests(quick(QuantumAnnealSampler))
@dimod.testing.load_sampler_bqm_tests(MetropolisSampler)
@dimod.testing.load_sampler_bqm_tests(DescentSampler)
class TestConformance(unittest.TestCase):
    """dimod's models: empty, of one variable, labelled, of every type."""


def glass(vartype):
    rng = np.random.default_rng(0)
    bqm = dimod.generators.gnm_random_bqm(12, 30, vartype, random_state=1)
    bqm.scale(1000.0)
    bqm.offset = float(rng.normal())
    return bqm


@every_sampler
@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_finds_the_ground_state_of_the_model_as_given(kind, vartype):
    bqm = glass(vartype)
    sampleset = kind().sample(bqm, seed=3)
    dimod.testing.assert_sampleset_energies(sampleset, bqm)
    assert sampleset.vartype is bqm.vartype
    assert sampleset.first.energy == pytest.approx(dimod.ExactSolver().sample(bqm).first.energy)
    assert sampleset.info["seed"] == 3
    assert 0 < sampleset.info["sampling_ns"] <= sampleset.info["wall_ns"]


@every_sampler
def test_parameters_are_those_that_sample_takes(kind):
    taken = set(inspect.signature(kind.sample).parameters) - {"self", "bqm", "unknown"}
    assert set(kind().parameters) == taken


@pytest.mark.parametrize("kind", [AnnealSampler, MetropolisSampler])
def test_the_schedule_is_told_and_can_be_chosen(kind):
    chosen = kind().sample(glass("SPIN"), num_sweeps=20, beta_range=(0.25, 1.5), seed=1).info
    assert (chosen["beta_range"], chosen["num_sweeps"]) == ((0.25, 1.5), 20)
    hot, cold = kind().sample(glass("SPIN"), num_sweeps=20, seed=1).info["beta_range"]
    assert 0 < hot < cold


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_descent_ends_in_local_minima(vartype):
    """Of the model as given, whose couplings of +1 and -1 are exact in any format."""
    bqm = dimod.generators.ran_r(1, 12, seed=1).change_vartype(vartype)
    sampleset = DescentSampler().sample(bqm, num_reads=20, seed=3)
    assert sampleset.info["num_sweeps"] > 1
    for energy, row in zip(sampleset.record.energy, sampleset.record.sample, strict=True):
        for variable in range(len(row)):
            flipped = row.copy()
            flipped[variable] = -row[variable] if vartype == "SPIN" else 1 - row[variable]
            assert bqm.energy((flipped, sampleset.variables)) >= energy


@every_sampler
def test_reads_differ_and_seeds_repeat(kind):
    free = dimod.BinaryQuadraticModel.from_ising({label: 1e-9 for label in range(40)}, {(0, 1): 1.0})
    first, again, other = (kind().sample(free, seed=seed, **QUICK[kind]).record.sample for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert len(np.unique(first, axis=0)) > len(first) / 2


@every_sampler
def test_without_a_seed_runs_differ(kind):
    free = dimod.BinaryQuadraticModel.from_ising({label: 1e-9 for label in range(40)}, {(0, 1): 1.0})
    runs = [kind().sample(free, **QUICK[kind]) for _ in range(2)]
    assert runs[0].info["seed"] != runs[1].info["seed"]
    assert not np.array_equal(runs[0].record.sample, runs[1].record.sample)


@every_sampler
@pytest.mark.parametrize("bqm", [dimod.BQM("SPIN"), dimod.BQM({"a": 0.0, "b": 0.0}, {}, 1.5, "BINARY")])
def test_models_of_nothing(kind, bqm):
    sampleset = kind().sample(bqm, seed=1, **QUICK[kind])
    assert sorted(sampleset.variables) == sorted(bqm.variables)
    assert (sampleset.record.energy == bqm.offset).all()


def test_unknown_options_are_named():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        AnnealSampler().sample(glass("SPIN"), num_sweeps=10, beta_rangee=(1, 2))
    assert any("beta_rangee" in str(warning.message) for warning in seen)


def test_tempering_has_so_many_reads():
    with pytest.raises(RequestError, match="num_reads is 66"):
        partial(TemperSampler().sample, glass("SPIN"))(num_reads=66)
    assert len(TemperSampler().sample(glass("SPIN"), num_reads=5, num_rounds=10, rungs=3)) == 5
