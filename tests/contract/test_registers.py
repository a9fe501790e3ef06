"""The register map."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from pbit_hw.contract import VERSION, registers
from pbit_hw.contract.generator import Generator
from pbit_hw.contract.image import Image
from pbit_hw.contract.registers import Control, Region

MakeImage = Callable[..., Image]
SHAPES = [
    ((1,), Generator.LFSR48),
    ((3, 2, 2), Generator.XOSHIRO128),
    ((40, 30), Generator.LFSR48),
    ((40, 30), Generator.LINEAR64),
]


def spans(image: Image) -> list[tuple[int, int, str]]:
    """First address, address behind the last, and name of every register."""
    starts = [(registers.address(r.region, r.offset), r) for r in registers.REGISTERS]
    return sorted((start, start + r.words(image), r.name) for start, r in starts)


@pytest.mark.parametrize(("sizes", "generator"), SHAPES)
def test_no_two_registers_overlap(make_image: MakeImage, sizes: tuple[int, ...], generator: Generator) -> None:
    image = make_image(sizes, generator=generator, density=0.2)
    ordered = spans(image)
    assert all(end <= start for (_, end, _), (start, _, _) in pairwise(ordered))
    assert len({name for _, _, name in ordered}) == len(ordered)


@pytest.mark.parametrize(("sizes", "generator"), SHAPES)
def test_find_undoes_address(make_image: MakeImage, sizes: tuple[int, ...], generator: Generator) -> None:
    image = make_image(sizes, generator=generator)
    for register in registers.REGISTERS:
        for offset in range(register.words(image)):
            assert registers.find(registers.address(register.region, register.offset + offset), image) is register


def test_addresses_outside_the_map_are_nothing(image: Image) -> None:
    held = {address for first, end, _ in spans(image) for address in range(first, end)}
    near = {address + step for address in held for step in (-1, 1)} | {2**32 - 1, 7 << 24, 255 << 24}
    for address in near - held:
        assert registers.find(address, image) is None


def test_the_words_of_each_register(make_image: MakeImage) -> None:
    image = make_image((20, 13), generator=Generator.XOSHIRO128)
    words = {register.name: register.words(image) for register in registers.REGISTERS}
    assert words["STATE"] == words["CLAMP"] == 2
    assert words["BIAS"] == 33
    assert words["WEIGHT"] == image.slots
    assert words["GENERATOR"] == 4 * 33
    assert words["DIGEST"] == 4


def test_shared_generators_have_fewer_words(make_image: MakeImage) -> None:
    words = {r.name: r.words(make_image((20, 13), generator=Generator.LINEAR64)) for r in registers.REGISTERS}
    assert words["GENERATOR"] == 2 * (5 + 4)


def test_every_region_and_control_offset_is_in_the_map() -> None:
    controls = [r for r in registers.REGISTERS if r.region is Region.CONTROL]
    assert [r.offset for r in controls] == [int(offset) for offset in Control]
    assert [r.name for r in controls] == [offset.name for offset in Control]
    assert {r.region for r in registers.REGISTERS} == set(Region)
    assert all(r.access in ("r", "w", "rw") and r.text for r in registers.REGISTERS)


def test_identity_fills_the_read_only_controls(image: Image) -> None:
    identity = registers.identity(image, 12_000_000)
    readable = [r for r in registers.REGISTERS if r.region is Region.CONTROL and r.access == "r"]
    assert set(identity) == {r.offset + k for r in readable for k in range(r.words(image))}
    assert all(0 <= word < 2**32 for word in identity.values())
    assert identity[Control.MAGIC].to_bytes(4, "little") == b"PBIT"
    assert identity[Control.VERSION] == VERSION
    digest = b"".join(identity[Control.DIGEST + k].to_bytes(4, "little") for k in range(4))
    assert digest == image.digest
    assert (identity[Control.SIZE], identity[Control.SLOTS], identity[Control.COLOURS]) == (7, image.slots, 3)
    assert identity[Control.CLOCK_HZ] == 12_000_000
    assert (identity[Control.INTERLEAVE], identity[Control.FIXED]) == (1, 0)
    assert registers.identity(image.interleaved(6), 1, fixed=7)[Control.INTERLEAVE] == 6
    assert registers.identity(image, 1, fixed=7)[Control.FIXED] == 7


def test_the_checksum_of_constants_tells_them_apart(image: Image) -> None:
    checksum = registers.fixed_checksum(image, 512)
    assert 0 < checksum < 2**32
    assert checksum == registers.fixed_checksum(image.with_clamps(1 - image.clamped, image.clamp_values), 512)
    weights = -image.weights
    others = (image.with_weights(weights, image.unfold()), image.with_weights(image.weights, -image.unfold()))
    assert (
        len({checksum, registers.fixed_checksum(image, 511), *(registers.fixed_checksum(i, 512) for i in others)}) == 4
    )
