"""Circuits: ground states are the solutions, forwards and backwards; constants and inverters cost nothing."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pbit_hw.compiler import compile
from pbit_hw.compiler.circuits import GAP, Circuit
from pbit_hw.contract.errors import ModelError
from pbit_hw.sim.annealing import anneal
from pbit_hw.sim.exact import exact, states


def adder(width: int) -> Circuit:
    circuit = Circuit()
    a, b, s = circuit.port("a", width), circuit.port("b", width), circuit.port("s", width + 1)
    carry = "0"
    for i in range(width):
        after = s[width] if i == width - 1 else f"c{i}"
        circuit.add("FULL_ADDER", a[i], b[i], carry, s[i], after)
        carry = after
    return circuit


def multiplier(width: int) -> Circuit:
    """Rows of partial products, summed column by column."""
    circuit = Circuit()
    a, b, p = circuit.port("a", width), circuit.port("b", width), circuit.port("p", 2 * width)
    columns: list[list[str]] = [[] for _ in range(2 * width + 1)]
    for i, j in itertools.product(range(width), repeat=2):
        circuit.add("AND", a[i], b[j], f"x{i}_{j}")
        columns[i + j].append(f"x{i}_{j}")
    for place in range(2 * width):
        column = columns[place]
        while len(column) > 1:
            nets = [column.pop(0) for _ in range(min(3, len(column)))]
            k = f"{place}_{len(column)}"
            circuit.add("FULL_ADDER" if len(nets) == 3 else "HALF_ADDER", *nets, f"s{k}", f"c{k}")
            column.append(f"s{k}")
            columns[place + 1].append(f"c{k}")
        circuit.connect(p[place], column[0] if column else "0")
    return circuit


def numbers(circuit: Circuit, values: dict[str, int], name: str) -> int:
    return sum(values[net] << i for i, net in enumerate(net for net in circuit.ports if net.startswith(name + "[")))


def test_exact_ground_states_of_an_adder() -> None:
    """Every state of two-bit addition."""
    model = adder(2).model()
    energies = exact(model).energies
    ground = states(model, 0, len(energies))[np.isclose(energies, 0)] > 0
    a, b, s = (
        ground[:, [model.index[f"{name}[{i}]"] for i in range(width)]] @ (1 << np.arange(width))
        for name, width in (("a", 2), ("b", 2), ("s", 3))
    )
    assert sorted(zip(a, b, strict=True)) == list(itertools.product(range(4), repeat=2))
    assert np.array_equal(a + b, s)
    assert energies[~np.isclose(energies, 0)].min() == pytest.approx(GAP)


@pytest.mark.parametrize(("circuit", "result", "width"), [(adder(4), "s", 5), (multiplier(4), "p", 8)])
def test_logic_of_every_input_and_its_energy(circuit: Circuit, result: str, width: int) -> None:
    """Forwards: each pair of inputs decides every net, rightly, and the state is a ground state."""
    model = circuit.model()
    rows = []
    for a, b in itertools.product(range(16), repeat=2):
        values = circuit.deduce({"a": a, "b": b})
        assert numbers(circuit, values, result) == (a + b if result == "s" else a * b)
        rows.append([2 * values[str(label)] - 1 for label in model.labels])
    assert np.allclose(model.energies(rows), 0)
    assert model.size == len(set(model.labels))
    assert not circuit.accepts({"a": 2, "b": 3, result: 7})


@pytest.mark.parametrize(("circuit", "result"), [(adder(4), "s"), (multiplier(4), "p")], ids=["adder", "multiplier"])
def test_every_output_backwards(circuit: Circuit, result: str) -> None:
    """One run for all outputs, 32 replicas each: zero energy is a right pair, and an output without one has the gap."""
    bits = sum(net.startswith(result + "[") for net in circuit.ports)
    wanted = np.repeat(np.arange(1 << bits), 32)
    samples = anneal(compile(circuit.model()), sweeps=2_000, replicas=len(wanted), clamp={result: wanted}, seed=1)
    right = samples["a"] + samples["b"] if result == "s" else samples["a"] * samples["b"]
    ground = np.isclose(samples.energies, 0)
    assert np.array_equal(samples[result], wanted)
    assert np.array_equal(right[ground], wanted[ground])
    assert samples.energies[~ground].min() >= GAP - 1e-9
    pairs = itertools.product(range(16), repeat=2)
    possible = {a + b if result == "s" else a * b for a, b in pairs}
    assert set(wanted[ground].tolist()) == possible


def test_forwards_by_annealing() -> None:
    pairs = np.array(list(itertools.product(range(16), repeat=2)))
    clamp = {"a": np.repeat(pairs[:, 0], 32), "b": np.repeat(pairs[:, 1], 32)}
    samples = anneal(compile(multiplier(4).model()), sweeps=2_000, replicas=256 * 32, clamp=clamp, seed=2)
    best = samples.energies.reshape(256, 32).argmin(axis=1)
    assert np.array_equal(samples["p"].reshape(256, 32)[np.arange(256), best], pairs.prod(axis=1))


def test_inverters_and_buffers_are_absorbed() -> None:
    circuit = Circuit()
    circuit.port("x")
    circuit.port("y")
    circuit.port("z")
    circuit.connect("u", "~x")
    circuit.connect("v", "u")
    circuit.add("AND", "~v", "y", "w")
    circuit.connect("z", "~w")
    model = circuit.model()
    assert model.labels == ("x", "y", "z")
    ground = states(model, 0, 8)[np.isclose(model.energies(states(model, 0, 8)), 0)]
    assert {tuple(row) for row in (ground > 0).astype(int).tolist()} == {
        (x, y, 1 - (x & y)) for x in (0, 1) for y in (0, 1)
    }


def test_constants_are_folded() -> None:
    circuit = Circuit()
    circuit.port("x")
    circuit.port("y")
    circuit.add("FULL_ADDER", "x", "1", "0", "s", "c")
    circuit.add("XOR", "s", "c", "one")
    circuit.add("AND", "one", "x", "y")
    model = circuit.model()
    assert model.labels == ("x", "y")
    assert model.energies([[1, 1], [-1, -1], [1, -1], [-1, 1]]).tolist() == [0, 0, GAP, GAP]


def test_ports_that_are_equal_or_constant_stay() -> None:
    circuit = Circuit()
    for name in "xyz":
        circuit.port(name)
    circuit.connect("y", "~x")
    circuit.connect("z", "1")
    model = circuit.model()
    ground = exact(model).energies == 0
    assert {tuple(row) for row in states(model, 0, 8)[ground].tolist()} == {(1, -1, 1), (-1, 1, 1)}


def test_subset_sum() -> None:
    """Which of 3, 5, 9, 14 sum to 17: 3 and 14, or 3, 5 and 9."""
    circuit = Circuit()
    chosen = circuit.port("chosen", 4)
    total: list[str] = ["0"] * 5
    for k, (weight, use) in enumerate(zip((3, 5, 9, 14), chosen, strict=True)):
        carry, after = "0", [f"t{k}_{i}" for i in range(5)]
        for i in range(5):
            circuit.add("FULL_ADDER", total[i], use if weight >> i & 1 else "0", carry, after[i], f"k{k}_{i}")
            carry = f"k{k}_{i}"
        total = after
    for net, result in zip(total, circuit.port("total", 5), strict=True):
        circuit.connect(net, result)
    samples = anneal(compile(circuit.model()), sweeps=1_000, clamp={"total": 17}, seed=3)
    assert set(samples["chosen"][np.isclose(samples.energies, 0)]) == {0b1001, 0b0111}


def test_what_is_no_circuit_is_refused() -> None:
    circuit = Circuit()
    circuit.port("x", 2)
    with pytest.raises(ModelError, match=r"port 'x\[0\]' cannot be declared"):
        circuit.port("x", 2)
    with pytest.raises(ModelError, match="no gate 'NAN'; use COPY"):
        circuit.add("NAN", "x[0]", "y")
    with pytest.raises(ModelError, match="AND has pins A B Y; 2 nets were given"):
        circuit.add("AND", "x[0]", "y")
    circuit.add("AND", "x[0]", "0", "y", name="g")
    with pytest.raises(ModelError, match="there is a gate 'g' already"):
        circuit.add("AND", "x[0]", "0", "y", name="g")
    with pytest.raises(ModelError, match="net w cannot be 3; it is 0 or 1"):
        circuit.deduce({"w": 3})
    circuit.connect("y", "1")
    with pytest.raises(ModelError, match="gate g has no row that fits its nets"):
        circuit.model()
