"""What a step of contrastive divergence costs: bytes over the link by kind, and time on the wire, in array and host.

Bytes are counted and the host is timed; wire and array are modelled from the bytes. Nothing here was run on a board.

python examples/training_cost.py training_cost.png
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import pbit_hw as pb
from pbit_hw.compiler.library import FULL_ADDER_LABELS, lattice
from pbit_hw.compiler.models import Model
from pbit_hw.host.divergence import ContrastiveDivergence
from pbit_hw.host.metering import Cost, Meter
from pbit_hw.host.transport import BAUD
from pbit_hw.sim.virtual import CLOCK_HZ, VirtualDevice

BAUDS = (115_200, 1_000_000, 3_000_000, 12_000_000)
ROWS = 50
WEIGHT_FORMAT = "s[3][6]"
MODELLED = "modelled from counted bytes at this baud, not run on a board"

GROUPS = {
    "generators": ("WRITE GENERATOR",),
    "states, clamps": ("WRITE STATE", "WRITE CLAMP"),
    "weights, biases": ("WRITE WEIGHT", "WRITE BIAS"),
    "samples": ("SAMPLE",),
}
"""Kinds of traffic that are shown as one; what is left is beta."""

COLOURS = ("#0072b2", "#56b4e9", "#e69f00", "#009e73", "0.6")
TIMES = {"wire": "#cc79a7", "array": "#d55e00", "host": "0.3"}


def machines() -> dict[str, Model]:
    """The full adder's five units, an RBM of digits' size, and a square lattice of which half is hidden."""
    couplings = np.random.default_rng(0).normal(0, 0.05, (64, 32))
    return {
        "full adder": pb.BoltzmannMachine(list(FULL_ADDER_LABELS)),
        "RBM 64-32": pb.RBM(couplings, np.zeros(64), np.zeros(32)),
        "lattice 20x20": pb.BoltzmannMachine(200, 200, edges=lattice((20, 20)).edges),
    }


def measure(model: Model, steps: int, *, simulate: bool = False) -> tuple[Cost, float]:
    """Mean cost of a step of CD-1 over a batch of random rows, and the wall-clock seconds that it took."""
    program = pb.compile(model, weight_format=WEIGHT_FORMAT)
    device = VirtualDevice(program.image)
    meter = Meter(device, colours=program.image.colours, clock_hz=CLOCK_HZ, baud=BAUD, simulate=simulate)
    learner = ContrastiveDivergence(pb.Device(program, meter, seed=1), sweeps=1, seed=1)
    bits = np.random.default_rng(1).integers(0, 2, (ROWS, len(model.visible)), np.int8)
    rows = bits * (1 + model.unit) - model.unit
    learner.step(rows, 0.01)  # the first one loads and compiles
    meter.lap()
    started_s = time.perf_counter()
    for _ in range(steps):
        learner.step(rows, 0.01)
    return meter.lap() / steps, (time.perf_counter() - started_s) / steps


def grouped_bytes(cost: Cost) -> dict[str, float]:
    """Bytes of both directions by group."""
    sums = {kind: traffic.bytes_out + traffic.bytes_in for kind, traffic in cost.by_kind.items()}
    groups = {group: sum(sums.pop(kind, 0.0) for kind in kinds) for group, kinds in GROUPS.items()}
    return {**groups, "other": sum(sums.values())}


def stack(axes: Axes, place: float, parts: list[float], colours: tuple[str, ...], total: str) -> None:
    """A bar of shares, with what they are shares of above it."""
    tops = np.cumsum(parts) / sum(parts)
    axes.bar(place, np.diff(tops, prepend=0), bottom=tops - np.diff(tops, prepend=0), color=colours, width=0.8)
    axes.text(place, 1.01, total, ha="center", va="bottom", fontsize=8)


def draw_bytes(axes: Axes, costs: dict[str, Cost]) -> None:
    """Shares of the bytes of a step, a bar for each machine."""
    for place, cost in enumerate(costs.values()):
        parts = list(grouped_bytes(cost).values())
        stack(axes, place, parts, COLOURS, f"{sum(parts) / 1e3:,.0f} kB\n{cost.requests:,.0f} requests")
    axes.set_xticks(range(len(costs)), list(costs))
    axes.set(
        ylabel="share", ylim=(0, 1.12), title=f"Bytes of a step of CD-1 with {ROWS} rows,\ncounted in both directions"
    )
    axes.title.set_fontsize(10)
    for label, colour in zip([*GROUPS, "other (beta)"], COLOURS, strict=True):
        axes.bar(0, 0, color=colour, label=label)


def draw_times(axes: Axes, costs: dict[str, Cost]) -> None:
    """Shares of the time of a step, a bar for each machine and baud."""
    places, names = [], []
    for group, (name, cost) in enumerate(costs.items()):
        first = group * (len(BAUDS) + 1)
        for place, baud in enumerate(BAUDS, first):
            at = replace(cost, baud=baud)
            stack(axes, place, [at.wire_s, at.array_s, at.host_s], tuple(TIMES.values()), _duration(at.total_s))
            places.append(place)
            names.append(_rate(baud))
        axes.text(first + (len(BAUDS) - 1) / 2, -0.13, name, ha="center", va="top")
    axes.set_xticks(places, names)
    axes.set(ylabel="share", ylim=(0, 1.12), title=f"Time of a step by baud\n{MODELLED}; host measured")
    axes.title.set_fontsize(10)
    longest_ms = max(cost.array_s for cost in costs.values()) * 1e3
    notes = {"array": f"array ({longest_ms:.3f} ms at most: too thin to see)"}
    for label, colour in TIMES.items():
        axes.bar(0, 0, color=colour, label=notes.get(label, label))


def _rate(baud: int) -> str:
    return f"{baud // 10**6} M" if baud >= 10**6 else f"{baud / 1e3:g} k"


def _duration(seconds: float) -> str:
    return f"{seconds:.2g} s" if seconds >= 0.1 else f"{seconds * 1e3:.0f} ms"


def draw(output: str | Path, costs: dict[str, Cost]) -> None:
    """What travels, and what takes the time."""
    figure = Figure(figsize=(12, 5.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 2.2))
    draw_bytes(left, costs)
    draw_times(right, costs)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, ncols=3, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.18))
    figure.savefig(output, dpi=150)


def print_tables(costs: dict[str, Cost]) -> None:
    """Counts and times of a step in Markdown."""
    header = ["machine", "requests", "bytes", *GROUPS, "other"]
    print(f"CD-1, {ROWS} rows a step: bytes in both directions, counted\n")
    print(f"| {' | '.join(header)} |\n|{' --- |' * len(header)}")
    for name, cost in costs.items():
        counts = [cost.requests, cost.bytes_out + cost.bytes_in, *grouped_bytes(cost).values()]
        print(f"| {name} | {' | '.join(f'{count:,.0f}' for count in counts)} |")
    print(f"\nTime of a step; wire and array {MODELLED}; host measured\n")
    print(f"| machine | baud | wire ms | array ms | host ms | all ms |\n|{' --- |' * 6}")
    for name, cost in costs.items():
        for at in (replace(cost, baud=baud) for baud in BAUDS):
            times = (f"{1e3 * seconds:,.{digits}f}" for seconds, digits in zip(_times(at), (1, 3, 1, 1), strict=True))
            print(f"| {name} | {at.baud:,} | {' | '.join(times)} |")


def _times(cost: Cost) -> tuple[float, float, float, float]:
    return cost.wire_s, cost.array_s, cost.host_s, cost.total_s


def main(output: str | Path = "training_cost.png", *, quick: bool = False) -> dict[str, Cost]:
    """Write the figure; returns the mean cost of a step by machine."""
    models = machines()
    costs = {name: measure(model, 2 if quick else 20)[0] for name, model in models.items()}
    draw(output, costs)
    print_tables(costs)
    print(f"\nWith the virtual device slowed down to {BAUD:,} baud a step takes")
    for name, model in list(models.items())[: 1 if quick else None]:
        cost, wall_s = measure(model, 2, simulate=True)
        print(f"{name}: {1e3 * wall_s:,.0f} ms, modelled {1e3 * cost.total_s:,.0f} ms")
    return costs


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "output", nargs="?", default="training_cost.png", help="picture to write (default: %(default)s)"
    )
    main(parser.parse_args().output)
