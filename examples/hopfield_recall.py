"""Handwritten digits as memories of a Hopfield network: recalled from flipped pixels and from a half, on the array.

Hebb's rule holds two digits that differ much, not ten that resemble each other; the pseudo-inverse holds all ten.
Flipped pixels are where the array starts. Of a digit that is half hidden, the half that is seen is clamped.

python examples/hopfield_recall.py hopfield_recall.png
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from sklearn.datasets import load_digits

import pbit_hw as pb

Spins = npt.NDArray[np.int8]

SIDE = 8
SWEEPS = 30
FROM_NOISE, FROM_HALF = (4.0, 7.9), (0.5, 7.9)
"""Beta from the first sweep to the last. A clamped cue cannot be forgotten, so there it may begin hotter."""
SHARES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4)
FAR_APART = (3, 4)
SHOWN_SWEEPS = (1, 2, 4, 8, 16, SWEEPS)
STYLES: dict[str, dict[str, Any]] = {
    "hebb": {"color": "#d55e00", "marker": "s"},
    "pseudo-inverse": {"color": "#0072b2", "marker": "o"},
}
HALVES = {
    "upper": np.arange(SIDE * SIDE) < SIDE * SIDE // 2,
    "lower": np.arange(SIDE * SIDE) >= SIDE * SIDE // 2,
    "left": np.arange(SIDE * SIDE) % SIDE < SIDE // 2,
    "right": np.arange(SIDE * SIDE) % SIDE >= SIDE // 2,
}
"""Which pixels are hidden."""


@dataclass(frozen=True)
class Memory:
    """Digits that a network should remember, and the array that does."""

    rule: str
    digits: Spins
    simulator: pb.Simulator

    @property
    def name(self) -> str:
        """The rule and how many digits."""
        return f"{self.rule.capitalize()}, {len(self.digits)} digits"


@dataclass(frozen=True)
class Success:
    """Share of cues that end in exactly their digit, by share of flipped pixels and by hidden half."""

    from_noise: npt.NDArray[np.float64]
    from_half: dict[str, float]
    cues: int

    def error(self, share: Any) -> Any:
        """Standard error of a share, with one success and one failure more, so that 0 and 1 have one too."""
        share = (np.asarray(share) * self.cues + 1) / (self.cues + 2)
        return np.sqrt(share * (1 - share) / self.cues)


def typical_digits() -> Spins:
    """Of each class the picture that is most like its mean, dark pixels +1, shape (10, 64)."""
    data = load_digits()
    spins = np.where(data.data > 7.5, 1, -1).astype(np.int8)
    classes = [spins[data.target == digit] for digit in range(10)]
    return np.array([pictures[np.argmax(pictures @ pictures.mean(axis=0))] for pictures in classes])


def remember(digits: Spins, rule: Literal["hebb", "pseudo-inverse"], seed: int) -> Memory:
    """The array with the couplings that a rule gives."""
    return Memory(rule, digits, pb.Simulator(pb.compile(pb.Hopfield(digits, rule)), seed=seed))


def from_noise(memory: Memory, digits: Spins, share: float, seed: int, keep_every: int = SWEEPS) -> Spins:
    """States of the array that starts from digits, each with the same number of pixels flipped."""
    order = np.random.default_rng(seed).random(digits.shape).argsort(axis=1)
    cues = np.where(order < round(share * digits.shape[1]), -digits, digits)
    run = memory.simulator.sample(SWEEPS, replicas=len(cues), initial=cues, beta=FROM_NOISE, keep_every=keep_every)
    return np.concatenate([cues[None], run.states.reshape(-1, *cues.shape)])


def from_half(memory: Memory, digits: Spins, hidden: npt.NDArray[np.bool_], keep_every: int = SWEEPS) -> Spins:
    """States of the array in which the pixels that are seen are clamped."""
    seen = {int(pixel): digits[:, pixel] for pixel in np.flatnonzero(~hidden)}
    run = memory.simulator.sample(SWEEPS, replicas=len(digits), clamp=seen, beta=FROM_HALF, keep_every=keep_every)
    return np.concatenate([np.where(hidden, 0, digits)[None], run.states.reshape(-1, *digits.shape)])


def measure(memory: Memory, repeats: int) -> Success:
    """How often digits are recalled to the pixel."""
    digits = np.repeat(memory.digits, repeats, axis=0)

    def exactly(states: Spins) -> float:
        return float((states[-1] == digits).all(axis=1).mean())

    noisy = [exactly(from_noise(memory, digits, share, seed)) for seed, share in enumerate(SHARES)]
    halves = {name: exactly(from_half(memory, digits, hidden)) for name, hidden in HALVES.items()}
    return Success(np.array(noisy), halves, len(digits))


def draw_steps(figure: SubFigure, rows: dict[str, Spins]) -> None:
    """Pictures of one recall per row: the cue, and the array after some sweeps."""
    figure.suptitle("Recall on the array: cue, and states after sweeps")
    grid = figure.subplots(len(rows), 1 + len(SHOWN_SWEEPS), squeeze=False)
    for panels, (name, states) in zip(grid, rows.items(), strict=True):
        for panel, sweep in zip(panels, (0, *SHOWN_SWEEPS), strict=True):
            panel.imshow(-states[sweep].reshape(SIDE, SIDE), cmap="gray", vmin=-1, vmax=1)
            panel.set(xticks=[], yticks=[])
        panels[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    for panel, sweep in zip(grid[0], (0, *SHOWN_SWEEPS), strict=True):
        panel.set_title(f"{sweep}" if sweep else "cue", fontsize=10)


def draw_noise(axes: Axes, found: dict[str, tuple[Memory, Success]]) -> None:
    """Success against the share of flipped pixels."""
    for name, (memory, success) in found.items():
        axes.errorbar(
            100 * np.array(SHARES),
            success.from_noise,
            success.error(success.from_noise),
            label=name,
            linestyle="-" if len(memory.digits) > len(FAR_APART) else "--",
            capsize=2,
            linewidth=1,
            **STYLES[memory.rule],
        )
    axes.set(xlabel="flipped pixels in %", ylabel="share recalled to the pixel", title="Flipped pixels")
    axes.set(ylim=(-0.05, 1.05))
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(0.02, 0.35))


def draw_halves(axes: Axes, found: dict[str, tuple[Memory, Success]]) -> None:
    """Success by which half is hidden."""
    for place, (memory, success) in zip((-0.27, 0, 0.27), found.values(), strict=True):
        shares = np.array(list(success.from_half.values()))
        bars = axes.bar(
            np.arange(len(shares)) + place,
            shares,
            0.25,
            color=STYLES[memory.rule]["color"],
            alpha=1 if len(memory.digits) > len(FAR_APART) else 0.5,
            label=memory.name,
        )
        axes.bar_label(bars, fmt="%.2f", fontsize=8)
    axes.set_xticks(range(len(HALVES)), list(HALVES))
    axes.set(xlabel="hidden half", ylabel="share recalled to the pixel", title="Half hidden", ylim=(0, 1.3))
    axes.legend(frameon=False, ncols=3, fontsize=8, loc="upper center")


def draw(rows: dict[str, Spins], found: dict[str, tuple[Memory, Success]], output: str | Path) -> None:
    """Recalls step by step, and how often they succeed."""
    figure = Figure(figsize=(12, 8), layout="constrained")
    grid = figure.add_gridspec(2, 1, height_ratios=(1.3, 1))
    draw_steps(figure.add_subfigure(grid[0]), rows)
    left, right = figure.add_subfigure(grid[1]).subplots(1, 2)
    draw_noise(left, found)
    draw_halves(right, found)
    figure.savefig(output, dpi=150)


def print_table(found: dict[str, tuple[Memory, Success]]) -> None:
    """A line per network."""
    print(f"{'flipped pixels':>25}" + "".join(f"{share:7.0%}" for share in SHARES))
    for name, (_, success) in found.items():
        print(f"{name:>25}" + "".join(f"{share:7.2f}" for share in success.from_noise))
    print(f"{'hidden half':>25}" + "".join(f"{half:>7}" for half in HALVES))
    for name, (_, success) in found.items():
        print(f"{name:>25}" + "".join(f"{share:7.2f}" for share in success.from_half.values()))


def main(
    output: str | Path = "hopfield_recall.png", *, quick: bool = False, seed: int = 1
) -> dict[str, tuple[Memory, Success]]:
    """Write the figure; returns each network with how often it recalls."""
    digits = typical_digits()
    some = digits[list(FAR_APART)]
    memories = [remember(some, "hebb", seed), remember(digits, "hebb", seed), remember(digits, "pseudo-inverse", seed)]
    cues = 40 if quick else 1000
    found = {memory.name: (memory, measure(memory, cues // len(memory.digits))) for memory in memories}
    _, hebb, inverse = memories
    rows = {
        "Hebb,\n20 % flipped": from_noise(hebb, digits[3:4], 0.2, 0, 1)[:, 0],
        "pseudo-inverse,\nthe same cue": from_noise(inverse, digits[3:4], 0.2, 0, 1)[:, 0],
        "pseudo-inverse,\nlower half hidden": from_half(inverse, digits[5:6], HALVES["lower"], 1)[:, 0],
    }
    draw(rows, found, output)
    print_table(found)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "output", nargs="?", default="hopfield_recall.png", help="picture to write (default: %(default)s)"
    )
    main(parser.parse_args().output)
