"""A p-bit array at the other end of a link, as a `Sampler`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract import VERSION
from ..contract.engine import SHAPE_WORDS, Engine
from ..contract.engines import pack, shape_of
from ..contract.errors import DigestMismatchError, LinkError, RequestError
from ..contract.generator import seeds
from ..contract.image import Image
from ..contract.registers import DIGEST_WORDS, MAGIC, Control, Region, address, fixed_checksum
from ..contract.request import Batch, Request, shown
from ..contract.sampler import Sampler, WordSource
from ..contract.schedule import STEPS, Counts, Step
from .client import BusyError, Client, RefusedError
from .layouts import ArrayLayout, EngineLayout, Layout
from .schedule import carry_out, steps_of
from .transport import Transport

Uint8 = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint32]


class Device(Sampler):
    """An array behind a transport: a board, its simulation, or a virtual device.

    Opening it compares the device with the program and loads weights and
    biases, unless they are constants there, and into an engine the whole
    graph. Replicas run as many at a time as the array holds; they give, bit for
    bit, what the simulator gives, with its generators and with a source.

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
        as slow as the link, for lockstep with a recording. The array must hold one replica.

    Raises
    ------
    DigestMismatchError
        If the device holds another array than the program's, or constants other than its weights.
    LinkError
        If the link fails, or no pbit-hw device of this version answers.
    RequestError
        If there is a source and the array is interleaved.
    FitError
        If the device is an engine that cannot hold the program.
    """

    def __init__(self, program: Any, transport: Transport, seed: int = 0, *, source: WordSource | None = None) -> None:
        self._client = Client(transport)
        self._source = source
        self._loaded = False
        self._beta: int | None = None
        self._constants: _Constants | None = None
        super().__init__(program, seed=seed)

    def run(self, request: Request) -> Batch:
        """Carry out a request; see `Sampler.run`.

        Raises
        ------
        LinkError
            If any exchange fails. No sample is returned then; the next run
            checks and loads the device afresh.
        RequestError
            If the device's beta is a constant, and another one is asked for.
        """
        image = self.program.image
        if not (self._loaded and self._client.clean):
            self._load_image(image)
        if self._constants is not None:
            self._constants.check_betas(request.betas, image)
        started_ns = time.perf_counter_ns()
        stretches = list(_stretches(request) if self._source is None else _single_sweeps(request))
        registers = self._registers(request)
        states = np.empty((len(request.keep), request.replicas, image.size), np.uint8)
        self._beta = None if self._constants is None else self._constants.beta
        for place, own in enumerate(registers):
            some = slice(place * image.interleave, (place + 1) * image.interleave)
            self._begin(request.start[some], request.clamped)
            states[:, some] = self._sweep(stretches, own)[:, : len(request.start[some])]
        flips = len(request.betas) * request.replicas * image.size
        return Batch(states, flips, time.perf_counter_ns() - started_ns)

    def count(self, request: Request) -> Counts:
        """Carry out a request and count its kept states; see `Sampler.count`.

        A device that has counters does so alone, for as many replicas as make full sets of its own, if the request
        needs no more steps than its schedule has.

        Raises
        ------
        LinkError, RequestError
            See `run`.
        """
        image = self.program.image
        steps = list(steps_of((each.beta, each.sweeps, each.kept) for each in _stretches(request)))
        alone = request.replicas // image.interleave * image.interleave
        if not (self._counts_alone() and alone and len(steps) <= STEPS and self._source is None):
            return super().count(request)
        counts = self._count_sets(request, alone, steps)
        if alone < request.replicas:
            counts += super().count(_replicas_from(request, image, alone))
        return counts

    def _counts_alone(self) -> bool:
        """Whether the device has counters."""
        if not (self._loaded and self._client.clean):
            self._load_image(self.program.image)
        try:
            self._client.read(address(Region.CONTROL, Control.STEPS), 1)
        except RefusedError:
            return False
        return True

    def _count_sets(self, request: Request, alone: int, steps: list[Step]) -> Counts:
        image = self.program.image
        if self._constants is not None:
            self._constants.check_betas(request.betas, image)
        registers = self._registers(request)
        counts = Counts.of(image, np.empty((0, image.size), np.uint8))
        for place in range(alone // image.interleave):
            some = slice(place * image.interleave, (place + 1) * image.interleave)
            self._begin(request.start[some], request.clamped)
            self._client.write(address(Region.GENERATOR), registers[place, 0])
            counts += carry_out(self._client, image, steps, self._client.clock_hz)
        self._beta = steps[-1].beta
        return counts

    def _load_image(self, image: Image) -> None:
        if self._source is not None and image.interleave > 1:
            raise RequestError(
                f"the array holds {image.interleave} replicas that draw from one generator in turn, so that a source "
                f"cannot stand for it; compile the program without interleave"
            )
        words = self._identity()
        _check_version(words)
        self._layout = self._open(words, image)
        self._client.clock_hz = int(words[Control.CLOCK_HZ])
        self._constants = self._read_constants()
        self._rewind(image)
        self._load_values(image, again=False)

    def _open(self, words: npt.NDArray[np.uint32], image: Image) -> Layout:
        """How the image lies in the device, if it does; an engine for any graph has no colours of its own."""
        if words[Control.COLOURS]:
            _check_digest(words, image)
            return ArrayLayout(image)
        shape = shape_of(self._client.read(address(Region.CONTROL, Control.SHAPE), SHAPE_WORDS))
        _check_digest(words, shape)
        return EngineLayout(pack(image, shape))

    def _identity(self) -> npt.NDArray[np.uint32]:
        count = int(Control.CLOCK_HZ) + 1
        try:
            return self._client.read(address(Region.CONTROL), count)
        except LinkError:  # perhaps half a frame of a host that was killed: the client waits it out before the next try
            return self._client.read(address(Region.CONTROL), count)

    def _read_constants(self) -> _Constants | None:
        checksum, beta = (
            int(self._client.read(address(Region.CONTROL, offset), 1)[0]) for offset in (Control.FIXED, Control.BETA)
        )
        return _Constants(checksum, beta) if checksum else None

    def _rewind(self, image: Image) -> None:
        """Rotate to the first replica: a host that was interrupted may have left another one at hand."""
        start = address(Region.CONTROL, Control.SWEEPS), np.zeros(1, np.uint32)
        for _ in range(image.interleave - 1):
            try:
                self._client.write(*start)
            except BusyError:
                self._rotate()
            else:
                return

    def _rotate(self) -> None:
        self._client.write(address(Region.CONTROL, Control.ROTATE), np.ones(1, np.uint32))

    def _load_weights(self, image: Image) -> None:
        self._load_values(image, again=True)

    def _load_values(self, image: Image, *, again: bool) -> None:
        if self._constants is not None:
            self._constants.check(image)
            self._loaded = True
            return
        self._loaded = False
        for first, words in self._layout.loads(image, again=again):
            self._client.write(first, words)
        self._loaded = True

    def _registers(self, request: Request) -> Words:
        """Seeds of the generators for each set of replicas before the run, or before every sweep of it."""
        image = self.program.image
        if self._source is None:
            registers = request.generators(image)[:: image.interleave, None]
        else:
            words = [self._source.words(request.replicas, image.size) for _ in request.betas]
            registers = shown(image, np.stack(words).transpose(2, 0, 1).astype(np.uint16))
        return seeds(image.generator, registers).reshape(*registers.shape[:2], -1)

    def _begin(self, starts: Uint8, clamped: Uint8) -> None:
        """Set clamps and states of a set of replicas; places of the array that are left over get the first one's."""
        self._client.write(address(Region.CLAMP), self._layout.pack(clamped))
        interleave = self.program.image.interleave
        for place in range(interleave):
            self._client.write(address(Region.STATE), self._layout.pack(starts[place % len(starts)]))
            if interleave > 1:
                self._rotate()

    def _sweep(self, stretches: list[_Stretch], registers: Words) -> Uint8:
        """Kept states of a set of replicas, shape (kept, interleave, n)."""
        image, layout = self.program.image, self._layout
        kept = [np.empty((0, image.interleave, image.size), np.uint8)]
        for place, stretch in enumerate(stretches):
            if place < len(registers):
                self._client.write(address(Region.GENERATOR), registers[place])
            if stretch.beta != self._beta:
                self._client.write(address(Region.CONTROL, Control.BETA), np.array([layout.beta(stretch.beta)]))
                self._beta = stretch.beta
            run_s = (stretch.sweeps * layout.period + image.home_slots) / self._client.clock_hz
            packed = self._client.sample(
                stretch.sweeps, len(stretch.kept), image.interleave * layout.state_words, run_s
            )
            kept.append(layout.unpack(packed[stretch.kept].reshape(-1, image.interleave, layout.state_words)))
        return np.concatenate(kept)


@dataclass(frozen=True)
class _Constants:
    """Weights, biases and beta that a device was built with and that cannot be loaded: their checksum, and the beta."""

    checksum: int
    beta: int

    def check(self, image: Image) -> None:
        """Raise `DigestMismatchError` unless they are an image's."""
        expected = fixed_checksum(image, self.beta)
        if self.checksum != expected:
            raise DigestMismatchError(
                f"weights and biases of the device are constants of checksum {self.checksum:#010x}, the program's have "
                f"{expected:#010x} at the device's beta of {self.beta * image.beta_step:g}; build the program's own "
                f"bitstream, or one whose weights can be loaded"
            )

    def check_betas(self, betas: npt.NDArray[np.int32], image: Image) -> None:
        """Raise `RequestError` unless all betas are the device's."""
        others = betas[betas != self.beta]
        if len(others):
            raise RequestError(
                f"beta of the device is a constant, {self.beta * image.beta_step:g}, and "
                f"{others[0] * image.beta_step:g} was asked for; ask for the constant, or build a bitstream whose beta "
                f"can be loaded"
            )


@dataclass(frozen=True)
class _Stretch:
    """Samples every ``sweeps`` sweeps at one beta, and which of them are kept."""

    beta: int
    sweeps: int
    kept: npt.NDArray[np.bool_]


def _replicas_from(request: Request, image: Image, first: int) -> Request:
    """The same run of the replicas from one on."""
    rest = slice(first, None)
    return Request(
        request.betas,
        request.keep,
        request.seed,
        request.initial[rest],
        request.clamped,
        request.clamp_values[rest],
        request.generators(image)[rest],
    )


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


def _check_version(words: npt.NDArray[np.uint32]) -> None:
    if words[Control.MAGIC] != MAGIC:
        raise LinkError(
            f"this is no pbit-hw device: it says {int(words[Control.MAGIC]):#010x} instead of {MAGIC:#010x}"
        )
    if words[Control.VERSION] != VERSION:
        raise LinkError(
            f"the device has contract version {words[Control.VERSION]}, this pbit-hw has {VERSION}; "
            f"build its bitstream again"
        )


def _check_digest(words: npt.NDArray[np.uint32], layout: Image | Engine) -> None:
    digest = words[Control.DIGEST : Control.DIGEST + DIGEST_WORDS].astype("<u4").tobytes()
    if digest != layout.digest:
        held = _sizes(*words[[Control.SIZE, Control.SLOTS, Control.COLOURS]])
        raise DigestMismatchError(
            f"the device holds array {digest.hex()} ({held}), "
            f"the program is array {layout.digest.hex()} ({_sizes(*layout.sizes)}); "
            f"build and load the program's own bitstream, or open the program that the device was built from"
        )


def _sizes(size: int, slots: int, colours: int) -> str:
    return f"{size} p-bits, {slots} weights, {colours} colours"
