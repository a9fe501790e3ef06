"""How fast synapses must be: distance from Boltzmann against tau_S / tau_N on the full adder.

python examples/synapse_delay.py synapse_delay.png
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from pbit_hw.compiler.library import full_adder
from pbit_hw.sim.devices.autonomous import sample
from pbit_hw.sim.devices.behavioural import Form
from pbit_hw.sim.exact import exact
from pbit_hw.sim.statistics import histogram, total_variation

NAMES = {Form.DWELL: "magnet that dwells", Form.READ: "fast device, read slowly", Form.HELD: "slow device, held number"}
COLOURS = {Form.DWELL: "#0072b2", Form.READ: "#009e73", Form.HELD: "#d55e00"}
LINES = {0.5: "o-", 1.0: "s--"}
SYNAPSES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
LARGEST_STEP = 0.01
REPLICAS = 64

Distances = dict[tuple[Form, float, float], tuple[float, float]]


def distance(form: Form, beta: float, synapse_over_tau: float, kept: int) -> tuple[float, float]:
    """Distance of sampled states, kept every tau_N / 2 after 50 tau_N, and the part that is sampling noise.

    The noise of all samples is half the distance between two halves of them.
    """
    model = full_adder()
    step = min(LARGEST_STEP, synapse_over_tau / 6)
    every = round(0.5 / step)
    states = sample(
        model,
        (100 + kept) * every,
        form=form,
        dt_over_tau=step,
        synapse_over_tau=synapse_over_tau,
        beta=beta,
        replicas=REPLICAS,
        keep_every=every,
        burn_in=100 * every,
        seed=1,
    )
    halves = [histogram(half.reshape(-1, model.size), model.size) for half in np.split(states, 2, axis=1)]
    first, second = (half / half.sum() for half in halves)
    return total_variation((first + second) / 2, exact(model, beta).probabilities), total_variation(first, second) / 2


def main(output: str | Path = "synapse_delay.png", *, quick: bool = False) -> Distances:
    """Write the figure; returns the distance and its noise by form, beta and tau_S / tau_N."""
    kept, synapses = (100, SYNAPSES[1::2]) if quick else (4_000, SYNAPSES)
    found = {(form, beta, ts): distance(form, beta, ts, kept) for form in Form for beta in LINES for ts in synapses}
    figure = Figure(figsize=(7.5, 5), layout="constrained")
    axes = figure.subplots()
    for form, name in NAMES.items():
        for beta, line in LINES.items():
            label = rf"{name}, $\beta$ = {beta:g}"
            axes.plot(synapses, [found[form, beta, ts][0] for ts in synapses], line, color=COLOURS[form], label=label)
    noise = float(np.median([value[1] for value in found.values()]))
    axes.axhspan(0, noise, color="0.92", zorder=0)
    axes.text(synapses[0], noise, "sampling noise", ha="left", va="top", fontsize=9, color="0.4")
    axes.set(xscale="log", yscale="log", ylim=(1e-3, 1))
    axes.set(xlabel=r"synapse time $\tau_S / \tau_N$", ylabel="total variation from Boltzmann")
    axes.set_title("Autonomous p-bits behind slow synapses, on the full adder")
    axes.legend(frameon=False, fontsize=8, ncols=2, loc="lower right")
    figure.savefig(output, dpi=150)
    for (form, beta, synapse), (value, error) in found.items():
        print(f"{form.name:6} beta {beta:g} tau_S/tau_N {synapse:<5g} TV {value:.4f} (noise {error:.4f})")
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "output", nargs="?", default="synapse_delay.png", help="picture to write (default: %(default)s)"
    )
    main(parser.parse_args().output)
