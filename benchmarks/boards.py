"""Bitstreams of record: what docs/boards.md says of boards is what this builds.

    python benchmarks/boards.py NAME... [--output FOLDER] [--list]

Each is compiled and built, and what became of it is kept in docs/builds/NAME.json; `python docs/generate.py` makes the
table of it. Builds that fill a large part take an hour and more. Earlier equal builds are taken from the cache.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from pbit_hw.boards import STAGES, build
from pbit_hw.boards.build import SEED, BuildResult
from pbit_hw.cli.inputs import read_model
from pbit_hw.compiler import Program, compile
from pbit_hw.contract.container import write_whole
from pbit_hw.contract.engines import ENGINES
from pbit_hw.contract.forms import Form
from pbit_hw.contract.generator import Generator

RECORDS = Path(__file__).parents[1] / "docs" / "builds"
UNRECORDED = ("bitstream", "logs", "cached")
"""Of a result: what is true of one machine only."""


@dataclass(frozen=True)
class Recorded:
    """One of them.

    Parameters
    ----------
    model : str
        What `pbit compile` takes; G11 is of Rinaldi's G-set, in the folder that ``--data`` names.
    board : str
        Name of a board.
    kind : Form or str
        Form of an array's p-bits, or the name of an engine.
    clock_mhz : float
        The most that the clock may have.
    interleave : int
        Replicas that the program is compiled with; a form that needs more gets more.
    seed : int
        Of the placer.
    """

    model: str
    board: str
    kind: Form | str
    clock_mhz: float
    interleave: int = 1
    seed: int = SEED

    def compiled(self, data: Path) -> Program:
        """The program that is built for."""
        model = read_model(str(data / self.model) if self.model.endswith(".txt") else self.model)
        if isinstance(self.kind, Form):
            return compile(model, generator=Generator.LINEAR64.name.lower(), interleave=self.interleave)
        shape = ENGINES[self.kind].shape
        generator = shape.generator.name.lower()
        return compile(model, generator=generator, lanes=shape.lanes, interleave=shape.interleave)


BUILDS = {
    "icebreaker": Recorded("full-adder", "icebreaker", Form.TABLE, 36),
    "icebreaker_table": Recorded("lattice:4x6", "icebreaker", Form.TABLE, 39),
    "icebreaker_baked": Recorded("lattice:8x8", "icebreaker", Form.BAKED, 39.8),
    "icebreaker_tiled": Recorded("G11.txt", "icebreaker", "icebreaker-tiled", 40),
    "icebreaker_lattice": Recorded("lattice:128x56:0", "icebreaker", "icebreaker-lattice", 38.25),
    "icebreaker_large_lattice": Recorded("lattice:224x224:0", "icebreaker", "icebreaker-large-lattice", 36),
    "hx8k": Recorded("full-adder", "ice40_hx8k_b_evn", Form.TABLE, 80),
    "hx8k_table": Recorded("lattice:4x6", "ice40_hx8k_b_evn", Form.TABLE, 90),
    "hx8k_baked": Recorded("lattice:4x26", "ice40_hx8k_b_evn", Form.BAKED, 99),
    "icesugar": Recorded("full-adder", "icesugar_pro", Form.TABLE, 90),
    "icesugar_table": Recorded("lattice:14x16", "icesugar_pro", Form.TABLE, 95),
    "icesugar_baked": Recorded("lattice:16x20", "icesugar_pro", Form.BAKED, 95),
    "icesugar_tiled": Recorded("lattice:20x20:0", "icesugar_pro", "icesugar-tiled", 100),
    "icesugar_lattice": Recorded("lattice:256x256:0", "icesugar_pro", "icesugar-lattice", 84),
    "ulx3s": Recorded("full-adder", "ulx3s_85f", Form.TABLE, 90),
    "ulx3s_g11": Recorded("G11.txt", "ulx3s_85f", Form.TABLE, 62),
    "ulx3s_cubic": Recorded("lattice:6x6x8:0", "ulx3s_85f", Form.TABLE, 44),
    "ulx3s_circulant": Recorded("circulant:44:1,2,3,5,6,7,9,22", "ulx3s_85f", Form.ADDER, 47.5, interleave=20),
    "ulx3s_tiled": Recorded("regular:6:16384", "ulx3s_85f", "ulx3s-tiled", 93, seed=3),
    "ulx3s_dense": Recorded("rbm:784x256", "ulx3s_85f", "ulx3s-dense", 90),
    "tang_nano": Recorded("full-adder", "tang_nano_9k", Form.TABLE, 30),
    "tang_nano_table": Recorded("lattice:6x8", "tang_nano_9k", Form.TABLE, 20),
    "tang_primer": Recorded("full-adder", "tang_primer_20k", Form.TABLE, 60),
    "tang_primer_table": Recorded("lattice:8x10", "tang_primer_20k", Form.TABLE, 45),
}


def main() -> None:
    """Build those that are named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*BUILDS, []], help="which")
    parser.add_argument("--output", default="build", help="folder for bitstreams and logs")
    parser.add_argument("--data", type=Path, default=Path(), help="folder of G11.txt")
    parser.add_argument("--list", action="store_true", help="say which there are")
    options = parser.parse_args()
    if options.list:
        print("\n".join(f"{name}: {entry}" for name, entry in BUILDS.items()))
    for name in options.names:
        result = record(name, Path(options.output) / name, options.data)
        print(f"{name}: {result.flips_per_s / 1e9:.3g} Gflips/s at {result.clock_hz / 1e6:.4g} MHz", flush=True)


def record(name: str, folder: Path, data: Path) -> BuildResult:
    """Build one and keep its figures."""
    entry = BUILDS[name]
    program = entry.compiled(data)

    def progress(stage: str, seconds: float) -> None:
        print(
            f"\r{name}: {stage} ({STAGES.index(stage) + 1} of {len(STAGES)}), {seconds:.0f} s", end="", file=sys.stderr
        )

    form = entry.kind if isinstance(entry.kind, Form) else None
    result = build(
        program.image, entry.board, folder, progress, form=form, clock_hz=1e6 * entry.clock_mhz, seed=entry.seed
    )
    print(file=sys.stderr)
    kept = {key: value for key, value in result.to_json().items() if key not in UNRECORDED}
    kept = {"name": name, "program": Path(entry.model).stem, **kept}
    write_whole(RECORDS / f"{name}.json", json.dumps(kept, indent=2).encode() + b"\n")
    return result


if __name__ == "__main__":
    main()
