"""Spectra against the simulator's plain enumeration."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pbit_hw.compiler.base import Model
from pbit_hw.compiler.spectrum import spectrum
from pbit_hw.sim.exact import exact


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_the_spectrum_is_that_of_every_state(models: SearchStrategy[Model], data: st.DataObject) -> None:
    model = data.draw(models)
    assert spectrum(model) == pytest.approx(exact(model, 1.0).energies, abs=1e-9)
