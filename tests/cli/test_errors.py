"""Bad input gives one line that says what to do, a non-zero exit, and nothing half-written."""

import numpy as np
import pytest


def test_unknown_model(pbit):
    assert "there is no model 'nosuch'" in pbit.error("compile", "nosuch", "-o", "x.pbit")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not a graph\n", "as a G-set file starts"),
        ("3 2\n1 2 1\n", "the file ends after 1 of 2 edges"),
        ("3 1\n1 4 1\n", "names vertex 4; they are 1 to 3"),
        ("", "is empty"),
    ],
)
def test_wrong_graph_file(pbit, text, message):
    (pbit.folder / "g.txt").write_text(text)
    assert message in pbit.error("compile", "g.txt", "-o", "x.pbit")
    assert not (pbit.folder / "x.pbit").exists()


def test_nan_weight(pbit):
    np.savez(pbit.folder / "m.npz", J=np.array([[0, np.nan], [np.nan, 0]]))
    assert "J[0, 1] is nan" in pbit.error("compile", "m.npz", "-o", "x.pbit")


def test_degree_too_large(pbit):
    np.savez(pbit.folder / "m.npz", J=1 - np.eye(12))
    line = pbit.error("compile", "m.npz", "-o", "x.pbit", "--max-degree", 8)
    assert "degree 11" in line
    assert "8" in line


def test_degree_too_large_for_a_board(pbit):
    np.savez(pbit.folder / "m.npz", J=1 - np.eye(60))
    pbit.json("compile", "m.npz", "-o", "x.pbit")
    line = pbit.error("build", "x.pbit", "--board", "icebreaker", "-o", "out")
    assert "degree 59" in line
    assert not list(pbit.folder.glob("out/*"))


def test_graphs_that_a_model_cannot_be_embedded_in(pbit):
    line = pbit.error("compile", "lattice:6x6", "-o", "x.pbit", "--embed", "chimera:2")
    assert "the model has 36 variables, the topology 32 connected p-bits" in line
    assert "there is no model 'ring'" in pbit.error("compile", "and", "-o", "x.pbit", "--embed", "ring")
    line = pbit.error("compile", "and", "-o", "x.pbit", "--embed", "chimera:2", "--sparsify", 3)
    assert "give one of them" in line
    assert not (pbit.folder / "x.pbit").exists()


def test_unknown_board(pbit, adder):
    assert "unknown board 'nosuch'; known are icebreaker" in pbit.error("build", adder, "--board", "nosuch")


@pytest.mark.parametrize("damage", ["foreign", "truncated", "flipped"])
def test_damaged_program(pbit, adder, damage):
    path = pbit.folder / adder
    data = path.read_bytes()
    flipped = data[:100] + bytes([data[100] ^ 1]) + data[101:]
    path.write_bytes({"foreign": b"PK" + data, "truncated": data[:-40], "flipped": flipped}[damage])
    line = pbit.error("sample", adder)
    assert line.startswith("error: adder.pbit")
    assert len(line.splitlines()) == 1


def test_missing_program(pbit):
    assert "does not exist" in pbit.error("sample", "nosuch.pbit")


def test_disconnected_port(pbit, adder):
    line = pbit.error("sample", adder, "--device", "/dev/nosuch")
    assert "/dev/nosuch" in line
    assert len(line.splitlines()) == 1


def test_beta_outside_its_format(pbit, adder):
    assert "beta 9 is outside u[3][9]" in pbit.error("sample", adder, "--beta", "9")


def test_unknown_clamp(pbit, adder):
    assert "Z=1" in pbit.error("sample", adder, "--clamp", "Z=1")


def test_wrong_training_data(pbit):
    (pbit.folder / "rows.csv").write_text("1,2\n")
    assert "rows of 0 and 1" in pbit.error("train", "rows.csv", "-o", "x.pbit")
    assert not (pbit.folder / "x.pbit").exists()


def test_a_recording_that_is_too_short(pbit, adder):
    (pbit.folder / "bits.bin").write_bytes(bytes(99))
    line = pbit.error("sample", adder, "--sweeps", 10, "--entropy", "bits.bin", "-o", "s.npz")
    assert "takes 5 words, 4 of 49 are left" in line
    assert not (pbit.folder / "s.npz").exists()


@pytest.mark.parametrize("command", ["sample", "solve"])
def test_samples_that_cannot_be_written(pbit, adder, command):
    line = pbit.error(command, adder, "--sweeps", 5, "-o", "nosuch/s.npz")
    assert "cannot write samples to nosuch/s.npz" in line
    assert len(line.splitlines()) == 1


def test_a_target_that_cannot_hold_it(pbit):
    np.savez(pbit.folder / "m.npz", J=1 - np.eye(60))
    line = pbit.error("compile", "m.npz", "-o", "x.pbit", "--target", "icebreaker")
    assert "graph has degree 59, board icebreaker supports 32: split variables with" in line
    assert "cannot fit board icebreaker: the array alone has" in pbit.error(
        "compile", "lattice:10x10", "-o", "x.pbit", "--target", "icebreaker"
    )
    assert not (pbit.folder / "x.pbit").exists()


def test_a_page_that_cannot_be_written(pbit):
    line = pbit.error("compile", "lattice:3x3", "-o", "x.pbit", "--html", "nosuch/x.html")
    assert line.startswith("error: cannot write page nosuch/x.html: No such file or directory")
    assert not (pbit.folder / "x.pbit").exists()
