"""The compiled image: the arrays that are loaded into an array of p-bits, in physical order.

Physical order sorts p-bits by colour, so that a colour is a contiguous range.
Couplings are stored per p-bit, as in the hardware: a *slot* is one weight
register, and an edge has two of them.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from . import VERSION
from .activation import ARGUMENT_FRAC_BITS
from .errors import ImageError
from .formats import Grid, SignedFormat, UnsignedFormat
from .generator import GENERATOR_NAMES, RETIRED, Generator
from .link import MAX_ANSWER
from .update import Unit

Int32 = npt.NDArray[np.int32]
Uint8 = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Image:
    """One p-bit array, complete.

    Parameters
    ----------
    unit : Unit
        Whether p-bits stand for spins or bits.
    generator : Generator
        Kind of random-number generator of every p-bit.
    weight_format : SignedFormat
        Format of couplings and of biases before folding.
    beta_format : UnsignedFormat
        Format of the inverse temperature.
    colour_first : ndarray of int32, shape (colours + 1,)
        P-bits of colour c are ``colour_first[c]`` to ``colour_first[c + 1]``.
    slot_first : ndarray of int32, shape (n + 1,)
        Slots of p-bit p are ``slot_first[p]`` to ``slot_first[p + 1]``.
    neighbours : ndarray of int32, shape (slots,)
        P-bit at the other end of each slot, ascending within a p-bit.
    weights : ndarray of int32, shape (slots,)
        Codes of the couplings; both slots of an edge are equal.
    biases : ndarray of int32, shape (n,)
        Codes of the *folded* biases (see `fold`).
    clamped, clamp_values : ndarray of uint8, shape (n,)
        Which p-bits are clamped at power-up, and to which bit.
    scale : float
        What a weight register of value 1 stands for in the model's units; the register of beta then holds ``scale``
        times the model's beta. Arrays know nothing of it.
    interleave : int
        Replicas that the array holds: 1, whose colours take turns, or a multiple of the colours, which follow one
        another through the array so that every p-bit updates in every clock. Where p-bits take turns, any number.
    lanes : int
        0, or of p-bits that take turns: those of a colour at so many lanes in turn, and at the lanes' generators,
        see `tiled`.
    """

    unit: Unit
    generator: Generator
    weight_format: SignedFormat
    beta_format: UnsignedFormat
    colour_first: Int32
    slot_first: Int32
    neighbours: Int32
    weights: Int32
    biases: Int32
    clamped: Uint8
    clamp_values: Uint8
    scale: float = 1.0
    interleave: int = 1
    lanes: int = 0

    @property
    def size(self) -> int:
        """Number of p-bits n."""
        return len(self.biases)

    @property
    def slots(self) -> int:
        """Number of weight registers, two per edge."""
        return len(self.weights)

    @property
    def colours(self) -> int:
        """Number of colours, the clocks of a sweep."""
        return len(self.colour_first) - 1

    @cached_property
    def degrees(self) -> Int32:
        """Degree of each p-bit, shape (n,)."""
        return np.diff(self.slot_first).astype(np.int32)

    @cached_property
    def colour(self) -> Int32:
        """Colour of each p-bit, shape (n,)."""
        return np.repeat(np.arange(self.colours, dtype=np.int32), np.diff(self.colour_first))

    @property
    def following(self) -> int:
        """Replicas that follow one another through the colours; 1 at lanes, as all are in the same colour there."""
        return 1 if self.lanes else self.interleave

    @property
    def latency(self) -> int:
        """Clocks that an update takes: those that one colour is behind the one before it."""
        return max(self.following // self.colours, 1)

    @property
    def period(self) -> int:
        """Clocks from an update of a p-bit to the next one of the same p-bit and replica."""
        return max(self.following, self.colours)

    @property
    def home_slots(self) -> int:
        """Clocks that an interleaved array runs on after its last sweep, until its replicas are back home."""
        return self.following if self.following > 1 else 0

    @cached_property
    def stream(self) -> Int32:
        """Generator register that each p-bit draws from, shape (n,): `Generator.share` of a colour share one."""
        if self.lanes:
            return (self._lane // self.generator.share).astype(np.int32)
        within = np.arange(self.size) - self.colour_first[self.colour]
        registers = -(-np.diff(self.colour_first) // self.generator.share)
        first = np.cumsum(registers) - registers
        return (first[self.colour] + within // self.generator.share).astype(np.int32)

    @cached_property
    def taken(self) -> Int32:
        """Which of the words of its register each p-bit takes, shape (n,)."""
        return (self._lane % self.generator.share).astype(np.int32)

    @cached_property
    def _lane(self) -> npt.NDArray[np.int64]:
        """Lane of each p-bit, shape (n,): its place in its colour where each has one of its own."""
        within = np.arange(self.size) - self.colour_first[self.colour]
        return within % self.lanes if self.lanes else within

    @cached_property
    def streams(self) -> int:
        """Number of generator registers."""
        if self.lanes:
            return -(-self.lanes // self.generator.share)
        return int(self.stream[-1]) + 1 if self.size else 0

    @property
    def register_counts(self) -> dict[str, int]:
        """Words of each register that is not of a fixed size, see `registers.Register`."""
        return {
            "packed": (self.size + 31) // 32,
            "n": self.size,
            "slots": self.slots,
            "streams * words": self.streams * self.generator.words,
            "shape": 0,
            "steps": 0,
            "schedule": 0,
            "counters": 0,
        }

    @property
    def sizes(self) -> tuple[int, int, int]:
        """P-bits, weights and colours."""
        return self.size, self.slots, self.colours

    @cached_property
    def updates(self) -> npt.NDArray[np.int64]:
        """Updates by which each register moves in a sweep, shape (streams,)."""
        if self.lanes:
            return self.interleave * np.bincount(self.stream[self.taken == 0], minlength=self.streams)
        return np.full(self.streams, self.interleave)

    @cached_property
    def owners(self) -> Int32:
        """P-bit that each slot belongs to, shape (slots,)."""
        return np.repeat(np.arange(self.size, dtype=np.int32), self.degrees)

    @cached_property
    def reverse(self) -> Int32:
        """Slot at the other end of each slot's edge, shape (slots,)."""
        return np.lexsort((self.owners, self.neighbours)).astype(np.int32)

    @cached_property
    def bias_bits(self) -> int:
        """Width of the bias registers and of the field: no sum of ``degree + 1`` weights overflows it."""
        largest = (int(self.degrees.max(initial=0)) + 1) * self.weight_format.limit
        return largest.bit_length() + 1

    @property
    def argument_shift(self) -> int:
        """Fraction bits between |field| * beta and the activation's argument."""
        return self.weight_format.frac_bits + self.beta_format.frac_bits - ARGUMENT_FRAC_BITS - int(self.unit)

    @property
    def grid(self) -> Grid:
        """What the weight registers can hold, in the model's units."""
        return Grid(self.weight_format, self.scale)

    @property
    def beta_step(self) -> float:
        """What the last bit of beta stands for, in the model's units."""
        return self.beta_format.step / self.scale

    @property
    def largest_beta(self) -> float:
        """In the model's units."""
        return self.beta_format.limit * self.beta_step

    def beta_codes(self, values: npt.ArrayLike) -> Int32:
        """Codes of inverse temperatures in the model's units.

        Raises
        ------
        FormatError
            If one is outside the format.
        """
        return self.beta_format.quantise(values, "beta", self.scale)

    @property
    def reset_beta(self) -> int:
        """Code of beta at power-up: 1 in the model's units, or the format's largest value."""
        return min(round(1 / self.beta_step), self.beta_format.limit)

    @cached_property
    def digest(self) -> bytes:
        """16 bytes that name the hardware: everything but weights, biases and clamps, and the contract's version."""
        formats = f"{self.weight_format} {self.beta_format}"
        turns = f"{self.interleave} lanes {self.lanes}" if self.lanes else f"{self.interleave}"
        text = f"pbit-array {VERSION} {self.unit.name} {self.generator.name} {formats} {turns}"
        sha = hashlib.sha256(text.encode())
        for array in (self.colour_first, self.slot_first, self.neighbours):
            sha.update(np.asarray(array, "<i4").tobytes())
        return sha.digest()[:16]

    def fold(self, codes: Int32, weights: Int32) -> Int32:
        """Bias registers for unfolded bias codes: spins carry minus the sum of their weights.

        Parameters
        ----------
        codes : ndarray of int32, shape (n,)
            Bias codes as the model has them.
        weights : ndarray of int32, shape (slots,)
            Weight codes.
        """
        return (codes - self._folded(weights)).astype(np.int32)

    def unfold(self) -> Int32:
        """Bias codes as the model has them, shape (n,)."""
        return (self.biases + self._folded(self.weights)).astype(np.int32)

    def _folded(self, weights: Int32) -> npt.NDArray[np.int64] | int:
        return self.slot_sums(weights) if self.unit is Unit.SPIN else 0

    def slot_sums(self, values: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.int64]:
        """Sum over the slots of each p-bit, shape (n,), of integers of shape (slots,)."""
        sums = np.zeros(self.size, np.int64)
        coupled = np.flatnonzero(self.degrees)  # `reduceat` knows no empty ranges
        if len(coupled):
            sums[coupled] = np.add.reduceat(values, self.slot_first[coupled], dtype=np.int64)
        return sums

    def with_weights(self, weights: Int32, bias_codes: Int32) -> Image:
        """The same array with other weights and (unfolded) biases; nothing is recoloured."""
        image = copy.copy(self)  # with the cached properties, none of which depends on weights
        object.__setattr__(image, "weights", weights)
        object.__setattr__(image, "biases", self.fold(bias_codes, weights))
        image.check_values()
        return image

    def interleaved(self, replicas: int) -> Image:
        """The same array with so many replicas in it.

        Raises
        ------
        ImageError
            If that is neither 1 nor a multiple of the colours.
        """
        image = replace(self, interleave=replicas)
        image.check_interleave()
        return image

    def with_clamps(self, clamped: Uint8, values: Uint8) -> Image:
        """The same array with other clamps at power-up."""
        image = replace(self, clamped=clamped, clamp_values=values)
        image.check_values()
        return image

    def parts(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """The image as a JSON-able mapping and arrays, for `container.dump`."""
        meta = {
            "contract": VERSION,
            "unit": self.unit.name,
            "generator": self.generator.name,
            "weight_format": str(self.weight_format),
            "beta_format": str(self.beta_format),
            "scale": self.scale,
            "interleave": self.interleave,
            "lanes": self.lanes,
        }
        return meta, {name: getattr(self, name) for name in _ARRAYS}

    @classmethod
    def from_parts(cls, meta: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Image:
        """The image that `parts` took apart, checked.

        Raises
        ------
        ImageError
            If its generator is no longer shipped, or it is of another contract version, or not a possible array.
        """
        if meta["generator"] in RETIRED:
            raise ImageError(
                f"image was compiled with the generator {meta['generator']}, which is no longer shipped; compile it "
                f"again with {' or '.join(GENERATOR_NAMES)}"
            )
        if meta["contract"] != VERSION:
            raise ImageError(f"image is of contract version {meta['contract']}, this is {VERSION}; compile it again")
        image = cls(
            unit=Unit[meta["unit"]],
            generator=Generator[meta["generator"]],
            weight_format=SignedFormat.parse(meta["weight_format"]),
            beta_format=UnsignedFormat.parse(meta["beta_format"]),
            **{name: arrays[name] for name in _ARRAYS},
            scale=float(meta["scale"]),
            interleave=int(meta["interleave"]),
            lanes=int(meta["lanes"]),
        )
        image.check()
        return image

    def check_values(self) -> None:
        """Raise `ImageError` unless weights, biases and clamps have the right shapes and fit their registers."""
        if len(self.weights) != len(self.neighbours) or len(self.biases) + 1 != len(self.slot_first):
            raise ImageError(
                f"{len(self.weights)} weights for {len(self.neighbours)} slots, {len(self.biases)} biases for "
                f"{len(self.slot_first) - 1} p-bits"
            )
        _check_ranges("slot_first", self.slot_first, self.slots)
        if (weight := _largest(self.weights)) > self.weight_format.limit:
            raise ImageError(f"weight {weight} exceeds {self.weight_format.limit}")
        if (bias := _largest(self.biases)) >= 1 << (self.bias_bits - 1):
            raise ImageError(f"folded bias {bias} exceeds {self.bias_bits} bits")
        if (bias := _largest(self.unfold())) > self.weight_format.limit:
            raise ImageError(f"bias {bias} exceeds {self.weight_format.limit}")
        if len(self.clamped) != self.size or len(self.clamp_values) != self.size:
            raise ImageError(f"{len(self.clamped)} clamps for {self.size} p-bits")
        if max(self.clamped.max(initial=0), self.clamp_values.max(initial=0)) > 1:
            raise ImageError("clamps are 0 or 1")
        if not 0 < self.scale < np.inf:
            raise ImageError(f"scale {self.scale} is not positive and finite")

    def check_interleave(self) -> None:
        """Raise `ImageError` unless the replicas can follow one another through the colours."""
        if self.interleave < 1 or (self.following > 1 and (not self.colours or self.interleave % self.colours)):
            raise ImageError(
                f"an array of {self.colours} colours cannot hold {self.interleave} replicas; "
                f"use 1 or {'more' if self.lanes else f'a multiple of {self.colours}'}"
            )
        if (size := 4 * self.interleave * -(-self.size // 32)) > MAX_ANSWER and self.interleave > 1:
            raise ImageError(
                f"{self.interleave} replicas of {self.size} p-bits make a sample of {size:,} bytes, an answer of the "
                f"link holds {MAX_ANSWER:,}; use fewer replicas"
            )

    def check_lanes(self) -> None:
        """Raise `ImageError` unless p-bits can take turns at the lanes: then every turn moves its lanes' registers."""
        if self.lanes and self.lanes <= self.generator.share:
            raise ImageError(
                f"{self.lanes} lanes with generators of {self.generator.share} p-bits each; use more than "
                f"{self.generator.share} lanes, or another generator"
            )

    def check(self) -> None:
        """Raise `ImageError` unless the image is one that hardware could be built from."""
        self.check_values()
        self.check_interleave()
        self.check_lanes()
        _check_ranges("colour_first", self.colour_first, self.size)
        if self.slots and not 0 <= self.neighbours.min() <= self.neighbours.max() < self.size:
            raise ImageError(f"a neighbour lies outside the {self.size} p-bits")
        if (self.colour[self.owners] == self.colour[self.neighbours]).any():
            raise ImageError("two neighbours have the same colour and would update in the same clock")
        self._check_edges()

    def _check_edges(self) -> None:
        """Slots ascend, and both slots of an edge exist and are equal."""
        forward = self.owners.astype(np.int64) * self.size + self.neighbours
        backward = self.neighbours.astype(np.int64) * self.size + self.owners
        if (np.diff(forward) <= 0).any():
            raise ImageError("slots are not in ascending order")
        order = np.argsort(backward)
        if not np.array_equal(backward[order], forward):
            raise ImageError("an edge has one slot only")
        if not np.array_equal(self.weights[order], self.weights):
            raise ImageError("the two slots of an edge differ")


_ARRAYS = ("colour_first", "slot_first", "neighbours", "weights", "biases", "clamped", "clamp_values")


def _largest(codes: Int32) -> int:
    """Largest magnitude; numpy's own ``abs`` overflows at -2^31."""
    return max(int(codes.max(initial=0)), -int(codes.min(initial=0)))


def _check_ranges(name: str, first: Int32, total: int) -> None:
    if len(first) < 1 or first[0] != 0 or first[-1] != total or (np.diff(first) < 0).any():
        raise ImageError(f"{name} is not an ascending list from 0 to {total}")
