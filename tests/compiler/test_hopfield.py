"""Hopfield networks: what each rule holds, against exact statements about it, and what is refused."""

from __future__ import annotations

import itertools
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pbit_hw as pb
from pbit_hw.compiler import compile, load, models
from pbit_hw.compiler.hopfield import Hopfield
from pbit_hw.contract.errors import ModelError

Float = npt.NDArray[np.float64]

RULES: tuple[Literal["hebb", "pseudo-inverse"], ...] = ("hebb", "pseudo-inverse")


def spins(n: int) -> npt.NDArray[np.int64]:
    return np.array(list(itertools.product((-1, 1), repeat=n)))


def random_patterns(count: int, size: int, seed: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng(seed).choice([-1, 1], (count, size))


def matrix(model: Hopfield) -> Float:
    square = np.zeros((model.size, model.size))
    square[model.edges[:, 0], model.edges[:, 1]] = model.couplings
    return square + square.T


def stability(model: Hopfield, patterns: npt.NDArray[np.int64]) -> Float:
    """Field of each spin of each pattern times the spin: a pattern is a strict minimum if all are positive."""
    return (patterns @ matrix(model)) * patterns


def test_it_is_the_same_class_by_every_name() -> None:
    assert models.Hopfield is pb.Hopfield is Hopfield


class TestHebb:
    def test_couplings_are_the_rule_s(self) -> None:
        patterns = random_patterns(3, 7, 1)
        model = Hopfield(patterns)
        for (i, j), coupling in zip(model.edges, model.couplings, strict=True):
            assert coupling == pytest.approx(sum(row[i] * row[j] for row in patterns) / 7)
        assert not model.biases.any()

    def test_orthogonal_patterns_are_the_ground_states(self) -> None:
        patterns = np.array([[1, 1, 1, 1, -1, -1, -1, -1], [1, 1, -1, -1, 1, 1, -1, -1]])
        model = Hopfield(patterns)
        energies = model.energies(spins(8))
        ground = {tuple(state) for state in spins(8)[np.isclose(energies, energies.min())].tolist()}
        assert ground >= {tuple(row) for row in np.concatenate([patterns, -patterns]).tolist()}
        # Hebb's energy of a stored pattern among p orthogonal ones is -(n - p) / 2.
        assert model.energies(patterns) == pytest.approx([-(8 - 2) / 2] * 2)

    def test_a_small_load_is_held(self) -> None:
        """100 random patterns of 1,000 spins would be lost in part, 20 are not: the crosstalk has variance p / n."""
        few, many = random_patterns(20, 1000, 2), random_patterns(300, 1000, 2)
        assert (stability(Hopfield(few), few) > 0).all()
        lost = (stability(Hopfield(many), many) < 0).mean()
        assert lost == pytest.approx(0.034, abs=0.005)  # P(z > sqrt(n / p)), negative control of the check above

    def test_likeness_is_its_undoing(self) -> None:
        """Three patterns that pairwise differ in two of eight spins: the majority takes over."""
        patterns = np.ones((3, 8), int)
        for row in range(3):
            patterns[row, row] = -1
        assert (stability(Hopfield(patterns), patterns) < 0).any()
        assert (stability(Hopfield(patterns, "pseudo-inverse"), patterns) > 0).all()


class TestPseudoInverse:
    @settings(deadline=None)
    @given(st.integers(2, 24), st.integers(0, 2**32 - 1), st.data())
    def test_patterns_are_ground_states_of_equal_energy(self, n: int, seed: int, data: st.DataObject) -> None:
        """x P x <= n for a projector P, and the diagonal counts as its trace, the rank r: E >= -(n - r) / 2."""
        patterns = random_patterns(data.draw(st.integers(1, n - 1)), n, seed)
        try:
            model = Hopfield(patterns, "pseudo-inverse")
        except ModelError:
            assert np.linalg.matrix_rank(patterns) > 1  # one pattern is always held
            return
        bound = -(n - np.linalg.matrix_rank(patterns)) / 2
        assert model.energies(patterns) == pytest.approx(bound)
        assert (model.energies(random_patterns(200, n, seed + 1)) >= bound - 1e-9).all()
        assert (stability(model, patterns) > 0).all()

    def test_n_less_one_independent_patterns_are_held(self) -> None:
        """One direction u is left, P = 1 - u u^T, and spin i is held by u_i^2: here all of u_i^2 are 1 / n."""
        n = 8
        patterns = np.array([[1, 1], [1, -1]])
        hadamard = np.kron(np.kron(patterns, patterns), patterns)
        model = Hopfield(hadamard[1:], "pseudo-inverse")
        assert matrix(model) + np.eye(n) * (1 - 1 / n) == pytest.approx(np.eye(n) - np.full((n, n), 1 / n))
        assert stability(model, hadamard[1:]) == pytest.approx(np.full((n - 1, n), 1 / n))
        assert (stability(Hopfield(hadamard[1:]), hadamard[1:]) > 0).all()  # orthogonal: Hebb's rule is the same here

    def test_more_than_hebb_s_rule_holds(self) -> None:
        """Half as many random patterns as spins, compiled to weights of 8 bits; descent from a pattern ends there."""
        patterns = random_patterns(50, 100, 3)
        held = {}
        for rule in RULES:
            program = compile(Hopfield(patterns, rule))
            ends = pb.descend(program, replicas=len(patterns), initial=patterns, seed=1).states
            held[rule] = int((ends == patterns).all(axis=1).sum())
        assert held == {"hebb": 0, "pseudo-inverse": 50}

    def test_dependent_patterns_add_nothing(self) -> None:
        patterns = random_patterns(3, 10, 4)
        twice = np.concatenate([patterns, patterns, -patterns[:1]])
        once = Hopfield(patterns, "pseudo-inverse")
        assert matrix(Hopfield(twice, "pseudo-inverse")) == pytest.approx(matrix(once), abs=1e-12)

    def test_orthogonal_patterns_are_hebb_s(self) -> None:
        patterns = np.array([[1, 1, 1, 1, -1, -1, -1, -1], [1, 1, -1, -1, 1, 1, -1, -1]])
        hebb, inverse = (Hopfield(patterns, rule) for rule in RULES)
        assert np.array_equal(inverse.edges, hebb.edges)
        assert inverse.couplings == pytest.approx(hebb.couplings)

    @pytest.mark.parametrize(
        ("patterns", "message"),
        [
            ([[1]], "1 independent patterns of 1 spins leave spin 0 without a coupling"),
            ([[1, 1], [1, -1]], "2 independent patterns of 2 spins leave spin 0"),
            ([[1, 1, 1], [1, 1, -1]], "2 independent patterns of 3 spins leave spin 2"),
        ],
    )
    def test_patterns_that_cannot_be_held_are_refused(self, patterns: Any, message: str) -> None:
        """Spins that the others say nothing about have no field; Hebb's rule lets that pass."""
        with pytest.raises(ModelError, match=message):
            Hopfield(patterns, "pseudo-inverse")
        assert Hopfield(patterns).size == len(patterns[0])


@pytest.mark.parametrize("rule", RULES)
def test_all_pairs_are_edges_if_so_asked(rule: Any) -> None:
    patterns = np.array([[1, 1, 1, 1, -1, -1, -1, -1], [1, 1, -1, -1, 1, 1, -1, -1]])
    sparse, dense = Hopfield(patterns, rule), Hopfield(patterns, rule, all_pairs=True)
    assert len(sparse.edges) == 12  # pairs of which the patterns agree whether they are equal
    assert len(dense.edges) == 8 * 7 // 2
    assert np.array_equal(matrix(sparse), matrix(dense))


def test_a_program_file_keeps_it(tmp_path: Any) -> None:
    program = compile(Hopfield(random_patterns(3, 9, 5), "pseudo-inverse"))
    program.save(tmp_path / "memory.pbit")
    again = load(tmp_path / "memory.pbit").model
    assert type(again) is Hopfield
    assert np.array_equal(again.couplings, program.model.couplings)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("patterns", [[[0, 1]], [[1.5, 1]], [1, -1], np.zeros((0, 0)), [["a"]]])
def test_other_patterns_are_refused(patterns: Any, rule: Any) -> None:
    with pytest.raises(ModelError):
        Hopfield(patterns, rule)


def test_another_rule_is_refused() -> None:
    with pytest.raises(ModelError, match="no rule 'storkey'; use hebb or pseudo-inverse"):
        Hopfield([[1, -1]], "storkey")  # type: ignore[arg-type]
