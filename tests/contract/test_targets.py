"""What boards hold against what arrays need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from pbit_hw.contract.generator import Generator
from pbit_hw.contract.image import Image
from pbit_hw.contract.targets import TARGETS, demand, fit

MakeImage = Callable[..., Image]


@pytest.mark.parametrize("generator", list(Generator))
def test_flip_flops_are_the_registers_of_the_array(make_image: MakeImage, generator: Generator) -> None:
    """State, clamp, value, bias, weights and generator of each p-bit; beta and the sweeps left once."""
    image = make_image((4, 3), generator=generator)
    per_pbit = [
        1 + 1 + 1 + image.bias_bits + degree * image.weight_format.bits + 32 * generator.words
        for degree in image.degrees.tolist()
    ]
    assert demand(image).ffs == sum(per_pbit) + 12 + 32
    assert demand(image).degree == image.degrees.max()
    assert demand(image).multiplications == 7


def test_only_what_is_known_not_to_fit_is_refused(image: Image) -> None:
    board = TARGETS["icebreaker"]
    need = demand(image)
    assert fit(image, board).fits
    assert fit(image, replace(board, ffs=need.ffs, max_degree=need.degree)).reasons == ()
    small = fit(image, replace(board, ffs=need.ffs - 1, max_degree=need.degree - 1))
    assert not small.fits
    assert not small.likely
    assert small.reasons == (
        f"largest degree {need.degree} exceeds {need.degree - 1}",
        f"the array alone has {need.ffs} flip-flops of {need.ffs - 1}",
    )


def test_an_estimate_alone_refuses_nothing(image: Image) -> None:
    full = fit(image, replace(TARGETS["ulx3s_85f"], luts=demand(image).luts["ecp5"] - 1))
    assert full.fits
    assert not full.likely
    assert full.luts == demand(image).luts["ecp5"]


def test_every_board_has_an_estimate(image: Image) -> None:
    assert all(target.name == name for name, target in TARGETS.items())
    assert {target.family for target in TARGETS.values()} == set(demand(image).luts)
