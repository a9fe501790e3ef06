"""Each command as a script uses it."""

import numpy as np
import pytest

from pbit_hw.cli.app import COMMANDS
from pbit_hw.compiler import Program
from pbit_hw.compiler.topologies import topology
from pbit_hw.contract.engines import ENGINES

GSET = "5 6\n1 2 1\n2 3 1\n3 4 1\n4 5 1\n5 1 1\n1 3 -1\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(pbit, command):
    done = pbit.run(command, "--help")
    assert done.returncode == 0
    assert f"Example: pbit {command}" in done.stdout


def test_compile_reports_the_array(pbit):
    report = pbit.json("compile", "full-adder", "-o", "x.pbit")
    assert (report["pbits"], report["edges"], report["colours"]) == (5, 10, 5)
    assert report["boards"]["icebreaker"]["fits"]
    assert Program.load(pbit.folder / "x.pbit").report.to_json()["pbits"] == 5


def test_sample_finds_the_ground_state(pbit, adder):
    fields = pbit.json("sample", adder, "--sweeps", 200, "--replicas", 8, "--beta", "0.2:3", "-o", "s.npz")
    assert fields["n_samples"] == 8
    assert fields["best_energy"] == -4
    assert fields["flips_per_s"] > 0
    assert fields["wall_ns"] > 0
    written = np.load(pbit.folder / "s.npz")
    assert written["states"].shape == (8, 5)
    assert written["energies"].min() == -4


def test_sample_gives_the_cut_of_a_gset_file(pbit):
    (pbit.folder / "ring.txt").write_text(GSET)
    pbit.json("compile", "ring.txt", "-o", "ring.pbit")
    fields = pbit.json("sample", "ring.pbit", "--sweeps", 300, "--replicas", 8, "--beta", "0.2:3")
    assert fields["best_cut"] == 4


def test_seed_decides_the_samples(pbit, adder):
    def states(seed):
        pbit.json("sample", adder, "--sweeps", 50, "--seed", seed, "-o", "s.npz")
        return np.load(pbit.folder / "s.npz")["states"]

    assert np.array_equal(states(1), states(1))
    assert not np.array_equal(states(1), states(2))


def test_virtual_device_gives_the_simulators_samples(pbit, adder):
    def states(device):
        options = ("--sweeps", 40, "--replicas", 2, "--clamp", "A=1", "--device", device, "-o", "s.npz")
        pbit.json("sample", adder, *options)
        return np.load(pbit.folder / "s.npz")["states"]

    simulated = states("simulator")
    assert (simulated[:, 0] == 1).all()
    assert np.array_equal(simulated, states("virtual"))


def test_recorded_entropy_gives_the_same_samples_everywhere(pbit, adder):
    (pbit.folder / "bits.bin").write_bytes(np.random.default_rng(3).bytes(2 * 5 * 2 * 40))

    def states(*options):
        run = ("--sweeps", 40, "--replicas", 2, "--entropy", "bits.bin", "-o", "s.npz")
        pbit.json("sample", adder, *run, *options)
        return np.load(pbit.folder / "s.npz")["states"]

    assert np.array_equal(states(), states("--device", "virtual"))
    assert np.array_equal(states("--seed", 1), states("--seed", 1))


def test_divided_programs_are_written_and_sampled(pbit):
    report = pbit.json("compile", "lattice:6x6", "-o", "six.pbit", "--devices", 3)
    assert report["device_pbits"] == [12, 12, 12]
    assert report["device_programs"] == ["six.0.pbit", "six.1.pbit", "six.2.pbit"]
    device = Program.load(pbit.folder / "six.1.pbit")
    assert device.image.clamped.sum() == report["device_ghosts"][1]
    assert pbit.json("sample", "six.1.pbit", "--sweeps", 10)["n_samples"] == 10

    def states(*options):
        pbit.json("sample", "six.pbit", "--sweeps", 30, "--replicas", 2, "-o", "s.npz", *options)
        return np.load(pbit.folder / "s.npz")["states"]

    exchanging = states("--exchange-every", 4)
    assert exchanging.shape == states().shape == (60, 36)
    assert not np.array_equal(exchanging, states())
    assert "device_pbits" in pbit.run("compile", "lattice:6x6", "-o", "six.pbit", "--devices", 3).stdout


def test_exchanges_need_a_division_and_the_simulator(pbit, adder):
    assert "adder.pbit is not divided; compile it for several devices" in pbit.error(
        "sample", adder, "--exchange-every", 4
    )
    assert "belongs to the simulator" in pbit.error("sample", adder, "--exchange-every", 4, "--device", "virtual")


def test_sparsified_programs_answer_in_the_models_variables(pbit):
    report = pbit.json("compile", "full-adder", "-o", "thin.pbit", "--sparsify", 3)
    assert max(map(int, report["degree_histogram"])) == 3
    assert report["pbits"] == 10
    fields = pbit.json("sample", "thin.pbit", "--sweeps", 500, "--replicas", 8, "--beta", "0.2:3", "-o", "s.npz")
    assert np.load(pbit.folder / "s.npz")["states"].shape == (8, 5)
    assert fields["best_energy"] == -4
    assert 0 <= fields["mean_broken_share"] < 0.2
    certified = pbit.json("sample", "thin.pbit", "--sweeps", 20000, "--replicas", 64, "--certify", "--clamp", "A=1")
    assert certified["certificate"]["exact"]["total_variation"] < 0.1


def test_embedded_programs_lie_in_their_topology(pbit):
    options = ("full-adder", "-o", "embedded.pbit", "--embed", "chimera:2", "--copy-strength", 3)
    report = pbit.json("compile", *options, "--explain")
    assert any("variables have several p-bits" in line for line in report["explanation"])
    program = Program.load(pbit.folder / "embedded.pbit")
    couplers = {frozenset(edge) for edge in topology("chimera", 2).edges.tolist()}
    assert {frozenset(program.target.labels[i] for i in edge) for edge in program.target.edges} <= couplers
    fields = pbit.json("sample", "embedded.pbit", "--sweeps", 500, "--replicas", 8, "--beta", "0.2:3")
    assert fields["best_energy"] == -4
    pbit.json("compile", *options, "--embed-seed", 1)
    assert Program.load(pbit.folder / "embedded.pbit").target.labels != program.target.labels


def test_formulas_are_solved_in_their_own_variables(pbit):
    (pbit.folder / "f.cnf").write_text("p cnf 4 4\n1 2 3 0\n-1 -2 4 0\n-3 -4 0\n-1 0\n")
    pbit.json("compile", "f.cnf", "-o", "f.pbit")
    fields = pbit.json("sample", "f.pbit", "--sweeps", 500, "--replicas", 16, "--beta", "0.2:6", "-o", "s.npz")
    assert fields["best_energy"] == 0
    best = np.load(pbit.folder / "s.npz")["states"][np.load(pbit.folder / "s.npz")["energies"].argmin()]
    assert best.shape == (4,)
    assert best[0] == 0


def test_train_writes_a_program_that_knows_the_data(pbit):
    options = ("--epochs", 4, "--device", "virtual")
    fields = pbit.json("train", "full-adder", "-o", "t.pbit", *options)
    # ln 4 is what an untrained machine of five spins gives for eight equal rows.
    assert fields["kl_data_model_nats"] < np.log(4) / 2
    assert np.abs(Program.load(pbit.folder / "t.pbit").image.weights).max() > 0


def test_train_reads_rows_for_an_rbm(pbit):
    (pbit.folder / "rows.csv").write_text("1,1,0\n0,0,1\n" * 20)
    fields = pbit.json("train", "rows.csv", "--rbm", "--hidden", 2, "--epochs", 2, "-o", "r.pbit")
    assert fields["rows"] == 40
    assert len(Program.load(pbit.folder / "r.pbit").model.hidden) == 2


def test_verify_compares_every_cycle(pbit, adder):
    fields = pbit.json("verify", adder, "--cycles", 300, "--seed", 2)
    assert 300 <= fields["cycles"] < 400
    assert fields["state_changes"] > 0


def test_boards_lists_capacities(pbit):
    assert pbit.json("boards")["icebreaker"]["luts"] == 5280


@pytest.mark.parametrize(("method", "rows"), [("anneal", 64), ("temper", 1)])
def test_solve_finds_the_ground_state(pbit, adder, method, rows):
    options = ("--method", method, "--sweeps", 50, "--clamp", "A=1", "-o", "s.npz")
    fields = pbit.json("solve", adder, *options)
    assert fields["best_energy"] == -4
    assert fields["n_samples"] == rows
    assert ("swap_rates" in fields) == (method == "temper")
    assert (np.load(pbit.folder / "s.npz")["states"][:, 0] == 1).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--method", "temper", "--replicas", 3), "tempering runs 64 copies"),
        (("--rungs", 3), "belongs to --method temper"),
        (("--beta", "1"), "HOT:COLD"),
    ],
)
def test_solve_refuses_options_of_the_other_method(pbit, adder, options, message):
    done = pbit.run("solve", adder, *options)
    assert done.returncode == 2
    assert message in done.stderr


MULTIPLIER = "module mult (input [3:0] a, input [3:0] b, output [7:0] p); assign p = a * b; endmodule"


def test_verilog_runs_backwards(pbit):
    (pbit.folder / "mult.v").write_text(MULTIPLIER)
    fields = pbit.json("solve", "mult.v", "--clamp", "p=143")
    assert fields["solved"]
    assert sorted((fields["solution"]["a"], fields["solution"]["b"])) == [11, 13]
    assert pbit.error("solve", "mult.v", "--clamp", "p=300") == "error: p has 8 bits, 300 needs 9; give 0 to 255"


@pytest.mark.slow
def test_verilog_as_people_see_it(pbit):
    (pbit.folder / "mult.v").write_text(MULTIPLIER)
    assert pbit.run("solve", "mult.v", "--clamp", "p=49").stdout.splitlines()[-1] == "a = 7, b = 7"
    assert "no solution found" in pbit.run("solve", "mult.v", "--clamp", "p=251", "--sweeps", 50).stdout
    pbit.json("compile", "mult.v", "-o", "mult.pbit")
    assert pbit.json("solve", "mult.pbit", "--clamp", "p=143")["best_energy"] == 0
    (pbit.folder / "carry.v").write_text("module c (input x, y, z, output s, k); assign {k, s} = x + y + z; endmodule")
    clamps = ("--clamp", "s=0", "--clamp", "k=0")
    assert pbit.json("solve", "carry.v", *clamps)["solution"] == {"x": 0, "y": 0, "z": 0, "s": 0, "k": 0}


def test_explanations_and_fewest_bits(pbit):
    rng = np.random.default_rng(0)
    np.savez(pbit.folder / "g.npz", J=np.triu(rng.normal(0, 0.4, (8, 8)), 1), h=rng.normal(0, 0.1, 8))
    fields = pbit.json("compile", "g.npz", "-o", "x.pbit", "--explain", "--sparsify", 4)
    assert any(line.startswith("copies: 8 variables have several") for line in fields["explanation"])
    assert [row["bits"] for row in fields["what_if"]] == list(range(2, 13))
    assert not fields["what_if"][0]["kl_exact"]
    few, many = (pbit.json("compile", "g.npz", "-o", "x.pbit", "--kl", kl) for kl in (0.1, 1e-5))
    assert few["rms_quantisation_error"] > 10 * many["rms_quantisation_error"]
    assert "give one of them" in pbit.error(
        "compile", "g.npz", "-o", "y.pbit", "--kl", 0.1, "--weight-format", "s[1][2]"
    )
    printed = pbit.run("compile", "g.npz", "-o", "x.pbit", "--explain").stdout
    assert "what the compiler did" in printed
    assert "gap left" in printed


def test_interleaved_programs(pbit):
    """They say so, and samples on the simulator are those on a device."""
    options = ("compile", "lattice:4x4", "-o", "x.pbit", "--generator", "linear64")
    fields = pbit.json(*options, "--interleave", 6, "--explain", "--html", "x.html")
    assert (fields["interleave"], fields["colours"]) == (6, 2)
    sentences = ("interleave: 6 replicas follow one another, 3 clocks a colour", "linear64, 64 bits for up to 4 p-bits")
    for sentence in sentences:
        assert any(sentence in line for line in fields["explanation"])
        assert sentence.removeprefix("interleave: ") in (pbit.folder / "x.html").read_text()
    assert "interleave" in pbit.run(*options, "--interleave", 6).stdout
    runs = []
    for device in ("simulator", "virtual"):
        pbit.json("sample", "x.pbit", "--sweeps", 20, "--replicas", 7, "--device", device, "-o", "s.npz")
        runs.append(np.load(pbit.folder / "s.npz")["states"])
    assert np.array_equal(*runs)
    assert "interleave" not in pbit.run(*options, "--explain").stdout
    assert "an array of 2 colours cannot hold 3 replicas; use 1 or a multiple of 2" in pbit.error(
        *options, "--interleave", 3
    )


def test_the_page_holds_its_pictures(pbit):
    pbit.json("compile", "lattice:4x4", "-o", "x.pbit", "--html", "x.html")
    page = (pbit.folder / "x.html").read_text()
    assert page.count("<svg") == 4
    assert "likely fits" in page


def test_reweight_keeps_the_array(pbit):
    for name, sign in (("a.txt", 1), ("b.txt", -1)):
        (pbit.folder / name).write_text("".join(f"0 {j} {sign * j}\n" for j in (1, 2, 3)))
    pbit.json("compile", "a.txt", "-o", "a.pbit")
    pbit.json("reweight", "a.pbit", "b.txt", "-o", "b.pbit")
    before, after = (Program.load(pbit.folder / name) for name in ("a.pbit", "b.pbit"))
    assert before.image.digest == after.image.digest
    assert np.array_equal(before.quantised.couplings, -after.quantised.couplings)
    pbit.json("compile", "full-adder", "-o", "other.pbit")
    assert "is not of the graph of the program's" in pbit.error("reweight", "other.pbit", "b.txt", "-o", "c.pbit")
    assert not (pbit.folder / "c.pbit").exists()


def test_programs_for_engines(pbit):
    """They say how they lie there; boards list the engines."""
    listed = pbit.json("boards")["icebreaker"]["engines"]["icebreaker-tiled"]
    fields = pbit.json("compile", "regular:3:40:1", "-o", "x.pbit", "--engine", "icebreaker-tiled")["engine"]
    assert (fields["kind"], fields["lanes"]) == (listed["kind"], listed["lanes"]) == ("tiled", 8)
    assert fields["flips_per_s"] == 40 / fields["clocks_per_sweep"] * listed["clock_hz"]
    assert "utilisation" in pbit.run("compile", "regular:3:40:1", "-o", "x.pbit", "--engine", "icebreaker-tiled").stdout
    table = pbit.run("boards").stdout
    assert "…" not in table
    assert all(name in table for name in ENGINES)
    pbit.json("compile", "lattice:4x4:7", "-o", "x.pbit")
    too_large = pbit.error("compile", "regular:3:2000", "-o", "y.pbit", "--engine", "icebreaker-tiled")
    assert "the engine has 128" in too_large
    assert not (pbit.folder / "y.pbit").exists()
    other = pbit.error("compile", "and", "-o", "y.pbit", "--engine", "icebreaker-tiled", "--generator", "lfsr48")
    assert other == "error: --generator lfsr48 with an engine of linear64; leave one of them out"


def test_engines_have_so_many_replicas(pbit):
    fields = pbit.json("compile", "regular:3:40:1", "-o", "x.pbit", "--engine", "ulx3s-tiled")["engine"]
    assert fields["replicas"] == pbit.json("boards")["ulx3s_85f"]["engines"]["ulx3s-tiled"]["replicas"] == 2
    assert fields["flips_per_s"] == pytest.approx(2 * 40 / fields["clocks_per_sweep"] * fields["clock_hz"])
    other = pbit.error("compile", "regular:3:40:1", "-o", "y.pbit", "--engine", "ulx3s-tiled", "--interleave", "4")
    assert other == "error: --interleave 4 with an engine of 2; leave one of them out"
    said = pbit.json("compile", "regular:3:40:1", "-o", "x.pbit", "--engine", "ulx3s-tiled", "--explain")["explanation"]
    assert "interleave: 2 replicas in the engine, all of them in the same colour" in said
