"""The simulator against its peers, call by call, on one core.

    pip install -e .[bench]
    python benchmarks/peers.py [WORK ...] [--pairs 5] [--json]

Ours and the peer's take turns; a call is timed whole, with all that it sets up,
and what is compiled once is compiled before. Rates count attempted updates of
one variable. Both anneal along the same line of beta unless the work says otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np

from pbit_hw.compiler import RBM, Ising, Program, compile, library
from pbit_hw.sim.simulator import Simulator

BETAS = (0.1, 3.0)
REPLICAS = 64
GLASS_SIDE = 16

Run = Callable[[], int]
"""Does its work and returns how many updates that was."""


@dataclass(frozen=True)
class Work:
    """One row of the table.

    Parameters
    ----------
    title : str
        What is sampled.
    ours : Run
        On the simulator.
    peer : str
        Distribution that the peer comes from.
    theirs : callable
        Imports the peer and returns its run.
    """

    title: str
    ours: Run
    peer: str
    theirs: Callable[[], Run]


def simulated(program: Program, sweeps: int, replicas: int, beta: Any = BETAS) -> Run:
    """A run of ours: bit for bit what the array does."""
    sampler = Simulator(program, threads=1)

    def run() -> int:
        return sampler.run(program.request(sweeps, replicas=replicas, beta=beta, keep_every=sweeps)).flips

    return run


def terms(model: Any) -> tuple[dict[int, float], dict[tuple[int, int], float]]:
    """Biases and couplings in the sign that other packages have: E = h s + J s s."""
    h = dict(enumerate((-model.biases).tolist()))
    return h, {(i, j): -c for (i, j), c in zip(model.edges.tolist(), model.couplings.tolist(), strict=True)}


def dwave(model: Any, sweeps: int) -> Run:
    """Simulated annealing, Metropolis, as it comes."""
    import dimod
    from dwave.samplers import SimulatedAnnealingSampler

    bqm = dimod.BinaryQuadraticModel.from_ising(*terms(model))
    options = {"num_reads": REPLICAS, "num_sweeps": sweeps, "beta_range": BETAS, "beta_schedule_type": "linear"}

    def run() -> int:
        SimulatedAnnealingSampler().sample(bqm, seed=1, **options)
        return int(model.size) * sweeps * REPLICAS

    return run


def openjij(model: Any, sweeps: int) -> Run:
    """Simulated annealing on a dense matrix."""
    import dimod
    import openjij as oj

    bqm = dimod.BinaryQuadraticModel.from_ising(*terms(model))

    def run() -> int:
        oj.SASampler().sample(
            bqm, num_reads=REPLICAS, num_sweeps=sweeps, beta_min=BETAS[0], beta_max=BETAS[1], sparse=False
        )
        return int(model.size) * sweeps * REPLICAS

    return run


def ferrotherm(model: Any, sweeps: int) -> Run:
    """One chain, at one beta; its graph is built outside the timed call."""
    import ferrotherm as ft

    couplings = [[i, j, c] for (i, j), c in zip(model.edges.tolist(), model.couplings.tolist(), strict=True)]
    chain = ft.from_spec({"graph": {"n": model.size, "couplings": couplings}}, beta=1.0, seed=1)

    def run() -> int:
        chain.sweep(sweeps)
        return int(model.size) * sweeps

    return run


def thrml(program: Program, sweeps: int) -> Run:
    """Block Gibbs in JAX over our colours, replicas by vmap, at one beta; compiled before."""
    import jax
    import jax.numpy as jnp
    from thrml import Block, SamplingSchedule, SpinNode, sample_states
    from thrml.models import IsingEBM, IsingSamplingProgram, hinton_init

    model, image = program.model, program.image
    nodes = [SpinNode() for _ in range(model.size)]
    edges = [(nodes[i], nodes[j]) for i, j in model.edges.tolist()]
    ebm = IsingEBM(nodes, edges, jnp.array(model.biases), jnp.array(model.couplings), jnp.array(1.0))
    colours = np.split(program.order, image.colour_first[1:-1])
    blocks = [Block([nodes[i] for i in colour]) for colour in colours]
    sampling = IsingSamplingProgram(ebm, blocks, clamped_blocks=[])
    schedule = SamplingSchedule(n_warmup=sweeps, n_samples=1, steps_per_sample=1)
    initial = hinton_init(jax.random.key(0), ebm, blocks, (REPLICAS,))
    keys = jax.random.split(jax.random.key(1), REPLICAS)

    @jax.jit
    def sample(keys: Any, initial: Any) -> Any:
        return jax.vmap(lambda key, state: sample_states(key, sampling, schedule, state, [], [Block(nodes)]))(
            keys, initial
        )

    def run() -> int:
        jax.block_until_ready(sample(keys, initial))
        return int(model.size) * sweeps * REPLICAS

    return run


def torch_rbm(weights: np.ndarray, batch: int, sweeps: int) -> Run:
    """Block Gibbs in float32."""
    import torch

    torch.set_num_threads(1)
    matrix = torch.from_numpy(weights.astype(np.float32))

    def draw(field: Any) -> Any:
        return (torch.rand_like(field) < torch.sigmoid(field)).float()

    def run() -> int:
        visible = torch.zeros(batch, len(weights))
        for _ in range(sweeps):
            visible = draw(draw(visible @ matrix) @ matrix.T)
        return batch * sweeps * sum(weights.shape)

    return run


def pegasus() -> Ising:
    """Pegasus P12 with couplings k / 8, k from -8 to 8 without 0."""
    import networkx
    from dwave.graphs import pegasus_graph

    graph = networkx.convert_node_labels_to_integers(pegasus_graph(12))
    edges = np.array(graph.edges)
    rng = np.random.default_rng(0)
    return Ising.from_edges(
        graph.number_of_nodes(), edges, rng.integers(1, 9, len(edges)) * rng.choice([-1, 1], len(edges)) / 8
    )


def sherrington_kirkpatrick(size: int) -> Ising:
    """Gaussian couplings of variance 1 / size between all pairs."""
    return Ising(np.zeros(size), np.triu(np.random.default_rng(0).normal(0, size**-0.5, (size, size)), 1))


def glass_64() -> Work:
    model = library.lattice((GLASS_SIDE,) * 3, spin_glass_seed=0)
    ours = simulated(compile(model), 1000, REPLICAS)
    return Work("16^3 ±J glass, 64 replicas, 1,000 sweeps", ours, "dwave-samplers", partial(dwave, model, 1000))


def pegasus_64(peer: str) -> Work:
    model = pegasus()
    program = compile(model)
    theirs = partial(dwave, model, 1000) if peer == "dwave-samplers" else partial(thrml, program, 200)
    beta = BETAS if peer == "dwave-samplers" else 1.0
    ours = simulated(program, 1000, REPLICAS, beta)
    return Work(f"Pegasus P12, k/8, {model.size:,} p-bits, 64 replicas, 1,000 sweeps", ours, peer, theirs)


def chain() -> Work:
    model = library.lattice((GLASS_SIDE,) * 3, spin_glass_seed=0)
    ours = simulated(compile(model), 10_000, 1, 1.0)
    return Work("16^3 ±J glass, one chain, 10,000 sweeps", ours, "ferrotherm", partial(ferrotherm, model, 10_000))


def dense() -> Work:
    model = sherrington_kirkpatrick(512)
    ours = simulated(compile(model), 1000, REPLICAS)
    return Work("SK, 512 p-bits, 64 replicas, 1,000 sweeps", ours, "openjij", partial(openjij, model, 1000))


def rbm() -> Work:
    weights = np.random.default_rng(0).normal(0, 0.1, (784, 256))
    program = compile(RBM(weights, np.zeros(784), np.zeros(256)))
    ours = simulated(program, 100, 128, 1.0)
    return Work("RBM 784x256, 128 replicas, 100 sweeps", ours, "torch", partial(torch_rbm, weights, 128, 100))


WORKS: dict[str, Callable[[], Work]] = {
    "glass": glass_64,
    "pegasus-dwave": partial(pegasus_64, "dwave-samplers"),
    "pegasus-thrml": partial(pegasus_64, "thrml"),
    "chain": chain,
    "dense": dense,
    "rbm": rbm,
}


def rate(run: Run) -> float:
    """Updates per second of one whole call."""
    began = time.perf_counter()
    return run() / (time.perf_counter() - began)


def measure(work: Work, pairs: int) -> dict[str, Any]:
    """Rates of both, and their ratio, medians over pairs of calls."""
    ours, theirs = work.ours, work.theirs()
    ours(), theirs()
    rates = [(rate(ours), rate(theirs)) for _ in range(pairs)]
    ratios = [mine / other for mine, other in rates]
    return {
        "work": work.title,
        "peer": f"{work.peer} {version(work.peer)}",
        "pairs": pairs,
        "ours_flips_per_s": statistics.median(mine for mine, _ in rates),
        "peer_flips_per_s": statistics.median(other for _, other in rates),
        "ratio": statistics.median(ratios),
        "ratio_min": min(ratios),
        "ratio_max": max(ratios),
    }


def rows(names: list[str], pairs: int) -> Iterator[dict[str, Any]]:
    """One measurement per work."""
    for name in names:
        yield measure(WORKS[name](), pairs)


def main() -> None:
    """Print the table, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("works", nargs="*", choices=[*WORKS, []], help=f"of {', '.join(WORKS)}; all by default")
    parser.add_argument("--pairs", type=int, default=5, help="timed calls of each (default 5)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    found = []
    for row in rows(arguments.works or list(WORKS), arguments.pairs):
        found.append(row)
        if not arguments.json:
            print(
                f"| {row['work']} | {row['ours_flips_per_s'] / 1e6:,.0f} M/s | {row['peer']} | "
                f"{row['peer_flips_per_s'] / 1e6:,.1f} M/s | {row['ratio']:.1f} "
                f"({row['ratio_min']:.1f} to {row['ratio_max']:.1f}) |",
                flush=True,
            )
    if arguments.json:
        print(json.dumps({"rows": found}))


if __name__ == "__main__":
    main()
