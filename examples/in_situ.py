"""Digits read on junctions that are not alike, with weights of 6 bits: as trained elsewhere, and as learned in situ.

python examples/in_situ.py in_situ.png
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

import pbit_hw as pb
from pbit_hw.compiler.program import Program
from pbit_hw.contract.sampler import Sampler
from pbit_hw.host.inference import classify
from pbit_hw.host.training import Trainer, train
from pbit_hw.sim.devices.array import DeviceArray
from pbit_hw.sim.devices.dac import Dac
from pbit_hw.sim.devices.variation import Variation

HIDDEN = 64
LEARNED = 1_000
CLASSES = 10
FINE_FORMAT = "s[3][10]"
"""Of the reference: steps of 1/1024, as good as float."""

WEIGHT_FORMAT = "s[2][3]"
"""Six bits, the sign included: steps of 1/8 up to 31/8."""

DAC = Dac(bits=6, limit=4.0)
"""Converter of every junction: tanh 4 = 0.9993, so that drives beyond would change nothing."""

STEP = 0.05
DEPLOYED, IN_SITU = "#d55e00", "#0072b2"

RULE: dict[str, Any] = {"batch_size": 50, "momentum": 0.5, "discriminative": 0.9, "chains": 100}
READINGS = 10
"""Of the reference, whose own sampling noise would count in every draw."""

READING: dict[str, Any] = {"burn_in": 10, "sweeps": 40}

CASES = ((0.0, DAC.limit, 1), (0.2, 1.0, 3), (0.1, DAC.limit, 3), (0.2, DAC.limit, 5), (0.3, DAC.limit, 3))
"""Spread of sensitivity and time scale, drive of which it is that of the offset too, and how many draws."""

ALIKE, BAR = CASES[0][:2], CASES[3][:2]

Right = npt.NDArray[np.bool_]
"""Which held-out images are read right."""


@dataclass
class Digits:
    """Rows to learn, image and label units; and images to read, with what they show."""

    rows: npt.NDArray[np.int8]
    images: npt.NDArray[np.int8]
    shown: npt.NDArray[np.intp]


@dataclass
class Draw:
    """One array of devices: what it reads right after each measured epoch in situ, and what it learned."""

    devices: Variation
    right: dict[int, Right]
    program: Program


@dataclass
class Case:
    """Arrays whose devices differ by as much; the last epoch's weights on other devices, if measured, beside them."""

    spread: float
    range: float
    draws: list[Draw]
    swapped: Right | None = None

    def after(self, epoch: int) -> Right:
        """Shape (draws, images)."""
        return np.stack([draw.right[epoch] for draw in self.draws])

    @property
    def deployed(self) -> Right:
        """Without further learning, shape (draws, images)."""
        return self.after(0)

    @property
    def taught(self) -> Right:
        """After the last epoch in situ, shape (draws, images)."""
        return self.after(max(self.draws[0].right))


@dataclass
class Found:
    """What the reference reads right, shape (readings, images), and the arrays of each case."""

    reference: Right
    cases: list[Case]

    @property
    def alike(self) -> Case | None:
        """Devices that are alike."""
        return self._find(ALIKE)

    @property
    def bar(self) -> Case:
        """The case that the figure shows epoch by epoch."""
        found = self._find(BAR)
        assert found is not None
        return found

    def _find(self, kind: tuple[float, float]) -> Case | None:
        return next((case for case in self.cases if (case.spread, case.range) == kind), None)


def split(held_out: int) -> Digits:
    """Binary 8 x 8 digits in a random order: 1,000 to learn, and others to read."""
    found = load_digits()
    order = np.random.default_rng(0).permutation(len(found.target))
    pixels, shown = (found.data[order] > 7.5).astype(np.int8), found.target[order]
    rows = np.hstack([pixels, np.eye(CLASSES, dtype=np.int8)[shown]])
    read = slice(LEARNED, LEARNED + held_out)
    return Digits(rows[:LEARNED], pixels[read], shown[read])


def untrained(rows: npt.NDArray[np.int8]) -> pb.RBM:
    """Small random couplings, and visible biases that give each unit its mean."""
    mean = rows.mean(axis=0).clip(0.01, 0.99)
    couplings = np.random.default_rng(0).normal(0, 0.05, (rows.shape[1], HIDDEN))
    return pb.RBM(couplings, np.log(mean / (1 - mean)), np.zeros(HIDDEN))


def label_units(program: Program) -> list[int]:
    """The ten units that hold the label."""
    return [program.model.labels[unit] for unit in program.model.visible[-CLASSES:]]


def taught_elsewhere(digits: Digits, epochs: int) -> Program:
    """The reference: learned with fine weights, on p-bits that are alike."""
    simulator = pb.Simulator(pb.compile(untrained(digits.rows), weight_format=FINE_FORMAT), seed=1)
    targets = label_units(simulator.program)
    settings: dict[str, Any] = {"learning_rate": (0.5, 0.02), "sweeps": 5, "mean_field": True, "seed": 1}
    train(simulator, digits.rows, epochs=epochs, targets=targets, **settings, **RULE)
    return simulator.program


def read(sampler: Sampler, digits: Digits) -> Right:
    """Clamp each held-out image and take the label unit that is on most of the time."""
    units = label_units(sampler.program)
    pixels = [sampler.program.model.labels[unit] for unit in sampler.program.model.visible[:-CLASSES]]
    chosen, _ = classify(sampler, pixels, digits.images, [[unit] for unit in units], **READING)
    return chosen == digits.shown


def junctions(size: int, spread: float, drive: float, seed: int) -> Variation:
    """Sensitivities and time scales that differ by a share of themselves, offsets by that share of a drive."""
    return Variation.draw(size, sensitivity=spread, offset=spread * drive, time_scale=spread, seed=seed)


def emulated(program: Program, devices: Variation) -> DeviceArray:
    """The array of these devices."""
    return DeviceArray(program, variation=devices, dac=DAC, dt_over_tau=STEP, seed=1)


def learn_in_situ(program: Program, devices: Variation, digits: Digits, measured: tuple[int, ...]) -> Draw:
    """Go on learning with these devices in the loop, and read the held-out images after some epochs."""
    array = emulated(program, devices)
    right = {0: read(array, digits)}

    def look(trainer: Trainer) -> None:
        if trainer.epoch in measured:
            right[trainer.epoch] = read(array, digits)

    settings: dict[str, Any] = {"learning_rate": (0.3, 0.02), "sweeps": 3, "seed": 1, "callbacks": [look]}
    train(array, digits.rows, epochs=measured[-1], targets=label_units(program), **settings, **RULE)
    return Draw(devices, right, array.program)


def study(case: tuple[float, float, int], program: Program, digits: Digits, measured: tuple[int, ...]) -> Case:
    """Every draw of a case; those that are measured on the way also with the weights of the draw before."""
    spread, drive, draws = case
    size = program.model.size
    arrays = [junctions(size, spread, drive, seed) for seed in range(draws)]
    found = Case(spread, drive, [learn_in_situ(program, devices, digits, measured) for devices in arrays])
    if len(measured) > 1 and draws > 1:
        pairs = zip(found.draws, [found.draws[-1], *found.draws[:-1]], strict=True)
        found.swapped = np.stack([read(emulated(other.program, own.devices), digits) for own, other in pairs])
    return found


def recovered(reference: Right, deployed: Right, taught: Right) -> tuple[float, float, float, float]:
    """Accuracy lost and its standard error, and the share of it that is recovered and its own.

    The same images are read throughout: errors are of the differences, by 2,000 resamples of the images.
    """
    each = np.stack([np.atleast_2d(right).mean(axis=0) for right in (reference, deployed, taught)], axis=1)
    images = len(each)
    counts = np.random.default_rng(0).multinomial(images, np.full(images, 1 / images), 2_000)
    means = np.vstack([each.mean(axis=0), counts @ each / images])
    lost = means[:, 0] - means[:, 1]
    share = (means[:, 2] - means[:, 1]) / np.where(lost, lost, np.nan)
    return lost[0], lost[1:].std(), share[0], np.nanstd(share[1:])


def percent(right: Right) -> str:
    """Accuracy and its binomial error, of the images: draws read the same ones."""
    mean = right.mean()
    return f"{100 * mean:5.1f} +- {100 * np.sqrt(mean * (1 - mean) / right.shape[-1]):.1f}"


def report(found: Found) -> None:
    """Print the table, and what every draw of the bar's case recovers."""
    print(f"reference {percent(found.reference)} % of {found.reference.shape[1]} held-out images")
    print("spread  offset  draws  deployed      in situ       lost         recovered")
    for case in found.cases:
        lost, error, share, share_error = recovered(found.reference, case.deployed, case.taught)
        gained = f"{share:.0%} +- {share_error:.0%}" if lost > 3 * error else "too little lost"
        print(
            f"{case.spread:5.0%}   {case.spread * case.range:5.2f}   {len(case.draws)}      {percent(case.deployed)}  "
            f" {percent(case.taught)}   {100 * lost:4.1f} +- {100 * error:.1f}  {gained}"
        )
    for place, (deployed, taught) in enumerate(zip(found.bar.deployed, found.bar.taught, strict=True)):
        _, _, share, error = recovered(found.reference, deployed, taught)
        print(f"draw {place}: deployed {percent(deployed)}, in situ {percent(taught)}, {share:.0%} +- {error:.0%}")
    if found.alike is not None:
        _, _, share, error = recovered(found.alike.taught, found.bar.deployed, found.bar.taught)
        print(f"of the loss against devices alike that learned as long: {share:.0%} +- {error:.0%}")
    if found.bar.swapped is not None:
        print(f"with the weights that another draw learned in situ: {percent(found.bar.swapped)}")


def draw_epochs(axes: Axes, found: Found) -> None:
    """Every draw of the bar's case as it learns, and devices alike that learn as long."""
    epochs = list(found.bar.draws[0].right)
    curves = 100 * np.stack([found.bar.after(epoch).mean(axis=1) for epoch in epochs])
    if found.alike is not None:
        alike = [100 * found.alike.after(epoch).mean() for epoch in epochs]
        axes.plot(epochs, alike, color="#555555", marker="^", markersize=4, linewidth=1, label="in situ, devices alike")
    axes.plot(epochs, curves, color=IN_SITU, linewidth=0.8, alpha=0.6)
    axes.plot(epochs, curves.mean(axis=1), color=IN_SITU, linewidth=2.2, marker="o", label="in situ, mean and draws")
    axes.plot([0] * curves.shape[1], curves[0], "s", color=DEPLOYED, label="deployed, 6 bits")
    if found.bar.swapped is not None:
        swapped = 100 * found.bar.swapped.mean(axis=1)
        axes.plot([epochs[-1]] * len(swapped), swapped, "x", color="#cc79a7", label="weights that another draw learned")
    _, _, share, error = recovered(found.reference, found.bar.deployed, found.bar.taught)
    axes.set(xlabel="epochs in situ", title=f"{BAR[0]:.0%} of variation: {share:.0%} ± {error:.0%} recovered")


def draw_spreads(axes: Axes, found: Found) -> None:
    """Deployed and in situ by variation: means, and every draw."""
    cases = [case for case in found.cases if case.range == DAC.limit]
    spreads = [100 * case.spread for case in cases]
    for name, colour, marker in (("deployed", DEPLOYED, "s"), ("taught", IN_SITU, "o")):
        each = [100 * getattr(case, name).mean(axis=1) for case in cases]
        for spread, values in zip(spreads, each, strict=True):
            axes.plot([spread] * len(values), values, marker, color=colour, alpha=0.35, markersize=5)
        label = "in situ" if name == "taught" else "deployed, 6 bits"
        axes.plot(spreads, [values.mean() for values in each], color=colour, marker=marker, label=label)
    axes.set(
        xlabel=f"variation in %; offsets in % of a drive of {DAC.limit:g}",
        xticks=spreads,
        title="Before and after learning",
    )


def draw(found: Found, output: str | Path) -> None:
    """Both panels, with the reference and its binomial error."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    panels = figure.subplots(1, 2)
    draw_epochs(panels[0], found)
    draw_spreads(panels[1], found)
    mean = found.reference.mean()
    error = np.sqrt(mean * (1 - mean) / found.reference.shape[1])
    for axes in panels:
        axes.axhspan(100 * (mean - error), 100 * (mean + error), color="#999999", alpha=0.25, linewidth=0)
        axes.axhline(100 * mean, color="#555555", linestyle="--", label="reference: fine weights, p-bits alike")
        axes.legend(frameon=False, loc="lower left")
        axes.set_ylabel("held-out digits read right in %")
    low, high = panels[0].get_ylim()
    panels[0].set_ylim(low - 0.4 * (high - low), high)  # room for the legend
    figure.savefig(output, dpi=110)


def main(output: str | Path = "in_situ.png", *, quick: bool = False) -> Found:
    """Write the figure; returns what was read right."""
    digits = split(250 if quick else 797)
    fine = taught_elsewhere(digits, 25 if quick else 100)
    reference = np.stack([read(pb.Simulator(fine, seed=seed), digits) for seed in range(READINGS)])
    program = pb.compile(fine.model, weight_format=WEIGHT_FORMAT)
    found = Found(reference, [])
    for case in ((*BAR, 1),) if quick else CASES:
        every = (1, 2, 3, 6, 10) if case[:2] in (ALIKE, BAR) else (10,)
        found.cases.append(study(case, program, digits, (3,) if quick else every))
    draw(found, output)
    report(found)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", nargs="?", default="in_situ.png", help="picture to write (default: %(default)s)")
    main(parser.parse_args().output)
