"""An array of autonomous p-bits that stands in for a board: everything that samples can run on emulated junctions."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from ...contract.errors import RequestError
from ...contract.generator import splitmix64
from ...contract.image import Image
from ...contract.request import Batch, Request
from ...contract.sampler import Sampler
from .behavioural import Form, Replicas, check_steps
from .coupling import Coupling, Drive, devices_of
from .dac import Dac
from .variation import Variation

PIECE = 1 << 26
"""P-bit steps that the kernel makes before it returns, about half a second: then Ctrl-C works."""

_SLACK = 1e-9
"""Rounding of a time step that is meant to be one of a whole number of them."""


class DeviceArray(Sampler):
    """Samples a program with autonomous p-bits, none of them quite like another.

    The digital part is the program's, couplings quantised and in physical order;
    the p-bits have neither clock nor colours nor generators. One sweep is
    tau_N of time, so that every p-bit without drive hops once on average.
    Replicas are the same devices, as if the run and their drift were repeated.

    Parameters
    ----------
    program : Program
        A compiled program.
    variation : Variation, optional
        The devices, in physical order; nominal ones by default.
    dac : Dac, optional
        Converter that drives each of them; by default the drive is as fine as beta and the weights.
    form : Form
        Which p-bit.
    dt_over_tau : float
        Time step in units of tau_N, at most 1, shortened to make a sweep a whole number of steps.
    synapse_over_tau : float
        Synapse time tau_S in units of tau_N; 0 for synapses without delay.
    seed : int
        User seed, of the drift too.

    Raises
    ------
    RequestError
        If the time step is not positive, or longer than tau_N or half of tau_S.
    ModelError
        If there are more or fewer devices than p-bits, here or in `load`.
    """

    def __init__(
        self,
        program: Any,
        *,
        variation: Variation | None = None,
        dac: Dac | None = None,
        form: Form = Form.DWELL,
        dt_over_tau: float = 0.01,
        synapse_over_tau: float = 0.0,
        seed: int = 0,
    ) -> None:
        check_steps(dt_over_tau, synapse_over_tau)
        if dt_over_tau > 1:
            raise RequestError(
                f"a time step of {dt_over_tau} tau_N is longer than a sweep; give one of at most 1 tau_N"
            )
        self._steps = int(np.ceil(1 / dt_over_tau - _SLACK))
        self._stepping: Any = {"form": form, "dt_over_tau": 1 / self._steps, "synapse_over_tau": synapse_over_tau}
        self._variation = variation
        self._dac = dac
        self._drift_rng = np.random.default_rng((splitmix64(seed, 1)[0], 1))
        super().__init__(program, seed=seed)

    @property
    def variation(self) -> Variation:
        """The devices as they stand, in physical order: their offsets have drifted since the array was made."""
        return devices_of(self._image.size, self._variation)

    def _load_image(self, image: Image) -> None:
        devices_of(image.size, self._variation)
        self._load_weights(image)

    def _load_weights(self, image: Image) -> None:
        self._image, self._coupling = image, Coupling.of_image(image)

    def run(self, request: Request) -> Batch:
        """Carry out a request; see `Sampler.run`. It counts one update of each p-bit per sweep."""
        states = np.where(request.start > 0, 1, self._coupling.low).astype(np.int8)
        rng = np.random.default_rng(splitmix64(request.seed, 2)[1])
        array = Replicas(self._coupling, states, rng, **self._stepping, clamped=request.clamped)
        out = np.empty((len(request.keep), *states.shape), np.uint8)
        start = time.perf_counter_ns()
        for first, last in self._pieces(request):
            swept = array.advance(*self._drive(request, first, last), self._steps, last - first)
            kept, kept_last = np.searchsorted(request.keep, (first, last), "right")
            out[kept:kept_last] = swept[request.keep[kept:kept_last] - first - 1] > 0
        return Batch(out, states.size * len(request.betas), time.perf_counter_ns() - start)

    def _drive(self, request: Request, first: int, last: int) -> tuple[Drive, Any]:
        """What the p-bits make of their fields in a piece, at the end of which their offsets will have drifted."""
        devices = self.variation
        beta = float(request.betas[first]) * self._image.beta_step
        if devices.drift:
            self._variation = devices.drifted(last - first, self._drift_rng)
        return Drive.of(self._coupling.scale(beta), devices, self._dac), devices.time_scale

    def _pieces(self, request: Request) -> Iterator[tuple[int, int]]:
        """First and last sweep of pieces of one beta; single sweeps where the offsets drift."""
        longest = max(PIECE // (request.initial.size * self._steps), 1)
        if self.variation.drift:
            longest = 1
        changes = np.flatnonzero(np.diff(request.betas)) + 1
        edges = [0, *changes.tolist(), len(request.betas)]
        for begin, end in pairwise(edges):
            for first in range(begin, end, longest):
                yield first, min(first + longest, end)
