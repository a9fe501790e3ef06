"""Generated code against Python's own integers, and the contract's functions run through it."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbit_hw.contract import activation, generator, update
from pbit_hw.sim.codegen import LANES, Function
from pbit_hw.sim.native import Machine, aligned, host


def run(build, arrays, integers=(), **given_arrays):
    """Build a function over named arrays ``name: (bits, signed)`` and run it on the given ones."""
    function = Function("f", arrays, [name for name, _ in integers])
    build(function)
    Machine(function, host())(*(given_arrays[name] for name in arrays), *(value for _, value in integers))


def vectors(values, dtype):
    array = aligned((len(values) // LANES, LANES), dtype)
    array.ravel()[:] = values
    return array


OPERATORS = [operator.add, operator.sub, operator.mul, operator.and_, operator.or_, operator.xor]
COMPARISONS = [operator.lt, operator.ge, operator.eq, operator.ne]


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int32, np.uint64])
def test_operators_wrap_as_numpy_does(dtype):
    bits, signed = 8 * np.dtype(dtype).itemsize, np.dtype(dtype).kind == "i"
    rng = np.random.default_rng(0)
    info = np.iinfo(dtype)
    x, y = (vectors(rng.integers(info.min, info.max, LANES, dtype, endpoint=True), dtype) for _ in range(2))
    y[0, :8] = x[0, :8]
    out = aligned((len(OPERATORS) + 4, LANES), dtype)
    flags = np.zeros(len(COMPARISONS), np.uint64)

    def build(f):
        a, b = (f.arrays[name].vectors()[0] for name in "xy")
        rows = f.arrays["out"].vectors()
        for place, operate in enumerate(OPERATORS):
            rows[place] = operate(a, b)
        for place, value in enumerate((a << 3, a >> 3, ~a, a + 5), start=len(OPERATORS)):
            rows[place] = value
        for place, compare in enumerate(COMPARISONS):
            f.arrays["flags"][place] = compare(a, b).recast(64)

    kind = (bits, signed)
    run(build, {"x": kind, "y": kind, "out": kind, "flags": (64, False)}, x=x, y=y, out=out, flags=flags)
    wanted = [operate(x[0], y[0]) for operate in OPERATORS] + [x[0] << 3, x[0] >> 3, ~x[0], x[0] + dtype(5)]
    np.testing.assert_array_equal(out, np.array(wanted))
    for place, compare in enumerate(COMPARISONS):
        bits_ = np.unpackbits(flags[place : place + 1].view(np.uint8), bitorder="little")
        np.testing.assert_array_equal(bits_, compare(x[0], y[0]))


def test_magnitudes_limits_and_widths():
    x = vectors(np.arange(-64, 64, 2), np.int8)
    out = aligned((4, LANES), np.int32)

    def build(f):
        value, rows = f.arrays["x"].vectors()[0], f.arrays["out"].vectors()
        rows[0] = abs(value).resized(32)
        rows[1] = abs(value).at_most(20).resized(32)
        rows[2] = value.resized(32)
        rows[3] = f.constant(7).spread().resized(32)

    run(build, {"x": (8, True), "out": (32, True)}, x=x, out=out)
    magnitude = np.abs(x[0].astype(int))
    np.testing.assert_array_equal(out, [magnitude, np.minimum(magnitude, 20), x[0], np.full(LANES, 7)])


@pytest.mark.parametrize(("bits", "dtype"), [(16, np.uint16), (32, np.int32)])
def test_gathers(bits, dtype):
    table = np.random.default_rng(0).integers(0, 2**15, 1000).astype(dtype)
    index = vectors(np.random.default_rng(1).integers(0, 1000, LANES), np.int32)
    out = aligned((1, LANES), dtype)

    def build(f):
        f.arrays["out"].vectors()[0] = f.arrays["table"].gather(f.arrays["index"].vectors()[0])

    run(build, {"table": (bits, False), "index": (32, True), "out": (bits, False)}, table=table, index=index, out=out)
    np.testing.assert_array_equal(out[0], table[index[0]])


@settings(max_examples=20, deadline=None)
@given(word=st.integers(0, 2**64 - 1), count=st.integers(0, 9))
def test_loops(word, count):
    out = np.full(64 + 10, -1, np.int64)

    def build(f):
        rows = f.arrays["out"]
        found = f.variable(f.constant(0))
        with f.each_bit(f.arrays["word"][0]) as place:
            rows[found.value] = place
            found.value = found.value + 1
        with f.loop(f.constant(0), f.integers["count"]) as index, f.when(index != 3):
            rows[index + 64] = index * index

    arrays = {"word": (64, False), "out": (64, True)}
    run(build, arrays, [("count", count)], word=np.array([word], np.uint64), out=out)
    places = [place for place in range(64) if word >> place & 1]
    assert out[: len(places)].tolist() == places
    assert (out[len(places) : 64] == -1).all()
    assert out[64:].tolist() == [k * k if k < count and k != 3 else -1 for k in range(10)]


def test_the_contract_runs_in_lanes():
    """Generators, scaled arguments and decisions, 64 at a time, equal the same functions on integers."""
    rng = np.random.default_rng(5)
    words = vectors(rng.integers(0, 2**32, 4 * LANES), np.uint32)
    halves = vectors(rng.integers(0, 2**16, 3 * LANES), np.uint16)
    totals = vectors(rng.integers(-(2**20), 2**20, LANES), np.int32)
    out = aligned((11, LANES), np.uint32)

    def build(f):
        four = [f.arrays["words"].vectors()[place] for place in range(4)]
        low, middle, high = thirds = [f.arrays["halves"].vectors()[place] for place in range(3)]
        total, rows = f.arrays["totals"].vectors()[0], f.arrays["out"].vectors()
        for place, word in enumerate(generator.xoshiro_next(32, *four)):
            rows[place] = word
        rows[4] = generator.xoshiro_word(32, four[0], four[3])
        rows[5] = activation.scaled(abs(total), 300, 9)
        rows[6] = update.next_state(total, low, high).resized(32)
        rows[7] = generator.lfsr48_word(low, middle, high).resized(32)
        for place, third in enumerate(generator.lfsr48_next(*thirds), 8):
            rows[place] = third.resized(32)

    arrays = {"words": (32, False), "halves": (16, False), "totals": (32, True), "out": (32, False)}
    run(build, arrays, words=words, halves=halves, totals=totals, out=out)
    for lane in range(LANES):
        w, (low, middle, high) = words[:, lane].tolist(), halves[:, lane].tolist()
        total = int(totals[0, lane])
        assert out[:5, lane].tolist() == [*generator.xoshiro_next(32, *w), generator.xoshiro_word(32, w[0], w[3])]
        assert out[5, lane] == activation.scaled(abs(total), 300, 9)
        assert out[6, lane] == update.next_state(total, low, high)
        assert out[7, lane] == generator.lfsr48_word(low, middle, high)
        assert tuple(out[8:, lane].tolist()) == generator.lfsr48_next(low, middle, high)
