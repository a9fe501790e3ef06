"""The algorithms as dimod samplers, for programs that speak D-Wave's Ocean.

    from pbit_hw.samplers import AnnealSampler
    sampleset = AnnealSampler().sample(bqm, num_reads=100)

Every call compiles the binary quadratic model to an array, with its largest coupling scaled to 1, and samples that
array; energies are those of the model as it was given. Needs dimod (``pip install dimod``).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import dimod
import numpy as np
import numpy.typing as npt
from dimod.core.sampler import Sampler

from .compiler.models import Ising
from .compiler.program import Program, compile
from .contract.errors import RequestError
from .host.quantum import quantum_anneal
from .sim.annealing import REPLICAS, SWEEPS, anneal
from .sim.codegen import LANES
from .sim.schedule import beta_range, geometric
from .sim.simulator import Simulator
from .sim.tempering import ROUNDS, RUNGS, temper

WEIGHT_BITS = 16
"""Bits of a coupling: beyond what hardware has, so that models of mixed strengths keep their ground states."""

REFERENCE_SWEEPS = 1_000
"""Of Metropolis, which has one thread and one replica at a time."""

States = npt.NDArray[np.int8]


class _BQMSampler(Sampler):
    """What the samplers share: their parameters, the model's scale, labels and energies."""

    common: tuple[str, ...] = ("num_reads", "seed")
    """Keywords without a default among the properties."""

    def __init__(self, **defaults: Any) -> None:
        self._defaults = defaults

    @property
    def parameters(self) -> dict[str, list[str]]:
        """Names of the keywords that `sample` takes; none depends on a property."""
        return {name: [] for name in (*self.common, *self._defaults)}

    @property
    def properties(self) -> dict[str, Any]:
        """Defaults of the algorithm."""
        return {"defaults": self._defaults}

    def _sampled(
        self,
        bqm: dimod.BinaryQuadraticModel,
        seed: int | None,
        sample: Callable[[Ising, int], tuple[States, dict[str, Any]]],
    ) -> dimod.SampleSet:
        """States of the scaled model as a sample set of the model itself."""
        chosen = int(np.random.default_rng().integers(2**62)) if seed is None else seed
        began = time.perf_counter_ns()
        if bqm.num_variables:
            states, info = sample(_scaled(bqm), chosen)
        else:
            states, info = np.empty((1, 0), np.int8), {"sampling_ns": 0}
        values = states if bqm.vartype is dimod.SPIN else (states + 1) // 2
        info = {"seed": chosen, **info, "wall_ns": time.perf_counter_ns() - began}
        return dimod.SampleSet.from_samples_bqm((values, list(bqm.variables)), bqm, info=info)


class _ArraySampler(_BQMSampler):
    """What runs on the array's simulator, which has threads."""

    common = ("num_reads", "seed", "threads")


class AnnealSampler(_ArraySampler):
    """Simulated annealing; see `pbit_hw.sim.annealing.anneal`."""

    def __init__(self) -> None:
        super().__init__(num_sweeps=SWEEPS, beta_range=None)

    def sample(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        num_reads: int = REPLICAS,
        num_sweeps: int = SWEEPS,
        beta_range: tuple[float, float] | None = None,
        seed: int | None = None,
        threads: int | None = None,
        **unknown: Any,
    ) -> dimod.SampleSet:
        """Anneal ``num_reads`` replicas; ``beta_range`` is for the model scaled to a largest coupling of 1."""
        self.remove_unknown_kwargs(**unknown)

        def run(model: Ising, chosen: int) -> tuple[States, dict[str, Any]]:
            program = compile(model, weight_bits=WEIGHT_BITS, colouring="fast")
            betas = beta_range or _range(program)
            samples = anneal(program, sweeps=num_sweeps, replicas=num_reads, beta=betas, seed=chosen, threads=threads)
            return samples.states, {"beta_range": betas, "num_sweeps": num_sweeps, "sampling_ns": samples.wall_ns}

        return self._sampled(bqm, seed, run)


class TemperSampler(_ArraySampler):
    """Parallel tempering with cluster moves; see `pbit_hw.sim.tempering.temper`."""

    def __init__(self) -> None:
        super().__init__(num_rounds=ROUNDS, rungs=RUNGS, beta_range=None)

    def sample(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        num_reads: int = LANES,
        num_rounds: int = ROUNDS,
        rungs: int = RUNGS,
        beta_range: tuple[float, float] | None = None,
        seed: int | None = None,
        threads: int | None = None,
        **unknown: Any,
    ) -> dimod.SampleSet:
        """The best state of the run, and the coldest of its 64 copies, ``num_reads`` in all."""
        self.remove_unknown_kwargs(**unknown)
        if not 1 <= num_reads <= LANES + 1:
            raise RequestError(
                f"num_reads is {num_reads}; tempering has {LANES} copies and one best state, 1 to {LANES + 1}"
            )

        def run(model: Ising, chosen: int) -> tuple[States, dict[str, Any]]:
            program = compile(model, weight_bits=WEIGHT_BITS, colouring="fast")
            betas = beta_range or _range(program)
            found = temper(program, rounds=num_rounds, rungs=rungs, beta=betas, seed=chosen, threads=threads)
            states = np.concatenate([found.best.states, found.samples.states])[:num_reads]
            rates = found.swap_rates.tolist()
            return states, {"betas": found.betas.tolist(), "swap_rates": rates, "sampling_ns": found.samples.wall_ns}

        return self._sampled(bqm, seed, run)


class QuantumAnnealSampler(_ArraySampler):
    """Simulated quantum annealing; see `pbit_hw.host.quantum.quantum_anneal`."""

    def __init__(self) -> None:
        super().__init__(slices=16, num_steps=100)

    def sample(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        num_reads: int = REPLICAS,
        slices: int = 16,
        num_steps: int = 100,
        seed: int | None = None,
        threads: int | None = None,
        **unknown: Any,
    ) -> dimod.SampleSet:
        """The best slice of each of ``num_reads`` replicas."""
        self.remove_unknown_kwargs(**unknown)

        def run(model: Ising, chosen: int) -> tuple[States, dict[str, Any]]:
            def simulator(program: Program) -> Simulator:
                return Simulator(program, seed=chosen, threads=threads)

            began = time.perf_counter_ns()
            found = quantum_anneal(model, simulator, slices=slices, steps=num_steps, replicas=num_reads)
            best = found.energies.reshape(num_reads, slices).argmin(axis=1)
            states = found.states.reshape(num_reads, slices, model.size)[np.arange(num_reads), best]
            return states, {"slices": slices, "num_steps": num_steps, "sampling_ns": time.perf_counter_ns() - began}

        return self._sampled(bqm, seed, run)


class MetropolisSampler(_BQMSampler):
    """Annealing by single-spin-flip Metropolis, a reference; see `pbit_hw.sim.metropolis.Metropolis`."""

    def __init__(self) -> None:
        super().__init__(num_sweeps=REFERENCE_SWEEPS, beta_range=None)

    def sample(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        num_reads: int = REPLICAS,
        num_sweeps: int = REFERENCE_SWEEPS,
        beta_range: tuple[float, float] | None = None,
        seed: int | None = None,
        **unknown: Any,
    ) -> dimod.SampleSet:
        """Anneal ``num_reads`` replicas; ``beta_range`` is for the model scaled to a largest coupling of 1."""
        self.remove_unknown_kwargs(**unknown)
        from .sim.metropolis import Metropolis  # brings numba, which takes a second

        def run(model: Ising, chosen: int) -> tuple[States, dict[str, Any]]:
            program = compile(model, weight_bits=WEIGHT_BITS, colouring="fast")
            betas = beta_range or _range(program)
            samples = Metropolis(program, seed=chosen).sample(
                num_sweeps, replicas=num_reads, beta=geometric(*betas, num_sweeps), keep_every=num_sweeps
            )
            return samples.states, {"beta_range": betas, "num_sweeps": num_sweeps, "sampling_ns": samples.wall_ns}

        return self._sampled(bqm, seed, run)


class DescentSampler(_BQMSampler):
    """Zero-temperature descent, a reference; see `pbit_hw.sim.descent.descend`."""

    def sample(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        num_reads: int = REPLICAS,
        seed: int | None = None,
        **unknown: Any,
    ) -> dimod.SampleSet:
        """Local minima, of the model in 16 bits, below ``num_reads`` random states.

        ``num_sweeps`` of the info is what the longest way down took.
        """
        self.remove_unknown_kwargs(**unknown)
        from .sim.descent import descend  # brings numba, which takes a second

        def run(model: Ising, chosen: int) -> tuple[States, dict[str, Any]]:
            samples = descend(
                compile(model, weight_bits=WEIGHT_BITS, colouring="fast"), replicas=num_reads, seed=chosen
            )
            return samples.states, {"num_sweeps": int(samples.sweep.max()), "sampling_ns": samples.wall_ns}

        return self._sampled(bqm, seed, run)


def _scaled(bqm: dimod.BinaryQuadraticModel) -> Ising:
    """The model of a BQM with a largest coupling or bias of 1."""
    model = Ising.from_bqm(bqm)
    largest = max(np.abs(model.couplings).max(initial=0), np.abs(model.biases).max(initial=0)) or 1.0
    return model.with_values(model.couplings / largest, model.biases / largest)


def _range(program: Program) -> tuple[float, float]:
    """`beta_range`; any will do where every state is as good."""
    model = program.quantised
    return beta_range(program) if model.couplings.any() or model.biases.any() else (0.1, 1.0)
