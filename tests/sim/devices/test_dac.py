"""The converter: its levels, and its smallest and finest forms."""

from typing import Any

import numba
import numpy as np
import pytest

from pbit_hw.contract.errors import ModelError
from pbit_hw.sim.devices import autonomous
from pbit_hw.sim.devices.dac import Dac, convert
from pbit_hw.sim.devices.variation import Variation
from pbit_hw.sim.statistics import total_variation

DRIVES = np.linspace(-12, 12, 4_001)


@pytest.mark.parametrize(("bits", "limit"), [(1, 2.0), (2, 3.0), (3, 0.7), (8, 10.0)])
def test_every_drive_becomes_the_nearest_level(bits, limit):
    dac = Dac(bits, limit)
    assert len(dac.levels) == 2**bits
    assert dac.levels[[0, -1]].tolist() == [-limit, limit]
    assert np.diff(dac.levels) == pytest.approx(dac.step)
    given = dac(DRIVES)
    distances = np.abs(DRIVES[:, None] - dac.levels)
    assert np.abs(DRIVES - given) == pytest.approx(distances.min(axis=1))
    assert np.abs(given[:, None] - dac.levels).min(axis=1).max() < 1e-12
    assert dac(dac.levels[:, None]).ravel() == pytest.approx(dac.levels)


def test_one_bit_is_the_sign_and_none_of_its_drives_is_zero():
    assert Dac(1, 2.0)([-9.0, -0.1, 0.0, 0.1, 9.0]).tolist() == [-2, -2, 2, 2, 2]


def test_many_bits_leave_a_drive_alone_within_the_limit():
    dac = Dac(32, 10.0)
    inside = np.abs(DRIVES) <= 10
    assert dac(DRIVES[inside]) == pytest.approx(DRIVES[inside], abs=1e-8)
    assert np.abs(dac(DRIVES[~inside])).tolist() == [10.0] * (~inside).sum()


def test_compiled_equals_interpreted():
    @numba.njit
    def compiled(drive, step, limit):
        return convert(drive, step, limit)

    dac = Dac(5, 6.0)
    assert [compiled(drive, dac.step, dac.limit) for drive in DRIVES] == dac(DRIVES).tolist()


@pytest.mark.parametrize("bits", [1, 3, 6])
def test_pbits_behind_a_converter_sample_their_own_chain(adder, bits, worst_z, run_histograms):
    dac = Dac(bits, 4.0)
    settings: Any = dict(dt_over_tau=0.05, beta=0.5, dac=dac)
    chain = autonomous.stationary(autonomous.transition_matrix(adder, **settings))
    counts = run_histograms(adder, **settings)
    assert worst_z(counts, chain) < 4.5
    if bits < 6:
        bare = autonomous.stationary(autonomous.transition_matrix(adder, dt_over_tau=0.05, beta=0.5))
        assert worst_z(counts, bare) > 6


def test_the_error_falls_with_the_step(adder):
    def chain(dac):
        return autonomous.stationary(autonomous.transition_matrix(adder, dt_over_tau=0.01, beta=0.37, dac=dac))

    errors = [total_variation(chain(Dac(bits, 4.0)), chain(None)) for bits in (4, 8, 12)]
    assert errors[0] > 4 * errors[1] > 16 * errors[2] > 0
    assert errors[2] < 1e-3


def test_a_limit_below_the_drives_is_felt_however_many_the_bits(adder):
    settings: Any = dict(dt_over_tau=0.01, beta=0.5, variation=Variation.draw(5))
    bare = autonomous.stationary(autonomous.transition_matrix(adder, **settings))
    clipped = autonomous.stationary(autonomous.transition_matrix(adder, **settings, dac=Dac(32, 1.0)))
    assert total_variation(bare, clipped) > 0.02


@pytest.mark.parametrize(
    ("bits", "limit", "message"),
    [
        (0, 1.0, "0 bits is impossible; give 1 to 32"),
        (33, 1.0, "33 bits"),
        (8, 0.0, r"up to a drive of 0\.0"),
        (8, float("inf"), "drive of inf"),
    ],
)
def test_impossible_converters_are_refused(bits, limit, message):
    with pytest.raises(ModelError, match=message):
        Dac(bits, limit)
