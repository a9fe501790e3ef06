"""Block RAM of engines in the order of their parts."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest

from pbit_hw import boards
from pbit_hw.boards import BOARDS, floorplan
from pbit_hw.boards.floorplan import LFE5U_85F
from pbit_hw.contract.engines import ENGINES
from pbit_hw.contract.forms import Form
from pbit_hw.contract.generator import Generator

PARTS = ["link.buffer.0", *(f"engine.lane_{lane}.store.{half}" for lane in (0, 10, 2) for half in (1, 0)), "engine.ram"]


@pytest.mark.parametrize("name", ["icesugar_pro", "ulx3s_85f"])
def test_neighbouring_sites(name):
    """Every block RAM of the part has one, none is jumped over, and rows end where the next ones begin."""
    floor = BOARDS[name].floor
    assert floor is not None
    sites = floor.sites
    assert len(set(sites)) == len(sites) == BOARDS[name].target.brams
    assert sites[0] == f"X4/Y{floor.rows[0]}/EBR0"
    places = [tuple(int(part[1:]) for part in site.split("/")[:2]) for site in sites]
    for (column, row), (after, next_row) in pairwise(places):
        assert column == after if row != next_row else 2 <= abs(column - after) <= 5


def test_parts_in_the_order_of_their_numbers():
    """Those without come first, and what is not the engine's is left out."""
    assert floorplan.chain(f"device.{name}" for name in PARTS) == [
        "device.engine.ram",
        *(f"device.engine.lane_{lane}.store.{half}" for lane in (0, 2, 10) for half in (0, 1)),
    ]


def test_kinds_of_parts_go_along_together():
    """Four lanes share a decider."""
    names = [*(f"top.engine.lane_{lane}.ram" for lane in range(8)), *(f"top.engine.unit_{unit}.ram" for unit in (0, 1))]
    kinds = [name.split(".")[2] for name in floorplan.chain(names)]
    assert kinds == ["lane_0", "lane_1", "unit_0", "lane_2", "lane_3", "lane_4", "lane_5", "unit_1", "lane_6", "lane_7"]


def netlist(folder, names):
    cells = {name: {"type": "DP16KD", "attributes": {}} for name in names}
    cells |= {"engine.lane_0.lut": {"type": "LUT4", "attributes": {}}}
    path = folder / "top.json"
    path.write_text(json.dumps({"modules": {"top": {"cells": cells}}}))
    return path


def sites_of(path):
    cells = json.loads(path.read_text())["modules"]["top"]["cells"]
    return {name: cell["attributes"]["BEL"] for name, cell in cells.items() if cell["attributes"]}


def test_evenly_spaced(tmp_path):
    path = netlist(tmp_path, [f"x.engine.lane_{lane}.ram" for lane in range(4)])
    floorplan.lay(path, "DP16KD", list("abcdefgh"))
    assert list(sites_of(path).values()) == list("aceg")


def test_more_than_there_are_sites_are_left_to_place_and_route(tmp_path):
    path = netlist(tmp_path, [f"x.engine.lane_{lane}.ram" for lane in range(4)])
    before = path.read_bytes()
    floorplan.lay(path, "DP16KD", list("abc"))
    assert path.read_bytes() == before


_NETLIST = {
    "modules": {
        "top": {"cells": {f"device.linked.engine.lane_{n}.ram": {"type": "DP16KD", "attributes": {}} for n in (0, 1)}}
    }
}

_ROUTE = """
cells = json.loads(pathlib.Path("top.json").read_text())["modules"]["top"]["cells"]
print("laid:", *(cell["attributes"].get("BEL", "nowhere") for cell in cells.values()))
used = dict.fromkeys(["TRELLIS_COMB", "DP16KD", "MULT18X18D"], {"used": 2, "available": 208})
pathlib.Path("report.json").write_text(json.dumps({"critical_paths": [], "utilization": used, "fmax": {
    "pbit_clk": {"achieved": 90.0, "constraint": 60.0}}}))
"""


@pytest.mark.parametrize("engine", [True, False])
def test_builds_lay_the_memories_of_engines(pair, stand_ins, tmp_path, engine):
    stand_ins.replace("yosys", f"pathlib.Path('top.json').write_text(json.dumps({_NETLIST}))")
    stand_ins.replace("nextpnr-ecp5", _ROUTE)
    stand_ins.replace("ecppack", "pathlib.Path('top.bit').write_bytes(b'bits')")
    lanes = ENGINES["ulx3s-dense"].shape.lanes
    image = replace(pair, lanes=lanes, generator=Generator.LINEAR64) if engine else pair
    form = None if engine else Form.ADDER
    result = boards.build(image, "ulx3s_85f", tmp_path / "out", form=form, clock_hz=60e6)
    log = (tmp_path / "out" / "ulx3s_85f.place-and-route.log").read_text()
    sites = LFE5U_85F.sites
    assert f"laid: {sites[0]} {sites[104]}" in log if engine else "laid: nowhere nowhere" in log
    assert result.engine == ("ulx3s-dense" if engine else "")
