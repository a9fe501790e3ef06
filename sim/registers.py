"""The registers of one array as a bus master sees them; the same for every simulated array."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ..contract import registers
from ..contract.array import start, stop
from ..contract.errors import RequestError
from ..contract.generator import Generator, powered_up, seeded, streams
from ..contract.image import Image
from ..contract.registers import Control, Region
from ..contract.schedule import CountingImage

Words = npt.NDArray[np.uint32]


class ArrayRegisters:
    """Registers of one p-bit array and the bus that writes them.

    At reset the generator registers hold the streams of the seed, clamped p-bits their
    clamp values and the others 0, in every replica, and beta is 1, or the format's largest.

    The 64 bits that seed a ``LINEAR64`` register take effect when their high word is
    written; the low one waits in a holding register, of which the array has one.

    Parameters
    ----------
    image : Image
        The array, with its weights, biases and clamps at power-up.
    seed : int
        User seed of the generators; without one they are as at power-up.
    counting : bool
        Whether there are a schedule and counters.

    Attributes
    ----------
    states : ndarray of uint8, shape (interleave, n)
        Bits of the p-bits of each replica.
    clamped : ndarray of uint8, shape (n,)
        Which p-bits are clamped.
    registers : ndarray of uint32, shape (streams, generator words)
        Generator registers.
    weights, biases : ndarray of int32, shapes (slots,) and (n,)
        Codes of the weights and of the folded biases.
    phase, sweeps_left, under_way : int
        The counters, see `pbit_hw.contract.array.clock`.
    at_hand : int
        Replica whose states are read and written.
    schedule, counts : ndarray of uint32, shapes (words,) and (counters,)
        Words of the schedule, and counters, if it has them.
    beta : int
        Code of the inverse temperature.
    """

    def __init__(self, image: Image, seed: int | None = None, *, counting: bool = False) -> None:
        self.image = image
        mapped = CountingImage(image) if counting else image
        self.schedule = np.zeros(mapped.register_counts["schedule"], np.uint32)
        self.counts = np.zeros(mapped.register_counts["counters"], np.uint32)
        self.states = np.tile(np.asarray(image.clamped & image.clamp_values, np.uint8), (image.interleave, 1))
        kind, count = image.generator, image.streams
        self.registers = powered_up(kind, count) if seed is None else streams(kind, seed, count)
        self.clamped = np.array(image.clamped, np.uint8)
        self.weights = np.array(image.weights, np.int32)
        self.biases = np.array(image.biases, np.int32)
        self.phase = self.sweeps_left = self.under_way = 0
        self.at_hand = 0
        self.beta = image.reset_beta
        self._low_seed = 0
        self._spans = tuple(_spans(mapped))

    @property
    def running(self) -> bool:
        """Whether the array ignores all but a stop."""
        return self.sweeps_left != 0

    def write(self, address: int, words: npt.ArrayLike) -> None:
        """Write words to consecutive addresses; what the array ignores as it runs changes nothing.

        Parameters
        ----------
        address : int
            Address of the first word; see `pbit_hw.contract.registers`.
        words : int or array_like of int, shape (k,)
            Taken modulo 2^32. Narrower registers take the low bits.

        Raises
        ------
        RequestError
            If an address is not a writable register of this array; then nothing is written.
        """
        values = np.atleast_1d(np.asarray(words, np.int64)).astype(np.uint32)
        region, offset = self.locate(address, len(values), "w")
        if region == Region.CONTROL:
            for place, word in enumerate(values.tolist(), offset):
                self._write_control(place, word)
        elif not self.running:
            self._write_region(region, offset, values)

    def locate(self, address: int, count: int, access: str) -> tuple[Region, int]:
        """Region and offset of ``count`` consecutive words.

        Parameters
        ----------
        address, count : int
            First address, and how many.
        access : {"r", "w"}
            What all of them must allow.

        Raises
        ------
        RequestError
            If one of them is no register of this array, or does not allow it.
        """
        place = address
        for first, last, allowed, region in self._spans:
            if first <= place < last and access in allowed:
                place = last
            if place >= address + count:
                return region, address & ((1 << registers.OFFSET_BITS) - 1)
        verb = "writable" if access == "w" else "readable"
        raise RequestError(f"address {place:#010x} is not a {verb} register of this array; see docs/contract.md")

    def _write_control(self, offset: int, word: int) -> None:
        if offset == Control.STOP:
            self.sweeps_left = stop(self.phase, self.sweeps_left, self.image.following)
        elif self.running:
            return
        elif offset == Control.BETA:
            self.beta = word & self.image.beta_format.limit
        elif offset == Control.ROTATE:
            self.at_hand = (self.at_hand + 1) % self.image.interleave
        elif self.at_hand == 0 and offset == Control.SWEEPS:
            self.sweeps_left = start(word, self.image.following)

    def _write_region(self, region: Region, offset: int, words: Words) -> None:
        image = self.image
        span = slice(offset, offset + len(words))
        if region == Region.BIAS:
            self.biases[span] = sign_extend(words, image.bias_bits)
        elif region == Region.WEIGHT:
            self.weights[span] = sign_extend(words, image.weight_format.bits)
        elif region == Region.GENERATOR:
            self._write_generators(offset, words)
        elif region in (Region.SCHEDULE, Region.COUNT):
            (self.schedule if region == Region.SCHEDULE else self.counts)[span] = words
        else:
            bits = (self.clamped if region == Region.CLAMP else self.states[self.at_hand])[32 * offset :]
            bits[: 32 * len(words)] = unpack(words)[: len(bits)]

    def _write_generators(self, offset: int, words: Words) -> None:
        kind = self.image.generator
        if kind is not Generator.LINEAR64:
            self.registers.reshape(-1)[offset : offset + len(words)] = words
            self.registers[:, -1] &= 0xFFFFFFFF >> -kind.bits % 32
            return
        if offset % 2:
            words = np.concatenate([np.array([self._low_seed], np.uint32), words])
        whole = words[: len(words) // 2 * 2].reshape(-1, 2)
        self.registers[offset // 2 : offset // 2 + len(whole)] = seeded(kind, whole)
        self._low_seed = int(words[::2][-1])


def _spans(image: registers.Mapped) -> Iterator[tuple[int, int, str, Region]]:
    """First address, one past the last, access and region of every register, ascending."""
    for register in registers.REGISTERS:
        first = registers.address(register.region, register.offset)
        yield first, first + register.words(image), register.access, register.region


def sign_extend(words: Words, bits: int) -> npt.NDArray[np.int32]:
    """The low ``bits`` of each word as a number in two's complement."""
    spare = np.uint32(max(32 - bits, 0))
    return np.right_shift((words << spare).view(np.int32), spare.astype(np.int32))


def pack(states: npt.NDArray[np.uint8]) -> Words:
    """Bits of shape (n,) as words: p-bit p in bit ``p % 32`` of word ``p // 32``, spare bits 0."""
    padded = np.zeros((len(states) + 31) // 32 * 32, np.uint8)
    padded[: len(states)] = states
    return np.packbits(padded, bitorder="little").view("<u4").astype(np.uint32)


def unpack(words: Words) -> npt.NDArray[np.uint8]:
    """Words as bits of shape (32 * words,): the inverse of `pack`."""
    return np.unpackbits(words.astype("<u4").view(np.uint8), bitorder="little")
