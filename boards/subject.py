"""What a bitstream is built of: an array of its own for a program, or an engine that a program is for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..contract.forms import Form
from ..contract.image import Image
from ..contract.packing import Packing
from ..gateware.device import PbitDevice
from ..gateware.engine_device import EngineDevice
from .catalogue import Board


@dataclass(frozen=True)
class Subject:
    """What is placed and routed.

    Parameters
    ----------
    image : Image
        The program's array, with as many replicas as it holds.
    digest : bytes
        Of the hardware.
    form : str
        What p-bits are made of, see `contract.forms.Form`, or the kind of engine.
    engine : str
        Its name, see `contract.engines.ENGINES`; "" of an array.
    counters : bool
        Whether the device has a schedule and counters.
    sweep_clocks : int
        Clocks in which each replica sweeps once.
    device : callable
        Makes the device for a clock in Hz and a baud rate.
    """

    image: Image
    digest: bytes
    form: str
    engine: str
    counters: bool
    sweep_clocks: int
    device: Callable[[int, int], Any]

    @property
    def flips_per_clock(self) -> float:
        """P-bits that update in a clock, in all replicas."""
        return self.image.size * self.image.interleave / self.sweep_clocks


def array(image: Image, form: Form, counters: bool, board: Board) -> Subject:
    """An array of an image's own."""

    def device(clock_hz: int, baud: int) -> PbitDevice:
        multipliers = board.multipliers_for(image)
        return PbitDevice(image, clock_hz, baud, form, counting=counters, multipliers=multipliers)

    return Subject(image, image.digest, form.value, "", counters, image.period, device)


def engine(name: str, packing: Packing, board: Board) -> Subject:
    """An engine that holds an image."""
    shape = packing.shape

    def device(clock_hz: int, baud: int) -> EngineDevice:
        return EngineDevice(shape, clock_hz, baud, blocks=board.multiplier_bits > 0)

    return Subject(packing.image, shape.digest, shape.kind.name.lower(), name, False, packing.clocks, device)
