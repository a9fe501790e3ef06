"""Earlier builds: found by content, and never trusted when damaged."""

from __future__ import annotations

import pytest

from pbit_hw.boards import cache

RTLIL = 'attribute \\src "{place}:3"\nwire width 1 \\a\n'


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def work(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def stored(work, name="name"):
    (work / "top.bin").write_bytes(b"bits")
    cache.store(name, [work / "top.bin"])
    (work / "top.bin").unlink()
    return cache.folder() / name


def test_what_was_stored_is_fetched(work):
    stored(work)
    assert cache.fetch("name", work)
    assert (work / "top.bin").read_bytes() == b"bits"
    assert not cache.fetch("another", work)


@pytest.mark.parametrize("damage", ["change", "remove", "add", "digest"])
def test_a_damaged_entry_is_removed(work, damage):
    entry = stored(work)
    if damage == "change":
        (entry / "top.bin").write_bytes(b"bite")
    elif damage == "remove":
        (entry / "top.bin").unlink()
    elif damage == "add":
        (entry / "more").write_bytes(b"")
    else:
        (entry / "digest").unlink()
    assert not cache.fetch("name", work)
    assert not entry.exists()
    assert list(work.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_no_error(work, tmp_path):
    (tmp_path / "cache").write_text("a file")
    stored(work)
    assert not cache.fetch("name", work)


def test_key_follows_the_content_but_not_where_it_came_from():
    def key(place="a.py", commands=(("yosys", "-q"),), version="1"):
        return cache.key({"top.il": RTLIL.format(place=place)}, commands, {"yosys": version})

    assert key() == key(place="elsewhere/b.py")
    assert len({key(), key(commands=(("yosys",),)), key(version="2")}) == 3
    assert cache.key({"top.il": "x"}, (), {}) != cache.key({"top.il": "y"}, (), {})


def test_relative_cache_home_is_ignored(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache.folder().is_absolute()
