"""Reductions: ground states, distributions and the bound, by enumeration; and that smaller penalties would not do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

import pbit_hw as pb
from pbit_hw.compiler import reduce as module
from pbit_hw.compiler.polynomial import Polynomial
from pbit_hw.compiler.reduce import Reduction, reduce
from pbit_hw.contract.errors import ModelError
from pbit_hw.contract.update import Unit
from pbit_hw.sim.exact import Exact, exact, states

MAX_ENUMERATED = 15
ROUNDING = 1e-9


@st.composite
def polynomials(draw: DrawFn) -> Polynomial:
    """Up to 8 variables, terms of order up to 4."""
    n = draw(st.integers(1, 8))
    term = st.lists(st.integers(0, n - 1), unique=True, max_size=4).map(tuple)
    number = st.floats(-4, 4) | st.integers(-4, 4).map(float)
    terms = draw(st.dictionaries(term, number, max_size=10))
    return Polynomial.of_terms(terms, draw(st.sampled_from(Unit)), range(n), draw(st.floats(-3, 3)))


@dataclass
class Enumerated:
    """A reduction and the distributions of both sides."""

    reduction: Reduction
    source: Exact
    target: Exact

    def __init__(self, reduction: Reduction, beta: float) -> None:
        self.reduction = reduction
        self.source, self.target = exact(reduction.source, beta), exact(reduction.target, beta)
        self.bits = (states(reduction.target, 0, len(self.target.energies)) > 0).astype(np.uint8)
        self.index = np.arange(len(self.bits)) & (len(self.source.energies) - 1)

    @property
    def wrong(self) -> float:
        """Chance that some auxiliary is wrong."""
        return float(self.target.probabilities[self.reduction.wrong(self.bits)].sum())

    @property
    def distance(self) -> float:
        """Total variation of the source's variables from the source."""
        marginal = np.bincount(self.index, self.target.probabilities)
        return float(np.abs(marginal - self.source.probabilities).sum() / 2)

    @property
    def least(self) -> np.ndarray:
        """Least energy over the auxiliaries, of each state of the source."""
        least = np.full(len(self.source.energies), np.inf)
        np.minimum.at(least, self.index, self.target.energies)
        return least

    def ground_states(self) -> tuple[set[int], set[int]]:
        """Of the source, and of the target as the source's states."""
        own, theirs = self.source.energies, self.target.energies
        near = ROUNDING * (1 + np.abs(theirs).max())
        return (
            set(np.flatnonzero(own <= own.min() + near).tolist()),
            set(self.index[theirs <= theirs.min() + near].tolist()),
        )


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.filter_too_much])
@given(polynomials(), st.sampled_from([0.3, 1.0, 2.5]), st.sampled_from([None, 1e-4, 1e-2, 0.3]))
def test_ground_states_distributions_and_energies(polynomial: Polynomial, beta: float, bound: float | None) -> None:
    reduction = reduce(polynomial, beta, bound)
    assume(reduction.target.size <= MAX_ENUMERATED)
    found = Enumerated(reduction, beta)
    own, theirs = found.ground_states()
    assert own == theirs
    assert found.least == pytest.approx(found.source.energies, abs=ROUNDING * (1 + np.abs(found.target.energies).max()))
    assert found.distance <= found.wrong + ROUNDING
    assert bound is None or found.wrong <= bound + ROUNDING
    bits = (states(polynomial, 0, 1 << polynomial.size) > 0).astype(np.uint8)
    complete = reduction.complete(bits)
    assert not reduction.wrong(complete).any()
    assert np.array_equal(reduction.decode(complete), bits)
    assert reduction.target.energies(2 * complete.astype(int) - 1) == pytest.approx(found.source.energies, abs=1e-6)


def test_no_auxiliaries_where_none_are_needed() -> None:
    polynomial = Polynomial.of_terms({("a", "b"): 1.5, ("b",): -0.25, ("a", "b", "c"): 0.0}, Unit.SPIN, offset=2.0)
    reduction = reduce(polynomial)
    assert reduction.target.size == 3
    assert len(reduction.auxiliaries) == 0
    assert reduction.target.couplings.tolist() == [1.5]
    assert reduction.target.biases.tolist() == [0.0, -0.25, 0.0]
    assert reduction.target.offset == 2.0


def test_the_pair_that_most_terms_share_goes_first() -> None:
    terms = {("a", "b", name): 1.0 for name in "cdef"} | {("c", "d", "e"): 1.0}
    reduction = reduce(Polynomial.of_terms(terms, Unit.BIT))
    assert reduction.pairs[0].tolist() == [0, 1]
    assert len(reduction.pairs) == 2
    assert reduction.auxiliaries.tolist() == [6, 7]


def test_equal_penalties_are_rosenbergs() -> None:
    """One positive and one negative term of the same weight: M (x_i x_j - 2 x_i y - 2 x_j y + 3 y) with M = 2."""
    found = module._Substitutions(4, {(0, 1, 2): 2.0, (0, 1, 3): -2.0})
    assert found.pairs == [(0, 1)]
    assert found.penalties(0.0) == {(0, 1): -2.0, (0, 4): 4.0, (1, 4): 4.0, (4,): -6.0}


def test_a_negative_monomial_needs_no_coupling_of_its_pair() -> None:
    """-x1 x2 x3 = min over y of y (2 - x1 - x2 - x3) (Freedman and Drineas, CVPR 2, 939, 2005)."""
    reduction = reduce(Polynomial.of_terms({(1, 2, 3): 1.0}, Unit.BIT), bound=None)
    assert reduction.target.edges.tolist() == [[0, 3], [1, 3], [2, 3]]


@pytest.mark.parametrize(
    ("unit", "terms"),
    [
        (Unit.BIT, {(0, 1, 2): 1.0, (1,): -0.8}),
        (Unit.BIT, {(0, 1, 2): -1.0, (0,): 0.7, (1,): 0.7, (2,): 0.7}),
        (Unit.SPIN, {(0, 1, 2): 1.0}),
        (Unit.SPIN, {(0, 1, 2): -1.0}),
    ],
)
def test_half_the_penalty_loses_a_ground_state(
    unit: Unit, terms: dict[tuple[int, ...], float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: the bound on the terms is needed."""
    polynomial = Polynomial.of_terms(terms, unit, range(3))
    whole = Enumerated(reduce(polynomial, bound=None), 1.0)
    own, theirs = whole.ground_states()
    assert own == theirs
    penalties = module._Substitutions.penalties
    monkeypatch.setattr(
        module._Substitutions,
        "penalties",
        lambda self, margin: {term: value / 2 for term, value in penalties(self, margin).items()},
    )
    own, theirs = Enumerated(reduce(polynomial, bound=None), 1.0).ground_states()
    assert own != theirs


def test_the_margin_is_needed_for_the_bound() -> None:
    """Negative control: penalties for optimisation alone leave auxiliaries wrong at beta 1."""
    polynomial = Polynomial.of_terms({(0, 1, 2): 1.0, (1, 2, 3): -1.0}, Unit.SPIN)
    assert Enumerated(reduce(polynomial, bound=None), 1.0).distance > 5e-3
    assert Enumerated(reduce(polynomial, bound=1e-3), 1.0).distance < 1e-3


def test_colder_is_safer() -> None:
    polynomial = Polynomial.of_terms({(0, 1, 2): 1.0, (1, 2, 3): -1.0}, Unit.BIT)
    reduction = reduce(polynomial, 0.5, 0.01)
    chances = [Enumerated(reduction, beta).wrong for beta in (0.5, 1.0, 2.0)]
    assert 0.01 >= chances[0] > chances[1] > chances[2]


def test_an_auxiliary_that_is_wrong_is_found() -> None:
    reduction = reduce(Polynomial.of_terms({(0, 1, 2): 1.0}, Unit.BIT))
    bits = reduction.complete(np.array([[1, 1, 0], [1, 0, 1], [0, 0, 0]], np.uint8))
    assert bits[:, 3].tolist() == [1, 0, 0]
    bits[1, 3] = 1
    assert reduction.wrong(bits).tolist() == [False, True, False]


def test_the_array_samples_a_polynomial() -> None:
    """Total variation of simulated samples from the polynomial's own distribution, by four standard errors."""
    polynomial = Polynomial.of_terms({(0, 1, 2): 0.8, (0, 3): -0.5, (1, 2, 3): 0.6, (2,): 0.3}, Unit.SPIN)
    program = pb.compile(reduce(polynomial, beta=1.0, bound=0.02), weight_bits=12)
    samples = pb.Simulator(program, seed=3).sample(sweeps=20_100, replicas=64, burn_in=100, keep_every=40)
    assert samples.energies == pytest.approx(polynomial.energies(samples.states))
    index = (samples.states > 0) @ (1 << np.arange(4))
    counts = np.bincount(index, minlength=16)
    wanted = exact(polynomial).probabilities
    noise = np.sqrt(wanted * (1 - wanted) / counts.sum()).sum() / 2
    assert np.abs(counts / counts.sum() - wanted).sum() / 2 < 0.02 + 4 * noise


def test_fifty_thousand_terms() -> None:
    rng = np.random.default_rng(5)
    rows = np.sort(rng.integers(0, 5_000, (50_000, 3)), axis=1)
    terms = {tuple(row): 1.0 for row in rows.tolist() if len(set(row)) == 3}
    reduction = reduce(Polynomial.of_terms(terms, Unit.BIT, range(5_000)))
    assert len(reduction.pairs) < len(terms)
    bits = rng.integers(0, 2, (3, 5_000)).astype(np.uint8)
    energies = reduction.target.energies(2 * reduction.complete(bits).astype(int) - 1)
    assert energies == pytest.approx(reduction.source.energies(bits))


@pytest.mark.parametrize(
    ("beta", "bound", "message"),
    [
        (0.0, 0.1, r"beta is 0\.0"),
        (float("inf"), 0.1, "beta is inf"),
        (float("nan"), 0.1, "beta is nan"),
        (1.0, 0.0, r"bound is 0\.0; give a chance between 0 and 1, or None for optimisation"),
        (1.0, 1.0, r"bound is 1\.0"),
        (1.0, float("nan"), "bound is nan"),
    ],
)
def test_what_cannot_hold_is_refused(beta: float, bound: float, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        reduce(Polynomial.of_terms({(0, 1, 2): 1.0}, Unit.BIT), beta, bound)


def test_terms_of_too_many_spins_are_refused() -> None:
    with pytest.raises(ModelError, match=r"terms of up to 40 spins are 1099511627776 terms of bits, the limit is"):
        reduce(Polynomial.of_terms({tuple(range(40)): 1.0}, Unit.SPIN))
    assert reduce(Polynomial.of_terms({tuple(range(40)): 1.0}, Unit.BIT)).target.size == 40 + 38


def test_other_weights_need_another_reduction() -> None:
    program = pb.compile(reduce(Polynomial.of_terms({(0, 1, 2): 1.0}, Unit.BIT)))
    with pytest.raises(ModelError, match="reduced from another form"):
        program.reweighted([1.0], [1.0])
