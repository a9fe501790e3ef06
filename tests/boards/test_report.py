"""Reading what the tools report."""

from __future__ import annotations

import json

import pytest

from pbit_hw.boards import BOARDS, report
from pbit_hw.contract.errors import ToolError

REPORT = {
    "critical_paths": [
        {"from": "posedge pbit_clk_$glb_clk", "to": "posedge pbit_clk_$glb_clk", "path": []},
        {"from": "<async>", "to": "posedge cd_sync.clk", "path": []},
    ],
    "fmax": {
        "cd_sync.clk": {"achieved": 107.5, "constraint": 12.0},
        "pbit_clk_$glb_clk": {"achieved": 7.5, "constraint": 8.0},
    },
    "utilization": {"ICESTORM_LC": {"available": 5280, "used": 3120}, "ICESTORM_RAM": {"available": 30, "used": 2}},
}

LOG = """\
Info: Device utilisation:
Info: \t         ICESTORM_LC:    6017/   5280   113%
Info: \t        ICESTORM_RAM:       2/     30     6%
Info: \t        ICESTORM_DSP:      12/      8   150%
ERROR: Unable to place cell 'x', no BELs remaining to implement cell type 'ICESTORM_LC'
"""


def test_timings():
    oscillator, divided = report.timings(REPORT)
    assert (oscillator.clock, oscillator.fmax_hz, oscillator.met) == ("cd_sync.clk", 107.5e6, True)
    assert (divided.fmax_hz, divided.constraint_hz, divided.met) == (7.5e6, 8e6, False)


def test_no_clock_is_an_error():
    with pytest.raises(ToolError, match="no clock"):
        report.timings({"fmax": {}, "utilization": {}})


def test_cut_paths_are_an_error():
    """What nextpnr-ice40 reports for a DSP without registers: paths that end at the net of its clock pin."""
    ground = "posedge $PACKER_GND_NET_$glb_clk"
    paths = [*REPORT["critical_paths"], {"from": "posedge cd_sync.clk", "to": ground, "path": []}]
    with pytest.raises(ToolError, match=r"cut paths at posedge \$PACKER_GND_NET"):
        report.timings(REPORT | {"critical_paths": paths})


def test_used():
    assert report.used(REPORT, "ICESTORM_LC") == 3120
    with pytest.raises(ToolError, match="TRELLIS_COMB"):
        report.used(REPORT, "TRELLIS_COMB")
    assert report.used(REPORT, "") == 0


def test_doubted_timing_is_the_lowest_in_the_log_with_a_margin():
    log = "Info: Max frequency for clock 'cd_sync.clk': 60.00 MHz (PASS at 12.00 MHz)\n" + (
        "Info: Max frequency for clock 'cd_sync.clk': 107.50 MHz (PASS at 12.00 MHz)\n"
    )
    oscillator, divided = report.doubted(report.timings(REPORT), log, 2.0)
    assert (oscillator.fmax_hz, divided.fmax_hz) == (30e6, 3.75e6)


def test_flip_flops():
    cells = {"a": "SB_DFF", "b": "SB_DFFESR", "c": "SB_LUT4", "d": "TRELLIS_FF"}
    netlist = {"modules": {"top": {"cells": {name: {"type": kind} for name, kind in cells.items()}}}}
    assert report.flip_flops(netlist, BOARDS["icebreaker"].family) == 2
    assert report.flip_flops(netlist, BOARDS["ulx3s_85f"].family) == 1


def test_overfull():
    assert report.overfull(LOG) == [("ICESTORM_LC", 6017, 5280), ("ICESTORM_DSP", 12, 8)]
    assert report.overfull(LOG.replace("6017", "5280").replace("12/", " 8/")) == []


@pytest.mark.parametrize("content", [None, b"", b'{"fmax": {'])
def test_unreadable_json_is_an_error(tmp_path, content):
    path = tmp_path / "report.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ToolError, match=r"report\.json of the build cannot be read"):
        report.load(path)


def test_load(tmp_path):
    path = tmp_path / "report.json"
    path.write_text(json.dumps(REPORT))
    assert report.load(path) == REPORT
