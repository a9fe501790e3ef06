"""The sweep kernel on another architecture: compiled for aarch64, run under qemu, and compared with cycle mode."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numpy as np
import pytest

from pbit_hw.compiler import Ising, compile, library
from pbit_hw.contract.generator import GENERATOR_NAMES
from pbit_hw.sim import ensemble, kernel
from pbit_hw.sim.native import Processor
from pbit_hw.sim.simulator import Simulator

GCC, QEMU = "aarch64-linux-gnu-gcc", "qemu-aarch64"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (shutil.which(GCC) and shutil.which(QEMU)), reason=f"needs {GCC} and {QEMU}"),
]

ARRAYS, NUMBERS = 11, 2
WRITTEN = (0, 1, 3, 10)
"""States, registers, fields and kept states: what the kernel changes."""

MAIN = f"""
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
void sweeps({", ".join(["int64_t"] * (ARRAYS + NUMBERS))});
int main(void) {{
  FILE *in = fopen("in", "rb"), *out = fopen("out", "wb");
  int64_t size[{ARRAYS}], a[{ARRAYS + NUMBERS}];
  int written[] = {{{", ".join(map(str, WRITTEN))}}};
  for (int i = 0; i < {ARRAYS}; i++) {{
    void *memory;
    fread(&size[i], 8, 1, in);
    posix_memalign(&memory, 64, size[i] + 64);
    fread(memory, 1, size[i], in);
    a[i] = (int64_t)memory;
  }}
  fread(&a[{ARRAYS}], 8, {NUMBERS}, in);
  sweeps({", ".join(f"a[{place}]" for place in range(ARRAYS + NUMBERS))});
  for (int i = 0; i < {len(WRITTEN)}; i++) fwrite((void *)a[written[i]], 1, size[written[i]], out);
  return 0;
}}
"""


class Emulated:
    """What `native.Machine` is, on an emulated processor."""

    folder: Path

    def __init__(self, function: Any, processor: Processor) -> None:
        llvm.initialize_all_targets()
        llvm.initialize_all_asmprinters()
        target = llvm.Target.from_triple("aarch64-unknown-linux-gnu").create_target_machine(opt=3, reloc="pic")
        module = llvm.parse_assembly(function.text())
        passes = llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options(speed_level=3))
        passes.getModulePassManager().run(module, passes)
        (self.folder / "kernel.o").write_bytes(target.emit_object(module))
        (self.folder / "main.c").write_text(MAIN)
        command = [GCC, "-w", "-static", "-o", "kernel", "main.c", "kernel.o"]
        subprocess.run(command, cwd=self.folder, check=True)

    def __call__(self, *arguments: Any) -> None:
        arrays, numbers = arguments[:ARRAYS], arguments[ARRAYS:]
        sized = [np.int64(array.nbytes).tobytes() + array.tobytes() for array in arrays]
        (self.folder / "in").write_bytes(b"".join(sized) + np.array(numbers, np.int64).tobytes())
        subprocess.run([QEMU, "./kernel"], cwd=self.folder, check=True)
        with (self.folder / "out").open("rb") as out:
            for array in (arrays[place] for place in WRITTEN):
                array[...] = np.frombuffer(out.read(array.nbytes), array.dtype).reshape(array.shape)


def complete() -> Ising:
    rng = np.random.default_rng(0)
    return Ising(rng.normal(size=40), np.triu(rng.normal(0, 0.3, (40, 40)), 1))


@pytest.mark.parametrize("replicas", [1, 70])
@pytest.mark.parametrize("generator", GENERATOR_NAMES)
@pytest.mark.parametrize(
    ("model", "formats"),
    [
        (library.lattice((6, 6, 6), spin_glass_seed=0), {}),
        (complete(), {}),
        (complete(), {"weight_bits": 20}),
        (complete(), {"weight_format": "s[2][22]", "beta_format": "u[3][18]"}),
    ],
    ids=["8 bits", "16 bits", "32 bits", "wide products"],
)
def test_the_kernel_does_the_same(model, formats, generator, replicas, tmp_path, monkeypatch):
    monkeypatch.setattr(Emulated, "folder", tmp_path, raising=False)
    monkeypatch.setattr(kernel, "Machine", Emulated)
    monkeypatch.setattr(ensemble, "host", lambda: Processor("aarch64", str(tmp_path)))  # a kernel of its own
    program = compile(model, generator=generator, **formats)
    request = program.request(7, replicas=replicas, beta=(0.1, 2.0), keep_every=3, seed=2)
    swept, clocked = (Simulator(program, mode=mode).run(request).states for mode in ("sweep", "cycle"))
    assert np.array_equal(swept, clocked)
