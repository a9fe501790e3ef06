"""The activation table against the sigmoid."""

from __future__ import annotations

import hashlib
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pbit_hw.contract import activation


def test_nodes_are_the_rounded_sigmoid() -> None:
    with localcontext(prec=40):
        exact = [65536 / (1 + (Decimal(k) / 16).exp()) for k in range(257)]
        assert activation.NODES.tolist() == [int(value.to_integral_value()) for value in exact]


def test_table_is_close_to_the_sigmoid_and_never_rises() -> None:
    x = np.arange(activation.ARGUMENT_LIMIT + 1) / 2**activation.ARGUMENT_FRAC_BITS
    error = activation.TABLE / 65536 - 1 / (1 + np.exp(x))
    assert np.abs(error).max() < 6e-5
    assert (np.diff(activation.TABLE) <= 0).all()
    assert activation.TABLE[0] == 32768
    assert activation.TABLE[-1] == 0


def test_table_meets_its_nodes() -> None:
    assert np.array_equal(activation.TABLE[:: 1 << activation.SEGMENT_BITS], activation.NODES[:-1])


def test_table_is_the_published_one() -> None:
    """The table is part of the contract: whoever changes it changes the contract's version and this digest."""
    digest = hashlib.sha256(activation.TABLE.astype("<i4").tobytes()).hexdigest()
    assert digest == "4267c420e28aa8ec6a58cb0ee1ea5a04675f6bb43feede63563e766dad742e1c"


@given(st.integers(0, 2**30), st.integers(0, 2**12), st.integers(-12, 24))
def test_argument_rounds_half_up_and_saturates(magnitude: int, beta: int, shift: int) -> None:
    exact = Fraction(magnitude * beta) / Fraction(2) ** shift
    assert activation.argument(magnitude, beta, shift) == min((exact + Fraction(1, 2)).__floor__(), 16383)
