"""The flow from image to bitstream: with stand-ins for the tools, and once with the tools."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pbit_hw.boards import STAGES, build
from pbit_hw.contract.errors import FitError, ToolError
from pbit_hw.contract.generator import Generator

LOGS = ["icebreaker.pack.log", "icebreaker.place-and-route.log", "icebreaker.synthesis.log"]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_result(pair, stand_ins, tmp_path):
    seen = []
    out = tmp_path / "out"
    result = build(pair, "icebreaker", out, lambda stage, seconds: seen.append(stage))
    assert names(out) == sorted(["icebreaker.bin", "icebreaker.build.json", "icebreaker.report.json", *LOGS])
    assert result.bitstream == out / "icebreaker.bin"
    assert (result.fmax_hz, result.clock_hz, result.baud) == (8_000_000, 6_000_000, 500_000)
    assert result.flips_per_s == 2 / 2 * 6e6
    assert (result.luts, result.ffs, result.brams, result.multipliers) == (100, 2, 2, 0)
    assert result.digest == pair.digest.hex()
    assert result.tools == {"yosys": "1.2.3", "nextpnr-ice40": "1.2.3"}
    assert list(dict.fromkeys(seen)) == list(STAGES)
    assert stand_ins.calls == ["yosys", "nextpnr-ice40", "icepack"]
    assert json.loads((out / "icebreaker.build.json").read_text()) == result.to_json()


@pytest.mark.parametrize(("fmax_mhz", "clock_hz"), [(12.0, 12_000_000), (6.0, 6_000_000), (2.0, 1_500_000)])
def test_clock_follows_fmax(pair, stand_ins, tmp_path, fmax_mhz, clock_hz):
    stand_ins.fmax_mhz(fmax_mhz)
    result = build(pair, "icebreaker", tmp_path / "out")
    assert result.clock_hz == clock_hz <= result.fmax_hz
    passes = 1 if clock_hz == 6_000_000 else 2
    assert stand_ins.calls == ["yosys", "nextpnr-ice40"] * passes + ["icepack"]
    constraint = result.bitstream.read_text()
    assert ("set_frequency pbit_clk 1.5" in constraint) is (clock_hz == 1_500_000)
    assert ("set_frequency pbit_clk" in constraint) is (clock_hz < 12_000_000)


def test_a_faster_clock_that_failed_is_not_tried_again(pair, stand_ins, tmp_path):
    """Fmax allows 12 MHz at 6 MHz, not at 12 MHz, and so on for ever if nothing remembered it."""
    stand_ins.replace(
        "yosys",
        'divided = "pbit_clk" in pathlib.Path("top.pcf").read_text()\n'
        f'pathlib.Path({str(tmp_path / "tools" / "fmax.json")!r}).write_text("13.0" if divided else "11.0")\n'
        'pathlib.Path("top.json").write_text(json.dumps({"modules": {"top": {"cells": {}}}}))',
    )
    result = build(pair, "icebreaker", tmp_path / "out")
    assert result.clock_hz == 6_000_000
    assert stand_ins.calls == ["yosys", "nextpnr-ice40"] * 3 + ["icepack"]


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
