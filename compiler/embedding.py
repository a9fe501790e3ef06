"""Embedding: variables become chains of p-bits of a fixed graph, so that a model runs on an array that exists.

A minor embedding gives each variable a connected set of p-bits of its own, so that the sets of neighbours touch. They
are copies as `sparsify` makes them, and the same holds: given that the p-bits of each chain agree, they sample exactly
what the variables would. What sparsifying chooses freely, the graph, is given here, and p-bits keep its labels.

Of the edges within a chain a spanning tree couples its p-bits, found depth first, which branches least. Then every
break costs what it does in `sparsify`, a strength means the same, and p-bits have no couplings that the proof of
`Copies.broken_bound` could do without. A coupling is shared equally by all edges between the two chains.
"""

from __future__ import annotations

from typing import Any, overload

import numpy as np
import numpy.typing as npt

from ..contract.errors import FitError, ModelError, ToolError
from .base import Model, Variables
from .bipartite import bipartition
from .copies import STRENGTH, Copies, make_copies, starts
from .edges import Int32
from .expansion import Expansion
from .lowering import lower
from .models import Ising

TRIES = 10
"""Searches from scratch before a model counts as too large."""

TIMEOUT_S = 600.0
"""Time that they may take in all; a complete graph of 40 variables in Pegasus P12 takes some ten seconds."""


@overload
def embed(
    model: Model, topology: Any, strength: float = ..., seed: int = ..., tries: int = ..., timeout_s: float = ...
) -> Copies: ...


@overload
def embed(
    model: Variables | Expansion,
    topology: Any,
    strength: float = ...,
    seed: int = ...,
    tries: int = ...,
    timeout_s: float = ...,
) -> Expansion: ...


def embed(
    model: Variables | Expansion,
    topology: Any,
    strength: float = STRENGTH,
    seed: int = 0,
    tries: int = TRIES,
    timeout_s: float = TIMEOUT_S,
) -> Expansion:
    """Find chains of p-bits of a fixed graph for the variables of a model.

    By the heuristic of Cai, Macready and Roy (arXiv:1406.2741) in the library minorminer. Equal arguments give equal
    embeddings, unless the time runs out, but another platform may give another: it is kept with its program.

    Parameters
    ----------
    model : Model, Polynomial, Formula or Expansion
        What is not a model of pairs becomes one first, as `compile` would make it.
    topology : Model, networkx.Graph or iterable of pairs
        The graph, whose couplings and biases mean nothing, or its edges as pairs of labels. Its largest connected
        part is used.
    strength : float
        Of the couplings within a chain, in the units of `sparsify`, which are `torques`.
    seed : int
        Of the search, taken modulo 2^64.
    tries : int
        Searches from scratch before it gives up.
    timeout_s : float
        Time after which it takes what it has, or gives up.

    Returns
    -------
    Copies
        Of a `Model`, with the labels of those p-bits that are used; of anything else an expansion that takes both
        steps.

    Raises
    ------
    FitError
        If no embedding is found.
    ModelError
        If the model or the graph is none, or the strength is not positive and finite.
    ToolError
        If minorminer is not installed.
    """
    pairs, before = lower(model)
    fixed = _fixed(topology)
    copies = _placed(pairs, fixed, _chains(pairs, fixed, seed, tries, timeout_s), strength)
    return copies if before is None else before.then(copies)


def _fixed(topology: Any) -> Model:
    """The topology as a model, of which edges and labels count."""
    if isinstance(topology, Model):
        return topology
    if hasattr(topology, "is_directed"):
        return Ising.from_networkx(topology, coupling=1.0)
    import networkx as nx

    try:
        return Ising.from_networkx(nx.Graph(list(topology)), coupling=1.0)
    except (TypeError, nx.NetworkXError) as error:
        kind = type(topology).__name__
        raise ModelError(f"a topology is a model, a networkx graph or pairs of labels, not this {kind}") from error


def _chains(model: Model, fixed: Model, seed: int, tries: int, timeout_s: float) -> list[list[int]]:
    """P-bits of the topology for each variable, ascending."""
    try:
        from minorminer import find_embedding
    except ImportError:
        raise ToolError("embedding needs minorminer, which is not installed: pip install pbit-hw[embed]") from None
    component, _, _ = bipartition(fixed.size, fixed.edges)
    room, n = np.bincount(component).max(), model.size
    if n > room:
        raise FitError(f"the model has {n} variables, the topology {room} connected p-bits; use a larger topology")
    source = model.edges.tolist() + [(v, v) for v in range(n)]  # a loop tells of a variable without neighbours
    target = fixed.edges.tolist() + [(p, p) for p in range(fixed.size)]
    found = find_embedding(source, target, random_seed=seed % 2**64, tries=tries, timeout=timeout_s)
    if not found:
        raise FitError(
            f"no embedding of {n} variables and {len(model.edges)} couplings into {room} p-bits found in {tries} tries "
            f"or {timeout_s:g} s; use a larger topology, another seed, or sparsify, which is bound to no topology"
        )
    return [sorted(found[v]) for v in range(n)]


def _placed(model: Model, fixed: Model, chains: list[list[int]], strength: float) -> Copies:
    first, pbits = starts([len(chain) for chain in chains]), np.concatenate(chains)
    place = np.full(fixed.size, -1, np.int32)
    place[pbits] = np.arange(len(pbits))
    edges = place[fixed.edges]
    edges = edges[(edges >= 0).all(axis=1)]
    ends = np.sort(np.repeat(np.arange(model.size), np.diff(first))[edges], axis=1)
    keys, wanted = ends @ (model.size, 1), model.edges.astype(np.int64) @ (model.size, 1)
    carries = np.isin(keys, wanted)
    carried = np.searchsorted(wanted, keys[carries]).astype(np.int32)
    links = _spanning_trees(edges[ends[:, 0] == ends[:, 1]])
    labels = tuple(fixed.labels[pbit] for pbit in pbits)
    return make_copies(model, first, edges[carries], carried, links, strength, labels)


def _spanning_trees(edges: npt.NDArray[np.int32]) -> Int32:
    """Edges of a tree for each connected part, shape (k, 2)."""
    import networkx as nx

    return np.array(list(nx.dfs_edges(nx.Graph(edges.tolist()))), np.int32).reshape(-1, 2)
