"""The compiled image: its derived values, its digest and what `check` finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbit_hw.contract import VERSION, container
from pbit_hw.contract.errors import ImageError
from pbit_hw.contract.formats import SignedFormat, UnsignedFormat
from pbit_hw.contract.generator import Generator
from pbit_hw.contract.image import Image
from pbit_hw.contract.update import Unit

MakeImage = Callable[..., Image]


def changed(array: Any, index: Any, value: int) -> Any:
    """A copy of an array with one place changed."""
    copy = array.copy()
    copy[index] = value
    return copy


@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.integers(0, 10**6), st.sampled_from(Unit))
def test_images_pass_their_own_check(make_image: MakeImage, sizes: list[int], seed: int, unit: Unit) -> None:
    image = make_image(tuple(sizes), seed=seed, unit=unit)
    image.check()
    assert image.size == sum(sizes)
    assert image.colours == len(sizes)
    assert image.colour.tolist() == [colour for colour, size in enumerate(sizes) for _ in range(size)]
    assert image.degrees.sum() == len(image.owners) == image.slots


@given(st.integers(0, 10**6), st.sampled_from(Unit))
def test_folding_is_undone_by_unfolding(make_image: MakeImage, seed: int, unit: Unit) -> None:
    image = make_image(seed=seed, unit=unit)
    codes = np.random.default_rng(seed).integers(-31, 32, image.size).astype(np.int32)
    assert np.array_equal(image.with_weights(image.weights, codes).unfold(), codes)


def test_no_field_overflows_the_bias_width(make_image: MakeImage) -> None:
    """The largest field has all weights and the bias at the format's limit."""
    image = make_image((1, 5), density=1.1)
    limit = image.weight_format.limit
    largest = (int(image.degrees.max()) + 1) * limit
    assert largest < 1 << (image.bias_bits - 1) <= 2 * largest
    extreme = image.with_weights(np.full(image.slots, -limit, np.int32), np.full(image.size, limit, np.int32))
    assert np.abs(extreme.biases).max() == largest


def test_argument_shift_takes_the_field_to_the_table(image: Image) -> None:
    """Spins read the table at 2 I (one bit less to drop), bits at x."""
    assert image.argument_shift == 3 + 9 - 10 - 1
    assert replace(image, unit=Unit.BIT).argument_shift == 3 + 9 - 10


STRUCTURE: dict[str, Callable[[Image], dict[str, Any]]] = {
    "unit": lambda _: {"unit": Unit.BIT},
    "generator": lambda _: {"generator": Generator.XOSHIRO128},
    "weight format": lambda _: {"weight_format": SignedFormat(3, 3)},
    "beta format": lambda _: {"beta_format": UnsignedFormat(3, 8)},
    "colours": lambda image: {"colour_first": changed(image.colour_first, 1, 2)},
    "degrees": lambda image: {"slot_first": changed(image.slot_first, 1, image.slot_first[1] + 1)},
    "neighbours": lambda image: {"neighbours": changed(image.neighbours, 0, image.neighbours[0] + 1)},
    "interleave": lambda _: {"interleave": 3},
}

VALUES: dict[str, Callable[[Image], dict[str, Any]]] = {
    "weights": lambda image: {"weights": image.weights + 1},
    "biases": lambda image: {"biases": image.biases + 1},
    "clamped": lambda image: {"clamped": 1 - image.clamped},
    "clamp values": lambda image: {"clamp_values": 1 - image.clamp_values},
}


@pytest.mark.parametrize("part", STRUCTURE)
def test_the_digest_names_the_structure(image: Image, part: str) -> None:
    assert replace(image, **STRUCTURE[part](image)).digest != image.digest


@pytest.mark.parametrize("part", VALUES)
def test_the_digest_leaves_what_can_be_loaded(image: Image, part: str) -> None:
    assert replace(image, **VALUES[part](image)).digest == image.digest
    assert len(image.digest) == 16


def break_edge(image: Image) -> dict[str, Any]:
    """Move one slot of an edge to a p-bit that is no neighbour, keeping colours and order right."""
    for slot in range(image.slots):
        owner = image.owners[slot]
        row = image.neighbours[image.slot_first[owner] : image.slot_first[owner + 1]]
        for other in range(image.size):
            if image.colour[other] != image.colour[owner] and other not in row:
                replaced = np.sort(np.append(row[row != image.neighbours[slot]], other))
                neighbours = image.neighbours.copy()
                neighbours[image.slot_first[owner] : image.slot_first[owner + 1]] = replaced
                return {"neighbours": neighbours}
    raise AssertionError("the image is complete")


def swap_slots(image: Image) -> dict[str, Any]:
    """Put the two first slots of a p-bit in the wrong order."""
    first = int(image.slot_first[np.argmax(image.degrees >= 2)])
    neighbours = image.neighbours.copy()
    neighbours[[first, first + 1]] = neighbours[[first + 1, first]]
    return {"neighbours": neighbours}


def join_colours(image: Image) -> dict[str, Any]:
    """Make one colour of two."""
    return {"colour_first": np.delete(image.colour_first, 1)}


DAMAGE: dict[str, tuple[Callable[[Image], dict[str, Any]], str]] = {
    "too few weights": (lambda i: {"weights": i.weights[:-1]}, r"weights for \d+ slots"),
    "too many biases": (lambda i: {"biases": np.append(i.biases, np.int32(0))}, r"8 biases for 7 p-bits"),
    "weight too large": (lambda i: {"weights": changed(i.weights, 0, 32)}, "weight 32 exceeds 31"),
    "weight far too negative": (lambda i: {"weights": changed(i.weights, 0, -(2**31))}, "2147483648 exceeds 31"),
    "bias too large": (lambda i: {"biases": changed(i.biases, 0, 1 << (i.bias_bits - 1))}, "folded bias"),
    "bias that would overflow": (
        lambda i: {"biases": i.fold(changed(i.unfold(), 0, 32), i.weights)},
        "^bias 32 exceeds 31",
    ),
    "bias far too negative": (lambda i: {"biases": changed(i.biases, 0, -(2**31))}, "folded bias"),
    "too few clamps": (lambda i: {"clamped": i.clamped[:-1]}, "6 clamps for 7 p-bits"),
    "too few clamp values": (lambda i: {"clamp_values": i.clamp_values[:-1]}, "clamps for 7 p-bits"),
    "clamp of 2": (lambda i: {"clamped": changed(i.clamped, 0, 2)}, "0 or 1"),
    "clamp value of 2": (lambda i: {"clamp_values": changed(i.clamp_values, 0, 2)}, "0 or 1"),
    "colours start late": (lambda i: {"colour_first": changed(i.colour_first, 0, 1)}, "colour_first is not"),
    "colours end early": (lambda i: {"colour_first": i.colour_first[:-1]}, "colour_first is not"),
    "no colours": (lambda i: {"colour_first": i.colour_first[:0]}, "colour_first is not"),
    "slots descend": (lambda i: {"slot_first": changed(i.slot_first, 1, i.slots + 1)}, "slot_first is not"),
    "neighbour outside": (lambda i: {"neighbours": changed(i.neighbours, -1, 7)}, "outside the 7 p-bits"),
    "neighbour negative": (lambda i: {"neighbours": changed(i.neighbours, 0, -1)}, "outside the 7 p-bits"),
    "same colour": (join_colours, "same colour"),
    "slots out of order": (swap_slots, "ascending order"),
    "edge with one slot": (break_edge, "one slot only"),
    "unequal slots": (lambda i: {"weights": changed(i.weights, 0, (int(i.weights[0]) + 1) % 31)}, "slots of an edge"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found(image: Image, damage: str) -> None:
    change, message = DAMAGE[damage]
    meta, arrays = image.parts()
    with pytest.raises(ImageError, match=message):
        Image.from_parts(meta, arrays | change(image))


def test_parts_round_trip_through_a_file(image: Image) -> None:
    meta, arrays = container.parse(container.dump(*image.parts()))
    again = Image.from_parts(meta, arrays)
    assert container.dump(*again.parts()) == container.dump(*image.parts())
    assert again.digest == image.digest
    assert all(getattr(again, name).dtype == array.dtype for name, array in image.parts()[1].items())


def test_another_contract_version_is_refused(image: Image) -> None:
    meta, arrays = image.parts()
    with pytest.raises(ImageError, match=f"contract version 999, this is {VERSION}; compile it again"):
        Image.from_parts(meta | {"contract": 999}, arrays)


@pytest.mark.parametrize("version", [1, 2])
def test_a_generator_of_the_past_is_refused(image: Image, version: int) -> None:
    meta, arrays = image.parts()
    message = (
        "^image was compiled with the generator LFSR32, which is no longer shipped; compile it again with .* linear64$"
    )
    with pytest.raises(ImageError, match=message):
        Image.from_parts(meta | {"generator": "LFSR32", "contract": version}, arrays)
    with pytest.raises(ValueError, match="0 is not a valid Generator"):
        Generator(0)


@pytest.mark.parametrize("replicas", [-3, 0, 2, 4, 5])
def test_replicas_that_cannot_follow_one_another_are_refused(image: Image, replicas: int) -> None:
    message = f"^an array of 3 colours cannot hold {replicas} replicas; use 1 or a multiple of 3$"
    with pytest.raises(ImageError, match=message):
        image.interleaved(replicas)
    meta, arrays = image.parts()
    with pytest.raises(ImageError, match=message):
        Image.from_parts(meta | {"interleave": replicas}, arrays)


def test_replicas_whose_sample_no_answer_holds_are_refused(image: Image) -> None:
    assert image.interleaved(16_383).interleave == 16_383
    with pytest.raises(ImageError, match="16386 replicas of 7 p-bits make a sample of 65,544 bytes"):
        image.interleaved(16_386)


def test_a_damaged_interleaved_image_without_colours_is_refused(image: Image) -> None:
    meta, arrays = image.parts()
    with pytest.raises(ImageError, match="an array of 0 colours cannot hold 3 replicas"):
        Image.from_parts(meta | {"interleave": 3}, arrays | {"colour_first": image.colour_first[:1]})


def test_an_interleaved_image_is_the_same_array_with_more_in_it(image: Image) -> None:
    deep = image.interleaved(6)
    assert (deep.interleave, deep.latency, deep.period, deep.home_slots) == (6, 2, 6, 6)
    assert (image.interleave, image.latency, image.period, image.home_slots) == (1, 1, 3, 0)
    assert deep.interleaved(1).digest == image.digest
    again = Image.from_parts(*deep.parts())
    assert (again.interleave, again.digest) == (6, deep.digest)


def test_pbits_of_a_colour_share_registers(make_image: Callable[..., Image]) -> None:
    """Four by four from the first of every colour on."""
    image = make_image((5, 4, 1), generator=Generator.LINEAR64)
    assert image.stream.tolist() == [0, 0, 0, 0, 1, 2, 2, 2, 2, 3]
    assert image.taken.tolist() == [0, 1, 2, 3, 0, 0, 1, 2, 3, 0]
    assert image.streams == 4


def test_other_generators_have_a_register_per_pbit(image: Image) -> None:
    assert image.stream.tolist() == list(range(7))
    assert not image.taken.any()
    assert image.streams == 7


def test_new_weights_and_clamps_are_checked(image: Image) -> None:
    with pytest.raises(ImageError, match="exceeds"):
        image.with_weights(image.weights + 100, image.unfold())
    with pytest.raises(ImageError, match="0 or 1"):
        image.with_clamps(image.clamped + np.uint8(2), image.clamp_values)
    assert image.with_clamps(1 - image.clamped, image.clamp_values).digest == image.digest
