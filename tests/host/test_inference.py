"""Inference on the array against exact conditional means, and the classes that follow from them."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pbit_hw.compiler import BoltzmannMachine, Program, compile
from pbit_hw.compiler.observation import observed
from pbit_hw.contract.errors import RequestError
from pbit_hw.contract.update import Unit
from pbit_hw.host import inference
from pbit_hw.host.chains import Chains
from pbit_hw.host.device import Device
from pbit_hw.host.inference import classify, infer
from pbit_hw.sim.exact import exact, states
from pbit_hw.sim.simulator import Simulator
from pbit_hw.sim.virtual import VirtualDevice

Float = npt.NDArray[np.float64]

UNITS = pytest.mark.parametrize("unit", list(Unit), ids=[unit.name.lower() for unit in Unit])
GIVEN = ["v2", "h1", "v0"]
WANTED = ["h0", "v3", "v1"]
REPEATS = 400


def machine(unit: Unit) -> Program:
    """Seven units with random couplings and biases, all connected, none of them sure of its value."""
    rng = np.random.default_rng(3)
    draft = BoltzmannMachine(4, 3, unit=unit)
    strength = 0.7 if unit is Unit.BIT else 0.25
    model = draft.with_values(strength * rng.normal(0, 1, len(draft.edges)), strength * rng.normal(0, 1, 7))
    return compile(model, weight_format="s[2][6]")


def simulator(program: Program, seed: int = 1) -> Simulator:
    return Simulator(program, seed=seed, threads=1)


def all_rows(program: Program) -> npt.NDArray[np.int8]:
    """Every value of three given variables."""
    return np.array(program.model.allowed, np.int8)[np.arange(8)[:, None] >> np.arange(3) & 1]


def conditional_means(program: Program, rows: npt.NDArray[np.int8]) -> Float:
    """Exact means of the wanted variables given each row, of the weights that the array has."""
    model = program.quantised
    places = [model.index[label] for label in WANTED]
    clamps: list[dict[Hashable, float]] = [dict(zip(GIVEN, row.tolist(), strict=True)) for row in rows]
    return np.array([exact(model, clamp=clamp).mean[places] for clamp in clamps])


def deviations(found: Float, expected: Float) -> Float:
    """Of means over independent rows, in their standard errors; found has shape (repeats, rows, wanted)."""
    errors = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    return (found.mean(axis=0) - expected) / errors


@UNITS
def test_means_are_the_exact_conditional_ones(unit: Unit) -> None:
    """24 means, each of 400 chains; a control: those of other rows are far away."""
    program = machine(unit)
    rows = all_rows(program)
    found = infer(simulator(program), GIVEN, np.tile(rows, (REPEATS, 1)), WANTED, sweeps=20)
    found = found.reshape(REPEATS, len(rows), len(WANTED))
    expected = conditional_means(program, rows)
    assert np.abs(deviations(found, expected)).max() < 4.5
    assert np.abs(deviations(found, expected[:, [1, 0, 2]])).max() > 20
    assert np.abs(deviations(found, expected[::-1])).max() > 20


@UNITS
def test_observed_variables_are_restored_as_bayes_would(unit: Unit) -> None:
    """Posterior means given flipped observations, from the exact distribution of the weights that the array has."""
    program = machine(unit)
    labels = list(program.model.labels)
    noisy = compile(observed(program.quantised, labels, 0.2), weight_format="s[3][8]")
    row = np.random.default_rng(4).choice(program.model.allowed, 7)
    found = infer(
        simulator(noisy), [("observed", label) for label in labels], np.tile(row, (REPEATS, 1)), labels, sweeps=30
    )
    every = states(program.quantised, 0, 1 << 7)
    weights = exact(program.quantised).probabilities * np.where(every == row, 0.8, 0.2).prod(axis=1)
    expected = weights @ every / weights.sum()
    assert np.abs(deviations(found, expected)).max() < 4.5
    prior = exact(program.quantised).mean
    assert np.abs(deviations(found, prior)).max() > 20  # control: what was seen counts


def test_rows_are_done_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last part has fewer rows than there are chains; every row's means are its own."""
    monkeypatch.setattr(inference, "CHAINS", 96)
    program = machine(Unit.BIT)
    rows = np.repeat(all_rows(program), 50, axis=0)
    seen = []
    found = infer(
        simulator(program), GIVEN, rows, WANTED, sweeps=20, progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(96, 400), (192, 400), (288, 400), (384, 400), (400, 400)]
    grouped = found.reshape(8, 50, len(WANTED)).swapaxes(0, 1)
    assert np.abs(deviations(grouped, conditional_means(program, all_rows(program)))).max() < 4.5


def test_what_is_given_is_known() -> None:
    """Given variables may be asked for; nothing given is the model's own means."""
    program = machine(Unit.SPIN)
    rows = all_rows(program)
    assert np.array_equal(infer(simulator(program), GIVEN, rows, GIVEN, burn_in=1, sweeps=2), rows)
    free = infer(simulator(program), [], np.empty((REPEATS, 0)), program.model.labels, sweeps=50)
    assert np.abs(deviations(free, exact(program.quantised).mean)).max() < 4.5


def test_a_device_infers_the_same() -> None:
    program = machine(Unit.SPIN)
    device = Device(program, VirtualDevice(program.image), seed=1)
    rows = all_rows(program)[:3]
    ours = infer(simulator(program), GIVEN, rows, WANTED, burn_in=4, sweeps=5)
    assert np.array_equal(infer(device, GIVEN, rows, WANTED, burn_in=4, sweeps=5), ours)


def test_beta_rises_and_then_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[tuple[int, Any]] = []
    run = Chains.run

    def recorded(self: Chains, sweeps: int, beta: Any = 1.0) -> None:
        runs.append((sweeps, beta))
        run(self, sweeps, beta)

    monkeypatch.setattr(Chains, "run", recorded)
    program = machine(Unit.BIT)
    infer(simulator(program), GIVEN, all_rows(program), WANTED, burn_in=7, sweeps=2, start_beta=0.5)
    assert runs == [(7, (0.5, 1.0)), (1, 1.0), (1, 1.0)]
    runs.clear()
    infer(simulator(program), GIVEN, all_rows(program), WANTED, burn_in=0, sweeps=1)
    assert runs == [(1, 1.0)]


CLASSES = [["v1"], ["h0", "v3"], ["h1", "h2", "v2"]]
"""Of one to three label units, not in the model's order."""


@UNITS
def test_classes_are_means_of_their_label_units(unit: Unit) -> None:
    """Exact means again, and the class is the largest of the row."""
    program = machine(unit)
    rows = np.repeat(np.array([[program.model.allowed[0]], [program.model.allowed[1]]]), REPEATS, axis=0)
    chosen, means = classify(simulator(program), ["v0"], rows, CLASSES, sweeps=20)
    assert means.shape == (2 * REPEATS, 3)
    assert np.array_equal(chosen, means.argmax(axis=1))
    for value, found in zip(program.model.allowed, np.split(means, 2), strict=True):
        exactly = exact(program.quantised, clamp={"v0": value}).mean
        expected = [exactly[[program.model.index[unit] for unit in units]].mean() for units in CLASSES]
        assert np.abs(deviations(found, np.array(expected))).max() < 4.5


def test_classes_are_told_apart() -> None:
    """Strong couplings from three pixels to the units of three classes; a control: shuffled rows are misread."""
    couplings = np.zeros((9, 9))
    for place, label in enumerate([0, 1, 1, 2, 2, 2]):
        couplings[label, 3 + place] = couplings[3 + place, label] = 4.0
    labels = ["a", "b0", "b1", "c0", "c1", "c2"]
    model = BoltzmannMachine([0, 1, 2, *labels], 0, couplings, np.r_[np.zeros(3), np.full(6, -2.0)], Unit.BIT)
    array = simulator(compile(model, weight_format="s[3][4]"))
    truth = np.random.default_rng(5).integers(0, 3, 60)
    pixels = np.eye(3, dtype=np.int8)[truth]
    classes = [["a"], ["b1", "b0"], ["c2", "c0", "c1"]]
    chosen, _ = classify(array, [0, 1, 2], pixels, classes, burn_in=10, sweeps=40)
    assert np.array_equal(chosen, truth)
    misread, _ = classify(array, [2, 0, 1], pixels, classes, burn_in=10, sweeps=40)
    assert (misread != truth).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"given": ["v2", "x"]}, "the model has no variable 'x'; see model.labels"),
        ({"wanted": [7]}, "the model has no variable 7; see model.labels"),
        ({"rows": np.zeros((4, 2))}, r"rows have shape \(4, 2\), 3 given variables need \(rows, 3\)"),
        ({"rows": np.zeros(3)}, r"rows have shape \(3,\), 3 given variables need \(rows, 3\)"),
        ({"rows": np.empty((0, 3))}, r"rows have shape \(0, 3\), 3 given variables need \(rows, 3\)"),
        ({"rows": -np.ones((1, 3))}, "rows of this model hold 0 and 1; convert them first"),
        ({"rows": np.full((1, 3), 0.5)}, "rows of this model hold 0 and 1; convert them first"),
        ({"sweeps": 0}, "50 sweeps of burn-in and 0 averaged; give at least 0 and 1"),
        ({"burn_in": -1}, "-1 sweeps of burn-in and 100 averaged; give at least 0 and 1"),
    ],
)
def test_what_cannot_be_inferred_is_refused(changes: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"given": GIVEN, "rows": np.zeros((4, 3), np.int8), "wanted": WANTED}
    with pytest.raises(RequestError, match=message):
        infer(simulator(machine(Unit.BIT)), **arguments | changes)


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ([], r"0 classes with \[\] label units; give each class at least one"),
        ([["v1"], []], r"2 classes with \[1, 0\] label units; give each class at least one"),
        ([["v1"], ["y"]], "the model has no variable 'y'; see model.labels"),
    ],
)
def test_classes_without_units_are_refused(classes: list[list[str]], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        classify(simulator(machine(Unit.BIT)), GIVEN, np.zeros((1, 3), np.int8), classes)


def test_a_label_is_given_once():
    with pytest.raises(RequestError, match="2 labels, only 1 of them different"):
        infer(Simulator(compile(BoltzmannMachine(3))), ["v0", "v0"], [[1, -1]], ["v1"])
