"""Small models that everybody needs: invertible gates, lattices, random graphs and machines."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import networkx as nx
import numpy as np

from ..contract.errors import ModelError
from .models import RBM, BoltzmannMachine, Ising

FULL_ADDER_LABELS = ("A", "B", "Cin", "S", "Cout")


def full_adder() -> BoltzmannMachine:
    """The invertible full adder on five spins A, B, Cin, S, Cout, all visible.

    Returns
    -------
    BoltzmannMachine
        Its eight ground states are the truth table (Camsari et al., PRX 7,
        031014, 2017, use the same construction).
    """
    couplings = np.array(
        [[0, -1, -1, 1, 2], [-1, 0, -1, 1, 2], [-1, -1, 0, 1, 2], [1, 1, 1, 0, -2], [2, 2, 2, -2, 0]], float
    )
    return BoltzmannMachine(list(FULL_ADDER_LABELS), 0, J=couplings)


def full_adder_truth_table() -> np.ndarray:
    """The eight rows A, B, Cin, S, Cout in bits.

    Returns
    -------
    ndarray of uint8, shape (8, 5)
    """
    inputs = np.array(list(itertools.product((0, 1), repeat=3)), np.uint8)
    total = inputs.sum(axis=1)
    return np.column_stack([inputs, total % 2, total // 2]).astype(np.uint8)


def and_gate() -> Ising:
    """The invertible AND gate C = A and B on three spins; its four ground states are the truth table."""
    couplings = np.array([[0, -1, 2], [-1, 0, 2], [2, 2, 0]], float)
    return Ising(np.array([1.0, 1.0, -2.0]), couplings, labels=("A", "B", "C"))


def lattice(
    shape: tuple[int, ...], coupling: float = 1.0, spin_glass_seed: int | None = None, *, periodic: bool = True
) -> Ising:
    """A hypercubic lattice.

    Parameters
    ----------
    shape : tuple of int
        Sides, each at least 3, so that no edge is double.
    coupling : float
        Strength of every bond; positive is ferromagnetic.
    spin_glass_seed : int, optional
        When given, the sign of every bond is drawn at random.
    periodic : bool
        Whether the lattice goes round. If it does not, the bonds that would are still edges, whose couplings are 0, so
        that it is of the same graph.

    Returns
    -------
    Ising
        Variables in C order of the lattice.
    """
    if not shape or min(shape) < 3:
        raise ModelError(f"lattice {'x'.join(map(str, shape))} has a side below 3, which makes double bonds; use >= 3")
    sites = np.arange(math.prod(shape)).reshape(shape)
    edges = np.concatenate(
        [np.stack([sites.ravel(), np.roll(sites, -1, axis).ravel()], axis=1) for axis in range(len(shape))]
    )
    strengths = np.full(len(edges), float(coupling))
    if spin_glass_seed is not None:
        strengths *= np.random.default_rng(spin_glass_seed).choice([-1.0, 1.0], len(edges))
    if not periodic:
        strengths[edges[:, 1] < edges[:, 0]] = 0.0
    return Ising.from_edges(sites.size, edges, strengths)


def regular(degree: int, size: int, seed: int = 0) -> Ising:
    """A spin glass of couplings +1 and -1 on a random regular graph.

    Parameters
    ----------
    degree, size : int
        Neighbours of every variable, and how many variables there are; their product is even.
    seed : int
        Of graph and signs.

    Raises
    ------
    ModelError
        If there is no such graph.
    """
    if degree < 1 or degree >= size or degree * size % 2:
        raise ModelError(
            f"no graph of {size} variables has degree {degree} throughout; use a smaller degree or an even one"
        )
    edges = np.array(nx.random_regular_graph(degree, size, seed=seed).edges)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], len(edges))
    return Ising.from_edges(size, edges, signs)


def circulant(size: int, offsets: Sequence[int], seed: int = 0) -> Ising:
    """A spin glass of couplings +1 and -1 on a ring in which variables at some distances are coupled.

    Where no offset is a multiple of c, which divides ``size``, c colours do.

    Parameters
    ----------
    size : int
        Variables.
    offsets : sequence of int
        Distances, 1 to ``size // 2``.
    seed : int
        Of the signs.

    Raises
    ------
    ModelError
        If there is no such graph.
    """
    if not offsets or not all(1 <= offset <= size // 2 for offset in offsets):
        raise ModelError(f"a ring of {size} has no offsets {list(offsets)}; use 1 to {size // 2}")
    edges = np.array(nx.circulant_graph(size, list(offsets)).edges)
    return Ising.from_edges(size, edges, np.random.default_rng(seed).choice([-1.0, 1.0], len(edges)))


def random_rbm(visible: int, hidden: int, seed: int = 0) -> RBM:
    """A restricted Boltzmann machine whose weights are normal with deviation .1, and whose biases are 0.

    Parameters
    ----------
    visible, hidden : int
        Units of each layer, at least 1.
    seed : int
        Of the weights.

    Raises
    ------
    ModelError
        If a layer is empty.
    """
    if min(visible, hidden) < 1:
        raise ModelError(f"a machine of {visible} visible and {hidden} hidden units has an empty layer; use at least 1")
    weights = np.random.default_rng(seed).normal(0, 0.1, (visible, hidden))
    return RBM(weights, np.zeros(visible), np.zeros(hidden))
