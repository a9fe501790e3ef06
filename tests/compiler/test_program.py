"""Compiling: every image is one that hardware could be, and computes the model's own fields."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import dimod
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pbit_hw.compiler import RBM, BoltzmannMachine, Ising, Model, Program, compile
from pbit_hw.compiler.library import full_adder, lattice
from pbit_hw.contract.errors import FitError, FormatError, ImageError, ModelError, RequestError
from pbit_hw.contract.generator import Generator
from pbit_hw.contract.request import Batch
from pbit_hw.contract.update import Unit, field

FORMATS = st.sampled_from([None, "s[3][0]", "s[2][4]", "s[1][1]", "s[0][1]", "s[4][-2]"])


def fields(program: Program, states: np.ndarray) -> np.ndarray:
    """Field of every variable as the array's adders compute it from logical states, in codes."""
    image = program.image
    bits = (states[program.order] > 0).astype(np.uint8)
    physical = [
        field(
            int(image.biases[p]),
            image.weights,
            image.neighbours,
            bits,
            image.slot_first[p],
            image.slot_first[p + 1],
            int(image.unit),
        )
        for p in range(image.size)
    ]
    logical = np.empty(image.size)
    logical[program.order] = physical
    return logical


@settings(deadline=None, max_examples=150)
@given(st.data(), FORMATS, st.integers(2, 12))
def test_the_array_computes_the_quantised_models_fields(
    models: SearchStrategy[Model], data: st.DataObject, weight_format: str | None, weight_bits: int
) -> None:
    """The energy that a variable gains by going from low to high is minus its field, twice that for spins."""
    model = data.draw(models)
    program = compile(model, weight_bits=weight_bits, weight_format=weight_format)
    program.image.check()
    low, high = model.allowed
    state = np.array(data.draw(st.lists(st.sampled_from(model.allowed), min_size=model.size, max_size=model.size)))
    found = fields(program, state) * program.image.grid.step
    for variable in range(model.size):
        ends = np.stack([state, state])
        ends[:, variable] = low, high
        energies = program.quantised.energies(ends)
        assert found[variable] * (high - low) == pytest.approx(energies[0] - energies[1], abs=1e-9)


@settings(deadline=None, max_examples=150)
@given(st.data(), FORMATS, st.integers(2, 12))
def test_quantisation_errs_by_half_a_step_unless_it_saturates(
    models: SearchStrategy[Model], data: st.DataObject, weight_format: str | None, weight_bits: int
) -> None:
    model = data.draw(models)
    program = compile(model, weight_bits=weight_bits, weight_format=weight_format)
    image = program.image
    step, limit = image.grid.step, image.weight_format.limit
    saturated = 0
    for values, quantised in (
        (model.couplings, program.quantised.couplings),
        (model.biases, program.quantised.biases),
    ):
        clipped = np.abs(np.rint(values / step)) > limit
        assert (np.abs(values - quantised)[~clipped] <= step / 2 * (1 + 1e-9)).all()
        assert quantised[clipped] == pytest.approx(np.sign(values[clipped]) * limit * step)
        saturated += int(clipped.sum())
    quantisation = program.quantisation
    assert quantisation.saturated_couplings + quantisation.saturated_biases == saturated
    assert program.report.quantisation is quantisation
    if weight_format is None:
        assert saturated == 0


@settings(deadline=None)
@given(st.data(), st.integers(1, 4), st.integers(1, 3))
def test_states_come_back_in_the_models_order(
    models: SearchStrategy[Model], data: st.DataObject, replicas: int, kept: int
) -> None:
    model = data.draw(models)
    program = compile(model)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    initial = rng.choice(model.allowed, size=(replicas, model.size))
    request = program.request(kept, replicas=replicas, initial=initial)
    # An array that only shifts every state by one p-bit with each sweep, to tell the sweeps apart.
    states = np.stack([np.roll(request.initial, sweep, axis=1) for sweep in range(kept)])
    samples = program.decode(Batch(states, 7, 11), request)
    assert np.array_equal(samples.states[:replicas], initial)
    for row, sweep, replica in zip(samples.states, samples.sweep, samples.replica, strict=True):
        physical = np.roll(initial[replica][program.order], sweep - 1)
        assert np.array_equal(row[program.order], physical)
    assert samples.states.dtype == (np.int8 if model.unit is Unit.SPIN else np.uint8)
    assert (samples.flips, samples.wall_ns, samples.model) == (7, 11, model)


@settings(deadline=None)
@given(st.data())
def test_reweighting_is_compiling_without_recolouring(models: SearchStrategy[Model], data: st.DataObject) -> None:
    model = data.draw(models)
    program = compile(model, weight_format="s[3][4]")
    number = st.floats(-20, 20)
    couplings = data.draw(st.lists(number, min_size=len(model.edges), max_size=len(model.edges)))
    biases = data.draw(st.lists(number, min_size=model.size, max_size=model.size))
    other = program.reweighted(couplings, biases)
    other.image.check()
    assert other.image.digest == program.image.digest
    assert other.image.colour_first is program.image.colour_first
    assert np.array_equal(other.order, program.order)
    again = compile(model.with_values(couplings, biases), weight_format="s[3][4]")
    for name in ("weights", "biases", "neighbours", "slot_first", "colour_first"):
        assert np.array_equal(getattr(other.image, name), getattr(again.image, name))
    assert other.quantisation == again.quantisation
    assert other.quantised.couplings.tolist() == again.quantised.couplings.tolist()
    assert program.model is model  # and the old one is as it was
    assert np.array_equal(program.image.weights, compile(model, weight_format="s[3][4]").image.weights)


def test_reweighting_keeps_clamps_and_refuses_other_shapes() -> None:
    program = compile(full_adder(), clamp={"S": 1})
    other = program.reweighted(np.zeros(10), np.ones(5))
    assert np.array_equal(other.image.clamped, program.image.clamped)
    with pytest.raises(ModelError, match=r"couplings has shape \(9,\); the model needs \(10\)"):
        program.reweighted(np.zeros(9), np.zeros(5))
    with pytest.raises(ModelError, match=r"biases\[0\] is nan"):
        program.reweighted(np.zeros(10), np.full(5, np.nan))


def test_compiling_is_deterministic() -> None:
    model = lattice((5, 5, 5), spin_glass_seed=1)
    first, second = compile(model).image, compile(model).image
    assert first.digest == second.digest
    assert np.array_equal(first.weights, second.weights)


def test_the_full_adder() -> None:
    program = compile(full_adder())
    assert program.image.colours == 5
    assert str(program.image.weight_format) == "s[2][0]"
    assert program.quantisation.max_error == 0
    assert program.quantised.couplings.tolist() == program.model.couplings.tolist()
    assert isinstance(program.quantised, BoltzmannMachine)


def test_an_rbm_has_two_colours_and_bits() -> None:
    rng = np.random.default_rng(0)
    program = compile(RBM(rng.normal(size=(6, 4)), rng.normal(size=6), rng.normal(size=4)))
    assert program.image.colours == 2
    assert program.image.unit is Unit.BIT
    # Bits have nothing folded into their biases.
    step = program.image.grid.step
    assert program.image.biases * step == pytest.approx(program.model.biases[program.order], abs=step / 2)


def test_options_reach_the_image() -> None:
    image = compile(full_adder(), weight_format="s[3][2]", beta_format="u[2][6]", generator="xoshiro128").image
    assert (str(image.weight_format), str(image.beta_format)) == ("s[3][2]", "u[2][6]")
    assert image.generator is Generator.XOSHIRO128
    assert compile(full_adder()).image.generator is Generator.XOSHIRO64
    assert str(compile(full_adder()).image.beta_format) == "u[3][9]"


def test_clamps_given_to_compile() -> None:
    program = compile(full_adder(), clamp={"S": 1, "Cout": -1})
    at = {label: int(np.flatnonzero(program.order == i)[0]) for i, label in enumerate(program.model.labels)}
    expected = np.zeros(5)
    expected[[at["S"], at["Cout"]]] = 1
    assert np.array_equal(program.image.clamped, expected)
    assert program.image.clamp_values[at["S"]] == 1
    assert program.image.clamp_values[at["Cout"]] == 0
    assert compile(full_adder()).image.digest == program.image.digest
    for clamp, message in (({"X": 1}, "cannot clamp 'X'"), ({"S": 0}, "cannot clamp 'S' to 0: it takes -1 or 1")):
        with pytest.raises(RequestError, match=message):
            compile(full_adder(), clamp=clamp)


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        (nx.path_graph(3), r"give a model, not Graph; use Ising\.from_networkx\(graph\)"),
        (dimod.BinaryQuadraticModel("SPIN"), r"use Ising\.from_bqm\(bqm\)"),
        ("G11.txt", r"use Ising\.from_gset\(path\) for a graph, load\(path\) for a program"),
        (Path("G11.txt"), r"use Ising\.from_gset\(path\)"),
        (np.zeros((3, 3)), r"not ndarray; make one first, for example Ising\(h, J\)"),
        (None, "not NoneType"),
        (Ising, "not type"),
    ],
)
def test_what_is_no_model_is_refused(given_: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        compile(given_)


def test_a_degree_above_the_limit_is_refused() -> None:
    model = Ising.from_networkx(nx.star_graph(31))
    assert compile(model, max_degree=31).image.degrees.max() == 31
    with pytest.raises(FitError, match="graph has degree 31, limit is 16: split variables with sparsify"):
        compile(model, max_degree=16)
    assert compile(Ising([1.0], [[0.0]]), max_degree=0).image.size == 1


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"generator": "mt19937"}, ModelError, "no generator 'mt19937'; use xoshiro128 or xoshiro64 or lfsr48"),
        ({"weight_format": "8 bits"}, FormatError, "is not a fixed-point format"),
        ({"beta_format": "s[3][4]"}, FormatError, "is not a fixed-point format"),
        ({"weight_bits": 1}, FormatError, "weight_bits is 1"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        compile(full_adder(), **options)


def cpu_s(work: Any) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def test_a_hundred_thousand_edges_compile_in_seconds() -> None:
    rng = np.random.default_rng(0)
    pairs = rng.integers(0, 20_000, (100_000, 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    model = Ising.from_edges(20_000, pairs, rng.normal(size=len(pairs)))
    assert cpu_s(lambda: compile(model)) < 5


def test_reweighting_ten_thousand_edges_takes_milliseconds() -> None:
    program = compile(lattice((15, 15, 15), spin_glass_seed=0))
    couplings, biases = program.model.couplings, program.model.biases
    assert cpu_s(lambda: [program.reweighted(couplings, biases) for _ in range(20)]) / 20 < 0.02


@pytest.mark.parametrize(("name", "colours"), [("G11", 2), ("G14", 7), ("G1", 15)])
def test_real_instances(gset: Path, name: str, colours: int) -> None:
    """Integer couplings stay exact, and no more colours are used than by networkx's quadratic DSATUR."""
    model = Ising.from_gset(gset / f"{name}.txt")
    program = compile(model)
    assert program.quantisation.max_error == 0
    assert program.image.weight_format.bits == 2
    assert program.image.colours <= colours
    states = np.random.default_rng(1).choice([-1, 1], size=(5, model.size)).astype(np.int8)
    assert program.quantised.energies(states).tolist() == model.energies(states).tolist()


def test_an_interleaved_program_is_the_same_program(tmp_path: Path) -> None:
    """It says how many replicas its array holds, also when it comes from a file."""
    program, deep = (compile(lattice((4, 4), spin_glass_seed=1), interleave=replicas) for replicas in (1, 6))
    assert (program.image.interleave, deep.image.interleave) == (1, 6)
    assert (program.report.interleave, deep.report.interleave) == (1, 6)
    assert deep.report.to_json()["interleave"] == 6
    again = program.interleaved(6)
    assert again.image.digest == deep.image.digest != program.image.digest
    assert again.to_bytes() == deep.to_bytes()
    deep.save(tmp_path / "deep.pbit")
    loaded = Program.load(tmp_path / "deep.pbit")
    assert (loaded.image.interleave, loaded.image.digest) == (6, deep.image.digest)
    assert loaded.interleaved(1).to_bytes() == program.to_bytes()


def test_interleaved_programs_keep_their_clamps_and_take_weights() -> None:
    model = lattice((4, 4), spin_glass_seed=1)
    deep = compile(model, interleave=4, clamp={3: -1})
    assert deep.clamps == {3: -1}
    other = deep.reweighted(-model.couplings, model.biases)
    assert (other.image.interleave, other.clamps) == (4, {3: -1})


@pytest.mark.parametrize("replicas", [0, 3, -2])
def test_replicas_that_cannot_follow_one_another_are_refused(replicas: int) -> None:
    program = compile(lattice((4, 4), spin_glass_seed=1))
    for make in (lambda: compile(lattice((4, 4)), interleave=replicas), lambda: program.interleaved(replicas)):
        with pytest.raises(ImageError, match=f"2 colours cannot hold {replicas} replicas; use 1 or a multiple of 2"):
            make()
