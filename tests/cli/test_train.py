"""`pbit train` as a script uses it: data, labels, options, configuration, checkpoints, and what it prints."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pbit_hw.cli.dataset import Data, Part, read_data
from pbit_hw.cli.learning import Task, quality
from pbit_hw.compiler import RBM, Program
from pbit_hw.host import free_energies, pseudo_log_likelihood
from pbit_hw.host.training import Trainer

PAGE = Path(__file__).resolve().parents[2] / "docs" / "training.md"
LABELS = (
    "--labels",
    "--rbm",
    "--hidden",
    16,
    "--chains",
    32,
    "--mean-field",
    "--sweeps",
    2,
    "--weight-format",
    "s[3][6]",
)
QUICK = ("full-adder", "-o", "t.pbit", "--epochs", 4)


def write_idx(path, array):
    path.write_bytes(bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes())


@pytest.fixture
def images(pbit):
    """A folder of IDX files: four stripes of 4 x 4 pixels and their classes, 60 to train on and 20 to test on."""
    folder = pbit.folder / "images"
    folder.mkdir()
    for name, count in (("train", 60), ("t10k", 20)):
        labels = np.arange(count, dtype=np.uint8) % 4
        pixels = np.zeros((count, 4, 4), np.uint8)
        pixels[np.arange(count), labels] = 200
        write_idx(folder / f"{name}-images-idx3-ubyte", pixels)
        write_idx(folder / f"{name}-labels-idx1-ubyte", labels)
    return folder


def test_digits_are_told_by_the_array(pbit):
    options = (*LABELS, "--discriminative", 0.9, "--epochs", 8, "--last-learning-rate", 0.01)
    fields = pbit.json("train", "digits", *options, "-o", "d.pbit")
    assert fields["rows"] == 1618
    assert fields["held_out"] == "the last 179 of 1,797 rows"
    assert fields["accuracy"] > 0.75
    assert fields["accuracy_error"] == pytest.approx(np.sqrt(fields["accuracy"] * (1 - fields["accuracy"]) / 179))
    assert abs(fields["accuracy"] - fields["accuracy_by_free_energy"]) < 0.08
    model = Program.load(pbit.folder / "d.pbit").quantised
    assert (len(model.visible), len(model.hidden)) == (74, 16)
    held_out = Task(read_data("digits", None, None), True, 1)
    exact = pseudo_log_likelihood(model, held_out.values(held_out.judged))
    assert fields["pseudo_log_likelihood_nats"] == pytest.approx(exact)


def test_a_machine_without_labels_has_chance(pbit):
    """Negative control: what the same figures are of a machine that learned nothing."""
    fields = pbit.json("train", "digits", *LABELS, "--epochs", 1, "--learning-rate", 0, "-o", "d.pbit")
    assert fields["accuracy"] < 0.25


@pytest.mark.parametrize("machine", [("--rbm", "--hidden", 8, "--mean-field"), ()])
def test_a_folder_of_images_has_its_own_test_file(pbit, images, machine):
    options = ("--labels", "--label-copies", 2, "--chains", 32, "--epochs", 20, "--discriminative", 0.5, *machine)
    fields = pbit.json("train", images, *options, "-o", "i.pbit")
    assert fields["rows"] == 60
    assert fields["held_out"] == "t10k-images-idx3-ubyte, 20 rows"
    assert fields["accuracy"] > 0.9
    assert fields.get("accuracy_by_free_energy", 1) > 0.9
    assert len(Program.load(pbit.folder / "i.pbit").model.visible) == 16 + 4 * 2


def test_a_part_of_a_file_is_held_out(images):
    whole = read_data(str(images / "t10k-images-idx3-ubyte"), 0, None)
    assert (len(whole.train), len(whole.held_out), whole.split) == (20, 0, "none")
    last = read_data(str(images), 15, None)
    assert (len(last.train), last.split) == (45, "the last 15 of 60 rows")
    assert list(np.asarray(last.held_out.labels)) == list(np.arange(45, 60) % 4)
    drawn = read_data(str(images), 15, 3)
    assert drawn.split == "15 of 60 rows at random, seed 3"
    assert list(np.asarray(drawn.held_out.labels)) != list(np.asarray(last.held_out.labels))
    rows = drawn.held_out.rows.reshape(15, 4, 4)
    assert list(rows[:, :, 0].argmax(axis=1)) == list(np.asarray(drawn.held_out.labels))


def test_labels_that_do_not_belong_to_images(pbit, images):
    write_idx(images / "train-labels-idx1-ubyte", np.zeros(59, np.uint8))
    line = pbit.error("train", images, "--labels", "-o", "x.pbit")
    assert "labels of shape (59,) for the 60 images" in line
    (images / "train-labels-idx1-ubyte").unlink()
    assert "these data have no labels" in pbit.error("train", images, "--labels", "-o", "x.pbit")
    write_idx(images / "train-labels-idx1-ubyte", np.full(60, 7, np.uint8))
    assert "all labels are 7" in pbit.error("train", images, "--labels", "-o", "x.pbit")


def test_copies_of_label_units_count_together():
    """The likeliest label by the free energies of whole rows, whose copies are all on or all off."""
    rng = np.random.default_rng(0)
    part = Part(rng.integers(0, 2, (200, 6)).astype(np.int8), rng.integers(0, 3, 200))
    task = Task(Data(part, part[:0], ""), True, 2)
    model = RBM(rng.normal(0, 1, (12, 5)), rng.normal(0, 1, 12), rng.normal(0, 1, 5))
    told = np.repeat(np.eye(3, dtype=np.int8), 2, axis=1)
    energies = [free_energies(model, np.hstack([part.rows, np.tile(label, (200, 1))])) for label in told]
    expected = np.mean(np.argmin(energies, axis=0) == part.labels)
    assert 0.2 < expected < 0.6
    assert task.accuracy_by_free_energy(model) == expected


def test_every_option_of_the_rule_reaches_it(pbit, monkeypatch):
    seen = {}

    def record(self, sampler, rows, **options):
        seen.update(options)
        raise KeyboardInterrupt

    monkeypatch.setattr(Trainer, "__init__", record)
    values = {
        **{"sweeps": 4, "averaged": 2, "chains": 8, "momentum": 0.5, "weight-decay": 0.001, "discriminative": 0.3},
        **{"centring": "enhanced", "rounding": "stochastic", "schedule": "geometric", "epochs": 3, "batch-size": 7},
        **{"learning-rate": 0.2, "last-learning-rate": 0.1, "seed": 5},
    }
    options = [part for name, value in values.items() for part in (f"--{name}", value)]
    pbit.error("train", "digits", *LABELS[:4], "--mean-field", "--ladder", "0.5,1", *options, "-o", "x.pbit")
    assert seen.pop("learning_rate") == (0.2, 0.1)
    assert seen.pop("targets") == [f"v{unit}" for unit in range(64, 74)]
    assert seen.pop("ladder") == (0.5, 1.0)
    assert seen.pop("mean_field") is True
    assert seen == {name.replace("-", "_"): value for name, value in values.items() if "learning" not in name}


def test_scores_of_an_rbm_are_of_rows_held_out(pbit):
    options = ("--rbm", "--hidden", 12, "--epochs", 5, "--evaluate-every", 2)
    fields = pbit.json("train", "digits", *options, "-o", "d.pbit")
    assert [score["epoch"] for score in fields["scores"]] == [2, 4, 5]
    assert fields["score"] == "pseudo_log_likelihood_nats"
    assert fields["scores"][-1]["value"] == fields["pseudo_log_likelihood_nats"]
    assert len(fields["moment_errors"]) == 5
    assert fields["moment_error"] == fields["moment_errors"][-1]


@pytest.mark.parametrize(("hidden", "method"), [(4, "exact"), (21, "AIS")])
def test_likelihood_if_asked_for(pbit, hidden, method):
    options = ("--rbm", "--hidden", hidden, "--epochs", 1, "--held-out", 1700, "--ais")
    fields = pbit.json("train", "digits", *options, "-o", "d.pbit")
    assert fields["log_likelihood_method"] == method
    # above independent pixels of probability 1/2, below what the pseudo-likelihood gives
    assert -64 * np.log(2) < fields["log_likelihood_nats"] < fields["pseudo_log_likelihood_nats"]
    assert ("log_likelihood_error" in fields) == (method == "AIS")


def test_training_ends_early(pbit):
    fields = pbit.json("train", *QUICK[:3], "--epochs", 50, "--learning-rate", 0, "--patience", 3)
    # the first score is the best one, three equal ones follow
    assert (fields["epochs"], fields["stopped_early"]) == (4, True)
    more = pbit.json("train", *QUICK[:3], "--epochs", 4, "--learning-rate", 0, "--patience", 3)
    assert (more["epochs"], more["stopped_early"]) == (4, False)
    line = pbit.error("train", "digits", "--patience", 3, "-o", "x.pbit")
    assert "--patience has no score to go by" in line


def test_the_curve_is_drawn(pbit):
    fields = pbit.json("train", *QUICK, "--plot", "c.svg")
    text = (pbit.folder / "c.svg").read_text()
    for shown in ("pbit train full-adder: 512 rows, scored on them, seed 0", "kl data model nats", "moment error"):
        assert f"<!-- {shown}" in text
    assert fields["picture"] == "c.svg"
    assert "is no picture" in pbit.error("train", *QUICK, "--plot", "c.txt")


def test_scores_are_printed_beside_the_result(pbit):
    done = pbit.run("train", *QUICK)
    lines = done.stderr.splitlines()
    assert [line.split(",")[0] for line in lines] == [f"epoch {epoch} of 4" for epoch in (1, 2, 3, 4)]
    assert all("kl_data_model_nats" in line for line in lines)
    assert "kl_data_model_nats" in done.stdout


class Stop:
    """Ctrl-C in the middle of an epoch."""

    def __init__(self, monkeypatch, epoch):
        self._monkeypatch, self._epoch, self._run = monkeypatch, epoch, Trainer._one_epoch

    def __enter__(self):
        run, last = self._run, self._epoch

        def interrupted(trainer, progress):
            if trainer.epoch == last:
                raise KeyboardInterrupt
            run(trainer, progress)

        self._monkeypatch.setattr(Trainer, "_one_epoch", interrupted)

    def __exit__(self, *exception):
        self._monkeypatch.setattr(Trainer, "_one_epoch", self._run)


def test_an_interrupted_run_says_how_to_go_on_and_goes_on(pbit, monkeypatch):
    whole = pbit.json("train", *QUICK)
    trained = (pbit.folder / "t.pbit").read_bytes()
    (pbit.folder / "t.pbit").unlink()
    with Stop(monkeypatch, 2):
        done = pbit.run("train", *QUICK, "--checkpoint", "t.ckpt")
    assert done.returncode == 130
    assert done.stderr.splitlines()[-1] == (
        "stopped after 2 of 4 epochs, which t.ckpt holds; the same command goes on from there"
    )
    assert not (pbit.folder / "t.pbit").exists()
    fields = pbit.json("train", *QUICK, "--checkpoint", "t.ckpt")
    assert (pbit.folder / "t.pbit").read_bytes() == trained
    assert fields["scores"] == whole["scores"]
    again = pbit.run("train", *QUICK, "--checkpoint", "t.ckpt")
    assert again.stderr.splitlines() == ["going on from t.ckpt, 4 of 4 epochs done"]
    assert (pbit.folder / "t.pbit").read_bytes() == trained


def test_an_interrupted_run_without_a_checkpoint(pbit, monkeypatch):
    with Stop(monkeypatch, 2):
        assert "nothing is kept: give --checkpoint FILE" in pbit.run("train", *QUICK).stderr
    with Stop(monkeypatch, 0):
        line = pbit.run("train", *QUICK, "--checkpoint", "t.ckpt").stderr
    assert line.strip() == "stopped after 0 of 4 epochs; t.ckpt is written after the first one and its score"


@pytest.mark.parametrize(
    ("epoch", "line"),
    [
        (1, "stopped after 1 of 4 epochs; t.ckpt is written after the first one and its score"),
        (3, "stopped after 3 of 4 epochs, the first 2 of which t.ckpt holds; the same command goes on from there"),
    ],
)
def test_a_run_that_is_interrupted_in_a_score_claims_what_was_saved(pbit, monkeypatch, epoch, line):
    whole = pbit.json("train", *QUICK)
    scores = iter(range(1, epoch + 1))

    def interrupted(program, rows):
        if next(scores) == epoch:
            raise KeyboardInterrupt
        return quality(program, rows)

    monkeypatch.setattr("pbit_hw.cli.learning.quality", interrupted)
    done = pbit.run("train", *QUICK, "--checkpoint", "t.ckpt")
    assert done.returncode == 130
    assert done.stderr.splitlines()[-1] == line
    monkeypatch.undo()
    monkeypatch.chdir(pbit.folder)
    done = pbit.run("train", *QUICK, "--checkpoint", "t.ckpt", "--json")
    assert ("going on from t.ckpt, 2 of 4 epochs done" in done.stderr) == (epoch == 3)
    assert json.loads(done.stdout)["scores"] == whole["scores"]


def test_a_run_that_ended_early_is_not_gone_on_with(pbit):
    options = ("train", *QUICK[:3], "--epochs", 50, "--learning-rate", 0, "--patience", 2, "--checkpoint", "t.ckpt")
    assert pbit.json(*options)["epochs"] == 3
    assert pbit.json(*options)["epochs"] == 3


def test_a_checkpoint_of_another_run(pbit):
    pbit.json("train", *QUICK, "--checkpoint", "t.ckpt")
    assert "another sweeps" in pbit.error("train", *QUICK, "--checkpoint", "t.ckpt", "--sweeps", 3)
    line = pbit.error("train", *QUICK, "--checkpoint", "t.ckpt", "--evaluate-every", 3)
    assert "4 scores of 4 epochs, not one in 3" in line


def test_options_come_from_a_file(pbit):
    (pbit.folder / "t.toml").write_text(
        'data = "full-adder"\noutput = "t.pbit"\nepochs = 3\nlearning-rate = 1\nchains = 16\nladder = [0.5, 0.75, 1]\n'
    )
    fields = pbit.json("train", "--config", "t.toml", "--epochs", 2)
    config = fields["config"]
    assert (config["epochs"], config["learning-rate"], config["chains"]) == (2, 1.0, 16)
    assert config["ladder"] == [0.5, 0.75, 1.0]
    assert config["sweeps"] == 10
    direct = ("full-adder", "--learning-rate", 1, "--chains", 16, "--ladder", "0.5,0.75,1", "--epochs", 2)
    assert pbit.json("train", *direct, "-o", "t.pbit") == fields


def test_the_printed_configuration_is_one(pbit):
    """What --json says of a run, written to a file, gives the run again."""
    fields = pbit.json("train", "digits", "--rbm", "--hidden", 3, "--epochs", 1, "-o", "d.pbit")
    values = {name: value for name, value in fields["config"].items() if value != []}
    shown = [
        f"{name} = {str(value).lower() if isinstance(value, bool) else repr(value)}" for name, value in values.items()
    ]
    (pbit.folder / "again.toml").write_text("\n".join(shown))
    assert pbit.json("train", "--config", "again.toml") == fields


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch = 3", "sets 'epoch', which pbit train does not have; the nearest is 'epochs'"),
        ("mean_field = true", "the nearest is 'mean-field'"),
        ("json = true", "sets 'json'"),
        ("epochs = 1.5", "'1.5' is not a valid integer"),
        ("epochs = true", "'True' is not a valid integer"),
        ("rbm = 3", "'3' is not a valid boolean"),
        ("ladder = [1, 'x']", "'1,x' is no list of betas"),
        ("epochs =", "is no TOML file of options"),
    ],
)
def test_wrong_files_of_options(pbit, text, message):
    (pbit.folder / "t.toml").write_text(text + "\n")
    assert message in pbit.error("train", "full-adder", "--config", "t.toml", "-o", "x.pbit")
    assert not (pbit.folder / "x.pbit").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("full-adder", "--labels"), "these data have no labels: --labels needs digits"),
        (("nosuch",), "give full-adder, digits, a file of rows of 0 and 1, or IDX files"),
        (("digits", "--held-out", 1797), "1797 rows cannot be held out of 1797; give 0 to 1796"),
        (("digits", "--discriminative", 0.5), "belong to --labels"),
        (("digits", "--label-copies", 2), "belong to --labels"),
        (("digits", "--labels", "--label-copies", 0), "--label-copies is 0; it must be at least 1"),
        (("digits", "--ais"), "--ais and --mean-field belong to --rbm"),
        (("digits", "--mean-field", "--hidden", 3), "--ais and --mean-field belong to --rbm"),
        (("full-adder", "--checkpoint", "nosuch/t.ckpt"), "cannot write nosuch/t.ckpt: its folder is not there"),
        (("full-adder", "--seed", -1), "-1 is not in the range x>=0"),
        (("digits", "--split-seed", -1), "-1 is not in the range x>=0"),
        ((".",), "holds no IDX file of images, such as t10k-images-idx3-ubyte.gz"),
    ],
)
def test_wrong_options(pbit, options, message):
    assert message in pbit.error("train", *options, "-o", "x.pbit")
    assert not (pbit.folder / "x.pbit").exists()


def test_digits_need_scikit_learn(pbit, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    assert pbit.error("train", "digits", "-o", "x.pbit").endswith("pip install pbit-hw[learn]")


def test_help_loads_neither_the_simulator_nor_scikit_learn():
    script = (
        "import sys; from pbit_hw.cli.app import pbit; pbit(['train', '--help'], standalone_mode=False); "
        "print(sorted(set(sys.modules) & {'numba', 'llvmlite', 'sklearn', 'matplotlib', 'pbit_hw.sim.simulator'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_file_of_the_documentation(pbit):
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (pbit.folder / "train.toml").write_text(text)
    fields = pbit.json("train", "--config", "train.toml", "--epochs", 2)
    assert fields["accuracy"] > 0.5
