"""A run as a schedule that the device carries out alone, and what it has counted then."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from itertools import groupby

import numpy as np
import numpy.typing as npt

from ..contract.errors import LinkError
from ..contract.image import Image
from ..contract.registers import Control, Region, address
from ..contract.schedule import CountingImage, Counts, Step, words
from .client import ANSWER_S, Client

_POLL_S = 0.002
_STEPS = address(Region.CONTROL, Control.STEPS)


def steps_of(stretches: Iterable[tuple[int, int, npt.NDArray[np.bool_]]]) -> Iterator[Step]:
    """Steps that count where a run keeps states, from its (beta, sweeps, kept) stretches."""
    for beta, sweeps, kept in stretches:
        for count, alike in groupby(kept.tolist()):
            yield Step(beta, sweeps, len(list(alike)), count)


def carry_out(client: Client, image: Image, steps: list[Step], clock_hz: int) -> Counts:
    """Clear the counters, carry a schedule out from where the array stands, and read them.

    Parameters
    ----------
    client : Client
        To a device with a schedule.
    image : Image
        Its array.
    steps : list of Step
        What to do.
    clock_hz : int
        Clock of the device in Hz.

    Raises
    ------
    LinkError
        If the link fails, or the device takes twice as long as it can.
    """
    counters = CountingImage(image).counters
    client.write(address(Region.COUNT), np.zeros(counters, np.uint32))
    client.write(address(Region.SCHEDULE), words(steps))
    client.write(_STEPS, np.array([len(steps)]))
    _wait(client, 2 * _clocks(image, steps) / clock_hz + ANSWER_S)
    counts = client.read(address(Region.COUNT), counters).astype(np.int64)
    states = image.interleave * sum(step.repeats for step in steps if step.count)
    return Counts(counts[: image.size], counts[image.size :], states)


def _clocks(image: Image, steps: list[Step]) -> int:
    """Clocks that steps take at most."""
    tables = image.size * (
        (1 << min(int(image.degrees.max(initial=0)), 8)) + 2 * int(image.degrees.max(initial=0)) + 40
    )
    counting = image.interleave * (5 * image.size + image.slots + 50)
    runs = (
        tables + step.repeats * (step.sweeps * image.period + image.home_slots + 10 + counting * step.count)
        for step in steps
    )
    return sum(runs)


def _wait(client: Client, limit_s: float) -> None:
    deadline_s = time.monotonic() + limit_s
    while client.read(_STEPS, 1)[0]:
        if time.monotonic() > deadline_s:
            raise LinkError(f"the device has not carried out its schedule after {limit_s:.1f} s; reset it")
        time.sleep(_POLL_S)
