"""Fidelity against plain enumeration, its bound, and the fewest bits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

import pbit_hw as pb
from pbit_hw.compiler.base import Model
from pbit_hw.compiler.fidelity import MOST_ENUMERATED, fewest_bits, fidelity, what_if
from pbit_hw.compiler.polynomial import Polynomial
from pbit_hw.compiler.quantise import choose_grid
from pbit_hw.contract.errors import FormatError, ModelError, RequestError
from pbit_hw.contract.formats import Grid, SignedFormat
from pbit_hw.contract.update import Unit
from pbit_hw.sim.exact import exact


def glass(size: int, seed: int = 0, scale: float = 1.0) -> pb.Ising:
    rng = np.random.default_rng(seed)
    couplings = np.triu(rng.normal(0, scale * size**-0.5, (size, size)), 1)
    return pb.Ising(rng.normal(0, 0.1 * scale, size), couplings)


@settings(deadline=None, max_examples=100)
@given(st.data(), st.integers(2, 9), st.sampled_from([0.2, 1.0, 3.0]))
def test_the_divergence_is_exact_and_within_its_bound(
    models: SearchStrategy[Model], data: st.DataObject, bits: int, beta: float
) -> None:
    model = data.draw(models)
    found = fidelity(model, choose_grid(np.concatenate([model.couplings, model.biases]), bits), beta)
    quantised = pb.compile(model, weight_bits=bits, colouring="fast").quantised
    p, q = (exact(one, beta).probabilities for one in (model, quantised))
    some = (p > 0) & (q > 0)
    assert found.exact
    assert found.kl == pytest.approx(float(p[some] @ np.log(p[some] / q[some])), abs=1e-6)
    assert found.kl <= found.kl_bound * (1 + 1e-9) + 1e-12


def test_the_leading_order_holds_at_high_temperature() -> None:
    for unit in Unit:
        spins = glass(10)
        model = Model(unit, spins.labels, spins.edges, spins.couplings, spins.biases)
        grid = choose_grid(model.couplings, 4)
        larger = Model(
            unit,
            (*spins.labels, *range(100, 100 + MOST_ENUMERATED)),
            spins.edges,
            spins.couplings,
            np.concatenate([spins.biases, np.zeros(MOST_ENUMERATED)]),
        )
        small, leading = fidelity(model, grid, 0.02), fidelity(larger, grid, 0.02)
        assert small.exact
        assert not leading.exact
        assert leading.gap is None
        assert leading.kl == pytest.approx(small.kl, rel=0.05)


def test_gaps() -> None:
    """One ground state of two spins, 0.2 under the next; a step of a half loses what tells them apart."""
    model = pb.Ising([0.1, 0.0], [[0, 1.0], [0, 0]])
    fine, coarse = (fidelity(model, Grid(SignedFormat(2, frac)), 1.0) for frac in (8, 1))
    assert fine.gap == pytest.approx(0.2)
    assert fine.kept_gap == pytest.approx(0.2, abs=0.01)
    assert coarse.kept_gap == 0
    assert fidelity(pb.Ising([0.0], [[0.0]]), Grid(SignedFormat(2, 1))).gap is None


def test_more_bits_are_better_and_the_fewest_are_enough() -> None:
    model = glass(12)
    rows = what_if(model, beta=1.0)
    assert [row.to_json()["bits"] for row in rows] == list(range(2, 13))
    assert rows[-1].kl < 1e-4 < rows[1].kl
    bits = fewest_bits(model, 1e-3)
    by_bits = {row.to_json()["bits"]: row.kl for row in rows}
    assert by_bits[bits] <= 1e-3 < by_bits[bits - 1]
    program = pb.compile(model, weight_bits=bits)
    assert fidelity(program.target, program.quantisation.grid).kl == pytest.approx(by_bits[bits])
    assert fewest_bits(pb.Ising([0.3, 0.1], [[0, -0.2], [0, 0]]), 1e-12) == 3
    assert fewest_bits(Polynomial.of_terms({(0, 1, 2): 1.0}, Unit.SPIN), 0.01) > 2


def test_refusals() -> None:
    with pytest.raises(FormatError, match="no format of up to 25 bits reaches a divergence of 1e-300"):
        fewest_bits(glass(5), 1e-300)
    with pytest.raises(RequestError, match="beta is -1"):
        what_if(glass(5), beta=-1)
    with pytest.raises(FormatError, match="weight_bits is 1; use 2 to 25"):
        what_if(glass(5), weight_bits=[1])
    with pytest.raises(ModelError, match="give a model"):
        what_if([[1, 2]])  # type: ignore[arg-type]
