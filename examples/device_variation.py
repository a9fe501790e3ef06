"""A full adder of five p-bits that are not alike: as programmed, as learned on others, and as learned in situ.

python examples/device_variation.py device_variation.png
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import pbit_hw as pb
from pbit_hw.compiler.library import full_adder, full_adder_truth_table
from pbit_hw.compiler.program import Program
from pbit_hw.host.training import train
from pbit_hw.sim.devices.array import DeviceArray
from pbit_hw.sim.devices.autonomous import stationary, transition_matrix
from pbit_hw.sim.devices.dac import Dac
from pbit_hw.sim.devices.variation import Variation
from pbit_hw.sim.exact import state_index
from pbit_hw.sim.statistics import total_variation

TRUTH = full_adder_truth_table().astype(np.int8) * 2 - 1
SPREADS = (0.0, 0.05, 0.1, 0.2, 0.3)
DAC = Dac(bits=10, limit=16.0)
BITS = range(2, 11)
LIMITS = (4.0, 8.0, 16.0)
STEP = 0.005

CURVES = {
    "nominal weights": ("#999999", "^"),
    "learned on nominal devices": ("#d55e00", "s"),
    "learned in situ": ("#0072b2", "o"),
}

Divergences = dict[tuple[str, float], list[float]]


def devices(spread: float, draw: int) -> Variation:
    """Five devices that differ in everything by as much."""
    return Variation.draw(5, sensitivity=spread, offset=spread, time_scale=spread, seed=draw)


def chances(program: Program, variation: Variation, dac: Dac | None = DAC) -> npt.NDArray[np.float64]:
    """What devices sample, exactly: the stationary distribution of their transition matrix."""
    in_order = variation.take(np.argsort(program.order))
    return stationary(transition_matrix(program.quantised, dt_over_tau=STEP, variation=in_order, dac=dac))


def divergence(program: Program, variation: Variation) -> float:
    """KL(truth table || devices) in nats."""
    true = np.maximum(chances(program, variation)[state_index(TRUTH)], np.finfo(float).tiny)
    return float(-np.log(len(TRUTH)) - np.log(true).mean())


def learned(program: Program, variation: Variation, seed: int, epochs: int) -> Program:
    """What contrastive divergence makes of a program with these devices in the loop."""
    array = DeviceArray(program, variation=variation, dac=DAC, dt_over_tau=STEP, seed=seed)
    train(
        array,
        TRUTH,
        epochs=epochs,
        batch_size=len(TRUTH),
        learning_rate=(1.0, 0.02),
        sweeps=5,
        chains=256,
        seed=seed,
    )
    return array.program


def study(nominal: Program, spreads: tuple[float, ...], draws: int, epochs: int) -> tuple[Divergences, Program]:
    """Divergence of every draw by curve and spread, and the weights that the first nominal devices taught."""
    found: Divergences = {(name, spread): [] for name in CURVES for spread in spreads}
    elsewhere = [learned(nominal, devices(0.0, draw), draw, epochs) for draw in range(draws)]
    for spread in spreads:
        for draw in range(draws):
            own = devices(spread, draw)
            here = learned(nominal, own, draw, epochs) if spread else elsewhere[draw]
            for name, program in zip(CURVES, (nominal, elsewhere[draw], here), strict=True):
                found[name, spread].append(divergence(program, own))
    return found, elsewhere[0]


def draw_spreads(axes: Axes, found: Divergences, spreads: tuple[float, ...]) -> None:
    """Medians, with the range over the draws shaded."""
    percent = 100 * np.array(spreads)
    for name, (colour, marker) in CURVES.items():
        values = np.array([found[name, spread] for spread in spreads])
        axes.fill_between(percent, values.min(axis=1), values.max(axis=1), color=colour, alpha=0.18, linewidth=0)
        axes.plot(percent, np.median(values, axis=1), marker=marker, color=colour, label=name)
    axes.set(xlabel="spread of sensitivity, offset and time scale in %", ylabel="KL(truth table || devices) in nats")
    axes.set(ylim=(0, None), xticks=percent, title=f"Variation: median and range of {len(values[0])} draws")
    axes.legend(frameon=False, loc="upper left")


def draw_converters(axes: Axes, program: Program) -> dict[tuple[float, int], float]:
    """How far converters move nominal devices with learned weights; returns the distance by limit and bits."""
    nominal = devices(0.0, 0)
    fine = chances(program, nominal, None)
    found = {
        (limit, bits): total_variation(chances(program, nominal, Dac(bits, limit)), fine)
        for limit in LIMITS
        for bits in BITS
    }
    for limit, colour, marker in zip(LIMITS, ("#cc79a7", "#009e73", "#56b4e9"), "osD", strict=True):
        curve = [found[limit, bits] for bits in BITS]
        axes.semilogy(BITS, curve, marker=marker, color=colour, label=f"drives up to {limit:g}")
    axes.set(xlabel="bits of the converter", ylabel="total variation from no converter")
    axes.set_title("Converter, no variation, learned weights")
    axes.legend(frameon=False)
    return found


def main(output: str | Path = "device_variation.png", *, quick: bool = False) -> Divergences:
    """Write the figure; returns the divergence of every draw by curve and spread."""
    spreads, draws, epochs = ((0.0, 0.3), 2, 30) if quick else (SPREADS, 24, 100)
    nominal = pb.compile(full_adder(), weight_format="s[4][6]")
    found, taught = study(nominal, spreads, draws, epochs)
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.3, 1))
    draw_spreads(left, found, spreads)
    converters = draw_converters(right, taught)
    figure.savefig(output, dpi=150)
    for (name, spread), values in found.items():
        print(f"{name:27} {spread:4.0%}  KL {np.median(values):.3f} ({min(values):.3f} to {max(values):.3f})")
    for limit in LIMITS:
        print(
            f"drives up to {limit:<3g} TV " + "  ".join(f"{bits} bits {converters[limit, bits]:.4f}" for bits in BITS)
        )
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "output", nargs="?", default="device_variation.png", help="picture to write (default: %(default)s)"
    )
    main(parser.parse_args().output)
