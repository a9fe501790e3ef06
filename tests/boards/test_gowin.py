"""The command line of Gowin's place and route."""

from __future__ import annotations

from pbit_hw.boards import gowin


def test_old_options_become_the_architectures():
    old = ["nextpnr-gowin", "--seed", "1", "--device", "D", "--family", "GW1N-9C", "--json", "a", "--cst", "top.cst"]
    assert gowin.adapt(old) == [
        *["nextpnr-himbaechel-gowin", "--seed", "1", "--device", "D", "--vopt", "family=GW1N-9C"],
        *["--json", "a", "--vopt", "cst=top.cst"],
    ]


def test_other_tools_stay():
    assert gowin.adapt(["yosys", "--family", "x"]) == ["yosys", "--family", "x"]
    assert gowin.successor("nextpnr-gowin") == "nextpnr-himbaechel-gowin"
    assert gowin.successor("yosys") == "yosys"
