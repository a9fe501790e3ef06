"""The flow from image to bitstream: with stand-ins for the tools, and once with the tools."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from pbit_hw import boards
from pbit_hw.boards import BOARDS, STAGES
from pbit_hw.contract import engines
from pbit_hw.contract.engines import ENGINES
from pbit_hw.contract.errors import FitError, RequestError, ToolError
from pbit_hw.contract.forms import Form
from pbit_hw.contract.generator import Generator

TOOLS = ["yosys", "nextpnr-ice40", "icepack"]
LOGS = ["icebreaker.pack.log", "icebreaker.place-and-route.log", "icebreaker.synthesis.log"]


build = partial(boards.build, form=Form.ADDER)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_result(pair, stand_ins, tmp_path):
    seen = []
    out = tmp_path / "out"
    result = build(pair, "icebreaker", out, lambda stage, seconds: seen.append(stage))
    assert names(out) == sorted(["icebreaker.bin", "icebreaker.build.json", "icebreaker.report.json", *LOGS])
    assert result.bitstream == out / "icebreaker.bin"
    assert (result.fmax_hz, result.clock_hz, result.baud) == (10_000_000, 9_000_000, 1_000_000)
    assert (result.clock_source, result.attempts, result.cached) == ("PLL at 18 MHz / 2", 1, False)
    assert result.flips_per_s == 2 / 2 * 9e6
    assert (result.luts, result.ffs, result.brams, result.multipliers) == (100, 2, 2, 0)
    assert result.peak_bytes > 1e6
    assert result.digest == pair.digest.hex()
    assert result.tools | {"icepack": ""} == {"yosys": "1.2.3", "nextpnr-ice40": "1.2.3", "icepack": ""}
    assert list(dict.fromkeys(seen)) == list(STAGES)
    assert stand_ins.calls == TOOLS
    assert json.loads((out / "icebreaker.build.json").read_text()) == result.to_json()


@pytest.mark.parametrize(("form", "interleave", "flips"), [(None, 4, 2), (Form.BAKED, 4, 2), (Form.ADDER, 1, 1)])
def test_forms_and_the_replicas_that_they_need(pair, stand_ins, tmp_path, form, interleave, flips):
    """Tables are what is chosen for two spins; every p-bit of interleaved replicas updates in every clock."""
    result = boards.build(pair, "icebreaker", tmp_path / "out", form=form, clock_hz=9e6)
    assert (result.form, result.interleave) == ((form or Form.TABLE).value, interleave)
    assert result.digest == pair.interleaved(interleave).digest.hex()
    assert (result.flips_per_s, result.sweeps_per_s) == (flips * 9e6, 9e6 / max(interleave, 2))
    assert (result.pbits, result.degree, result.colours, result.counters) == (2, 1, 2, False)


def test_an_engine_for_an_image_for_lanes(pair, stand_ins, tmp_path):
    """The board's own; it is the same hardware for any program."""
    on_lanes = replace(pair, lanes=8, generator=Generator.LINEAR64)
    result = boards.build(on_lanes, "icebreaker", tmp_path, clock_hz=9e6)
    shape = ENGINES["icebreaker-tiled"].shape
    assert (result.engine, result.form, result.digest) == ("icebreaker-tiled", "tiled", shape.digest.hex())
    assert (result.pbits, result.interleave) == (2, 1)
    clocks = engines.pack(on_lanes, shape).clocks
    assert (result.flips_per_s, result.sweeps_per_s) == (2 * 9e6 / clocks, 9e6 / clocks)


@pytest.mark.parametrize("options", [{"form": Form.TABLE}, {"counters": True}])
def test_engines_have_no_forms_and_no_counters(pair, stand_ins, tmp_path, options):
    with pytest.raises(RequestError, match="which has no forms and no counters; leave them out"):
        boards.build(replace(pair, lanes=8, generator=Generator.LINEAR64), "icebreaker", tmp_path, **options)
    assert not stand_ins.calls


def test_images_that_no_engine_of_the_board_holds(pair, stand_ins, tmp_path):
    with pytest.raises(FitError, match="icebreaker-tiled: program is for 9 lanes, the engine has 8"):
        boards.build(replace(pair, lanes=9), "icebreaker", tmp_path)
    with pytest.raises(FitError, match="board tang_nano_9k has no engine"):
        boards.build(replace(pair, lanes=9), "tang_nano_9k", tmp_path)
    assert not stand_ins.calls


@pytest.mark.parametrize(
    ("fmax_mhz", "clock_hz", "passes"), [(9.0, 9_000_000, 1), (20.0, 19_125_000, 2), (2.0, 1_921_875, 2)]
)
def test_clock_follows_fmax(pair, stand_ins, tmp_path, fmax_mhz, clock_hz, passes):
    stand_ins.fmax_mhz(fmax_mhz)
    result = build(pair, "icebreaker", tmp_path / "out")
    assert result.clock_hz == clock_hz <= result.fmax_hz
    assert result.attempts == passes
    assert stand_ins.calls.count("nextpnr-ice40") == passes
    assert f"set_frequency pbit_clk {clock_hz / 1e6:g}" in result.bitstream.read_text()


@pytest.mark.parametrize(("asked_mhz", "clock_hz", "passes"), [(12, 12_000_000, 1), (18, 18_000_000, 1), (30, 0, 2)])
def test_an_asked_clock_is_taken_if_it_is_met(pair, stand_ins, tmp_path, asked_mhz, clock_hz, passes):
    stand_ins.fmax_mhz(28.0)
    result = build(pair, "icebreaker", tmp_path / "out", clock_hz=asked_mhz * 1e6)
    assert result.attempts == passes
    assert result.clock_hz == (clock_hz or 27_000_000)


def test_a_clock_that_failed_is_not_tried_again(pair, stand_ins, tmp_path):
    """Fmax is always just short of the clock: each attempt aims lower, and after some nothing is packed."""
    stand_ins.replace(
        "yosys",
        "mhz = float(pathlib.Path('top.pcf').read_text().split('pbit_clk ')[1].split()[0])\n"
        f"pathlib.Path({str(tmp_path / 'tools' / 'fmax.json')!r}).write_text(str(mhz - 0.01))\n"
        'pathlib.Path("top.json").write_text(json.dumps({"modules": {"top": {"cells": {}}}}))',
    )
    with pytest.raises(ToolError, match=r"timing was not met in 5 attempts.*lower --clock or another --seed"):
        build(pair, "icebreaker", tmp_path / "out")
    assert "icepack" not in stand_ins.calls
    assert not (tmp_path / "out" / "icebreaker.bin").exists()


def test_an_equal_build_comes_from_the_cache(pair, stand_ins, tmp_path):
    first = build(pair, "icebreaker", tmp_path / "first")
    again = build(pair, "icebreaker", tmp_path / "again")
    assert stand_ins.calls == TOOLS
    assert (first.cached, again.cached) == (False, True)
    assert again.bitstream.read_bytes() == first.bitstream.read_bytes()
    assert (again.fmax_hz, again.ffs, again.peak_bytes) == (first.fmax_hz, first.ffs, first.peak_bytes)
    assert names(tmp_path / "again") == names(tmp_path / "first")


def test_seed_weights_and_no_cache_build_anew(pair, stand_ins, tmp_path):
    build(pair, "icebreaker", tmp_path / "out")
    assert not build(pair, "icebreaker", tmp_path / "out", seed=2).cached
    assert not build(replace(pair, biases=pair.biases + 1), "icebreaker", tmp_path / "out").cached
    assert not build(pair, "icebreaker", tmp_path / "out", cache=False).cached
    assert stand_ins.calls == TOOLS * 4


def test_a_damaged_cache_entry_is_built_again(pair, stand_ins, tmp_path):
    first = build(pair, "icebreaker", tmp_path / "out")
    (kept,) = (tmp_path / "tools" / "cache").rglob("top.bin")
    kept.write_bytes(b"damaged")
    again = build(pair, "icebreaker", tmp_path / "again")
    assert not again.cached
    assert again.bitstream.read_bytes() == first.bitstream.read_bytes()


def test_an_array_that_cannot_fit_is_refused_before_synthesis(pair, stand_ins, tmp_path):
    count = 60
    large = replace(
        pair,
        generator=Generator.XOSHIRO128,
        colour_first=np.array([0, count], np.int32),
        slot_first=np.zeros(count + 1, np.int32),
        neighbours=pair.neighbours[:0],
        weights=pair.weights[:0],
        biases=np.zeros(count, np.int32),
        clamped=np.zeros(count, np.uint8),
        clamp_values=np.zeros(count, np.uint8),
    )
    large.check()
    with pytest.raises(FitError, match=r"60 p-bits do not fit iCEBreaker: .*flip-flops of 5,280; use fewer"):
        build(large, "icebreaker", tmp_path / "out")
    assert stand_ins.calls == []
    assert not (tmp_path / "out").exists()


def test_a_device_that_does_not_fit_says_by_how_much(pair, stand_ins, tmp_path):
    stand_ins.replace("nextpnr-ice40", "print('Info:   ICESTORM_LC:  6017/  5280  113%')\nsys.exit(1)")
    with pytest.raises(FitError, match=r"does not fit iCEBreaker: it needs 6,017 ICESTORM_LC of 5,280; .*failed\.log"):
        build(pair, "icebreaker", tmp_path / "out")
    assert names(tmp_path / "out") == ["icebreaker.place-and-route.failed.log", "icebreaker.synthesis.failed.log"]


@pytest.mark.parametrize("tool", ["yosys", "nextpnr-ice40", "icepack"])
def test_a_failing_tool_leaves_its_logs_only(pair, stand_ins, tmp_path, tool):
    out = tmp_path / "out"
    out.mkdir()
    (out / "icebreaker.bin").write_text("an older bitstream")
    stand_ins.replace(tool, "print('ERROR: it broke')\nsys.exit(1)")
    with pytest.raises(ToolError, match=rf"{tool} failed in .* \(1\): ERROR: it broke; see .*failed\.log") as error:
        build(pair, "icebreaker", out)
    assert "\n" not in str(error.value)
    assert (out / "icebreaker.bin").read_text() == "an older bitstream"
    assert all(name == "icebreaker.bin" or name.endswith(".failed.log") for name in names(out))
    assert "ERROR: it broke" in (out / str(error.value).rpartition("/")[2]).read_text()


def test_a_missing_tool_is_found_out_at_once(pair, stand_ins, no_tools, tmp_path):
    no_tools()
    with pytest.raises(ToolError, match=r"pip install pbit-hw\[build\]"):
        build(pair, "icebreaker", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_unwritable_folder_is_an_error(pair, stand_ins, tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(ToolError, match=r"cannot write to .*out: File exists; choose another folder"):
        build(pair, "icebreaker", tmp_path / "out")


def test_an_unknown_board_is_an_error(pair, tmp_path):
    with pytest.raises(FitError, match="unknown board 'nexys'"):
        build(pair, "nexys", tmp_path)


QUICK = ("icebreaker", None), ("ice40_hx8k_b_evn", 12e6)
"""The two smallest parts; the second one at a clock that is met at once."""


@pytest.mark.parametrize(
    ("name", "clock_hz"),
    [*QUICK, *(pytest.param(name, None, marks=pytest.mark.slow) for name in BOARDS if (name, None) not in QUICK)],
)
def test_real_tools(pair, tmp_path, monkeypatch, name, clock_hz):
    monkeypatch.setattr(
        "pbit_hw.boards.cache.folder", lambda: tmp_path / "cache"
    )  # not XDG's, which the wheels use too
    result = build(pair, name, tmp_path / "out", clock_hz=clock_hz)
    assert result.clock_hz <= result.fmax_hz
    assert result.bitstream.stat().st_size > 10_000
    assert result.luts > 100
    assert result.peak_bytes > 50e6
