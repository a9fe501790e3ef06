"""Finding and running tools."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from pbit_hw.boards import tools
from pbit_hw.contract.errors import ToolError


def test_wheels_are_found_beside_the_interpreter(monkeypatch):
    for tool in ("yosys", "nextpnr-ice40", "icepack", "nextpnr-ecp5", "ecppack"):
        monkeypatch.delenv(tool.upper().replace("-", "_"), raising=False)
        assert tools.find(tool).endswith(tool)


def test_environment_wins(monkeypatch):
    monkeypatch.setenv("NEXTPNR_ICE40", sys.executable)
    assert tools.find("nextpnr-ice40") == sys.executable


def test_wrong_environment_is_an_error(monkeypatch):
    monkeypatch.setenv("YOSYS", "/nowhere/yosys")
    with pytest.raises(ToolError, match="YOSYS names '/nowhere/yosys', which is not a program"):
        tools.find("yosys")


def test_missing_tool_names_the_wheel(no_tools):
    no_tools()
    with pytest.raises(ToolError, match=r"yosys is missing; install it with: pip install pbit-hw\[build\]"):
        tools.find("yosys")


def test_version(stand_ins):
    assert tools.version("yosys") == "1.2.3"


def test_version_of_a_broken_tool_is_an_error(monkeypatch):
    monkeypatch.setenv("YOSYS", "false")
    with pytest.raises(ToolError, match="yosys --version failed"):
        tools.version("yosys")


def test_run_reports_progress_and_keeps_output(stand_ins, tmp_path):
    stand_ins.replace("yosys", "import time\nprint('hello', sys.argv[1:])\ntime.sleep(0.5)")
    seen = []
    log = tmp_path / "log"
    tools.run(["yosys", "-l"], tmp_path, log, "synthesis", lambda stage, seconds: seen.append((stage, seconds)))
    assert log.read_text() == "hello ['-l']\n"
    assert {stage for stage, _ in seen} == {"synthesis"}
    assert [seconds for _, seconds in seen] == sorted(seconds for _, seconds in seen)
    assert seen[-1][1] > 0.2


def test_failure_quotes_the_error(stand_ins, tmp_path):
    stand_ins.replace("yosys", "print('ERROR: no such cell')\nprint('goodbye')\nsys.exit(3)")
    with pytest.raises(ToolError, match=r"yosys failed in synthesis \(3\): ERROR: no such cell"):
        tools.run(["yosys"], tmp_path, tmp_path / "log", "synthesis", None)


def test_silent_failure(monkeypatch, tmp_path):
    monkeypatch.setenv("YOSYS", "false")
    with pytest.raises(ToolError, match=r"yosys failed in synthesis \(1\): it said nothing"):
        tools.run(["yosys"], tmp_path, tmp_path / "log", "synthesis", None)


def test_interruption_stops_the_tool(stand_ins, tmp_path):
    stand_ins.replace("yosys", "import time\nwhile True:\n    time.sleep(0.05)")

    def interrupt(stage, seconds):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tools.run(["yosys"], tmp_path, tmp_path / "log", "synthesis", interrupt)


def test_wheels_compile_themselves_one_process_at_a_time(monkeypatch, tmp_path):
    """A wheel's first run writes a cache that a second one must not map half-written."""
    marks = tmp_path / "marks"
    tool = tmp_path / "yowasp-first"
    tool.write_text(
        f"#!{sys.executable}\nimport time\n"
        f"for mark in 'be':\n    open({str(marks)!r}, 'a').write(mark)\n    time.sleep(0.2)\n"
    )
    tool.chmod(0o755)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(tools._compile_alone.__wrapped__, [str(tool)] * 3))
    assert marks.read_text() == "bebebe"
