"""Models: energies against their definitions and other people's, and what is refused."""

from __future__ import annotations

import itertools
from typing import Any

import dimod
import networkx as nx
import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from hypothesis.strategies import SearchStrategy

from pbit_hw.compiler.models import RBM, BoltzmannMachine, Ising, MaxCut, Model
from pbit_hw.contract.errors import ModelError
from pbit_hw.contract.update import Unit

ADDER = np.array([[0, -1, -1, 1, 2], [-1, 0, -1, 1, 2], [-1, -1, 0, 1, 2], [1, 1, 1, 0, -2], [2, 2, 2, -2, 0]], float)


def spins(n: int) -> np.ndarray:
    return np.array(list(itertools.product((-1, 1), repeat=n)))


@settings(deadline=None)
@given(st.data())
def test_energies_follow_the_definition(models: SearchStrategy[Model], data: st.DataObject) -> None:
    model = data.draw(models)
    state = np.array(data.draw(st.lists(st.sampled_from(model.allowed), min_size=model.size, max_size=model.size)))
    expected = -sum(
        coupling * state[i] * state[j] for (i, j), coupling in zip(model.edges, model.couplings, strict=True)
    ) - sum(bias * m for bias, m in zip(model.biases, state, strict=True))
    assert model.energies(state)[0] == pytest.approx(float(expected), abs=1e-9)
    assert model.energies(state[None]).shape == (1,)


def test_ising_from_dense_and_sparse() -> None:
    h = np.arange(5.0)
    dense, sparse = Ising(h, ADDER), Ising(h, scipy.sparse.csr_array(ADDER))
    states = spins(5)
    expected = -np.einsum("ki,ij,kj->k", states, ADDER, states) / 2 - states @ h
    assert dense.energies(states) == pytest.approx(expected)
    assert np.array_equal(sparse.edges, dense.edges)
    assert np.array_equal(sparse.couplings, dense.couplings)
    assert dense.unit is Unit.SPIN
    assert dense.labels == (0, 1, 2, 3, 4)
    assert dense.visible.tolist() == [0, 1, 2, 3, 4]
    assert len(dense.hidden) == 0
    assert repr(dense) == "<Ising: 5 spins, 10 couplings>"


def test_isolated_variables_stay() -> None:
    model = Ising.from_edges(4, [(2, 0)], [1.5])
    assert model.size == 4
    assert model.edges.tolist() == [[0, 2]]
    lonely = Ising([0.5], [[0.0]])
    assert lonely.energies([[1], [-1]]).tolist() == [-0.5, 0.5]


LABELS = st.sampled_from([lambda i: i, lambda i: f"v{i}", lambda i: ("v", i), lambda i: -i])


@settings(deadline=None)
@given(LABELS, st.sampled_from(["SPIN", "BINARY"]), st.integers(1, 7), st.integers(0, 2**32), st.floats(-5, 5))
def test_bqm_energies_are_dimods(label: Any, vartype: str, n: int, seed: int, offset: float) -> None:
    rng = np.random.default_rng(seed)
    bqm = dimod.BinaryQuadraticModel(vartype)
    for i in rng.permutation(n).tolist():
        bqm.add_variable(label(i), rng.normal())
    for i, j in itertools.combinations(range(n), 2):
        if rng.random() < 0.6:
            bqm.add_quadratic(label(j), label(i), rng.normal())
    bqm.offset = offset
    model = Ising.from_bqm(bqm)
    states = spins(n)
    theirs = states if vartype == "SPIN" else (states + 1) // 2
    assert model.labels == tuple(bqm.variables)
    assert model.energies(states) == pytest.approx(bqm.energies((theirs, list(model.labels))), abs=1e-9)


def test_bqm_of_float32_and_the_ground_state() -> None:
    bqm = dimod.BinaryQuadraticModel({"a": 1.0}, {("a", "b"): -2.0}, 0.25, "SPIN", dtype=np.float32)
    model = Ising.from_bqm(bqm)
    best = dimod.ExactSolver().sample(bqm).first
    assert model.energies(spins(2)).min() == pytest.approx(best.energy)
    assert model.energies([[best.sample[label] for label in model.labels]])[0] == pytest.approx(best.energy)


def test_networkx() -> None:
    graph: nx.Graph[str] = nx.Graph()
    graph.add_node("alone", bias=2.0)
    graph.add_edge("b", "a", weight=-1.5)
    graph.add_edge("a", "c")
    model = Ising.from_networkx(graph)
    index = model.index
    assert model.labels == ("alone", "b", "a", "c")
    couplings = {tuple(edge): value for edge, value in zip(model.edges.tolist(), model.couplings, strict=True)}
    assert couplings == {(index["b"], index["a"]): -1.5, (index["a"], index["c"]): 1.0}
    assert model.biases.tolist() == [2.0, 0.0, 0.0, 0.0]
    assert Ising.from_networkx(graph, coupling=-1.0).couplings.tolist() == [-1.0, -1.0]


def test_networkx_lattice_has_the_lattices_energy() -> None:
    graph = nx.grid_2d_graph(4, 4, periodic=True)
    model = Ising.from_networkx(graph, coupling=1.0)
    assert model.labels[5] == (1, 1)
    assert model.energies(np.ones((1, 16)))[0] == -32
    checkerboard = [1 if (node // 4 + node % 4) % 2 else -1 for node in range(16)]
    assert model.energies([checkerboard])[0] == 32


def test_parallel_edges_of_a_multigraph_add_up() -> None:
    graph: nx.MultiGraph[int] = nx.MultiGraph([(0, 1, {"weight": 1.0}), (0, 1, {"weight": 2.5}), (1, 2, {})])
    assert Ising.from_networkx(graph).couplings.tolist() == [3.5, 1.0]
    assert Ising.from_networkx(graph, coupling=2.0).couplings.tolist() == [4.0, 2.0]


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (nx.DiGraph([(0, 1)]), r"couplings have no direction, but the graph has; use graph\.to_undirected\(\)"),
        (nx.Graph([(0, 0)]), "variable 0 is coupled to itself"),
        (nx.Graph([(0, 1, {"weight": "heavy"})]), "couplings must be an array of real numbers"),
        (nx.Graph([(0, 1, {"weight": float("nan")})]), r"couplings\[0\] is nan"),
        (nx.Graph(), "the model has no variables"),
        ([(0, 1)], "from_networkx takes a networkx graph, not list"),
    ],
)
def test_malformed_graphs_are_refused(graph: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        Ising.from_networkx(graph)


def test_what_is_no_bqm_is_refused() -> None:
    with pytest.raises(ModelError, match="from_bqm takes a dimod BinaryQuadraticModel, not dict"):
        Ising.from_bqm({(0, 1): 1.0})


@pytest.mark.parametrize(
    ("h", "labels", "message"),
    [
        (np.zeros(4), None, r"h has shape \(4,\); the model needs \(5\)"),
        ([0, 0, np.nan, 0, 0], None, r"h\[2\] is nan"),
        ([0, 0, 0, 0, -np.inf], None, r"h\[4\] is -inf"),
        (np.zeros(5), "abcd", "4 labels for 5 variables"),
        (np.zeros(5), "abcda", "5 labels, only 4 of them different"),
        (np.zeros(5), [[], 1, 2, 3, 4], "a label is not hashable"),
    ],
)
def test_malformed_ising_models_are_refused(h: Any, labels: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        Ising(h, ADDER, labels)
    assert "\n" not in str(caught.value)


def test_an_empty_model_is_refused() -> None:
    with pytest.raises(ModelError, match="the model has no variables; give it at least one"):
        Ising([], np.zeros((0, 0)))


@pytest.mark.parametrize("edges", [[[1, 0]], [[0, 1], [0, 1]], [[0, 2], [0, 1]], [[0, 3]], [[0, 1, 2]], [[1, 1]]])
def test_a_bare_model_wants_canonical_edges(edges: Any) -> None:
    array = np.array(edges, np.int32)
    with pytest.raises(ModelError, match="edges are"):
        Model(Unit.SPIN, (0, 1, 2), array, np.ones(len(array)), np.zeros(3))


@pytest.mark.parametrize(
    ("states", "message"),
    [
        ([[1, 1, 1, 1]], r"states have shape \(1, 4\), the model needs \(k, 5\)"),
        ([[1, 1, 1, 1, 0]], "states of this model are -1 or 1"),
        ([[1, 1, 1, 1, 0.5]], "states of this model are -1 or 1"),
        (np.ones((2, 2, 5)), "states have shape"),
    ],
)
def test_wrong_states_are_refused(states: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        Ising(np.zeros(5), ADDER).energies(states)


def test_values_cannot_be_changed_in_place() -> None:
    """They would no longer be those that were compiled."""
    h = np.zeros(5)
    model = Ising(h, ADDER)
    for array in (model.couplings, model.biases):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    h[0] = 7  # the caller's own stays the caller's
    assert model.biases[0] == 0


def test_with_values_keeps_all_else() -> None:
    machine = BoltzmannMachine(["a", "b"], 1)
    other = machine.with_values([1, 2, 3], [4, 5, 6])
    assert type(other) is BoltzmannMachine
    assert other.couplings.tolist() == [1, 2, 3]
    assert other.biases.tolist() == [4, 5, 6]
    assert (other.labels, other.unit, other.hidden.tolist()) == (machine.labels, machine.unit, [2])
    assert machine.couplings.tolist() == [0, 0, 0]
    with pytest.raises(ModelError, match=r"couplings has shape \(2,\); the model needs \(3\)"):
        machine.with_values([1, 2], [4, 5, 6])
    with pytest.raises(ModelError, match=r"biases\[1\] is nan"):
        machine.with_values([1, 2, 3], [4, np.nan, 6])


class TestBoltzmannMachine:
    def test_is_fully_connected_by_default(self) -> None:
        machine = BoltzmannMachine(3, 2)
        assert machine.edges.tolist() == [list(pair) for pair in itertools.combinations(range(5), 2)]
        assert not machine.couplings.any()
        assert machine.labels == ("v0", "v1", "v2", "h0", "h1")
        assert machine.visible.tolist() == [0, 1, 2]
        assert machine.hidden.tolist() == [3, 4]
        assert machine.unit is Unit.SPIN

    def test_takes_the_edges_of_its_couplings(self) -> None:
        machine = BoltzmannMachine(["A", "B", "Cin", "S", "Cout"], J=ADDER)
        energies = machine.energies(spins(5))
        ground = spins(5)[energies == energies.min()]
        truth = [[*bits, sum(bits) % 2, sum(bits) // 2] for bits in itertools.product((0, 1), repeat=3)]
        assert sorted(((ground + 1) // 2).tolist()) == sorted(truth)

    def test_takes_edges_besides(self) -> None:
        couplings = np.zeros((3, 3))
        couplings[0, 1] = couplings[1, 0] = 2.0
        machine = BoltzmannMachine(2, 1, J=couplings, edges=[(2, 1), (0, 1)], unit=Unit.BIT)
        assert machine.edges.tolist() == [[0, 1], [1, 2]]
        assert machine.couplings.tolist() == [2.0, 0.0]
        assert machine.unit is Unit.BIT

    def test_counts_and_labels_may_be_numpys(self) -> None:
        assert BoltzmannMachine(np.int64(2), np.int32(1)).labels == ("v0", "v1", "h0")
        assert BoltzmannMachine(np.array(["a", "b"]), 1).labels == ("a", "b", "h0")

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"visible": -1}, "-1 units were asked for"),
            ({"visible": 0}, "the model has no variables"),
            ({"visible": ["a"], "hidden": ["a"]}, "only 1 of them different"),
            ({"visible": 2, "J": np.zeros((3, 3))}, "J is 3 x 3 for 2 units"),
            ({"visible": 2, "h": [0.0]}, r"h has shape \(1,\)"),
            ({"visible": 2, "edges": [(0, 2)]}, "leads out of the model"),
        ],
    )
    def test_malformed_ones_are_refused(self, arguments: dict[str, Any], message: str) -> None:
        with pytest.raises(ModelError, match=message):
            BoltzmannMachine(**arguments)


class TestRBM:
    @settings(deadline=None)
    @given(
        st.tuples(st.integers(1, 5), st.integers(1, 5)).flatmap(
            lambda shape: st.tuples(
                hnp.arrays(float, shape, elements=st.floats(-9, 9)),
                hnp.arrays(float, shape[0], elements=st.floats(-9, 9)),
                hnp.arrays(float, shape[1], elements=st.floats(-9, 9)),
            )
        )
    )
    def test_energy_is_the_textbooks(self, arrays: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        weights, b, c = arrays
        model = RBM(weights, b, c)
        states = np.array(list(itertools.product((0, 1), repeat=model.size)))
        v, h = states[:, : len(b)], states[:, len(b) :]
        expected = -(np.einsum("ki,ij,kj->k", v, weights, h) + v @ b + h @ c)
        assert model.energies(states) == pytest.approx(expected, abs=1e-9)

    def test_keeps_zero_weights_as_edges(self) -> None:
        model = RBM(np.zeros((2, 3)), np.zeros(2), np.zeros(3))
        assert len(model.edges) == 6
        assert model.visible.tolist() == [0, 1]
        assert model.hidden.tolist() == [2, 3, 4]
        assert model.unit is Unit.BIT

    def test_weights_are_in_the_order_of_the_matrix(self) -> None:
        weights = np.arange(6.0).reshape(2, 3)
        assert RBM(weights, np.zeros(2), np.zeros(3)).couplings.tolist() == weights.ravel().tolist()

    def test_disagreeing_shapes_are_refused(self) -> None:
        with pytest.raises(ModelError, match=r"W has shape \(2, 3\); the model needs \(3, 2\)"):
            RBM(np.zeros((2, 3)), np.zeros(3), np.zeros(2))
        with pytest.raises(ModelError, match=r"c\[1\] is inf"):
            RBM(np.zeros((1, 2)), [0], [0, np.inf])


def test_cut_counts_the_cut_weight() -> None:
    graph = nx.gnp_random_graph(9, 0.5, seed=4)
    rng = np.random.default_rng(4)
    weights = {edge: float(rng.integers(-3, 4)) for edge in graph.edges}
    model = MaxCut.from_edges(9, list(weights), [-weight for weight in weights.values()])
    for state in spins(9)[::7]:
        expected = sum(weight for (i, j), weight in weights.items() if state[i] != state[j])
        assert model.cut(state[None])[0] == expected
        total = sum(weights.values())
        agreeing = sum(weight * state[i] * state[j] for (i, j), weight in weights.items())
        assert model.cut(state[None])[0] == (total - agreeing) / 2


class TestOnGraph:
    def test_units_lie_at_random_vertices(self):
        graph = Ising.from_edges(50, [[i, i + 1] for i in range(49)], np.ones(49))
        machine = BoltzmannMachine.on_graph(graph, 20, unit=Unit.BIT, seed=3)
        assert (len(machine.visible), len(machine.hidden), len(machine.edges)) == (20, 30, 49)
        degrees = np.bincount(machine.edges.ravel())
        assert sorted(degrees.tolist()) == [1, 1] + [2] * 48
        assert not machine.couplings.any()
        mixed = (machine.edges < 20).sum(axis=1) == 1
        assert 10 < mixed.sum() < 40
        assert not np.array_equal(machine.edges, BoltzmannMachine.on_graph(graph, 20, seed=4).edges)

    def test_labels_are_given(self):
        graph = Ising.from_edges(3, [[0, 1]], [1.0])
        assert BoltzmannMachine.on_graph(graph, ["a", "b"]).labels == ("a", "b", "h0")

    def test_too_small_a_graph_is_refused(self):
        with pytest.raises(ModelError, match="4 visible units do not fit the graph's 3 vertices"):
            BoltzmannMachine.on_graph(Ising.from_edges(3, [[0, 1]], [1.0]), 4)

    def test_what_is_no_graph_is_refused(self):
        graph: Any = "x"
        with pytest.raises(ModelError, match="graph is 'x'; give a model, such as"):
            BoltzmannMachine.on_graph(graph, 2)
