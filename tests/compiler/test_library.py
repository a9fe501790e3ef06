"""Small models: their ground states and sizes are the known ones."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pbit_hw.compiler.library import (
    and_gate,
    circulant,
    full_adder,
    full_adder_truth_table,
    lattice,
    random_rbm,
    regular,
)
from pbit_hw.contract.errors import ModelError


def distribution(energies: np.ndarray, beta: float) -> np.ndarray:
    weights = np.exp(-beta * (energies - energies.min()))
    return weights / weights.sum()


@pytest.mark.parametrize(("beta", "share"), [(0.5, 0.60164), (1.0, 0.80829), (1.5, 0.91985), (2.0, 0.96894)])
def test_full_adder(beta: float, share: float) -> None:
    states = np.array(list(itertools.product((-1, 1), repeat=5)))
    truth = {tuple(row) for row in full_adder_truth_table().tolist()}
    assert truth == {(*bits, sum(bits) % 2, sum(bits) // 2) for bits in itertools.product((0, 1), repeat=3)}
    right = [tuple(row) in truth for row in ((states + 1) // 2).tolist()]
    assert distribution(full_adder().energies(states), beta)[right].sum() == pytest.approx(share, abs=1e-5)


def test_and_gate() -> None:
    states = np.array(list(itertools.product((-1, 1), repeat=3)))
    right = [c == (a & b) for a, b, c in ((states + 1) // 2).tolist()]
    assert distribution(and_gate().energies(states), 1.0)[right] == pytest.approx([0.24661] * 4, abs=1e-5)


@pytest.mark.parametrize("shape", [(5,), (4, 4), (3, 5, 4)])
def test_lattice(shape: tuple[int, ...]) -> None:
    model = lattice(shape, coupling=0.5)
    size = int(np.prod(shape))
    assert (model.size, len(model.edges)) == (size, size * len(shape))
    assert (np.bincount(model.edges.ravel()) == 2 * len(shape)).all()
    assert model.energies(np.ones(size))[0] == pytest.approx(-0.5 * len(model.edges))


def test_spin_glass() -> None:
    model = lattice((6, 6, 6), spin_glass_seed=3)
    assert set(model.couplings.tolist()) == {-1.0, 1.0}
    assert abs(model.couplings.mean()) < 0.2
    assert np.array_equal(model.couplings, lattice((6, 6, 6), spin_glass_seed=3).couplings)


def test_open_lattices_have_bonds_of_nothing_around_them() -> None:
    model, closed = lattice((4, 5), 2.0, periodic=False), lattice((4, 5))
    assert np.array_equal(model.edges, closed.edges)
    (row, column), (other_row, other_column) = (np.divmod(end, 5) for end in model.edges.T)
    inside = abs(row - other_row) + abs(column - other_column) == 1
    assert inside.sum() == 3 * 5 + 4 * 4
    assert np.array_equal(model.couplings, np.where(inside, 2.0, 0.0))


@pytest.mark.parametrize("shape", [(), (2, 5), (0,)])
def test_lattices_with_double_bonds_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match="use >= 3"):
        lattice(shape)


def test_regular() -> None:
    model = regular(3, 40, seed=2)
    assert (np.bincount(model.edges.ravel()) == 3).all()
    assert set(model.couplings.tolist()) == {-1.0, 1.0}
    assert np.array_equal(model.edges, regular(3, 40, seed=2).edges)
    assert not np.array_equal(model.edges, regular(3, 40, seed=1).edges)


@pytest.mark.parametrize(("degree", "size"), [(0, 4), (4, 4), (3, 7)])
def test_regular_graphs_that_there_are_not(degree: int, size: int) -> None:
    with pytest.raises(ModelError, match=f"{size} variables has degree {degree} throughout"):
        regular(degree, size)


def test_circulant() -> None:
    model = circulant(12, [1, 2, 6])
    assert (np.bincount(model.edges.ravel()) == 5).all()
    assert set(np.diff(model.edges).ravel() % 12) <= {1, 2, 6, 10, 11}
    assert set(model.couplings.tolist()) == {-1.0, 1.0}
    for offsets in ([], [0], [7]):
        with pytest.raises(ModelError, match="use 1 to 6"):
            circulant(12, offsets)


def test_random_rbm() -> None:
    model = random_rbm(30, 20, seed=3)
    assert (model.size, len(model.visible), len(model.edges)) == (50, 30, 600)
    assert model.couplings.std() == pytest.approx(0.1, rel=0.1)
    with pytest.raises(ModelError, match="3 visible and 0 hidden units has an empty layer"):
        random_rbm(3, 0)
