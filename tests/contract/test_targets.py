"""Capacities and demands: counted by hand, refused with the numbers, and never by an estimate."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pbit_hw.compiler import compile, library
from pbit_hw.contract.generator import Generator
from pbit_hw.contract.targets import TARGETS, demand, fit


def test_flip_flops_by_hand(make_image):
    image = make_image(sizes=(1, 1), density=1.0, weight_format="s[2][3]", beta_format="u[3][9]")
    per_pbit = 1 + 1 + 1 + image.bias_bits + 48
    assert image.bias_bits == 7
    assert demand(image).ffs == 2 * per_pbit + 2 * 6 + 12 + 32


def test_generator_bits_count(make_image):
    image = make_image(generator=Generator.LFSR48)
    wide = replace(image, generator=Generator.XOSHIRO128)
    assert demand(wide).ffs - demand(image).ffs == (128 - 48) * image.size


def test_weights_do_not_matter(make_image):
    image = make_image(seed=3)
    other = image.with_weights(0 * image.weights, 0 * image.biases)
    assert demand(other) == demand(image)


def test_nothing_rules_out_a_small_array(image):
    for target in TARGETS.values():
        verdict = fit(image, target)
        assert verdict.fits
        assert verdict.reasons == ()
    assert fit(image, TARGETS["ulx3s_85f"]).likely


def test_estimate_is_near_a_recorded_build():
    """The full adder on iCEBreaker took 4,553 logic cells."""
    verdict = fit(compile(library.full_adder()).image, TARGETS["icebreaker"])
    assert abs(verdict.luts - 4553) < 400
    assert verdict.likely


def test_flip_flops_refuse_exactly(image):
    target = TARGETS["icebreaker"]
    need = demand(image).ffs
    assert fit(image, replace(target, ffs=need)).fits
    verdict = fit(image, replace(target, ffs=need - 1))
    assert not verdict.fits
    assert verdict.reasons == (f"the array alone has {need:,} flip-flops of {need - 1:,}",)


def test_degree_refuses_exactly(make_image):
    image = make_image(sizes=(1, 40), density=1.0)
    target = TARGETS["ulx3s_85f"]
    assert fit(image, replace(target, max_degree=40)).fits
    assert fit(image, replace(target, max_degree=39)).reasons == ("largest degree 40 exceeds 39",)


def test_an_estimate_does_not_refuse(image):
    verdict = fit(image, replace(TARGETS["icebreaker"], luts=1))
    assert verdict.fits
    assert not verdict.likely
    assert verdict.luts > 1


@pytest.mark.parametrize("family", ["ice40", "ecp5"])
def test_estimates_grow_with_the_array(make_image, family):
    small = make_image(sizes=(4, 4), density=0.5)
    larger = make_image(sizes=(8, 8), density=0.5)
    denser = make_image(sizes=(4, 4), density=1.0)
    luts = demand(small).luts[family]
    assert luts < demand(larger).luts[family]
    assert luts < demand(denser).luts[family]
    kinds = (Generator.LFSR48, Generator.XOSHIRO64, Generator.XOSHIRO128)
    by_kind = [demand(replace(small, generator=kind)).luts[family] for kind in kinds]
    assert by_kind == sorted(set(by_kind))
