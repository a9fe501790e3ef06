"""Gates: their ground states are exactly the truth table, and no couplings within the bound have a larger gap."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from pbit_hw.compiler.cells import AND, CELLS, FULL_ADDER
from pbit_hw.compiler.gates import AUXILIARY, gate
from pbit_hw.compiler.library import and_gate, full_adder
from pbit_hw.contract.errors import ModelError

RELATIONS: dict[str, Callable[..., tuple[int, ...]]] = {
    "COPY": lambda a: (a,),
    "NOT": lambda a: (1 - a,),
    "AND": lambda a, b: (a & b,),
    "OR": lambda a, b: (a | b,),
    "XOR": lambda a, b: (a ^ b,),
    "NAND": lambda a, b: (1 - (a & b),),
    "NOR": lambda a, b: (1 - (a | b),),
    "XNOR": lambda a, b: (1 - (a ^ b),),
    "MUX": lambda a, b, s: (b if s else a,),
    "HALF_ADDER": lambda a, b: ((a + b) % 2, (a + b) // 2),
    "FULL_ADDER": lambda a, b, c: ((a + b + c) % 2, (a + b + c) // 2),
}


def table(name: str) -> list[tuple[int, ...]]:
    relation = RELATIONS[name]
    inputs = itertools.product((0, 1), repeat=relation.__code__.co_argcount)
    return [(*bits, *relation(*bits)) for bits in inputs]


@pytest.mark.parametrize("name", CELLS)
def test_ground_states_are_the_truth_table(name: str) -> None:
    """By enumeration of the model, without the code that says what the gap is."""
    cell = CELLS[name]
    seen = sum(not pin.startswith(AUXILIARY) for pin in cell.pins)
    states = np.array(list(itertools.product((-1, 1), repeat=len(cell.pins))))
    energies = cell.model().energies(states)
    ground = np.isclose(energies, 0)
    assert sorted(((row[:seen] + 1) // 2).tolist() for row in states[ground]) == sorted(map(list, table(name)))
    assert energies[~ground].min() == cell.gap == (2 if "ADDER" in name or "XOR" in name or name == "XNOR" else 4)


@pytest.mark.parametrize("name", CELLS)
def test_the_linear_program_finds_no_larger_gap(name: str) -> None:
    cell = CELLS[name]
    most = float(np.abs(cell.couplings).max())
    auxiliaries = sum(pin.startswith(AUXILIARY) for pin in cell.pins)
    found = gate(table(name), most, auxiliaries, max_bias=2 * most)
    assert np.abs(cell.biases).max() <= most
    assert found.gap == pytest.approx(cell.gap, abs=1e-5)
    assert np.abs(found.couplings).max() <= most + 1e-9


@pytest.mark.parametrize("name", ["COPY", "AND", "OR", "HALF_ADDER", "FULL_ADDER"])
def test_the_shipped_coefficients_are_the_linear_programs(name: str) -> None:
    """Where the optimum of smallest magnitude is unique."""
    found = gate(table(name), 2.0)
    assert np.array_equal(found.couplings, CELLS[name].couplings)
    assert np.array_equal(found.biases, CELLS[name].biases)


def test_the_librarys_gates_are_the_same() -> None:
    for cell, model in ((AND, and_gate()), (FULL_ADDER, full_adder())):
        assert np.array_equal(cell.couplings[tuple(model.edges.T)], model.couplings)
        assert np.array_equal(cell.biases, model.biases)


@pytest.mark.parametrize("name", ["XOR", "MUX"])
def test_an_auxiliary_is_needed(name: str) -> None:
    with pytest.raises(ModelError, match="as ground states; use auxiliaries=1"):
        gate(table(name))


def test_a_gate_scales_with_the_bound() -> None:
    assert gate(table("AND"), 1.0).gap == pytest.approx(2)
    assert AND.scaled(0.5).gap == 2


def test_a_gate_of_ones_own() -> None:
    """The majority of three, which needs no auxiliary."""
    rows = [(*bits, int(sum(bits) > 1)) for bits in itertools.product((0, 1), repeat=3)]
    found = gate(rows, 1.0, pins=("x", "y", "z", "m"), name="MAJORITY")
    assert found.gap > 0
    assert found.model().labels == ("x", "y", "z", "m")
    assert found.pins == ("x", "y", "z", "m")


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ([[0, 2]], {}, "rows of 0 and 1"),
        ([], {}, "rows of 0 and 1"),
        ([[0, 0], [0, 1], [1, 0], [1, 1]], {}, "allows all 4 states"),
        ([[0] * 9], {}, "the limits are 8 pins"),
        (table("FULL_ADDER"), {"auxiliaries": 2}, "split the gate"),
        (table("AND"), {"pins": ("A",)}, "1 names for 3 pins"),
    ],
)
def test_wrong_tables_are_refused(rows: list[list[int]], options: dict[str, int], message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        gate(rows, 2.0, **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
