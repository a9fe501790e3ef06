"""Formats: fine enough, no wider than they must be, and errors reported as they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbit_hw.compiler.models import Ising
from pbit_hw.compiler.program import compile
from pbit_hw.compiler.quantise import (
    FINEST_FRAC_BITS,
    check_widths,
    choose_format,
    choose_grid,
    common_step,
    measure,
)
from pbit_hw.contract.errors import FormatError
from pbit_hw.contract.formats import Grid, SignedFormat, UnsignedFormat

VALUES = st.lists(st.floats(-1e6, 1e6) | st.integers(-300, 300).map(float), min_size=1, max_size=20)


@settings(deadline=None, max_examples=300)
@given(VALUES, st.integers(2, 25))
def test_nothing_saturates_and_nothing_is_wasted(values: list[float], weight_bits: int) -> None:
    chosen = choose_format(values, weight_bits)
    assert 2 <= chosen.bits <= weight_bits
    assert chosen.saturated(values) == 0
    codes = chosen.quantise(values)
    assert np.abs(codes * chosen.step - values).max() <= chosen.step / 2
    if not any(values):
        return
    if np.array_equal(codes * chosen.step, values):
        narrower = SignedFormat(chosen.int_bits + 1, chosen.frac_bits - 1)
        assert not np.array_equal(narrower.quantise(values) * narrower.step, values)
        assert chosen.bits == 2 or SignedFormat(chosen.int_bits - 1, chosen.frac_bits).saturated(values)
    else:
        assert chosen.bits == weight_bits
        finer = SignedFormat(chosen.int_bits - 1, chosen.frac_bits + 1)
        assert finer.saturated(values) or chosen.frac_bits == FINEST_FRAC_BITS


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([1, -1], "s[1][0]"),
        ([1, -2], "s[2][0]"),
        ([0, 1, 127], "s[7][0]"),
        ([4, -4], "s[3][-2]"),
        ([0.5, -0.5], "s[0][1]"),
        ([0.5, 1.0], "s[1][1]"),
        ([0.125, -0.625], "s[0][3]"),
        ([3.0, 0.25], "s[2][2]"),
        ([0.0, 0.0], "s[2][5]"),
        ([128.0, 1.0], "s[8][-1]"),
        ([0.999], "s[1][6]"),
    ],
)
def test_formats_of_eight_bits(values: list[float], text: str) -> None:
    assert str(choose_format(values, 8)) == text


def test_integers_stay_exact_at_the_width_they_need() -> None:
    values = [-31.0, 7.0, 30.0]
    assert str(choose_format(values, 6)) == "s[5][0]"
    assert measure(Grid(choose_format(values, 6)), values, [0.0]).max_error == 0
    assert measure(Grid(choose_format(values, 5)), values, [0.0]).max_error > 0


@pytest.mark.parametrize("weight_bits", [-1, 0, 1, 26])
def test_impossible_widths_are_refused(weight_bits: int) -> None:
    with pytest.raises(FormatError, match=f"weight_bits is {weight_bits}; use 2 to 25"):
        choose_format([1.0], weight_bits)


@pytest.mark.parametrize("tiny", [1e-12, 1e-300, 5e-324])
def test_values_below_the_finest_step_vanish(tiny: float) -> None:
    chosen = choose_format([tiny], 8)
    assert chosen.frac_bits == FINEST_FRAC_BITS
    assert not chosen.quantise([tiny]).any()
    assert measure(Grid(chosen), [tiny], []).max_error == tiny


@settings(deadline=None)
@given(VALUES, VALUES, st.integers(-3, 6), st.integers(1, 6))
def test_the_report_is_exact(couplings: list[float], biases: list[float], frac_bits: int, magnitude: int) -> None:
    chosen = SignedFormat(magnitude - frac_bits, frac_bits)
    report = measure(Grid(chosen), couplings, biases)
    largest = chosen.limit * chosen.step
    errors: list[float] = []
    clipped = {"couplings": 0, "biases": 0}
    for name, values in (("couplings", couplings), ("biases", biases)):
        for value in values:
            nearest = round(value / chosen.step) * chosen.step
            clipped[name] += abs(nearest) > largest
            errors.append(abs(value - min(max(nearest, -largest), largest)))
            assert errors[-1] <= chosen.step / 2 or abs(nearest) > largest
    assert (report.saturated_couplings, report.saturated_biases) == (clipped["couplings"], clipped["biases"])
    assert report.max_error == pytest.approx(max(errors))
    assert report.rms_error == pytest.approx(float(np.sqrt(np.mean(np.square(errors)))))


@settings(deadline=None, max_examples=300)
@given(st.lists(st.integers(-127, 127), min_size=1, max_size=30), st.floats(1e-3, 1e3), st.integers(2, 9))
def test_multiples_of_a_step_are_exact_where_they_fit(multiples: list[int], step: float, weight_bits: int) -> None:
    values = np.array(multiples) * step
    sizes = np.abs(multiples) // max(np.gcd.reduce(multiples), 1)
    grid = choose_grid(values, weight_bits)
    assert grid.weight_format.bits <= weight_bits
    assert grid.saturated(values) == 0
    if sizes.max() < 1 << (weight_bits - 1):
        assert grid.round(values) == pytest.approx(values, rel=1e-9, abs=1e-9 * np.abs(values).max())
        assert 0.5 <= grid.scale <= 1 or not any(multiples)
    else:
        assert grid == Grid(choose_format(values, weight_bits))


def test_values_without_a_common_step_get_a_plain_format() -> None:
    values = np.random.default_rng(0).normal(size=40)
    assert common_step(values, 127) is None
    assert choose_grid(values, 8) == Grid(choose_format(values, 8))
    assert choose_grid([0.1, 0.2, 0.3 + 1e-6], 8) == Grid(choose_format([0.1, 0.2, 0.3 + 1e-6], 8))
    assert choose_grid([1e-12], 8).scale == 1


def test_a_frustrated_tie_survives() -> None:
    """0.1 + 0.2 against 0.3: free in the middle, which eight bits of fraction do not see."""
    model = Ising([0.1, 0.0, 0.0, 0.0], [[0, 0.2, -0.3, 0], [0] * 4, [0] * 4, [0] * 4])
    quantised = compile(model, weight_bits=8).quantised
    state = [[s, 1, 1, 1] for s in (-1, 1)]
    assert np.ptp(quantised.energies(state)) == pytest.approx(0, abs=1e-12)
    plain = compile(model, weight_format="s[0][7]").quantised
    assert np.ptp(plain.energies(state)) > 0.01


def star(degree: int) -> npt.NDArray[np.int64]:
    return np.stack([np.zeros(degree, int), np.arange(1, degree + 1)], axis=1)


def test_fields_wider_than_a_register_are_refused() -> None:
    """128 weights of 24 bits beside the sign, bias included, just fit."""
    fits = Ising.from_edges(128, star(127), np.ones(127))
    compile(fits, weight_format="s[4][20]")
    wide = Ising.from_edges(300, star(299), np.ones(299))
    with pytest.raises(FormatError, match=r"degree 299 at s\[4\]\[20\] needs fields of 34 bits, registers have 32"):
        compile(wide, weight_format="s[4][20]")


@pytest.mark.parametrize("coupling", [1e30, 1e16])
def test_couplings_too_large_for_the_activation_are_refused(coupling: float) -> None:
    with pytest.raises(FormatError, match="bits in the activation, the limit is 62; scale the couplings to about 1"):
        compile(Ising.from_edges(2, [(0, 1)], [coupling]))


def test_a_format_too_fine_for_the_activation_is_refused() -> None:
    image = compile(Ising.from_edges(2, [(0, 1)], [1.0])).image
    check_widths(image)
    for formats in (
        replace(image, weight_format=SignedFormat(-90, 91)),
        replace(image, beta_format=UnsignedFormat(-90, 94)),
    ):
        with pytest.raises(FormatError, match="bits in the activation"):
            check_widths(formats)
