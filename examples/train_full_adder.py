"""Five p-bits learn the full adder from its truth table, with the array in the loop and every byte over the link.

python examples/train_full_adder.py full_adder_training.png
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import pbit_hw as pb
from pbit_hw.compiler.library import FULL_ADDER_LABELS, full_adder_truth_table
from pbit_hw.compiler.program import Program
from pbit_hw.host.training import train
from pbit_hw.sim.exact import state_index
from pbit_hw.sim.virtual import VirtualDevice

WEIGHT_FORMAT = "s[4][5]"
TRUTH = full_adder_truth_table().astype(np.int8) * 2 - 1


def divergence(program: Program) -> float:
    """KL(data || model) in nats, exact, of the weights as the array has them."""
    learned = pb.exact(program.quantised).probabilities[state_index(TRUTH)]
    return float(-np.log(len(TRUTH)) - np.log(learned).mean())


def draw(program: Program, curve: list[float], output: str | Path) -> None:
    """The learning curve, and the learned distribution."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.4))
    left.semilogy(np.arange(1, len(curve) + 1), curve, color="#0072b2")
    left.axhline(0.05, color="0.6", linestyle="--", linewidth=1)
    left.set(xlabel="step", ylabel="KL(data || model) in nats", title="Learning")
    probabilities = pb.exact(program.quantised).probabilities
    true = np.isin(np.arange(probabilities.size), state_index(TRUTH))
    for chosen, colour, label in ((true, "#009e73", "in the truth table"), (~true, "#d55e00", "not in it")):
        right.bar(np.flatnonzero(chosen), probabilities[chosen], color=colour, label=label)
    right.axhline(1 / len(TRUTH), color="0.6", linestyle="--", linewidth=1)
    names = " ".join(reversed(FULL_ADDER_LABELS))
    right.set(xlabel=f"state, bits {names}", ylabel="probability", title="Learned distribution, exact", ylim=(0, 0.16))
    right.legend(frameon=False, ncols=2)
    figure.savefig(output, dpi=150)


def main(output: str | Path = "full_adder_training.png", *, quick: bool = False, seed: int = 1) -> list[float]:
    """Write the figure; returns KL(data || model) after every step."""
    machine = pb.BoltzmannMachine(list(FULL_ADDER_LABELS), 0)
    program = pb.compile(machine, weight_format=WEIGHT_FORMAT)
    device = pb.Device(program, VirtualDevice(program.image), seed=seed)
    history = train(
        device,
        TRUTH,
        epochs=100 if quick else 500,
        batch_size=len(TRUTH),
        learning_rate=(1.0, 0.01),
        sweeps=20,
        chains=64,
        seed=seed,
        evaluate=divergence,
    )
    draw(device.program, history.evaluation, output)
    print(f"KL(data || model) {history.evaluation[-1]:.4f} nats after {len(history.evaluation)} steps")
    return history.evaluation


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "output", nargs="?", default="full_adder_training.png", help="picture to write (default: %(default)s)"
    )
    main(parser.parse_args().output)
