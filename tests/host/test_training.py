"""Contrastive divergence: gradients against exact ones, and what it learns."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pbit_hw.compiler import RBM, BoltzmannMachine, compile
from pbit_hw.contract.errors import LinkError, ModelError, RequestError
from pbit_hw.host.device import Device
from pbit_hw.host.training import ContrastiveDivergence, train
from pbit_hw.sim.exact import exact, state_index
from pbit_hw.sim.simulator import Simulator
from pbit_hw.sim.virtual import VirtualDevice

EXAMPLES = Path(__file__).parents[2] / "examples"


def visible_probabilities(model):
    joint = exact(model).probabilities
    return np.bincount(np.arange(joint.size) & ((1 << len(model.visible)) - 1), joint)


def divergence(model, rows):
    """KL(data || model) over the visible units."""
    index, counts = np.unique(state_index(rows), return_counts=True)
    share = counts / counts.sum()
    return float(share @ np.log(share / visible_probabilities(model)[index]))


def exact_gradient(model, rows):
    """Derivatives of the mean log-likelihood by couplings and biases."""
    free = exact(model)
    correlation, mean = np.zeros(len(model.edges)), np.zeros(model.size)
    for row in rows:
        held = exact(model, clamp={model.labels[i]: value for i, value in zip(model.visible, row, strict=True)})
        correlation += held.correlation / len(rows)
        mean += held.mean / len(rows)
    return correlation - free.correlation, mean - free.mean


def machine(unit):
    """A machine with hidden units, hidden couplings included, whose weights are exact in the format."""
    rng = np.random.default_rng(1)
    draft = BoltzmannMachine(3, 2, unit=unit)
    return compile(draft, weight_format="s[3][4]").reweighted(
        np.round(rng.normal(0, 0.5, len(draft.edges)) * 16) / 16, np.round(rng.normal(0, 0.5, 5) * 16) / 16
    )


@pytest.mark.parametrize("unit", [0, 1])
@pytest.mark.parametrize("chains", [None, 40_000])
def test_a_step_follows_the_exact_gradient(unit, chains):
    """With many sweeps the chains reach equilibrium, and contrastive divergence is the likelihood's gradient."""
    program = machine(unit)
    rows = np.array([[1, 1, 0], [0, 1, 1], [1, 1, 1], [0, 0, 0]]) * (1 + unit) - unit
    expected = np.concatenate(exact_gradient(program.model, rows))
    learner = ContrastiveDivergence(Simulator(program, seed=2), sweeps=40, chains=chains)
    rms = learner.step(np.tile(rows, (10_000, 1)).astype(np.int8), rate=1.0)
    got = np.concatenate([learner.couplings - program.model.couplings, learner.biases - program.model.biases])
    noise = 2**0.5 * (1 if unit else 0.5) / 40_000**0.5
    assert np.abs(got - expected).max() < 5 * noise
    assert np.abs(expected).max() > 20 * noise
    assert rms == pytest.approx(np.sqrt(np.mean(got**2)))


def test_cd_1_of_an_rbm_is_the_textbook_s():
    """From data v: h ~ P(h|v), v' ~ P(v|h), h' ~ P(h|v'), whatever colour a sweep begins with; by enumeration."""
    rng = np.random.default_rng(3)
    couplings, b, c = (np.round(rng.normal(0, 1, shape) * 16) / 16 for shape in ((3, 2), 3, 2))
    program = compile(RBM(couplings, b, c), weight_format="s[3][4]")
    row = np.array([1, 0, 1])
    hs, vs = ((np.arange(1 << bits)[:, None] >> np.arange(bits)) & 1 for bits in (2, 3))

    def bernoulli(fields, bits):
        on = 1 / (1 + np.exp(-fields))
        return np.where(bits, on, 1 - on).prod(axis=-1)

    of_h = bernoulli(c + row @ couplings, hs)
    of_v = of_h @ bernoulli((b + hs @ couplings.T)[:, None], vs[None])
    on_again = 1 / (1 + np.exp(-(c + vs @ couplings)))
    model = np.einsum("s,si,sj->ij", of_v, vs, on_again)
    data = np.outer(row, of_h @ hs)

    learner = ContrastiveDivergence(Simulator(program, seed=4))
    learner.step(np.tile(row, (100_000, 1)).astype(np.int8), rate=1.0)
    got = learner.couplings.reshape(3, 2) - couplings
    assert np.abs(got - (data - model)).max() < 5 * (0.5 / 100_000) ** 0.5


@pytest.mark.parametrize("chains", [None, 40_000])
def test_a_mean_field_step_follows_the_exact_gradient(chains):
    """Of an RBM, with many sweeps; the data side is without noise."""
    rng = np.random.default_rng(3)
    couplings, b, c = (np.round(rng.normal(0, 1, shape) * 16) / 16 for shape in ((3, 2), 3, 2))
    program = compile(RBM(couplings, b, c), weight_format="s[3][4]")
    rows = np.array([[1, 1, 0], [0, 1, 1], [1, 1, 1], [0, 0, 0]])
    expected = np.concatenate(exact_gradient(program.model, rows))
    learner = ContrastiveDivergence(Simulator(program, seed=2), sweeps=40, chains=chains, mean_field=True)
    learner.step(np.tile(rows, (10_000, 1)).astype(np.int8), rate=1.0)
    got = np.concatenate([learner.couplings - program.model.couplings, learner.biases - program.model.biases])
    noise = 0.5 / 40_000**0.5
    assert np.abs(got - expected).max() < 5 * noise
    assert np.abs(expected).max() > 20 * noise


@pytest.mark.parametrize("chains", [None, 100])
def test_hidden_units_learn_what_visible_ones_cannot(chains):
    """Parity of three spins has the means and correlations of chance: without hidden units KL is ln 2 at best.

    About one run in ten is still stuck there after 60 epochs, so most of three must have learned.
    """
    bits = np.array([[a, b, a ^ b] for a in (0, 1) for b in (0, 1)])
    model = BoltzmannMachine(3, 2)
    start = np.random.default_rng(0).normal(0, 1, len(model.edges))
    program = compile(model, weight_format="s[4][5]").reweighted(start, np.zeros(model.size))
    histories = [
        train(
            Simulator(program, seed=seed),
            np.tile(bits * 2 - 1, (25, 1)),
            epochs=60,
            learning_rate=(1.0, 0.05),
            sweeps=10,
            chains=chains,
            evaluate=lambda now: divergence(now.quantised, bits * 2 - 1),
        ).evaluation
        for seed in (6, 7, 8)
    ]
    assert all(history[0] > np.log(2) for history in histories)
    assert np.median([history[-1] for history in histories]) < 0.4


def test_device_and_simulator_learn_the_same(programs, clock_hz):
    """Training is a function of seeds alone, so that every weight agrees over the link."""
    program = programs["machine"]
    rows = np.random.default_rng(7).integers(0, 2, (12, 4)) * 2 - 1
    device = Device(program, VirtualDevice(program.image, clock_hz=clock_hz), seed=9)
    simulator = Simulator(program, seed=9)
    histories = [
        train(sampler, rows, epochs=3, batch_size=5, learning_rate=0.2, sweeps=2, seed=8)
        for sampler in (device, simulator)
    ]
    assert histories[0] == histories[1]
    assert np.array_equal(device.program.model.couplings, simulator.program.model.couplings)
    assert np.array_equal(device.program.model.biases, simulator.program.model.biases)
    assert not np.array_equal(device.program.model.couplings, program.model.couplings)


def test_master_weights_stay_in_float_and_in_range():
    program = compile(BoltzmannMachine(2, 0), weight_format="s[1][2]")
    rows = np.array([[1, 1], [1, 1]])
    simulator = Simulator(program, seed=1)
    train(simulator, rows, epochs=3, batch_size=2, learning_rate=0.01, sweeps=1)
    small = simulator.program.model
    assert 0 < np.abs(small.biases).max() < program.image.grid.step / 2
    assert (simulator.program.quantised.biases == 0).all()
    train(simulator, rows, epochs=60, batch_size=2, learning_rate=3.0, sweeps=1)
    largest = program.image.grid.largest
    assert np.abs(simulator.program.model.biases).max() == largest == 1.75


def test_progress_rates_and_history(programs):
    rows = np.tile(np.array([[1, -1, 1, -1]]), (10, 1))
    seen = []
    history = train(
        Simulator(programs["machine"], seed=1),
        rows,
        epochs=2,
        batch_size=4,
        learning_rate=(0.1, 0.0),
        evaluate=lambda program: float(program.image.size),
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(k, 6) for k in range(1, 7)]
    assert history.evaluation == [7.0, 7.0]
    assert len(history.moment_error) == 2
    assert min(history.moment_error) > 0


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.ones((3, 5)), r"shape \(3, 5\), the model needs \(rows, 4\)"),
        (np.ones(4), r"shape \(4,\)"),
        (np.ones((0, 4)), r"shape \(0, 4\)"),
        (np.zeros((3, 4)), "values -1 and 1"),
        (np.full((3, 4), np.nan), "values -1 and 1"),
    ],
)
def test_data_that_do_not_fit_are_refused(programs, rows, message):
    with pytest.raises(ModelError, match=message):
        train(Simulator(programs["machine"]), rows, epochs=1, learning_rate=0.1)


@pytest.mark.parametrize("option", ["epochs", "batch_size", "sweeps", "chains"])
def test_nothing_to_learn_is_refused(programs, option):
    options: dict[str, Any] = {"epochs": 1, "learning_rate": 0.1, option: 0}
    with pytest.raises(RequestError, match=f"{option} is 0; it must be at least 1"):
        train(Simulator(programs["machine"]), np.ones((3, 4)), **options)


def test_a_failing_link_ends_training(programs, clock_hz, faulty):
    program = programs["machine"]
    transport = faulty(VirtualDevice(program.image, clock_hz=clock_hz))
    device = Device(program, transport)
    transport.damage({2000: ("flip", 1)}, {})
    with pytest.raises(LinkError):
        train(device, np.ones((30, 4)), epochs=2, learning_rate=0.1)


def example(name, folder, **options):
    return runpy.run_path(str(EXAMPLES / name))["main"](folder / "figure.png", **options)


def test_the_full_adder_is_learned_over_the_link(tmp_path):
    """KL starts at ln(32 / 8) = 1.39; Issue bar: below 0.05, exact, of the quantised weights."""
    curve = example("train_full_adder.py", tmp_path)
    assert curve[-1] < 0.05


def test_digits_over_the_link_follow_float_training(tmp_path):
    """A sixth of the digits for a third of the epochs."""
    curves = example("train_digits.py", tmp_path, quick=True)
    assert curves.device[-1] - curves.device[0] > 0.8 * (curves.in_float[-1] - curves.in_float[0]) > 0.5
    assert curves.device[-1] == pytest.approx(curves.in_float[-1], rel=0.02)


@pytest.mark.slow
def test_digits_over_the_link_are_as_good_as_in_float(tmp_path):
    """All 1,797 digits, 15 epochs: within 2 % of float; from -25.3 nats."""
    curves = example("train_digits.py", tmp_path)
    assert curves.device[-1] > -17
    assert curves.device[-1] == pytest.approx(curves.in_float[-1], rel=0.02)
