"""Every pass one after the other, on what the image holds: the decoded distribution is the source's, within the bounds.

The image is enumerated from its integers, not from the floats that it was made of.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from pbit_hw.compiler import Ising, Program, compile, load
from pbit_hw.compiler.base import Model, Variables, fill
from pbit_hw.compiler.cnf import Formula
from pbit_hw.compiler.edges import canonical_edges
from pbit_hw.compiler.expansion import Expansion
from pbit_hw.compiler.polynomial import Polynomial
from pbit_hw.compiler.reduce import reduce
from pbit_hw.compiler.sparsify import sparsify
from pbit_hw.compiler.writers import write_bqm_json, write_coo, write_edge_list, write_gset
from pbit_hw.contract.image import Image
from pbit_hw.contract.request import Batch
from pbit_hw.contract.update import Unit
from pbit_hw.sim.exact import exact, states

MOST_VARIABLES, MOST_PBITS = 14, 18
AMPLE_BITS = 24
REDUCE_BOUND = 0.01
ROUNDING = 1e-7
BETAS = (0.3, 1.0, 2.5)


@dataclass
class Case:
    """A model, what it is lowered to, and the total variation that lowering may cost at `beta`."""

    source: Variables
    lowered: Any
    bound: float
    beta: float


def _written(draw: DrawFn, model: Ising) -> Ising:
    """The model after a file."""
    write = draw(st.sampled_from([write_coo, write_edge_list, write_bqm_json]))
    if not model.biases.any() and len(model.edges) and (model.couplings != 0).all():
        write = draw(st.sampled_from([write, write_gset]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        write(model, path)
        return Ising.from_file(path)


@st.composite
def pair_models(draw: DrawFn) -> Model:
    """Spins or bits of up to `MOST_VARIABLES`, small enough to be told apart at beta 2.5."""
    n = draw(st.integers(1, MOST_VARIABLES))
    pairs = [(i, j) for j in range(n) for i in range(j)]
    edges = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=30)) if pairs else []
    if draw(st.booleans()):  # a hub, which is what has to be split
        edges = sorted({*edges, *((0, j) for j in range(1, n))})
    number = st.floats(-2, 2).map(lambda value: round(value, 3)) | st.integers(-3, 3).map(float)
    couplings = draw(st.lists(number, min_size=len(edges), max_size=len(edges)))
    biases = np.array(draw(st.lists(number, min_size=n, max_size=n)))
    unit = draw(st.sampled_from(Unit))
    ends, strengths = canonical_edges(n, np.array(edges, np.int64).reshape(-1, 2), couplings)
    if unit is Unit.SPIN:
        return Ising.from_edges(n, ends, strengths, biases)
    model = Model.__new__(Model)
    fill(model, unit, n, ends, strengths, biases, [f"x{i}" for i in range(n)])
    return model


@st.composite
def polynomials(draw: DrawFn) -> Polynomial:
    """Terms of up to four of up to `MOST_VARIABLES` variables."""
    n = draw(st.integers(1, MOST_VARIABLES))
    term = st.lists(st.integers(0, n - 1), unique=True, max_size=4).map(tuple)
    number = st.floats(-1, 1) | st.integers(-2, 2).map(float)
    return Polynomial.of_terms(draw(st.dictionaries(term, number, max_size=6)), draw(st.sampled_from(Unit)), range(n))


@st.composite
def formulas(draw: DrawFn) -> Polynomial:
    """Clauses, as the polynomial of what they cost."""
    n = draw(st.integers(1, 8))
    literal = st.integers(1, n).flatmap(lambda v: st.sampled_from([v, -v]))
    clause = st.lists(literal, min_size=1, max_size=3, unique_by=abs)
    return Formula.of_clauses(draw(st.lists(clause, min_size=1, max_size=6))).polynomial()


@st.composite
def cases(draw: DrawFn) -> Case:
    source: Any = draw(st.one_of(pair_models(), polynomials(), formulas()))
    beta = draw(st.sampled_from(BETAS))
    lowered, bound = source, 0.0
    if isinstance(source, Ising):
        lowered = _written(draw, source)
    elif not isinstance(source, Model):
        lowered, bound = reduce(source, beta, REDUCE_BOUND), REDUCE_BOUND
    max_degree = draw(st.sampled_from([None, 3, 3, 3, 4, 5]))
    if max_degree is not None:
        lowered, broken = _split(lowered, max_degree, beta)
        bound += broken
    target = lowered.target if isinstance(lowered, Expansion) else lowered
    assume(target.size <= MOST_PBITS)
    return Case(source, lowered, bound, beta)


def _split(lowered: Any, max_degree: int, beta: float) -> tuple[Expansion, float]:
    """Copies so strong that the bound says something and ground states stay: each link outweighs all that pulls at it.

    Returns
    -------
    Expansion, float
        The bound on the chance of disagreement.
    """
    pairs = lowered.target if isinstance(lowered, Expansion) else lowered
    ends, couplings = pairs.edges.ravel(), np.repeat(pairs.couplings, 2)
    pulls = np.bincount(ends, np.abs(couplings), pairs.size) + np.abs(pairs.biases)
    torques = np.sqrt(np.bincount(ends, couplings**2, pairs.size) / 2)
    strength = float((pulls / np.where(torques > 0, torques, 1)).max()) + 4 / beta / torques.max(initial=1)
    copies = sparsify(pairs, max_degree, strength)
    return sparsify(lowered, max_degree, strength), copies.broken_bound(beta)


def image_energies(image: Image, bits: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Energies of states in physical order from codes of weights and biases, up to a constant."""
    dense = np.zeros((image.size, image.size))
    dense[image.owners, image.neighbours] = image.weights
    assert np.array_equal(dense, dense.T)
    values = bits * 2.0 - 1 if image.unit is Unit.SPIN else bits.astype(float)
    return -((values @ dense * values).sum(axis=1) / 2 + values @ image.unfold()) * image.grid.step


def decoded(program: Program) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Energy of every state of the image, and the state of the source that it decodes to."""
    bits = (np.arange(1 << program.image.size)[:, None] >> np.arange(program.image.size) & 1).astype(np.uint8)
    request = program.request(1, replicas=len(bits), keep_every=1)
    samples = program.decode(Batch(bits[None], 0, 0), request)
    ones = (samples.states > 0).astype(np.int64)
    return image_energies(program.image, bits), ones @ (1 << np.arange(program.model.size))


def boltzmann(energies: npt.NDArray[np.float64], beta: float) -> npt.NDArray[np.float64]:
    weights = np.exp(-beta * (energies - energies.min()))
    return np.asarray(weights / weights.sum())


def check(case: Case) -> None:
    """The two claims of the compiler: the same ground states, and the same distribution within the bounds."""
    program = compile(case.lowered, weight_bits=AMPLE_BITS, colouring="fast")
    with tempfile.TemporaryDirectory() as folder:
        program.save(Path(folder) / "x.pbit")
        program = load(Path(folder) / "x.pbit")
    energies, rows = decoded(program)
    source = exact(case.source, case.beta)
    target, image = program.target, program.quantised
    rounding = float(np.abs(target.couplings - image.couplings).sum() + np.abs(target.biases - image.biases).sum())

    near = 2 * rounding + ROUNDING * (1 + np.abs(energies).max())
    least = np.full(len(source.energies), np.inf)
    np.minimum.at(least, rows, energies)
    ours, theirs = least - least.min(), source.energies - source.energies.min()
    assert (ours[theirs <= ROUNDING] <= near).all()
    assert (theirs[ours <= ROUNDING] <= near).all()

    found = np.bincount(rows, boltzmann(energies, case.beta), len(source.energies))
    distance = np.abs(found - source.probabilities).sum() / 2
    assert distance <= case.bound + case.beta * rounding / 2 + ROUNDING


def run_through(examples: int) -> list[Case]:
    """Check so many cases, and give back those that were."""
    seen: list[Case] = []

    @settings(deadline=None, max_examples=examples, suppress_health_check=list(HealthCheck), database=None)
    @given(cases())
    def run(case: Case) -> None:
        check(case)
        seen.append(case)

    run()
    return seen


def test_ground_states_and_distributions_survive_every_pass() -> None:
    assert len(run_through(60)) >= 30


@pytest.mark.slow
def test_600_models_survive_every_pass() -> None:
    seen = run_through(600)
    assert len(seen) >= 500
    assert any(isinstance(case.source, Model) and case.source.size > 10 for case in seen)
    split = [case for case in seen if isinstance(case.lowered, Expansion) and (np.diff(case.lowered.first) > 1).any()]
    assert any(isinstance(case.source, Model) for case in split)
    assert any(isinstance(case.source, Polynomial) for case in split)


def _swapped_weights(program: Program) -> Program:
    return Program(program.target, program.image, program.order[::-1].copy(), program.slot_edges, program.expansion)


@pytest.mark.parametrize("spoil", [_swapped_weights])
def test_the_check_sees_a_wrong_placement(spoil: Callable[[Program], Program]) -> None:
    model = Ising([0.5, -0.25, 0.0], [[0, 1, 0], [0, 0, -0.5], [0, 0, 0]])
    energies, rows = decoded(spoil(compile(model)))
    found = np.bincount(rows, boltzmann(energies, 1.0), 8)
    assert np.abs(found - exact(model, 1.0).probabilities).sum() / 2 > 0.05


def test_weak_copies_are_seen() -> None:
    rng = np.random.default_rng(0)
    model = Ising(rng.normal(0, 1, 6), np.triu(rng.normal(0, 1, (6, 6)), 1))
    copies = sparsify(model, 3, 0.5)
    assert copies.broken_bound(1.0) > 1
    with pytest.raises(AssertionError):
        check(Case(model, copies, REDUCE_BOUND, 1.0))


def test_states_of_the_reference_are_in_the_order_of_rows() -> None:
    model = Ising(np.zeros(3), np.zeros((3, 3)))
    assert np.array_equal((states(model, 0, 8) > 0) @ (1 << np.arange(3)), np.arange(8))
