"""Capacities and demands: counted by hand, refused with the numbers, and never by an estimate."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pbit_hw.compiler import compile, library
from pbit_hw.contract.forms import FAMILIES, Form, demand
from pbit_hw.contract.generator import Generator
from pbit_hw.contract.targets import TARGETS, choices, fit


def test_flip_flops_by_hand(make_image):
    image = make_image(sizes=(1, 1), density=1.0, weight_format="s[2][3]", beta_format="u[3][9]")
    per_pbit = 1 + 1 + image.bias_bits + 48
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


@pytest.mark.parametrize(
    ("form", "generator", "luts"), [(Form.TABLE, "linear64", 2809), (Form.ADDER, "xoshiro64", 4553)]
)
def test_estimates_are_near_recorded_builds(form, generator, luts):
    """Logic cells that the full adder took on iCEBreaker."""
    verdict = fit(compile(library.full_adder(), generator=generator).image, TARGETS["icebreaker"], form)
    assert abs(verdict.luts - luts) < 400
    assert verdict.likely


def test_the_faster_form_comes_first_if_it_fits(make_image):
    sparse, dense = compile(library.lattice((8, 8))).image, make_image(sizes=(1, 40), density=1.0)
    board = TARGETS["ulx3s_85f"]
    for image, first in ((sparse, Form.TABLE), (dense, Form.ADDER)):
        assert choices(image, board)[0].demand.form is first
    table, adder = choices(sparse, board)
    assert (table.interleave, table.flips_per_clock) == (4, 64)
    assert (adder.interleave, adder.flips_per_clock) == (1, 32)
    assert fit(sparse, TARGETS["icebreaker"], Form.TABLE).reasons == ("table p-bits take 68 block RAMs of 30",)


@pytest.mark.parametrize("form", Form)
def test_replicas_that_a_form_needs(form, make_image):
    image = make_image(sizes=(3, 4, 2))
    assert form.interleave(image) == (1 if form is Form.ADDER else 6)
    assert form.interleave(image.interleaved(9)) == 9


def test_flip_flops_refuse_exactly(image):
    target = TARGETS["icebreaker"]
    need = demand(image).ffs
    assert fit(image, replace(target, ffs=need), Form.ADDER).fits
    verdict = fit(image, replace(target, ffs=need - 1), Form.ADDER)
    assert not verdict.fits
    assert verdict.reasons == (f"the array alone has {need:,} flip-flops of {need - 1:,}",)


def test_degree_refuses_exactly(make_image):
    image = make_image(sizes=(1, 40), density=1.0)
    target = TARGETS["ulx3s_85f"]
    assert fit(image, replace(target, max_degree=40)).fits
    assert fit(image, replace(target, max_degree=39)).reasons == ("largest degree 40 exceeds 39 of adder p-bits",)
    assert fit(image, target, Form.TABLE).reasons == ("largest degree 40 exceeds 6 of table p-bits",)


def test_an_estimate_does_not_refuse(image):
    verdict = fit(image, replace(TARGETS["icebreaker"], luts=1))
    assert verdict.fits
    assert not verdict.likely
    assert verdict.luts > 1


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("family", FAMILIES)
def test_estimates_grow_with_the_array(make_image, family, form):
    small = make_image(sizes=(4, 4), density=0.5)
    larger = make_image(sizes=(8, 8), density=0.5)
    denser = make_image(sizes=(4, 4), density=1.0)
    luts = demand(small, form).luts[family]
    assert luts < demand(larger, form).luts[family]
    assert luts < demand(denser, form).luts[family] or int(denser.degrees.max()) <= 4
    kinds = (Generator.LFSR48, Generator.XOSHIRO64, Generator.XOSHIRO128)
    by_kind = [demand(replace(small, generator=kind), form).luts[family] for kind in kinds]
    assert by_kind == sorted(set(by_kind))
