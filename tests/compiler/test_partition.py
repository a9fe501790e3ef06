"""Partitions: devices are ordinary programs, ghosts are where they must be, files keep both."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pbit_hw.compiler import Ising, Model, Program, compile, load
from pbit_hw.compiler.library import full_adder, lattice
from pbit_hw.compiler.partition import Partition, partition
from pbit_hw.compiler.sparsify import sparsify
from pbit_hw.contract.errors import FitError, ImageError, RequestError, ToolError


@pytest.fixture(scope="module")
def torus() -> Program:
    return compile(lattice((8, 8), spin_glass_seed=0))


def edges(program: Program) -> dict[frozenset[Any], float]:
    """Coupling of each pair of labels."""
    labels, target = program.target.labels, program.target
    return {
        frozenset((labels[first], labels[second])): coupling
        for (first, second), coupling in zip(target.edges.tolist(), target.couplings.tolist(), strict=True)
    }


def check_devices(parts: Partition) -> None:
    """A device has its own p-bits with all their edges, one ghost per foreign neighbour, and nothing else."""
    whole, program = edges(parts.program), parts.program
    home = {program.target.labels[v]: int(d) for v, d in zip(program.order, parts.device, strict=True)}
    for number, device in enumerate(parts.programs):
        device.image.check()
        own = {label for label in home if home[label] == number}
        wanted = {pair: coupling for pair, coupling in whole.items() if pair & own}
        assert edges(device) == wanted
        assert set(device.target.labels) == own.union(*wanted)
        clamped = {device.target.labels[device.order[p]] for p in np.flatnonzero(device.image.clamped)}
        assert clamped == set(device.target.labels) - own
        colours = program.image.colour[np.argsort(program.order)]
        index = program.target.index
        assert [colours[index[device.target.labels[v]]] for v in device.order] == device.image.colour.tolist()
    parts.union(program.image).check()


def divided(draw: st.DataObject, program: Program) -> Partition:
    """A program divided in any way."""
    size = program.image.size
    count = draw.draw(st.integers(1, min(4, size)))
    others = draw.draw(st.lists(st.integers(0, count - 1), min_size=size - count, max_size=size - count))
    return Partition(program, np.array(draw.draw(st.permutations([*range(count), *others])), np.int32))


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_any_division_gives_ordinary_programs(models: SearchStrategy[Model], data: st.DataObject) -> None:
    check_devices(divided(data, compile(data.draw(models), colouring="fast")))


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_links_join_a_pbit_and_its_ghost(models: SearchStrategy[Model], data: st.DataObject) -> None:
    parts = divided(data, compile(data.draw(models), colouring="fast"))
    for (sender, receiver), (pbits, ghosts) in parts.links.items():
        source, target = parts.programs[sender], parts.programs[receiver]
        names = [source.target.labels[v] for v in source.order[pbits]]
        assert names == [target.target.labels[v] for v in target.order[ghosts]]
        assert not source.image.clamped[pbits].any()
        assert target.image.clamped[ghosts].all()
    assert sum(len(ghosts) for _, ghosts in parts.links.values()) == len(parts.ghosts) == sum(parts.report.ghosts)


def test_a_lattice_is_cut_straight(torus: Program) -> None:
    """Four quarters of an 8x8 torus: 32 edges cut, and no division into four equal parts cuts fewer."""
    report = partition(torus, 4).report
    assert report.pbits == (16, 16, 16, 16)
    assert report.cut_edges <= 36
    assert report.cut_share == report.cut_edges / 128
    assert sum(report.link_bits.values()) == sum(report.ghosts)
    assert report.to_json()["link_bits"]["0->1"] == report.link_bits[0, 1]


def test_metis_beats_chance(torus: Program) -> None:
    """Negative control of the one above."""
    device = np.random.default_rng(0).permutation(np.repeat(np.arange(4), 16))
    assert Partition(torus, device).report.cut_edges > 80


def test_clamped_pbits_and_their_ghosts_keep_their_values() -> None:
    program = compile(lattice((4, 4)), clamp={0: 1, 5: -1})
    parts = Partition(program, np.arange(16, dtype=np.int32) % 3)
    held = [device.clamps for device in parts.programs]
    assert all(clamps.get(0, 1) == 1 and clamps.get(5, -1) == -1 for clamps in held)
    assert sum(0 in clamps for clamps in held) > 1


def test_devices_of_an_expanded_program() -> None:
    check_devices(partition(compile(sparsify(full_adder(), 3)), 2))


def test_a_division_is_kept_with_its_program(torus: Program, tmp_path: Path) -> None:
    parts = partition(torus, 3)
    parts.save(tmp_path / "torus.pbit")
    loaded = Partition.load(tmp_path / "torus.pbit")
    assert np.array_equal(loaded.device, parts.device)
    assert loaded.device.dtype == np.int32
    assert load(tmp_path / "torus.pbit").to_bytes() == torus.to_bytes() == loaded.program.to_bytes()


def test_devices_are_saved_on_their_own(torus: Program, tmp_path: Path) -> None:
    device = partition(torus, 4).programs[2]
    device.save(tmp_path / "torus.2.pbit")
    assert load(tmp_path / "torus.2.pbit").to_bytes() == device.to_bytes()
    assert load(tmp_path / "torus.2.pbit").clamps.keys() == device.clamps.keys()


def test_files_without_a_division(torus: Program, tmp_path: Path) -> None:
    torus.save(tmp_path / "x.pbit")
    with pytest.raises(ImageError, match=r"x\.pbit is not divided; .*--devices"):
        Partition.load(tmp_path / "x.pbit")
    with pytest.raises(ImageError, match="cannot read program"):
        Partition.load(tmp_path / "none.pbit")
    with pytest.raises(ImageError, match="cannot write program"):
        partition(torus, 2).save(tmp_path / "none" / "x.pbit")


@pytest.mark.parametrize("devices", [1, 0, -2, 65, 2.0, "2"])
def test_impossible_numbers_of_devices(torus: Program, devices: Any) -> None:
    with pytest.raises(RequestError, match="a whole number from 2 to the program's 64 p-bits"):
        partition(torus, devices)


@pytest.mark.parametrize(
    ("device", "message"),
    [
        (np.zeros(63, int), r"shape \(63,\)"),
        (np.zeros(64), "float64"),
        (np.full(64, 1), "numbered 1 to 1 with gaps"),
        (np.arange(64) % 2 * 2, "numbered 0 to 2 with gaps"),
        (np.full(64, -1), "numbered -1 to -1"),
    ],
)
def test_impossible_divisions(torus: Program, device: Any, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        Partition(torus, device)


def test_a_device_without_pbits(torus: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pymetis.part_graph", lambda count, **rest: (0, [0] * 64))
    with pytest.raises(FitError, match="64 p-bits over 1 devices only, not 3; use fewer"):
        partition(torus, 3)


def test_uncoupled_pbits_are_divided_too() -> None:
    report = partition(compile(Ising.from_edges(9, [], [])), 3).report
    assert report.cut_edges == report.cut_share == sum(report.ghosts) == 0


def test_a_missing_pymetis_is_named(torus: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *rest: Any) -> Any:
        if name == "pymetis":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(ToolError, match=r"pip install pbit-hw\[partition\]"):
        partition(torus, 2)


@pytest.mark.parametrize("options", [{"generator": "linear64"}, {"interleave": 4}, {"lanes": 2}])
def test_arrays_whose_pbits_do_not_draw_by_themselves_are_refused(options: dict[str, Any]) -> None:
    program = compile(lattice((4,), spin_glass_seed=1), **options)
    with pytest.raises(RequestError, match="a divided array draws with one register per p-bit"):
        Partition(program, np.array([0, 0, 1, 1]))
    with pytest.raises(RequestError, match="a divided array draws with one register per p-bit"):
        partition(program, 2)
