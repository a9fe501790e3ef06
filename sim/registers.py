"""The registers of one array as a bus master sees them; the same for every simulated array."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ..contract import registers
from ..contract.array import stop
from ..contract.errors import RequestError
from ..contract.generator import streams
from ..contract.image import Image
from ..contract.registers import Control, Region

Words = npt.NDArray[np.uint32]


class ArrayRegisters:
    """Registers of one p-bit array and the bus that writes them.

    At reset the generator registers hold the streams of the seed, the states are
    0 (clamps act from the first clock), and beta is 1, or the format's largest.

    Parameters
    ----------
    image : Image
        The array, with its weights, biases and clamps at power-up.
    seed : int
        User seed of the generators.

    Attributes
    ----------
    states, clamped, clamp_values : ndarray of uint8, shape (n,)
        Bits of the p-bits, which are clamped, and to what.
    registers : ndarray of uint32, shape (n, generator words)
        Generator registers.
    weights, biases : ndarray of int32, shapes (slots,) and (n,)
        Codes of the weights and of the folded biases.
    phase, sweeps_left : int
        Colour of the next clock, and sweeps until the array stops.
    beta : int
        Code of the inverse temperature.
    """

    def __init__(self, image: Image, seed: int = 0) -> None:
        self.image = image
        self.states = np.zeros(image.size, np.uint8)
        self.registers = streams(image.generator, seed, image.size)
        self.clamped = np.array(image.clamped, np.uint8)
        self.clamp_values = np.array(image.clamp_values, np.uint8)
        self.weights = np.array(image.weights, np.int32)
        self.biases = np.array(image.biases, np.int32)
        self.phase = 0
        self.sweeps_left = 0
        self.beta = image.reset_beta
        self._spans = tuple(_spans(image))

    @property
    def running(self) -> bool:
        """Whether the array refuses to be started."""
        return self.sweeps_left != 0

    def write(self, address: int, words: npt.ArrayLike) -> None:
        """Write words to consecutive addresses.

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
        else:
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
        if offset == Control.BETA:
            self.beta = word & self.image.beta_format.limit
        elif offset == Control.STOP:
            self.sweeps_left = stop(self.phase)
        elif not self.running:
            self.sweeps_left = word

    def _write_region(self, region: Region, offset: int, words: Words) -> None:
        image = self.image
        span = slice(offset, offset + len(words))
        if region == Region.BIAS:
            self.biases[span] = sign_extend(words, image.bias_bits)
        elif region == Region.WEIGHT:
            self.weights[span] = sign_extend(words, image.weight_format.bits)
        elif region == Region.GENERATOR:
            self.registers.reshape(-1)[span] = words
            self.registers[:, -1] &= 0xFFFFFFFF >> -image.generator.bits % 32
        else:
            bits = (self.clamped if region == Region.CLAMP else self.clamp_values)[32 * offset :][: 32 * len(words)]
            bits[:] = unpack(words)[: len(bits)]


def _spans(image: Image) -> Iterator[tuple[int, int, str, Region]]:
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
