"""Formulas: what is read and refused, energies against counting by hand, and random 3-SAT near its threshold solved."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

import pbit_hw as pb
from pbit_hw.compiler import cnf, gadgets
from pbit_hw.compiler.cnf import Formula
from pbit_hw.compiler.dimacs import parse_dimacs
from pbit_hw.compiler.reduce import reduce
from pbit_hw.contract.errors import ModelError
from pbit_hw.sim.exact import exact, states

GOOD = """c a comment
p cnf 4 3
1 -3 0
2 3 -1 0
-4 0
"""
SATISFIABLE = (0, 4, 6, 8, 10)
"""Seeds of `random_clauses` whose formulas of 50 variables and 218 clauses CaDiCaL finds satisfiable."""


@st.composite
def clause_lists(draw: DrawFn) -> tuple[list[list[int]], list[float | None]]:
    """Up to 5 clauses over 5 variables, of 1 to 6 literals, some of them twice or negated too."""
    literal = st.integers(1, 5).flatmap(lambda variable: st.sampled_from([variable, -variable]))
    clauses = draw(st.lists(st.lists(literal, min_size=1, max_size=6), max_size=5))
    weight = st.none() | st.integers(1, 9).map(float)
    return clauses, draw(st.lists(weight, min_size=len(clauses), max_size=len(clauses)))


def holds(clause: list[int], state: Any) -> bool:
    return any((state[abs(literal) - 1] == 1) == (literal > 0) for literal in clause)


def every_state(formula: Formula) -> np.ndarray:
    return states(formula, 0, 1 << formula.size)


def random_clauses(size: int, count: int, seed: int) -> list[list[int]]:
    """Random 3-SAT: three different variables per clause, each negated by a fair coin."""
    rng = np.random.default_rng(seed)
    return [((rng.choice(size, 3, replace=False) + 1) * rng.choice([-1, 1], 3)).tolist() for _ in range(count)]


@settings(deadline=None, max_examples=200)
@given(clause_lists())
def test_energy_is_the_weight_of_what_is_not_satisfied(given: tuple[list[list[int]], list[float | None]]) -> None:
    clauses, weights = given
    formula = Formula.of_clauses(clauses, weights, size=5)
    soft = sum(
        weight
        for clause, weight in zip(clauses, weights, strict=True)
        if weight is not None and not any(-literal in clause for literal in clause)
    )
    for state, violated, energy in zip(
        every_state(formula),
        formula.violations(every_state(formula)),
        formula.energies(every_state(formula)),
        strict=True,
    ):
        failed = [weight for clause, weight in zip(clauses, weights, strict=True) if not holds(clause, state)]
        assert violated == len(failed)
        if None in failed:
            assert energy > soft
        else:
            assert energy == sum(weight for weight in failed if weight is not None)


@settings(deadline=None, max_examples=100)
@given(clause_lists())
def test_the_polynomial_has_the_same_energies(given: tuple[list[list[int]], list[float | None]]) -> None:
    formula = Formula.of_clauses(*given, size=5)
    assert formula.polynomial().energies(every_state(formula)) == pytest.approx(formula.energies(every_state(formula)))


def least_energies(formula: Formula, shared: bool = True) -> np.ndarray:
    """Least energy of the model over its auxiliaries, of each state of the formula."""
    energies = exact(formula.model(shared).target).energies
    least = np.full(1 << formula.size, np.inf)
    np.minimum.at(least, np.arange(len(energies)) % len(least), energies)
    return least


@settings(deadline=None, max_examples=100)
@given(clause_lists(), st.booleans())
def test_the_models_least_energies_are_the_formulas(
    given: tuple[list[list[int]], list[float | None]], shared: bool
) -> None:
    formula = Formula.of_clauses(*given, size=5)
    if formula.model(shared).target.size <= 15:
        assert least_energies(formula, shared) == pytest.approx(formula.energies(every_state(formula)), abs=1e-9)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("length", range(1, 8))
def test_clauses_of_every_length(length: int, shared: bool) -> None:
    formula = Formula.of_clauses([[(-1) ** i * (i + 1) for i in range(length)]])
    assert len(formula.model(shared).auxiliaries) == max(0, 2 * length - 5)
    assert least_energies(formula, shared) == pytest.approx(formula.energies(every_state(formula)))


def test_without_its_auxiliary_a_clause_costs_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control of the gadget."""
    formula = Formula.of_clauses([[1, 2, 3]])
    couplings = gadgets._couplings
    monkeypatch.setattr(gadgets, "_couplings", lambda variables, *rest: list(couplings(variables, *rest))[:3])
    assert least_energies(formula, shared=False) != pytest.approx(formula.energies(every_state(formula)))


@settings(deadline=None, max_examples=60)
@given(clause_lists())
def test_parts_make_the_same_formula(given: tuple[list[list[int]], list[float | None]]) -> None:
    formula = Formula.of_clauses(*given, size=5)
    meta, arrays = formula.parts()
    assert {str(array.dtype) for array in arrays.values()} <= {"int32", "float64"}
    again = Formula.from_parts(json.loads(json.dumps(meta)), arrays, formula.labels)
    assert again.clauses() == formula.clauses()
    assert again.weights.tolist() == formula.weights.tolist()
    assert again.hard.tolist() == formula.hard.tolist()


def test_states_are_taken_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    formula = Formula.of_clauses(random_clauses(8, 20, 0), size=8)
    whole = formula.violations(every_state(formula))
    monkeypatch.setattr(cnf, "_BLOCK", 7 * 60)
    assert np.array_equal(formula.violations(every_state(formula)), whole)
    assert formula.energies(np.empty((0, 8), int)).shape == (0,)


def test_long_clauses_have_no_polynomial() -> None:
    formula = Formula.of_clauses([list(range(1, 41))])
    with pytest.raises(ModelError, match=r"the polynomial has 1099511627776 terms, .*use Formula\.model\(\)"):
        formula.polynomial()
    assert formula.model().target.size == 40 + 75
    assert Formula.of_clauses([list(range(-40, 0))]).polynomial().order == 40


def test_hard_clauses_cost_more_than_all_soft_ones() -> None:
    formula = Formula.of_clauses([[1], [2], [-1, -2]], [3, 0.5, None])
    assert formula.weights.tolist() == [3.0, 0.5, 4.0]
    assert formula.energies([[1, 0], [0, 1], [1, 1]]).tolist() == [0.5, 3.0, 4.0]
    assert repr(formula) == "<Formula: 2 variables, 3 clauses, 1 of them hard>"


def write(tmp_path: Path, text: str, name: str = "f.cnf") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "\r\n".join(GOOD.splitlines()),
        "p cnf 4 3\n1 -3 0 2\nc in between\n3 -1\n0 -4 0",
        GOOD + "%\n0\n\n",
        "c caf\u00e9\n\n" + GOOD,
        "p  cnf   4 3  \n1 -3 -3 1 0\n2 3 -1 0 -4 -4 0\n",
    ],
)
def test_a_file_is_read(tmp_path: Path, text: str) -> None:
    formula = Formula.from_dimacs(write(tmp_path, text))
    assert formula.labels == (1, 2, 3, 4)
    assert formula.clauses() == [[1, -3], [2, 3, -1], [-4]]
    assert formula.hard.tolist() == [1, 1, 1]
    assert formula.weights.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("p wcnf 3 3 16\n16 1 2 0\n5 -1 0\n7 -2 3 0\n", "f.wcnf"),
        ("p wcnf 3 3 16\n99 1 2 0 5 -1 0\n7 -2\n 3 0\n", "f.txt"),
        ("c new\nh 1 2 0\n5 -1 0\n7 -2 3 0\n", "f.wcnf"),
    ],
)
def test_weighted_files_are_read(tmp_path: Path, text: str, name: str) -> None:
    formula = Formula.from_dimacs(write(tmp_path, text, name))
    assert formula.clauses() == [[1, 2], [-1], [-2, 3]]
    assert formula.hard.tolist() == [1, 0, 0]
    assert formula.weights.tolist() == [17, 5, 7]


def test_weights_without_a_top_are_all_soft(tmp_path: Path) -> None:
    formula = Formula.from_dimacs(write(tmp_path, "p wcnf 2 2\n4 1 0\n3 -1 2 0\n"))
    assert formula.hard.tolist() == [0, 0]


def test_clauses_that_always_hold_are_left_out(tmp_path: Path) -> None:
    formula = Formula.from_dimacs(write(tmp_path, "p cnf 3 2\n1 2 -1 0\n3 -3 0\n"))
    assert (formula.size, len(formula.weights)) == (3, 0)
    assert formula.energies([[0, 1, 0]]).tolist() == [0.0]
    assert formula.violations([[0, 1, 0]]).tolist() == [0]
    assert formula.model().target.size == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no clause; a formula starts with a line 'p cnf n m'"),
        ("c nothing\n", "holds no clause"),
        ("1 2 0\n", "line 1: '1 2 0' comes before a line 'p cnf n m'"),
        ("p cnf 3\n", "line 1: 'p cnf 3' is not 'p cnf n m' or 'p wcnf n m top'"),
        ("p dnf 3 1\n", "line 1: 'p dnf 3 1' is not"),
        ("p\n", "line 1: 'p' is not"),
        ("p cnf 3 -1\n", "line 1: 'p cnf 3 -1' is not"),
        ("p cnf 3 \u00b2\n", "is not"),
        ("p cnf 0 0\n", "line 1: 0 variables are announced; a formula has 1 to 4194304"),
        ("p cnf 99999999999 1\n", "line 1: 99999999999 variables are announced"),
        (GOOD + "p cnf 4 3\n", "line 6: there is a 'p' line already"),
        ("p cnf 3 1\n1 x 0\n", "line 2: 'x' is no whole number"),
        ("p cnf 3 1\n1 1_0 0\n", "line 2: '1_0' is no whole number"),
        ("p cnf 3 1\n1 +2 0\n", "line 2: '+2' is no whole number"),
        ("p cnf 3 1\n1 1.5 0\n", "line 2: '1.5' is no whole number"),
        ("p cnf 3 1\n1\n-4 0\n", "line 3: literal -4 names variable 4; they are 1 to 3"),
        ("p cnf 3 1\n0\n", "line 2: the clause is empty, so nothing satisfies it; take it out"),
        ("p cnf 3 2\n1 0\n", "line 2: the file ends after 1 of 2 clauses; fetch it again"),
        ("p cnf 3 1\n1 0\n2 0\n", "line 3: the 'p' line announces 1 clauses, but there are more"),
        ("p cnf 3 1\n1 2\n%\n0\n", "line 2: the last clause is not closed by 0"),
        ("p wcnf 3 1 5\nh 1 0\n", "line 2: 'h' marks hard clauses of files without a 'p' line"),
        ("p wcnf 3 1 5\n0 1 0\n", "line 2: weight 0 is not positive"),
        ("p wcnf 3 1 5\n-2 1 0\n", "line 2: weight -2 is not positive"),
        ("p wcnf 3 1\n9007199254740992 1 0\n", "line 2: weights add up to 9007199254740992, the limit is"),
        ("p wcnf 3 1 5\n4\n", "line 2: the last clause is not closed by 0"),
    ],
)
def test_wrong_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ModelError) as caught:
        Formula.from_dimacs(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_text_or_not_there(tmp_path: Path) -> None:
    binary = tmp_path / "x.cnf"
    binary.write_bytes(bytes(range(256)))
    with pytest.raises(ModelError, match=r"x\.cnf line 1"):
        Formula.from_dimacs(binary)
    with pytest.raises(ModelError, match=r"cannot read .*none\.cnf: No such file"):
        Formula.from_dimacs(tmp_path / "none.cnf")


WORDS = [
    "0",
    "1",
    "-2",
    "3",
    "7",
    "h",
    "p",
    "cnf",
    "wcnf",
    "c",
    "%",
    "x",
    "-",
    "--1",
    "1e3",
    "\n",
    "\n",
    "9" * 30,
    "\x00",
]


def test_fuzzed_files_are_formulas_or_model_errors() -> None:
    rng = random.Random(7)
    seeds = [GOOD, "p wcnf 3 2 9\n9 1 2 0\n4 -3 0\n", "h 1 2 0\n3 -1 0\n"]
    formulas, messages = 0, {""}
    for number in range(3_000):
        words = rng.choice(seeds).replace("\n", " \n ").split(" ") if number % 3 else []
        for _ in range(rng.randint(0, 6)):
            words.insert(rng.randint(0, len(words)), rng.choice(WORDS))
            if rng.random() < 0.4:
                del words[rng.randrange(len(words))]
        try:
            size, clauses, weights = parse_dimacs(" ".join(words).splitlines(), rng.choice(["f.cnf", "f.wcnf"]))
            formula = Formula.of_clauses(clauses, weights, size)
        except ModelError as error:
            messages.add(str(error))
        else:
            formulas += 1
            assert formula.size >= 1
    assert 300 < formulas < 2_700
    assert not any("\n" in message for message in messages)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=60))
def test_any_text_is_a_formula_or_a_model_error(text: str) -> None:
    try:
        Formula.of_clauses(*parse_dimacs(text.splitlines(), "f")[1:])
    except ModelError:
        return


@pytest.mark.parametrize(
    ("clauses", "weights", "size", "message"),
    [
        ([[]], None, None, "clause 1 is empty, so nothing satisfies it"),
        ([[1], [2, 0]], None, None, "clause 2 names variable 0"),
        ([[1.5]], None, None, r"clause 1 is \[1\.5\]; give a list of whole numbers"),
        ([3], None, None, "clause 1 is 3; give a list of whole numbers"),
        ([[4]], None, 3, "variable 4 is named; they are 1 to 3"),
        ([[1]], [1.0, 2.0], None, "2 weights for 1 clauses"),
        ([[1]], [-1.0], None, "weight -1 of a clause is not positive"),
        ([[1]], [0.0], None, "weight 0 of a clause is not positive"),
        ([[1]], [float("inf")], None, r"weights\[0\] is inf"),
        ([], None, None, "the model has no variables"),
    ],
)
def test_malformed_clauses_are_refused(clauses: Any, weights: Any, size: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        Formula.of_clauses(clauses, weights, size)


@pytest.mark.parametrize(
    "changes",
    [
        {"clause_first": np.array([0, 1], np.int32)},
        {"clause_first": np.array([0, 0, 2], np.int32)},
        {"literals": np.array([0, 1], np.int32)},
        {"literals": np.array([3, 1], np.int32)},
        {"literals": np.array([1, -1], np.int32)},
        {"literals": np.array([1, 2])},
        {"hard": np.array([2], np.int32)},
        {"hard": np.array([1, 0], np.int32)},
        {"weights": np.array([1.0, 2.0])},
    ],
)
def test_malformed_arrays_are_refused(changes: dict[str, Any]) -> None:
    formula = Formula.of_clauses([[1, -2]])
    with pytest.raises(ModelError):
        replace(formula, **changes)


@pytest.mark.parametrize("seed", SATISFIABLE)
def test_random_formulas_near_the_threshold_are_solved(seed: int) -> None:
    formula = Formula.of_clauses(random_clauses(50, 218, seed))
    found = pb.temper(pb.compile(formula.model()), clusters=False, stop_at=0.5, seed=1).best
    assert formula.violations(found.states).tolist() == [0]
    assert found.energies.tolist() == [0.0]


def test_what_is_not_satisfiable_is_not_solved() -> None:
    """Negative control: of the eight clauses over three variables one is always violated."""
    formula = Formula.of_clauses([[a, 2 * b, 3 * c] for a in (1, -1) for b in (1, -1) for c in (1, -1)])
    samples = pb.anneal(pb.compile(formula.model(shared=False)), sweeps=500)
    assert formula.violations(samples.states).tolist() == [1] * 64


def test_the_polynomial_is_sampled() -> None:
    """At a finite beta the reduced polynomial is near the formula's distribution, within its bound."""
    formula = Formula.of_clauses([[1, 2, 3], [-1, 2, -3], [-2, 3]], [1, 1, 1])
    reduction = reduce(formula.polynomial(), beta=1.0, bound=1e-3)
    marginal = np.bincount(np.arange(1 << reduction.target.size) % 8, exact(reduction.target).probabilities)
    assert np.abs(marginal - exact(formula).probabilities).sum() / 2 < 1e-3
