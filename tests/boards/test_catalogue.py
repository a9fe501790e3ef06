"""The boards: what amaranth-boards says of them agrees with the contract's capacities."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pbit_hw.boards import BOARDS, board
from pbit_hw.contract.errors import FitError
from pbit_hw.contract.formats import SignedFormat
from pbit_hw.contract.targets import TARGETS


def test_every_target_has_a_board():
    assert set(BOARDS) == set(TARGETS)
    assert all(entry.target is TARGETS[name] for name, entry in BOARDS.items())


@pytest.mark.parametrize("entry", BOARDS.values(), ids=BOARDS)
def test_platform_agrees(entry):
    platform = entry.platform()
    assert platform.default_clk_frequency == entry.target.clock_hz
    device = getattr(platform, "device", None) or platform.part
    assert entry.target.part.upper().startswith(device.upper())
    platform.request("uart", 0, dir="-")


def test_unknown_board_names_the_known():
    with pytest.raises(FitError, match="unknown board 'nexys'; known are icebreaker, ice40_hx8k_b_evn"):
        board("nexys")


def test_multipliers(pair):
    assert BOARDS["icebreaker"].multipliers_for(pair) == 0
    assert BOARDS["ulx3s_85f"].multipliers_for(pair) == 2
    wide = replace(pair, weight_format=SignedFormat(16, 0))
    assert BOARDS["ulx3s_85f"].multipliers_for(wide) == 0


def test_no_more_multipliers_than_there_are(pair):
    few = replace(BOARDS["ulx3s_85f"], target=replace(TARGETS["ulx3s_85f"], multipliers=1))
    assert few.multipliers_for(pair) == 1
