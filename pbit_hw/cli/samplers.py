"""Which sampler a command uses: the simulator, the virtual device, or a board."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import click

from ..compiler.partition import Partition
from ..compiler.program import Program
from ..contract.sampler import Sampler, WordSource
from ..host.transport import Transport

device_option = click.option(
    "--device",
    default="simulator",
    show_default=True,
    metavar="simulator|virtual|PORT",
    help="Simulator, virtual device over the link protocol, or the serial port of a board.",
)

baud_option = click.option(
    "--baud", default=1_000_000, show_default=True, help="Bits per second of a serial port; `pbit build` says it."
)

exchange_option = click.option(
    "--exchange-every", type=int, help="Simulate the devices of a divided program, exchanging every so many sweeps."
)

threads_option = click.option(
    "--threads",
    type=click.IntRange(min=1),
    help="Threads of the simulator [default: all]; samples do not depend on it.",
)

entropy_option = click.option(
    "--entropy",
    type=click.Path(exists=True, dir_okay=False),
    help="Recorded random bytes in place of the generators, 2 per p-bit, replica and sweep.",
)


def open_devices(
    path: str, exchange_every: int, seed: int, progress: Callable[[int, int], None], threads: int | None
) -> AbstractContextManager[Sampler]:
    """The simulated devices of the divided program that a file holds; see `open_sampler`."""
    from ..sim.distributed import Distributed

    parts = Partition.load(path)
    return nullcontext(Distributed(parts, exchange_every=exchange_every, seed=seed, progress=progress, threads=threads))


@contextmanager
def open_sampler(
    program: Program,
    device: str,
    baud: int,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
    threads: int | None = None,
    entropy: str | None = None,
) -> Iterator[Sampler]:
    """Open a sampler for a program and close its transport at the end.

    Parameters
    ----------
    program : Program
        What to load.
    device : str
        ``simulator``, ``virtual`` or a serial port.
    baud : int
        Bits per second of a serial port.
    seed : int
        User seed.
    progress : callable, optional
        ``update(done, total)`` in sweeps.
    threads : int, optional
        Of the simulator.
    entropy : str, optional
        File of recorded random bytes.
    """
    source = _recording(entropy) if entropy else None
    if device == "simulator":
        from ..sim.simulator import Simulator

        yield Simulator(program, seed=seed, source=source, progress=progress, threads=threads)
        return
    from ..host.device import Device

    transport = _open_transport(program, device, baud)
    try:
        yield Device(program, transport, seed=seed, source=source)
    finally:
        transport.close()


def _recording(path: str) -> WordSource:
    from ..sim.devices.recording import Recording

    return Recording.load(path)


def _open_transport(program: Program, device: str, baud: int) -> Transport:
    if device == "virtual":
        from ..sim.virtual import VirtualDevice

        return VirtualDevice(program.image)
    from ..host.transport import SerialTransport

    return SerialTransport(device, baud)
