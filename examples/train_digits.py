"""A 64-32 restricted Boltzmann machine learns handwritten digits: on the array over the link, and in float beside it.

python examples/train_digits.py digits_training.png
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

import pbit_hw as pb
from pbit_hw.compiler.program import Program
from pbit_hw.host.likelihood import pseudo_log_likelihood
from pbit_hw.host.training import train
from pbit_hw.sim.virtual import VirtualDevice

Float = npt.NDArray[np.float64]

HIDDEN = 32
WEIGHT_FORMAT = "s[3][6]"
BATCH_SIZE = 50
RATES = (0.5, 0.01)


@dataclass
class Curves:
    """Mean log pseudo-likelihood in nats after each epoch."""

    device: list[float]
    in_float: list[float]


def binary_digits(count: int) -> npt.NDArray[np.int8]:
    """The first digits, 8 x 8 pixels of 0 and 1, shape (count, 64)."""
    return (load_digits().data[:count] > 7.5).astype(np.int8)


def untrained(data: npt.NDArray[np.int8]) -> pb.RBM:
    """Small random couplings, and visible biases that give each pixel its mean."""
    mean = data.mean(axis=0).clip(0.01, 0.99)
    couplings = np.random.default_rng(0).normal(0, 0.05, (data.shape[1], HIDDEN))
    return pb.RBM(couplings, np.log(mean / (1 - mean)), np.zeros(HIDDEN))


def learn_on_device(model: pb.RBM, data: npt.NDArray[np.int8], epochs: int, seed: int) -> tuple[Program, list[float]]:
    """CD-1 with the array in the loop; the trained program and its curve, of the weights as the array has them."""
    program = pb.compile(model, weight_format=WEIGHT_FORMAT)
    device = pb.Device(program, VirtualDevice(program.image), seed=seed)
    history = train(
        device,
        data,
        epochs=epochs,
        batch_size=BATCH_SIZE,
        learning_rate=RATES,
        seed=seed,
        evaluate=lambda now: pseudo_log_likelihood(now.quantised, data),
    )
    return device.program, history.evaluation


def learn_in_float(model: pb.RBM, data: npt.NDArray[np.int8], epochs: int, seed: int) -> list[float]:
    """The same CD-1 by exact Gibbs steps in float, without any of the library's training code."""
    visible = len(model.visible)
    couplings = model.couplings.reshape(visible, HIDDEN)
    b, c = model.biases[:visible], model.biases[visible:]
    rng = np.random.default_rng(seed)
    batches = -(-len(data) // BATCH_SIZE)
    rates = iter(np.linspace(*RATES, epochs * batches))
    curve = []
    for _ in range(epochs):
        for v in np.array_split(data[rng.permutation(len(data))], batches):
            h = draw_bits(rng, c + v @ couplings)
            v_model = draw_bits(rng, b + h @ couplings.T)
            h_model = draw_bits(rng, c + v_model @ couplings)
            rate = next(rates) / len(v)
            couplings = couplings + rate * (v.T @ h - v_model.T @ h_model)
            b = b + rate * (v - v_model).sum(axis=0)
            c = c + rate * (h - h_model).sum(axis=0)
        curve.append(pseudo_log_likelihood(pb.RBM(couplings, b, c), data))
    return curve


def draw_bits(rng: np.random.Generator, fields: Float) -> Float:
    """Bits that are 1 with probability sigmoid(field)."""
    return (rng.random(fields.shape) * (1 + np.exp(-fields)) < 1).astype(np.float64)


def draw(program: Program, curves: Curves, output: str | Path) -> None:
    """The learning curves, and what each hidden unit has learned to see."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    grid = figure.add_gridspec(1, 2, width_ratios=(1, 1.4))
    axes, right = figure.add_subplot(grid[0]), figure.add_subfigure(grid[1])
    epochs = np.arange(1, len(curves.device) + 1)
    axes.plot(epochs, curves.in_float, "--", color="#d55e00", label="float")
    axes.plot(epochs, curves.device, color="#0072b2", label=f"p-bit array, {WEIGHT_FORMAT}")
    axes.set(xlabel="epoch", ylabel="log pseudo-likelihood in nats", title="CD-1 on 8 x 8 digits")
    axes.legend(frameon=False)
    right.suptitle("couplings of the hidden units")
    couplings = program.quantised.couplings.reshape(-1, HIDDEN).T
    for panel, field in zip(right.subplots(4, HIDDEN // 4).flat, couplings, strict=True):
        panel.imshow(field.reshape(8, 8), cmap="RdBu_r", vmin=-4, vmax=4)
        panel.set_axis_off()
    figure.savefig(output, dpi=150)


def main(output: str | Path = "digits_training.png", *, quick: bool = False, seed: int = 1) -> Curves:
    """Write the figure; returns the curves of the device and of float training."""
    data = binary_digits(300 if quick else 1797)
    epochs = 5 if quick else 15
    model = untrained(data)
    program, on_device = learn_on_device(model, data, epochs, seed)
    curves = Curves(on_device, learn_in_float(model, data, epochs, seed))
    draw(program, curves, output)
    print(f"log pseudo-likelihood {curves.device[-1]:.2f} nats on the device, {curves.in_float[-1]:.2f} in float")
    return curves


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "output", nargs="?", default="digits_training.png", help="picture to write (default: %(default)s)"
    )
    main(parser.parse_args().output)
