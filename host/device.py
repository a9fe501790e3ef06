"""A p-bit array at the other end of a link, as a `Sampler`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract import VERSION
from ..contract.errors import DigestMismatchError, LinkError
from ..contract.generator import showing
from ..contract.image import Image
from ..contract.registers import DIGEST_WORDS, MAGIC, Control, Region, address
from ..contract.request import Batch, Request
from ..contract.sampler import Sampler, WordSource
from .client import Client
from .transport import Transport

Uint8 = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint32]


class Device(Sampler):
    """An array behind a transport: a board, its simulation, or a virtual device.

    Opening it compares the device with the program and loads weights and
    biases. Replicas run one after the other; they give, bit for bit, what the
    simulator gives, with its generators and with a source.

    Parameters
    ----------
    program : Program
        A compiled program.
    transport : Transport
        The byte stream to the device; the caller closes it.
    seed : int
        User seed.
    source : WordSource, optional
        Gives the random words instead of the device's generators, whose registers are written before every sweep:
        as slow as the link, for lockstep with a recording.

    Raises
    ------
    DigestMismatchError
        If the device holds another array than the program's.
    LinkError
        If the link fails, or no pbit-hw device of this version answers.
    """

    def __init__(self, program: Any, transport: Transport, seed: int = 0, *, source: WordSource | None = None) -> None:
        self._client = Client(transport)
        self._source = source
        self._loaded = False
        self._beta: int | None = None
        super().__init__(program, seed=seed)

    def run(self, request: Request) -> Batch:
        """Carry out a request; see `Sampler.run`.

        Raises
        ------
        LinkError
            If any exchange fails. No sample is returned then; the next run
            checks and loads the device afresh.
        """
        image = self.program.image
        if not (self._loaded and self._client.clean):
            self._load_image(image)
        started_ns = time.perf_counter_ns()
        stretches = list(_stretches(request) if self._source is None else _single_sweeps(request))
        registers = self._registers(request)
        states = np.empty((len(request.keep), request.replicas, image.size), np.uint8)
        self._beta = None
        for replica, start in enumerate(request.start):
            self._begin(start, request.clamped)
            states[:, replica] = self._sweep(stretches, registers[replica])
        flips = len(request.betas) * request.replicas * image.size
        return Batch(states, flips, time.perf_counter_ns() - started_ns)

    def _load_image(self, image: Image) -> None:
        words = self._identity()
        _check_identity(words, image)
        self._client.clock_hz = int(words[Control.CLOCK_HZ])
        self._load_weights(image)

    def _identity(self) -> npt.NDArray[np.uint32]:
        count = int(Control.CLOCK_HZ) + 1
        try:
            return self._client.read(address(Region.CONTROL), count)
        except LinkError:  # perhaps half a frame of a host that was killed: the client waits it out before the next try
            return self._client.read(address(Region.CONTROL), count)

    def _load_weights(self, image: Image) -> None:
        self._loaded = False
        self._client.write(address(Region.WEIGHT), image.weights)
        self._client.write(address(Region.BIAS), image.biases)
        self._loaded = True

    def _registers(self, request: Request) -> Words:
        """Generator registers of each replica before the run, or before every sweep of it."""
        image = self.program.image
        if self._source is None:
            return request.generators(image.generator).reshape(request.replicas, 1, -1)
        words = [self._source.words(request.replicas, image.size) for _ in request.betas]
        shown = showing(image.generator, np.stack(words, axis=-1).astype(np.uint16))
        return shown.transpose(1, 2, 0, 3).reshape(request.replicas, len(words), -1)

    def _begin(self, start: Uint8, clamped: Uint8) -> None:
        # Clamping every p-bit sets its state; the clamps that stay hold the same values.
        self._client.write(address(Region.VALUE), _pack(start))
        self._client.write(address(Region.CLAMP), _pack(np.ones_like(clamped)))
        self._client.write(address(Region.CLAMP), _pack(clamped))

    def _sweep(self, stretches: list[_Stretch], registers: Words) -> Uint8:
        image = self.program.image
        kept = [np.empty((0, image.size), np.uint8)]
        for place, stretch in enumerate(stretches):
            if place < len(registers):
                self._client.write(address(Region.GENERATOR), registers[place])
            if stretch.beta != self._beta:
                self._client.write(address(Region.CONTROL, Control.BETA), np.array([stretch.beta]))
                self._beta = stretch.beta
            run_s = stretch.sweeps * image.colours / self._client.clock_hz
            packed = self._client.sample(stretch.sweeps, len(stretch.kept), (image.size + 31) // 32, run_s)
            kept.append(_unpack(packed[stretch.kept], image.size))
        return np.concatenate(kept)


@dataclass(frozen=True)
class _Stretch:
    """Samples every ``sweeps`` sweeps at one beta, and which of them are kept."""

    beta: int
    sweeps: int
    kept: npt.NDArray[np.bool_]


def _stretches(request: Request) -> Iterator[_Stretch]:
    """Cut a run where beta changes and where a state is kept, and join equal cuts."""
    changes = np.flatnonzero(np.diff(request.betas)) + 1
    stops = np.union1d(np.append(changes, len(request.betas)), request.keep)
    stops = stops[stops > 0].astype(np.int64)
    sweeps = np.diff(stops, prepend=0)
    betas = request.betas[stops - 1]
    kept = np.isin(stops, request.keep)
    joints = np.flatnonzero((np.diff(sweeps) != 0) | (np.diff(betas) != 0)) + 1
    for group in np.split(np.arange(len(stops)), joints):
        if len(group):
            yield _Stretch(int(betas[group[0]]), int(sweeps[group[0]]), kept[group])


def _single_sweeps(request: Request) -> Iterator[_Stretch]:
    kept = np.isin(np.arange(1, len(request.betas) + 1), request.keep)
    for beta, keep in zip(request.betas, kept, strict=True):
        yield _Stretch(int(beta), 1, np.array([keep]))


def _check_identity(words: npt.NDArray[np.uint32], image: Image) -> None:
    if words[Control.MAGIC] != MAGIC:
        raise LinkError(
            f"this is no pbit-hw device: it says {int(words[Control.MAGIC]):#010x} instead of {MAGIC:#010x}"
        )
    if words[Control.VERSION] != VERSION:
        raise LinkError(
            f"the device has contract version {words[Control.VERSION]}, this pbit-hw has {VERSION}; "
            f"build its bitstream again"
        )
    digest = words[Control.DIGEST : Control.DIGEST + DIGEST_WORDS].astype("<u4").tobytes()
    if digest != image.digest:
        held = _sizes(*words[[Control.SIZE, Control.SLOTS, Control.COLOURS]])
        raise DigestMismatchError(
            f"the device holds array {digest.hex()} ({held}), "
            f"the program is array {image.digest.hex()} ({_sizes(image.size, image.slots, image.colours)}); "
            f"build and load the program's own bitstream, or open the program that the device was built from"
        )


def _sizes(size: int, slots: int, colours: int) -> str:
    return f"{size} p-bits, {slots} weights, {colours} colours"


def _pack(bits: Uint8) -> npt.NDArray[np.uint32]:
    padded = np.zeros((len(bits) + 31) // 32 * 32, np.uint8)
    padded[: len(bits)] = bits
    return np.packbits(padded, bitorder="little").view("<u4")


def _unpack(words: npt.NDArray[np.uint32], size: int) -> Uint8:
    return np.unpackbits(words.astype("<u4").view(np.uint8), axis=1, count=size, bitorder="little")
