"""Noisy observations: the model with them clamped against Bayes' rule, by enumeration."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pbit_hw.compiler import RBM, BoltzmannMachine, Model, compile
from pbit_hw.compiler.observation import observed
from pbit_hw.contract.errors import ModelError
from pbit_hw.contract.update import Unit
from pbit_hw.sim.exact import exact, states

Float = npt.NDArray[np.float64]

UNITS = pytest.mark.parametrize("unit", list(Unit), ids=[unit.name.lower() for unit in Unit])
SOME = ["v2", "h0", "v0"]


def machine(unit: Unit) -> Model:
    """Six units with random couplings and biases, all connected."""
    rng = np.random.default_rng(1)
    draft = BoltzmannMachine(4, 2, unit=unit)
    return draft.with_values(rng.normal(0, 0.8, len(draft.edges)), rng.normal(0, 0.8, 6))


def channel(model: Model, seen: Sequence[Hashable], values: npt.ArrayLike, flip_probability: float) -> Float:
    """P(observed values | state) of every state of the model."""
    flipped = states(model, 0, 1 << model.size)[:, [model.index[label] for label in seen]] != np.asarray(values)
    return np.where(flipped, flip_probability, 1 - flip_probability).prod(axis=1)


def bayes(model: Model, seen: Sequence[Hashable], values: npt.ArrayLike, flip_probability: float) -> Float:
    """P(state | observed values), from the model's own distribution and the channel."""
    joint = exact(model).probabilities * channel(model, seen, values, flip_probability)
    return joint / joint.sum()


def clamped(model: Model, seen: Sequence[Hashable], values: npt.ArrayLike, flip_probability: float) -> Float:
    """The same by the model with its observations clamped."""
    whole = observed(model, seen, flip_probability)
    clamp: dict[Hashable, float] = {
        ("observed", label): value for label, value in zip(seen, np.asarray(values).tolist(), strict=True)
    }
    # variables of the model are the lowest bits of the index
    return exact(whole, clamp=clamp).probabilities.reshape(-1, 1 << model.size).sum(axis=0)


@UNITS
@pytest.mark.parametrize("flip_probability", [0.01, 0.3, 0.49])
def test_the_posterior_is_that_of_bayes(unit: Unit, flip_probability: float) -> None:
    """Of all variables and of some, which are named in another order than the model's."""
    model = machine(unit)
    for seen in (model.labels, SOME):
        values = np.random.default_rng(2).choice(model.allowed, len(seen))
        found = clamped(model, seen, values, flip_probability)
        assert found == pytest.approx(bayes(model, seen, values, flip_probability), abs=1e-12)


@UNITS
def test_another_channel_gives_another_posterior(unit: Unit) -> None:
    """Negative control, of the channel and of what was seen."""
    model = machine(unit)
    values = np.array([model.allowed[1], model.allowed[0], model.allowed[1]])
    expected = bayes(model, SOME, values, 0.3)
    assert np.abs(clamped(model, SOME, values, 0.25) - expected).max() > 0.005
    assert np.abs(clamped(model, SOME, values[[1, 0, 2]], 0.3) - expected).max() > 0.005


@UNITS
def test_observations_that_are_free_follow_the_channel(unit: Unit) -> None:
    """The joint distribution is the model's times the channel, so the model's own is what it was."""
    model = machine(unit)
    joint = exact(observed(model, SOME, 0.2)).probabilities.reshape(-1, 1 << model.size)
    prior = exact(model).probabilities
    assert joint.sum(axis=0) == pytest.approx(prior, abs=1e-12)
    for place, found in enumerate(joint):
        values = np.array(model.allowed)[place >> np.arange(len(SOME)) & 1]
        assert found == pytest.approx(prior * channel(model, SOME, values, 0.2), abs=1e-12)


@UNITS
def test_the_model_within_stays_what_it_was(unit: Unit) -> None:
    model = machine(unit)
    whole = observed(model, SOME, 0.1)
    assert whole.unit is unit
    assert whole.labels == (*model.labels, *(("observed", label) for label in SOME))
    assert np.array_equal(whole.visible, model.visible)
    assert np.array_equal(whole.hidden, model.hidden)
    within = whole.edges[:, 1] < model.size
    assert np.array_equal(whole.edges[within], model.edges)
    assert np.array_equal(whole.couplings[within], model.couplings)
    assert sorted(whole.edges[~within].tolist()) == [[0, 8], [2, 6], [4, 7]]
    assert np.array_equal(model.biases, machine(unit).biases)


def test_an_rbm_is_observed_as_a_model_that_compiles() -> None:
    """Two colours are still enough, and the offset is kept."""
    rbm = RBM(np.ones((3, 2)), np.zeros(3), np.zeros(2))
    object.__setattr__(rbm, "offset", 1.5)
    whole = observed(rbm, rbm.labels[:3], 0.1)
    assert whole.offset == 1.5
    assert compile(whole).image.colours == 2


def test_nothing_observed_is_the_model() -> None:
    model = machine(Unit.BIT)
    assert exact(observed(model, [], 0.1)).probabilities == pytest.approx(exact(model).probabilities)


@pytest.mark.parametrize("flip_probability", [0.0, 0.5, -0.1, 0.7, float("nan")])
def test_other_probabilities_are_refused(flip_probability: float) -> None:
    message = f"flip_probability is {flip_probability}; give one above 0 and below 0.5"
    with pytest.raises(ModelError, match=message):
        observed(machine(Unit.SPIN), SOME, flip_probability)


@pytest.mark.parametrize("flip_probability", ["x", None, np.array([0.1, 0.2])])
def test_what_is_no_probability_is_refused(flip_probability: Any) -> None:
    with pytest.raises(ModelError, match=r"give one above 0 and below 0\.5"):
        observed(machine(Unit.SPIN), SOME, flip_probability)


def test_unknown_variables_are_refused() -> None:
    with pytest.raises(ModelError, match=r"cannot observe 'x': the model has no such variable; see model\.labels"):
        observed(machine(Unit.SPIN), ["v0", "x"], 0.1)


def test_a_variable_is_observed_once() -> None:
    model = machine(Unit.SPIN)
    with pytest.raises(ModelError, match="8 labels, only 7 of them different"):
        observed(model, ["v0", "v0"], 0.1)
    with pytest.raises(ModelError, match="9 labels, only 8 of them different"):
        observed(observed(model, ["v0", "v1"], 0.1), ["v0"], 0.1)
