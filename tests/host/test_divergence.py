"""Steps of contrastive divergence: gradients against exact ones, and every option against sums written out."""

from __future__ import annotations

from itertools import product
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbit_hw.compiler import RBM, BoltzmannMachine, compile
from pbit_hw.contract.errors import ModelError, RequestError
from pbit_hw.contract.update import Unit
from pbit_hw.host import checkpoint
from pbit_hw.host.divergence import CENTRE_RATE, ContrastiveDivergence
from pbit_hw.host.moments import Moments
from pbit_hw.sim.exact import exact
from pbit_hw.sim.simulator import Simulator


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


def moved(learner, program):
    """By how much couplings and biases have moved."""
    return np.concatenate([learner.couplings - program.model.couplings, learner.biases - program.model.biases])


def conditional_gradient(model, rows, targets):
    """Derivatives of the mean of ln P(targets | other visible units), by differences."""
    held = [dict(zip((model.labels[i] for i in model.visible), row, strict=True)) for row in rows]
    given_others = [{label: value for label, value in row.items() if label not in targets} for row in held]

    def mean_log(values):
        now = model.with_values(values[: len(model.edges)], values[len(model.edges) :])
        logs = [
            exact(now, clamp=all_of_it).log_partition - exact(now, clamp=part).log_partition
            for all_of_it, part in zip(held, given_others, strict=True)
        ]
        return np.mean(logs)

    values, nudges = np.concatenate([model.couplings, model.biases]), 1e-4 * np.eye(len(model.edges) + model.size)
    return np.array([mean_log(values + nudge) - mean_log(values - nudge) for nudge in nudges]) / 2e-4


@pytest.mark.parametrize("unit", [0, 1])
@pytest.mark.parametrize("share", [0.5, 1.0])
@pytest.mark.parametrize("targets", [("v1",), ("v2", "v0")])
def test_a_discriminative_step_follows_its_own_gradient(unit, share, targets):
    """Alone, or with an equal share of the likelihood's; a control: the likelihood's own is another."""
    program = machine(unit)
    rows = np.array([[1, 1, 0], [0, 1, 1], [1, 1, 1], [0, 0, 0]]) * (1 + unit) - unit
    generative = np.concatenate(exact_gradient(program.model, rows))
    expected = share * conditional_gradient(program.model, rows, targets) + (1 - share) * generative
    learner = ContrastiveDivergence(
        Simulator(program, seed=5), sweeps=40, chains=40_000, targets=targets, discriminative=share
    )
    learner.step(np.tile(rows, (10_000, 1)).astype(np.int8), rate=1.0)
    noise = 2**0.5 * (1 if unit else 0.5) / 40_000**0.5
    assert np.abs(moved(learner, program) - expected).max() < 5 * noise
    assert np.abs(generative - expected).max() > 10 * noise


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_a_discriminative_mean_field_step_follows_its_own_gradient(share):
    rng = np.random.default_rng(3)
    couplings, b, c = (np.round(rng.normal(0, 1, shape) * 16) / 16 for shape in ((3, 2), 3, 2))
    program = compile(RBM(couplings, b, c), weight_format="s[3][4]")
    rows = np.array([[1, 1, 0], [0, 1, 1], [1, 1, 1], [0, 0, 0]])
    generative = np.concatenate(exact_gradient(program.model, rows))
    expected = share * conditional_gradient(program.model, rows, ("v1",)) + (1 - share) * generative
    learner = ContrastiveDivergence(
        Simulator(program, seed=2), sweeps=40, mean_field=True, targets=("v1",), discriminative=share
    )
    learner.step(np.tile(rows, (10_000, 1)).astype(np.int8), rate=1.0)
    noise = 0.5 / 40_000**0.5
    assert np.abs(moved(learner, program) - expected).max() < 5 * noise
    assert np.abs(generative - expected).max() > 10 * noise


def first_moves(program, rows, count, **options):
    """Moves of the first step of so many learners."""
    moves = []
    for seed in range(count):
        learner = ContrastiveDivergence(Simulator(program, seed=seed), **options)
        learner.step(rows, rate=1.0)
        moves.append(moved(learner, program))
    return np.array(moves)


@pytest.mark.parametrize("chains", [None, 40])
def test_averaged_steps_are_unbiased_and_less_noisy(chains):
    """Of 40 chains over 20 sweeps, in 100 steps; from the data the hidden units' noise alone is less."""
    program = machine(1)
    rows = np.tile(np.array([[1, 1, -1], [-1, 1, 1], [1, 1, 1], [-1, -1, -1]], np.int8), (10, 1))
    expected = np.concatenate(exact_gradient(program.model, rows[:4]))
    single, averaged = (first_moves(program, rows, 100, sweeps=40, chains=chains, averaged=count) for count in (1, 20))
    for moves in (single, averaged):
        errors = moves.std(axis=0) / 100**0.5
        assert np.abs((moves.mean(axis=0) - expected) / errors).max() < 5
    assert averaged.var(axis=0).mean() < (0.3 if chains else 0.8) * single.var(axis=0).mean()


def scripted(sides):
    """Learners see these states on the data side and on the model side, step by step, instead of samples."""
    moments = [tuple(Moments(model)(states) for states in pair) for model, pair in sides]
    return mock.patch.object(ContrastiveDivergence, "_sides", side_effect=moments)


NO_ROWS = np.empty((0, 4), np.int8)


def random_sides(model, seed):
    """States with offsets, on either side."""
    rng = np.random.default_rng(seed)
    low, high = model.allowed
    return [np.where(rng.random((40, model.size)) < rng.random(model.size), high, low).astype(np.int8) for _ in "12"]


def in_centred_variables(model, sides, centre, couplings, biases, rate):
    """E(x) = - sum W (x - c)(x - c) - sum b (x - c) after a plain step in W and b; returns all energies."""
    i, j = model.edges.T
    # the same energies before, but for a constant
    own = biases + np.bincount(i, couplings * centre[j], model.size) + np.bincount(j, couplings * centre[i], model.size)
    data, free = (states - centre for states in sides)
    weights = couplings + rate * ((data[:, i] * data[:, j]).mean(axis=0) - (free[:, i] * free[:, j]).mean(axis=0))
    own = own + rate * (data.mean(axis=0) - free.mean(axis=0))
    values = np.array(list(product(model.allowed, repeat=model.size))) - centre
    return -(values[:, i] * values[:, j]) @ weights - values @ own


@pytest.mark.parametrize("unit", list(Unit))
@pytest.mark.parametrize("centring", ["data", "enhanced"])
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_centred_step_is_a_plain_one_in_centred_variables(unit, centring, seed):
    """Energies of all states after either, less their mean, in two steps; a control: a plain step gives others."""
    rng = np.random.default_rng(seed)
    draft = BoltzmannMachine(2, 2, unit=unit)
    couplings, biases = rng.normal(0, 1, 6), rng.normal(0, 1, 4)
    program = compile(draft, weight_format="s[5][6]").reweighted(couplings, biases)
    steps = [random_sides(draft, (seed, k)) for k in range(2)]
    learners = [ContrastiveDivergence(Simulator(program), centring=kind) for kind in (centring, None)]
    running = steps[0][0].mean(axis=0)
    for sides in steps:
        data, free = (states.mean(axis=0) for states in sides)
        running += CENTRE_RATE * (data - running)
        centre = running if centring == "data" else (data + free) / 2
        before = learners[0].couplings.copy(), learners[0].biases.copy()
        expected = in_centred_variables(draft, sides, centre, *before, 0.5)
        learners[1].couplings, learners[1].biases = (array.copy() for array in before)
        with scripted([(draft, sides)] * 2):
            for learner in learners:
                learner.step(NO_ROWS, 0.5)
        every = np.array(list(product(draft.allowed, repeat=4)))
        got, plain = (draft.with_values(now.couplings, now.biases).energies(every) for now in learners)
        np.testing.assert_allclose(got - got.mean(), expected - expected.mean(), atol=1e-5)
        assert np.abs(plain - plain.mean() - expected + expected.mean()).max() > 1e-3


@pytest.mark.parametrize("centring", [None, "data", "enhanced"])
def test_nothing_moves_at_a_stationary_point(centring):
    """Where both sides have the same moments, and only there."""
    program = machine(0)
    data, other = random_sides(program.model, 7)
    learner = ContrastiveDivergence(Simulator(program), centring=centring)
    with scripted([(program.model, (data, data[::-1])), (program.model, (data, other))]):
        assert learner.step(NO_ROWS, 1.0) == pytest.approx(0, abs=1e-6)
        assert moved(learner, program) == pytest.approx(0, abs=1e-6)
        assert learner.step(NO_ROWS, 1.0) > 0.01


@pytest.mark.parametrize("centring", [None, "data", "enhanced"])
def test_couplings_that_are_fixed_move_no_biases(centring):
    """Two sides that differ in the correlation of a fixed coupling alone; a control: if it is not fixed they move."""
    model = BoltzmannMachine(2)
    program = compile(model, weight_format="s[4][6]").reweighted([0.5], [0.0, 0.0])
    data, free = np.array([[1, 1], [1, 1], [-1, 1], [1, -1]]), np.array([[1, 1], [1, 1], [1, 1], [-1, -1]])
    for fixed in ([0], []):
        learner = ContrastiveDivergence(
            Simulator(program), centring=centring, weight_decay=0.1, momentum=0.5, fixed=fixed
        )
        with scripted([(model, (data, free))] * 2):
            for _ in range(2):
                learner.step(NO_ROWS, 0.1)
        assert moved(learner, program).any() != (fixed == [0])


def test_momentum_and_weight_decay_by_hand():
    """One coupling and two biases in two steps; biases do not decay."""
    draft = BoltzmannMachine(2)
    program = compile(draft, weight_format="s[4][6]").reweighted([1.0], [0.5, -0.5])
    up, mixed = np.ones((2, 2)), np.array([[1, 1], [1, -1]])
    sides = [(draft, (up, mixed)), (draft, (mixed, -up))]  # gradients (1; 0, 1) and (-1; 2, 1)
    learner = ContrastiveDivergence(Simulator(program), momentum=0.5, weight_decay=0.25)
    with scripted(sides):
        learner.step(NO_ROWS, 0.5)
        assert learner.couplings == pytest.approx([1 + 0.5 * (1 - 0.25 * 1)])
        assert learner.biases == pytest.approx([0.5, 0.0])
        learner.step(NO_ROWS, 0.1)
    direction = (-1 - 0.25 * 1.375) + 0.5 * 0.75
    assert learner.couplings == pytest.approx([1.375 + 0.1 * direction])
    assert learner.biases == pytest.approx([0.5 + 0.1 * 2, 0.0 + 0.1 * (1 + 0.5 * 1)])


ROUNDED = 2_000


@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
def test_weights_rounded_at_random_are_right_in_the_mean(rounding):
    """Up to the format's limit; a control: those rounded to the nearest are not."""
    model = BoltzmannMachine(3)
    program = compile(model, weight_format="s[2][3]")
    step, largest = program.image.grid.step, program.image.grid.largest
    learner = ContrastiveDivergence(Simulator(program), rounding=rounding)
    learner.couplings[:], learner.biases[:] = (0.3 * step, -1.45 * step, largest), (largest - 0.4 * step, 0.0, -largest)
    masters = np.concatenate([learner.couplings, learner.biases])
    total, still = np.zeros(6), np.ones((1, 3))
    with scripted([(model, (still, still))] * ROUNDED):
        for _ in range(ROUNDED):
            learner.step(NO_ROWS, 1.0)
            held = learner._sampler.program.quantised
            total += np.concatenate([held.couplings, held.biases])
    worst = np.abs(total / ROUNDED - masters).max() / (0.5 * step / ROUNDED**0.5)
    assert worst < 5 if rounding == "stochastic" else worst > 20
    learner.settle()
    settled = learner._sampler.program
    assert np.array_equal(settled.image.weights, learner.program.image.weights)
    assert np.concatenate([settled.quantised.couplings, settled.quantised.biases]) == pytest.approx(
        program.image.grid.round(masters)
    )


SIDES: list[dict[str, Any]] = [{}, {"chains": 40}, {"chains": 40, "ladder": (0.5, 0.75, 1.0)}]
SHARES: list[dict[str, Any]] = [
    {},
    {"targets": ("v2",), "discriminative": 0.5},
    {"targets": ("v2",), "discriminative": 1},
]
RULES: list[dict[str, Any]] = [
    {"centring": None},
    {"centring": "data", "momentum": 0.5},
    {"centring": "enhanced", "momentum": 0.9, "weight_decay": 0.01, "averaged": 2},
]


def small_rbm():
    rng = np.random.default_rng(3)
    return compile(RBM(rng.normal(0, 1, (4, 3)), rng.normal(0, 1, 4), rng.normal(0, 1, 3)), weight_format="s[3][4]")


def through_a_file(snapshot, path):
    checkpoint.write(path, {}, {}, snapshot)
    return checkpoint.read(path, {})[1]


@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
@pytest.mark.parametrize("mean_field", [False, True])
@pytest.mark.parametrize("side", range(3))
def test_every_learner_goes_on_from_a_snapshot(tmp_path, rounding, mean_field, side):
    """Bit for bit, by way of a file, with another seed of its own; its batches become smaller."""
    rows = np.random.default_rng(4).integers(0, 2, (21, 4)).astype(np.int8)
    batches = [rows, rows[:20], rows[5:], rows[:11]]
    for share, rule in product(SHARES, RULES):
        options = {"sweeps": 2, "rounding": rounding, "mean_field": mean_field} | SIDES[side] | share | rule
        one = ContrastiveDivergence(Simulator(small_rbm(), seed=1), seed=1, **options)
        other = ContrastiveDivergence(Simulator(small_rbm(), seed=2), seed=2, **options)
        for batch in batches[:2]:
            one.step(batch, 0.1)
        other.restore(through_a_file(one.snapshot(), tmp_path / "snapshot"))
        for batch in batches[2:]:
            assert one.step(batch, 0.1) == other.step(batch, 0.1), options
        assert np.array_equal(moved(one, small_rbm()), moved(other, small_rbm()))
        one.settle()
        assert one.program.to_bytes() == other.program.to_bytes()


def test_learners_of_other_seeds_differ():
    """A control of the test above: of chains, and of rounding alone."""
    rows = np.random.default_rng(4).integers(0, 2, (21, 4)).astype(np.int8)

    def weights(seed, own, **options):
        learner = ContrastiveDivergence(Simulator(small_rbm(), seed=seed), seed=own, **options)
        for _ in range(2):
            learner.step(rows, 0.1)
        return learner.couplings

    assert not np.array_equal(weights(1, 1), weights(2, 1))
    assert np.array_equal(weights(1, 1), weights(1, 2))
    assert not np.array_equal(weights(1, 1, rounding="stochastic"), weights(1, 2, rounding="stochastic"))
    tempered = {"chains": 40, "ladder": (0.5, 1.0)}
    assert not np.array_equal(weights(1, 1, **tempered), weights(1, 2, **tempered))


def test_a_snapshot_stays_as_it_was():
    """However often it is gone back to."""
    rows = np.random.default_rng(4).integers(0, 2, (21, 4)).astype(np.int8)
    learner = ContrastiveDivergence(
        Simulator(small_rbm(), seed=1), chains=30, momentum=0.5, centring="data", rounding="stochastic"
    )
    learner.step(rows, 0.1)
    snapshot = learner.snapshot()
    kept = {name: array.copy() for name, array in snapshot.items()}
    endings = []
    for _ in range(3):
        learner.step(rows, 0.1)
        learner.step(rows, 0.1)
        endings.append(learner.couplings.copy())
        learner.restore(snapshot)
    assert {name: array.tolist() for name, array in snapshot.items()} == {
        name: array.tolist() for name, array in kept.items()
    }
    assert np.array_equal(endings[0], endings[1])
    assert np.array_equal(endings[0], endings[2])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sweeps": 0}, "sweeps is 0; it must be at least 1"),
        ({"averaged": 0}, "averaged is 0; it must be at least 1"),
        ({"chains": 0}, "chains is 0; it must be at least 1"),
        ({"sweeps": 3, "averaged": 4}, "averaged over 4 of 3 sweeps; raise sweeps"),
        ({"momentum": 1.0}, "momentum is 1.0; it must be at least 0 and less than 1"),
        ({"momentum": np.nan}, "momentum is nan"),
        ({"weight_decay": -0.1}, "weight_decay is -0.1"),
        ({"discriminative": 1.5, "targets": ("v0",)}, "discriminative is 1.5; it is a share from 0 to 1"),
        ({"discriminative": 0.5}, "discriminative training needs targets"),
        ({"centring": "model"}, "centring is 'model'; use None or 'data' or 'enhanced'"),
        ({"rounding": "up"}, "rounding is 'up'; use 'nearest' or 'stochastic'"),
        ({"ladder": (0.5, 1.0)}, "say how many with chains"),
        ({"ladder": (1.0, 0.5), "chains": 3}, "ascend to 1"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(RequestError, match=message):
        ContrastiveDivergence(Simulator(small_rbm()), **options)


@pytest.mark.parametrize("target", ["h0", "none"])
def test_targets_are_visible(target):
    with pytest.raises(ModelError, match=f"target '{target}' is no visible unit"):
        ContrastiveDivergence(Simulator(small_rbm()), targets=(target,), discriminative=1)


def test_reconstructions_begin_at_the_rows():
    """With strong biases they are those; with none and no couplings they are random."""
    rows = np.array([[1, 0, 1, 0]] * 500, np.int8)
    for strength in (7.0, 0.0):
        program = small_rbm().reweighted(np.zeros(12), strength * np.array([1, -1, 1, -1, 0, 0, 0]))
        learner = ContrastiveDivergence(Simulator(program, seed=1))
        share = (learner.reconstruct(rows) == rows).mean()
        assert share > 0.99 if strength else abs(share - 0.5) < 5 * 0.5 / 2000**0.5


@pytest.mark.parametrize("fixed", [[-1], [99], ["a"]])
def test_fixed_edges_exist(programs, fixed):
    with pytest.raises(RequestError, match="fixed"):
        ContrastiveDivergence(Simulator(programs["machine"]), fixed=fixed)


def test_mean_field_is_averaged_too():
    """On the conditional side: four sweeps scatter less than one."""
    rng = np.random.default_rng(3)
    program = compile(RBM(rng.normal(0, 1, (4, 2)), np.zeros(4), np.zeros(2)), weight_format="s[3][4]")
    rows = np.tile([[1, 0, 1, 0]], (50, 1))
    spreads = []
    for averaged in (1, 8):
        rule: dict[str, Any] = {
            "sweeps": 8,
            "averaged": averaged,
            "mean_field": True,
            "targets": ["v2", "v3"],
            "discriminative": 1.0,
        }
        learners = [ContrastiveDivergence(Simulator(program, seed=seed), **rule) for seed in range(40)]
        for learner in learners:
            learner.step(rows, 1.0)
        spreads.append(np.std([learner.couplings for learner in learners], axis=0).mean())
    assert spreads[1] < 0.7 * spreads[0]
