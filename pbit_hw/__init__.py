"""pbit-hw: the open toolchain for probabilistic computing.

From a model to samples::

    model = Ising.from_networkx(graph, coupling=-1.0)
    program = compile(model)
    samples = Simulator(program, seed=1).sample(sweeps=2_000, replicas=64, beta=(0.2, 3.0))

Names are imported when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .compiler.models import RBM as RBM
    from .compiler.models import BoltzmannMachine as BoltzmannMachine
    from .compiler.models import Hopfield as Hopfield
    from .compiler.models import Ising as Ising
    from .compiler.models import MaxCut as MaxCut
    from .compiler.models import Model as Model
    from .compiler.partition import Partition as Partition
    from .compiler.partition import partition as partition
    from .compiler.program import Program as Program
    from .compiler.program import compile as compile
    from .compiler.program import load as load
    from .compiler.samples import Samples as Samples
    from .contract.errors import CheckpointError as CheckpointError
    from .contract.errors import DigestMismatchError as DigestMismatchError
    from .contract.errors import FitError as FitError
    from .contract.errors import FormatError as FormatError
    from .contract.errors import ImageError as ImageError
    from .contract.errors import LinkError as LinkError
    from .contract.errors import ModelError as ModelError
    from .contract.errors import PbitError as PbitError
    from .contract.errors import RequestError as RequestError
    from .contract.errors import ToolError as ToolError
    from .contract.update import Unit as Unit
    from .host.device import Device as Device
    from .sim.annealing import anneal as anneal
    from .sim.certificate import certify as certify
    from .sim.descent import descend as descend
    from .sim.distributed import Distributed as Distributed
    from .sim.exact import exact as exact
    from .sim.exchange import exchange as exchange
    from .sim.metropolis import Metropolis as Metropolis
    from .sim.simulator import Simulator as Simulator
    from .sim.tempering import temper as temper

_HOMES = {
    "compiler.models": ("RBM", "BoltzmannMachine", "Hopfield", "Ising", "MaxCut", "Model"),
    "compiler.partition": ("Partition", "partition"),
    "compiler.program": ("Program", "compile", "load"),
    "compiler.samples": ("Samples",),
    "contract.errors": (
        "CheckpointError",
        "DigestMismatchError",
        "FitError",
        "FormatError",
        "ImageError",
        "LinkError",
        "ModelError",
        "PbitError",
        "RequestError",
        "ToolError",
    ),
    "contract.update": ("Unit",),
    "host.device": ("Device",),
    "sim.annealing": ("anneal",),
    "sim.certificate": ("certify",),
    "sim.descent": ("descend",),
    "sim.distributed": ("Distributed",),
    "sim.exact": ("exact",),
    "sim.exchange": ("exchange",),
    "sim.metropolis": ("Metropolis",),
    "sim.simulator": ("Simulator",),
    "sim.tempering": ("temper",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}
_PACKAGES = ("boards", "compiler", "host", "sim")

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return import_module(f".{name}", __name__)
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__, *_PACKAGES]
