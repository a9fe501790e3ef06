"""Requests: what a user asks for, in codes and physical order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pbit_hw.compiler import RBM, Ising, Program, compile, requests
from pbit_hw.contract.errors import FormatError, PbitError, RequestError
from pbit_hw.contract.request import initial_states

LABELS = ("A", "B", "Cin", "S", "Cout")


@pytest.fixture(scope="module")
def chain() -> Program:
    """Five spins in a row, whose physical order is not the model's and not its own inverse."""
    program = compile(Ising.from_edges(5, [(0, 1), (1, 2), (2, 3), (3, 4)], np.ones(4), labels=LABELS), clamp={"S": 1})
    assert (program.order[program.order] != np.arange(5)).any()
    return program


@pytest.fixture(scope="module")
def rbm() -> Program:
    return compile(RBM(np.ones((3, 2)), np.zeros(3), np.zeros(2)))


def place(program: Program, label: Any) -> int:
    """Physical p-bit of a label."""
    return int(np.flatnonzero(program.order == program.model.index[label])[0])


@pytest.mark.parametrize(
    ("beta", "sweeps", "codes"),
    [
        (1.0, 3, [512, 512, 512]),
        (0, 2, [0, 0]),
        (np.float32(0.5), 1, [256]),
        ((0.0, 2.0), 5, [0, 256, 512, 768, 1024]),
        ([2.0, 0.0], 3, [1024, 512, 0]),
        ((0.25, 4.0), 1, [128]),
        ((0.25, 4.0), 2, [128, 2048]),
        ([1.0, 3.0, 2.0], 3, [512, 1536, 1024]),
        (np.linspace(0, 1, 4), 4, [0, 171, 341, 512]),
        (7.998, 1, [4095]),
    ],
)
def test_beta_becomes_codes(chain: Program, beta: Any, sweeps: int, codes: list[int]) -> None:
    request = chain.request(sweeps, beta=beta)
    assert request.betas.tolist() == codes
    assert request.betas.dtype == np.int32


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"sweeps": 4}, [1, 2, 3, 4]),
        ({"sweeps": 4, "burn_in": 2}, [3, 4]),
        ({"sweeps": 7, "keep_every": 3}, [3, 6]),
        ({"sweeps": 7, "keep_every": 3, "burn_in": 1}, [4, 7]),
        ({"sweeps": 7, "beta": (0.1, 2.0)}, [7]),
        ({"sweeps": 7, "beta": (0.1, 2.0), "burn_in": 3}, [7]),
        ({"sweeps": 6, "beta": (0.1, 2.0), "keep_every": 2}, [2, 4, 6]),
        ({"sweeps": 3, "beta": [1.0, 1.0, 1.0]}, [1, 2, 3]),
    ],
)
def test_which_sweeps_are_kept(chain: Program, options: dict[str, Any], kept: list[int]) -> None:
    assert chain.request(**options).keep.tolist() == kept


def test_random_initial_states_are_the_contracts(chain: Program) -> None:
    request = chain.request(1, replicas=6, seed=99)
    assert np.array_equal(request.initial, initial_states(99, 6, 5))
    assert (request.seed, request.replicas) == (99, 6)


def test_initial_states_go_to_physical_order(chain: Program, rbm: Program) -> None:
    spins = np.array([[1, -1, -1, 1, 1], [-1, -1, 1, 1, -1]])
    assert np.array_equal(chain.request(1, replicas=2, initial=spins).initial, (spins[:, chain.order] + 1) // 2)
    bits = [[1, 0, 0, 1, 1]]
    assert np.array_equal(rbm.request(1, initial=bits).initial, np.array(bits)[:, rbm.order])
    assert rbm.request(1, initial=np.array(bits, bool)).initial.dtype == np.uint8


def test_clamps(chain: Program, rbm: Program) -> None:
    request = chain.request(1, replicas=3, clamp={"A": 1, "Cout": np.array([1, -1, 1])})
    clamped = np.zeros(5)
    clamped[[place(chain, "A"), place(chain, "Cout")]] = 1
    assert np.array_equal(request.clamped, clamped)
    assert request.clamp_values[:, place(chain, "A")].tolist() == [1, 1, 1]
    assert request.clamp_values[:, place(chain, "Cout")].tolist() == [1, 0, 1]
    assert rbm.request(1, clamp={"h1": 0}).clamp_values[0, place(rbm, "h1")] == 0
    assert request.clamped.dtype == request.clamp_values.dtype == np.uint8


@pytest.fixture(scope="module")
def bus() -> Program:
    labels = [*(f"p[{i}]" for i in range(8)), "cin"]
    return compile(Ising.from_edges(9, [(i, i + 1) for i in range(8)], np.ones(8), labels=labels))


def test_a_clamp_of_a_bus_is_a_number(bus: Program) -> None:
    request = bus.request(1, replicas=2, clamp={"p": [143, 1], "cin": 1})
    assert request.clamped.all()
    bits = request.clamp_values[:, [place(bus, f"p[{i}]") for i in range(8)]]
    assert (bits @ (1 << np.arange(8))).tolist() == [143, 1]
    assert bus.request(1, clamp={"p": np.uint8(255)}).clamp_values[0].sum() == 8


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (300, "p has 8 bits, 300 needs 9; give 0 to 255"),
        (-1, "p is unsigned, -1 is not; give 0 to 255"),
        (1.5, "p is 1.5; a bus takes a whole number"),
        ("143", "p is '143'; a bus takes a whole number"),
        ([1, 256], "p has 8 bits, 256 needs 9"),
        (1 << 80, "p has 8 bits, 1208925819614629174706176 needs 81"),
        ([1, 2, 3], r"has shape \(3,\); give a value or 2 of them"),
    ],
)
def test_a_bus_takes_what_fits(bus: Program, value: Any, message: str) -> None:
    with pytest.raises(RequestError, match=message) as caught:
        bus.request(1, replicas=2, clamp={"p": value})
    assert "\n" not in str(caught.value)


def test_the_programs_clamps_hold_unless_others_are_given(chain: Program) -> None:
    default = chain.request(1, replicas=2)
    assert np.flatnonzero(default.clamped).tolist() == [place(chain, "S")]
    assert default.clamp_values[:, place(chain, "S")].tolist() == [1, 1]
    assert np.flatnonzero(chain.request(1, clamp={"A": 1}).clamped).tolist() == [place(chain, "A")]
    assert not chain.request(1, clamp={}).clamped.any()


def test_clamped_states_start_clamped(chain: Program) -> None:
    request = chain.request(1, replicas=4, clamp={"B": [1, 1, -1, -1]})
    assert request.start[:, place(chain, "B")].tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"sweeps": 0}, RequestError, "sweeps is 0; it must be at least 1"),
        ({"sweeps": 1.5}, RequestError, "sweeps is 1.5; it must be a whole number"),
        ({"sweeps": None}, RequestError, "sweeps is None"),
        ({"sweeps": 2, "replicas": 0}, RequestError, "replicas is 0"),
        ({"sweeps": 2, "burn_in": -1}, RequestError, "burn_in is -1"),
        ({"sweeps": 2, "keep_every": 0}, RequestError, "keep_every is 0"),
        ({"sweeps": 2, "keep_every": 3}, RequestError, "nothing would be kept of 2 sweeps with burn_in 0 and keep_e"),
        ({"sweeps": 2, "burn_in": 2}, RequestError, "nothing would be kept"),
        ({"sweeps": 2, "burn_in": 2, "beta": (0, 1)}, RequestError, "nothing would be kept"),
        ({"sweeps": 2, "beta": [1, 2, 3]}, RequestError, r"beta has shape \(3,\); give a number, \(start, stop\) or 2"),
        ({"sweeps": 2, "beta": "hot"}, RequestError, "beta is 'hot'; give a number"),
        ({"sweeps": 2, "beta": np.ones((2, 2))}, RequestError, "beta has shape"),
        ({"sweeps": 2, "beta": 8.5}, FormatError, r"beta 8.5 is outside u\[3\]\[9\], 0 to 7.998"),
        ({"sweeps": 2, "beta": -1}, FormatError, "beta -1 is outside"),
        ({"sweeps": 2, "beta": float("nan")}, FormatError, "beta nan is outside"),
        ({"sweeps": 2, "initial": np.ones((2, 5))}, RequestError, "initial holds 2 states for 1 replicas"),
        ({"sweeps": 2, "initial": np.zeros((1, 5))}, RequestError, "initial: states of this model are -1 or 1"),
        ({"sweeps": 2, "initial": np.ones((1, 4))}, RequestError, r"initial: states have shape \(1, 4\)"),
        ({"sweeps": 2, "clamp": {"Z": 1}}, RequestError, "cannot clamp 'Z': the model has no such variable"),
        ({"sweeps": 2, "clamp": {"A": 0}}, RequestError, "cannot clamp 'A' to 0: it takes -1 or 1"),
        ({"sweeps": 2, "clamp": {"A": "up"}}, RequestError, "cannot clamp 'A' to up"),
        ({"sweeps": 2, "clamp": {"A": [1, 1]}}, RequestError, r"clamp of 'A' has shape \(2,\); give a value or 1"),
    ],
)
def test_impossible_requests_are_refused(
    chain: Program, options: dict[str, Any], error: type[PbitError], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        chain.request(**options)
    assert "\n" not in str(caught.value)


def test_more_states_than_memory_are_refused(chain: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "MAX_KEPT_BYTES", 5 * 2 * 10)
    assert len(chain.request(10, replicas=2).keep) == 10
    with pytest.raises(RequestError, match=r"11 kept sweeps of 2 replicas are 0\.0 GB of states, the limit is"):
        chain.request(11, replicas=2)
    assert len(chain.request(11, replicas=2, keep_every=2).keep) == 5
