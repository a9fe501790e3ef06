"""What `pbit compile` takes for a model."""

import numpy as np
import pytest


@pytest.mark.parametrize(
    ("text", "pbits", "edges"),
    [
        ("4 2\n1 2 1\n3 4 -1\n", 4, 2),
        ("0 1 1\n1 2 1\n0 2 1\n", 3, 3),
        ("# vartype=BINARY\n0 0 -1\n0 7 2\n", 2, 1),
        ("%%MatrixMarket matrix coordinate real general\n3 3 2\n1 2 1\n3 3 1\n", 3, 1),
    ],
)
def test_text_files(pbit, text, pbits, edges):
    (pbit.folder / "model.txt").write_text(text)
    report = pbit.json("compile", "model.txt", "-o", "x.pbit")
    assert (report["pbits"], report["edges"]) == (pbits, edges)


def test_qubo_matrices(pbit):
    np.save(pbit.folder / "q.npy", [[1.0, -2.0], [0.0, 1.0]])
    assert pbit.json("compile", "q.npy", "-o", "x.pbit")["edges"] == 1


def test_topologies_by_name(pbit):
    assert pbit.json("compile", "chimera:2", "-o", "x.pbit")["edges"] == 80
    assert pbit.json("compile", "pegasus:2:7", "-o", "x.pbit")["pbits"] == 40
    assert "zephyr has size 1000; use 1 to 128" in pbit.error("compile", "zephyr:1000", "-o", "y.pbit")
    assert "there is no model" in pbit.error("compile", "pegasus:x", "-o", "y.pbit")
    assert not (pbit.folder / "y.pbit").exists()
