"""Machine code for this computer's processor."""

from __future__ import annotations

import ctypes
import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import llvmlite.binding as llvm
import numpy as np
import numpy.typing as npt

from .codegen import Function

PERMUTE_FEATURES = ("avx512f", "avx512bw", "avx512vbmi")
"""What a processor must have to look 64 bytes up in a table of 128 at once."""


@dataclass(frozen=True)
class Processor:
    """What code is made for.

    Parameters
    ----------
    name : str
        As LLVM calls it.
    features : str
        Comma-separated, ``+`` before those that it has and ``-`` before those that it has not.
    """

    name: str
    features: str

    @property
    def permutes(self) -> bool:
        """Whether it looks 64 bytes up in a table of 128 at once."""
        has = {feature[1:]: feature.startswith("+") for feature in self.features.split(",")}  # the last word counts
        return all(has.get(feature, False) for feature in PERMUTE_FEATURES)


@cache
def host() -> Processor:
    """The processor of this computer; vectors as wide as it has them, whatever LLVM would rather use."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return Processor(llvm.get_host_cpu_name(), f"{llvm.get_host_cpu_features().flatten()},-prefer-256-bit")


class Machine:
    """A function in machine code.

    Calls let go of Python's lock, so that threads run them side by side.

    Parameters
    ----------
    function : Function
        Complete; it is closed here.
    processor : Processor
        What it will run on.
    """

    def __init__(self, function: Function, processor: Processor) -> None:
        target = llvm.Target.from_default_triple().create_target_machine(
            cpu=processor.name, features=processor.features, opt=3
        )
        module = llvm.parse_assembly(function.text())
        passes = llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options(speed_level=3))
        passes.getModulePassManager().run(module, passes)
        self._engine = llvm.create_mcjit_compiler(module, target)
        self._engine.finalize_object()
        prototype = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * function.parameters)
        self._call = prototype(self._engine.get_function_address(function.name))

    def __call__(self, *arguments: npt.NDArray[Any] | int) -> None:
        """Call it; arrays are passed by address and must be contiguous."""
        self._call(*(value if isinstance(value, int) else value.ctypes.data for value in arguments))


def aligned(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Zeros that begin at a multiple of 64 bytes, as vectors must."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.zeros(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size].view(dtype).reshape(shape)
