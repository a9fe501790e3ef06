"""The distribution that arrays in RTL sample, against the exact one."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from pbit_hw.cli.lockstep import Run, Script, Write, rtl_trace
from pbit_hw.compiler import Ising, compile
from pbit_hw.contract.forms import Form
from pbit_hw.contract.generator import Generator, seeds, streams
from pbit_hw.contract.image import Image
from pbit_hw.contract.registers import Region, address
from pbit_hw.gateware.probed import ProbedArray

SWEEPS = 700
WARM_UP = 20
CASES = [
    (Form.ADDER, Generator.XOSHIRO64),
    (Form.TABLE, Generator.XOSHIRO64),
    (Form.BAKED, Generator.XOSHIRO64),
    (Form.TABLE, Generator.LINEAR64),
]
LIMIT = 4.5
"""Standard errors; of 32 states at the most one in some thousand runs strays so far."""


def machine(generator: Generator, strength: float = 0.5) -> Image:
    """A frustrated ring of five spins and a bias, which mixes within few sweeps; six replicas."""
    couplings = np.roll(np.eye(5), 1, axis=1) * strength
    model = Ising([0.25, 0, -0.5, 0, 0.25], -(couplings + couplings.T))
    return compile(model, generator=generator.name.lower(), weight_format="s[2][5]").image.interleaved(6)


def exact(image: Image) -> np.ndarray:
    """Boltzmann's distribution of the codes, shape (32,); state k has p-bit p in bit p."""
    spins = 2.0 * (np.arange(1 << image.size)[:, None] >> np.arange(image.size) & 1) - 1
    couplings = np.zeros((image.size, image.size))
    couplings[image.owners, image.neighbours] = image.weights
    energies = -(0.5 * np.einsum("ki,ij,kj->k", spins, couplings, spins) + spins @ image.unfold())
    beta = image.reset_beta * image.beta_format.step * image.weight_format.step
    weights = np.exp(-beta * energies)
    return weights / weights.sum()


def script(image: Image) -> Script:
    """Seeds of all generators, then one run."""
    words = seeds(image.generator, streams(image.generator, 7, image.streams)).ravel().tolist()
    return [*(Write(address(Region.GENERATOR, place), word) for place, word in enumerate(words)), Run(SWEEPS)]


@cache
def sampled(form: Form, generator: Generator) -> np.ndarray:
    """States of each replica after each sweep, shape (sweeps, replicas)."""
    image = machine(generator)
    trace = rtl_trace(ProbedArray(image, form), script(image))
    states = trace.states @ (1 << np.arange(image.size))
    # replica r is back from its k-th sweep r + (k + 1) R clocks into the run
    rows = np.arange(1, SWEEPS + 1)[:, None] * image.interleave + np.arange(image.interleave) - 1
    return states[rows, np.arange(image.interleave)][WARM_UP:]


def deviations(states: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """Of the frequency of each state from its chance, in standard errors of the effective sample size."""
    seen = states[:, :, None] == np.arange(len(chances))
    shares = seen.mean(axis=(0, 1))
    centred = seen - chances
    lags = [(centred[lag:] * centred[: len(centred) - lag]).mean(axis=(0, 1)) for lag in range(12)]
    times = np.maximum(1 + 2 * np.sum(lags[1:], axis=0) / (chances * (1 - chances)), 1)
    return (shares - chances) / np.sqrt(chances * (1 - chances) * times / states.size)


@pytest.mark.parametrize(("form", "generator"), CASES)
def test_states_are_as_frequent_as_boltzmann_says(form, generator):
    """Some 4,000 sweeps of six replicas that follow one another."""
    assert np.abs(deviations(sampled(form, generator), exact(machine(generator)))).max() < LIMIT


@pytest.mark.parametrize(("form", "generator"), CASES)
def test_a_wrong_weight_shows(form, generator):
    """Negative control: against the distribution of a machine of which one coupling is another."""
    image = machine(generator)
    weights = image.weights.copy()
    weights[0] = weights[image.reverse[0]] = 0
    wrong = image.with_weights(weights, image.unfold())
    assert np.abs(deviations(sampled(form, generator), exact(wrong))).max() > 2 * LIMIT
