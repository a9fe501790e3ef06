"""RTL and simulator under the same script: equal in every register and clock, and seen to differ by one bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from amaranth import Module
from amaranth.lib.wiring import In

from pbit_hw.cli.lockstep import (
    LockstepError,
    Run,
    Script,
    Write,
    compare,
    expected_trace,
    random_script,
    rtl_trace,
    run_program,
)
from pbit_hw.compiler import Ising, compile
from pbit_hw.contract.activation import NODES
from pbit_hw.contract.forms import Form
from pbit_hw.contract.generator import Generator
from pbit_hw.contract.image import Image
from pbit_hw.contract.registers import REGISTERS, Control, Region, address
from pbit_hw.gateware import activation, array, conditional, generator, tabulate
from pbit_hw.gateware.array import Array
from pbit_hw.gateware.probed import ProbedArray
from pbit_hw.sim.cycle import Trace

CLOCKS = 1000
QUICK_CLOCKS = 400
STATES = r"^clock \d+, colour \d, replica \d+, p-bit \d+: states expected [01], got [01]$"
REGISTER_WORDS = r"registers expected( 0x[0-9a-f]+){2}, got( 0x[0-9a-f]+){2}$"

LIMITS: dict[Form, dict[str, Any]] = {
    Form.ADDER: {},
    Form.TABLE: {"max_size": 12, "max_degree": 6, "latencies": (2, 3)},
    Form.BAKED: {"max_size": 16, "max_degree": 7, "latencies": (2, 3)},
}
"""What the slow programs of each form are drawn from."""

QUICK_LIMITS: dict[Form, dict[str, Any]] = {
    Form.ADDER: {"max_size": 10},
    Form.TABLE: {"max_size": 7, "max_degree": 4, "latencies": (2, 3)},
    Form.BAKED: {"max_size": 10, "max_degree": 4, "latencies": (2, 3)},
}
QUICK = 12
COSTLY = (Form.ADDER, 5), (Form.ADDER, 8), (Form.ADDER, 9), (Form.ADDER, 10)
"""Of the quick programs those that take longest."""
LARGER: dict[str, Any] = {"min_size": 20, "max_size": 64}
FORMS = pytest.mark.parametrize("form", list(Form))


@pytest.fixture
def image() -> Image:
    """A frustrated ring of five spins whose fields are small enough for every clock to be random."""
    couplings = np.roll(np.eye(5), 1, axis=1)
    return compile(Ising([0.25, 0, 0, 0, 0], -0.5 * (couplings + couplings.T)), generator="lfsr48").image


def in_lockstep(random_image: Callable[..., Image], form: Form, seed: int, clocks: int, **limits: Any) -> Trace:
    """Every fourth program of adders multiplies in logic, and every fourth in both ways."""
    rng = np.random.default_rng(seed)
    drawn = random_image(rng, **limits)
    script = random_script(drawn, clocks, rng, form)
    expected = expected_trace(drawn, script)
    multipliers = (None, 0, None, drawn.size // 2)[seed % 4]
    compare(drawn, expected, rtl_trace(ProbedArray(drawn, form, multipliers=multipliers), script))
    return expected


@pytest.mark.parametrize(
    ("form", "seed"),
    [
        pytest.param(form, seed, marks=pytest.mark.slow if (form, seed) in COSTLY else ())
        for form in Form
        for seed in range(QUICK if form is Form.ADDER else QUICK // 2)
    ],
)
def test_random_programs(form, seed, random_image):
    clocks = CLOCKS if form is Form.ADDER else QUICK_CLOCKS
    expected = in_lockstep(random_image, form, seed, clocks, **QUICK_LIMITS[form])
    assert len(expected.phase) > 0.8 * clocks
    assert len(np.unique(expected.registers[:, 0, 0])) > 20


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(QUICK, 196))
def test_many_random_programs_of_adders(seed, random_image):
    in_lockstep(random_image, Form.ADDER, seed, CLOCKS)


@pytest.mark.slow
@pytest.mark.usefixtures("undefined_reads")
@pytest.mark.parametrize("form", [Form.TABLE, Form.BAKED])
@pytest.mark.parametrize("seed", range(QUICK, QUICK + 100))
def test_many_random_programs(form, seed, random_image):
    in_lockstep(random_image, form, seed, CLOCKS, **LIMITS[form])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(196, 204))
def test_larger_random_programs(seed, random_image):
    in_lockstep(random_image, Form.ADDER, seed, CLOCKS, **LARGER)


def test_random_programs_cover_the_bar(random_image):
    """What the 204 programs of adders are made of."""
    drawn = [random_image(np.random.default_rng(seed), **QUICK_LIMITS[Form.ADDER]) for seed in range(QUICK)]
    drawn += [random_image(np.random.default_rng(seed)) for seed in range(QUICK, 196)]
    drawn += [random_image(np.random.default_rng(seed), **LARGER) for seed in range(196, 204)]
    assert {each.colours for each in drawn} == set(range(1, 7))
    assert {int(each.degrees.max(initial=0)) for each in drawn} == set(range(17))
    assert {each.interleave // each.colours for each in drawn if each.colours > 1} == set(range(6))
    assert len({(each.unit, each.generator) for each in drawn}) == 2 * len(Generator)
    assert min(each.argument_shift for each in drawn) < 0 < max(each.argument_shift for each in drawn)
    assert any(each.clamped.any() for each in drawn)
    assert max(each.size for each in drawn) > 50


@pytest.mark.parametrize("form", [Form.TABLE, Form.BAKED])
def test_random_programs_of_memories_cover_degrees_and_latencies(form, random_image):
    limits = LIMITS[form]
    drawn = [random_image(np.random.default_rng(seed), **limits) for seed in range(QUICK, QUICK + 100)]
    assert {each.colours for each in drawn} == set(range(1, 7))
    assert {int(each.degrees.max(initial=0)) for each in drawn} == set(range(limits["max_degree"] + 1))
    assert {each.latency for each in drawn} == set(limits["latencies"])
    assert len({(each.unit, each.generator) for each in drawn}) == 2 * len(Generator)
    assert any(len(set(each.degrees.tolist())) > 2 for each in drawn)


@pytest.mark.parametrize("interleave", [1, 6])
@FORMS
def test_random_scripts_reach_every_register_that_a_form_has(form, interleave, image):
    image = replace(image, generator=Generator.XOSHIRO128, interleave=interleave)
    script = random_script(image, 20_000, np.random.default_rng(0), form)
    rows = [row for row in REGISTERS if "w" in row.access]
    if form is Form.BAKED:
        rows = [row for row in rows if row.region not in (Region.WEIGHT, Region.BIAS) and row.name != "BETA"]
    reached = {address(row.region, row.offset) + place for row in rows for place in range(row.words(image))}
    runs = [step for step in script if isinstance(step, Run)]
    written = {step.address for step in script if isinstance(step, Write)}
    noise = {write.address for run in runs for write in run.noise}
    runs_alone = {address(Region.CONTROL, Control.SWEEPS), address(Region.CONTROL, Control.STOP)}
    assert written == reached - runs_alone
    assert noise == written - {address(Region.CONTROL, Control.ROTATE)}
    assert any(run.stop for run in runs)
    assert {run.sweeps for run in runs} == set(range(9))


def test_run_program_reports_what_it_compared(image):
    calls = []
    result = run_program(image, 300, 4, lambda done, total: calls.append((done, total)))
    assert abs(result["cycles"] - 300) < 60
    assert result["pbits"] == 5
    assert result["replicas"] == 1
    assert min(result["bus_writes"], result["state_changes"]) > 50
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)
    assert {total for _, total in calls} == {result["cycles"]}
    assert calls[-1][0] == result["cycles"] // 100 * 100


def plain(image: Image) -> Script:
    """One long run."""
    return [Run(CLOCKS // image.period)]


def trace(image: Image, form: Form = Form.ADDER) -> Trace:
    return rtl_trace(ProbedArray(image, form), plain(image))


def refuted(image: Image, form: Form, pattern: str, build_of: Image | None = None) -> None:
    """The RTL, perhaps built of another image, fails as the pattern says."""
    expected = expected_trace(image, plain(image))
    with pytest.raises(LockstepError, match=pattern):
        compare(image, expected, trace(image if build_of is None else build_of, form))


def seen_without_damage(image: Image, form: Form) -> None:
    """What the controls below damage is equal before."""
    compare(image, expected_trace(image, plain(image)), trace(image, form))


@FORMS
def test_one_bit_of_a_weight_in_the_rtl_shows(form, image):
    image = image.interleaved(6)
    seen_without_damage(image, form)
    weights = image.weights.copy()
    weights[2] ^= 1
    refuted(image, form, STATES, replace(image, weights=weights))


@FORMS
def test_one_bit_of_a_bias_in_the_rtl_shows(form, image):
    image = image.interleaved(6)
    biases = image.biases.copy()
    biases[4] ^= 1
    refuted(image, form, STATES, replace(image, biases=biases))


def test_one_bit_of_a_bias_in_the_simulator_shows(image):
    biases = image.biases.copy()
    biases[4] ^= 1
    with pytest.raises(LockstepError, match=STATES):
        compare(image, expected_trace(replace(image, biases=biases), plain(image)), trace(image))


@pytest.mark.parametrize(("module", "form"), [(activation, Form.ADDER), (tabulate, Form.TABLE)])
def test_one_bit_of_a_node_in_the_rtl_shows(module, form, image, monkeypatch):
    image = image.interleaved(6)
    nodes = NODES.copy()
    nodes[32] ^= 1 << 8
    monkeypatch.setattr(module, "NODES", nodes)
    refuted(image, form, STATES)


class DamagedTable(conditional.Table):
    """A table that holds one wrong bit."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.whole = whole = conditional.Table(len(self.neighbours), self._latency)
        for name, member in self.signature.members.items():
            inner, outer = getattr(whole, name), getattr(self, name)
            m.d.comb += inner.eq(outer) if member.flow == In else outer.eq(inner)
        m.d.comb += whole.entry.eq(self.entry ^ ((self.address == 2) << 11))
        return m


def test_one_bit_of_a_table_entry_shows(image, monkeypatch):
    made: list[Any] = []

    def make(*arguments: int) -> Any:
        made.append((DamagedTable if len(made) == 3 else conditional.Table)(*arguments))
        return made[-1]

    monkeypatch.setattr(array, "Table", make)
    refuted(image.interleaved(6), Form.TABLE, r"p-bit 3: states expected")
    assert len(made) == 5


def test_one_bit_of_a_constant_entry_shows(image, monkeypatch):
    def damaged(image: Image, pbit: int, beta: int) -> list[int]:
        rows = conditional.entries(image, pbit, beta)
        return [row ^ (1 << 11) * (pbit == 3 and place == 2) for place, row in enumerate(rows)]

    monkeypatch.setattr(array, "entries", damaged)
    refuted(image.interleaved(6), Form.BAKED, r"p-bit 3: states expected")


@FORMS
def test_a_tap_of_a_ring_one_place_off_shows(form, image, monkeypatch):
    """A p-bit that sees another replica of one of its neighbours."""
    seen = Array._seen

    def shifted(self: Any, pbit: int) -> list[Any]:
        if pbit != 2:
            return seen(self, pbit)
        image = self._image
        first = int(image.neighbours[image.slot_first[pbit]])
        behind = (image.colour[pbit] - image.colour[first] - 1) * image.latency + 1
        return [self.rings[first].states[int(behind) % image.interleave], *seen(self, pbit)[1:]]

    monkeypatch.setattr(Array, "_seen", shifted)
    refuted(image.interleaved(6), form, r"p-bit 2: states expected")


def test_one_tap_of_the_lfsr_in_the_rtl_shows_at_once(image, monkeypatch):
    masks = dict(generator.diagonals(Generator.LFSR48))
    masks[7] ^= 1 << 7
    monkeypatch.setattr(generator, "diagonals", lambda kind: masks)
    refuted(image, Form.ADDER, rf"^clock \d, generator \d: {REGISTER_WORDS}")


def test_the_bit_that_a_seed_is_injected_into_shows_at_once(image, monkeypatch):
    image = replace(image, generator=Generator.LINEAR64)
    words = image.streams * image.generator.words
    script: Script = [Write(address(Region.GENERATOR, place), 0x12345678 + place) for place in range(words)]
    script.append(Run(2))
    expected = expected_trace(image, script)
    compare(image, expected, rtl_trace(ProbedArray(image), script))
    monkeypatch.setattr(generator, "INJECTED_BIT", 1)
    with pytest.raises(LockstepError, match=rf"^clock 0, generator 0: {REGISTER_WORDS}"):
        compare(image, expected, rtl_trace(ProbedArray(image), script))


@pytest.mark.parametrize("name", ["phase", "sweeps_left"])
def test_one_bit_of_a_counter_shows_with_its_clock(name, image):
    expected = expected_trace(image, plain(image))
    wrong = getattr(expected, name).copy()
    wrong[[37, 60]] ^= 1
    pattern = f"^clock 37: {name} expected {wrong[37] ^ 1}, got {wrong[37]}$"
    with pytest.raises(LockstepError, match=pattern):
        compare(image, expected, expected._replace(**{name: wrong}))


def test_a_run_that_is_too_short_shows(image):
    script = plain(image)
    expected = expected_trace(image, [Run(CLOCKS // image.period + 1)])
    with pytest.raises(LockstepError, match=rf"^states: expected {len(expected.phase)} clocks, got \d+$"):
        compare(image, expected._replace(sweeps_left=expected.sweeps_left - 1), rtl_trace(ProbedArray(image), script))
