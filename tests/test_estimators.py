"""The scikit-learn estimators: scikit-learn's own checks, what they learn, and that it is the array's."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import BernoulliRBM
from sklearn.utils.estimator_checks import parametrize_with_checks

from pbit_hw.compiler import RBM
from pbit_hw.contract.errors import ModelError, RequestError
from pbit_hw.estimators import BoltzmannClassifier, PbitRBM
from pbit_hw.host import ContrastiveDivergence, Device, label_log_probabilities, log_likelihood, pseudo_log_likelihood
from pbit_hw.sim.virtual import VirtualDevice

SMALL = PbitRBM(n_components=8, batch_size=20, n_iter=2, random_state=1)
SMALL_CLASSIFIER = BoltzmannClassifier(n_components=16, n_iter=10, random_state=1)


def digits():
    images, labels = load_digits(return_X_y=True)
    return (images > 7.5).astype(float), labels


def device(program, seed):
    return Device(program, VirtualDevice(program.image), seed)


@parametrize_with_checks([PbitRBM(n_components=3, n_iter=2), BoltzmannClassifier(n_components=16, n_iter=40)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_as_good_as_scikit_learn_on_its_digits():
    """Means of two seeds, 1,500 digits to train on and 297 to test on, 30 epochs; the bar is 1 %."""
    images, labels = digits()
    train, test = images[:1500], images[1500:]
    options: dict[str, Any] = {"learning_rate": 0.1, "batch_size": 50, "n_iter": 30}
    found = []
    for seed in (0, 1):
        ours = PbitRBM(64, random_state=seed, **options).fit(train)
        peer = BernoulliRBM(64, random_state=seed, **options).fit(train)
        models = ours.program_.quantised, RBM(peer.components_.T, peer.intercept_visible_, peer.intercept_hidden_)
        found.append(
            [
                (
                    pseudo_log_likelihood(model, test),
                    log_likelihood(model, train, temperatures=500, seed=seed).value,
                    LogisticRegression(max_iter=1000)
                    .fit(features.transform(train), labels[:1500])
                    .score(features.transform(test), labels[1500:]),
                )
                for model, features in zip(models, (ours, peer), strict=True)
            ]
        )
    ours, peer = np.mean(found, axis=0)
    assert (ours[:2] > 1.01 * peer[:2]).all()
    assert ours[2] > peer[2] - 0.01


def test_the_seed_is_all():
    images, _ = digits()
    first, again, other = (clone(SMALL).set_params(random_state=seed).fit(images[:200]) for seed in (1, 1, 2))
    assert np.array_equal(first.components_, again.components_)
    assert not np.array_equal(first.components_, other.components_)


def test_a_device_gives_the_same():
    images, _ = digits()
    over_link, simulated = (clone(SMALL).set_params(sampler=make).fit(images[:60]) for make in (device, None))
    assert np.array_equal(over_link.components_, simulated.components_)
    assert np.array_equal(over_link.gibbs(images[:4]), simulated.gibbs(images[:4]))


def test_a_falling_rate_momentum_and_decay_reach_every_step(monkeypatch):
    images, _ = digits()
    made, taken = [], []

    class Recorder(ContrastiveDivergence):
        def __init__(self, sampler, **options):
            made.append((options["momentum"], options["weight_decay"]))
            super().__init__(sampler, **options)

        def step(self, rows, rate):
            taken.append(rate)
            return super().step(rows, rate)

    monkeypatch.setattr("pbit_hw.estimators.rbm.ContrastiveDivergence", Recorder)
    machine = clone(SMALL).set_params(learning_rate=(0.4, 0.1), momentum=0.5, weight_decay=1e-3)
    machine.fit(images[:40])
    assert taken == pytest.approx([0.4, 0.3, 0.2, 0.1])
    machine.partial_fit(images[:20])
    assert taken[4:] == [0.4]
    assert made == [(0.5, 1e-3)]


def test_partial_fit_goes_on_also_after_pickling():
    images, _ = digits()
    machine = clone(SMALL).partial_fit(images[:20])
    copied = pickle.loads(pickle.dumps(machine))
    for each in (machine, copied):
        each.partial_fit(images[20:40])
    assert np.array_equal(machine.components_, copied.components_)


def test_attributes_are_those_of_the_model():
    images, _ = digits()
    machine = clone(SMALL).fit(images[:100])
    model = machine.program_.model
    assert machine.components_.shape == (8, 64)
    assert np.array_equal(RBM(machine.components_.T, np.zeros(64), np.zeros(8)).couplings, model.couplings)
    assert np.array_equal(np.concatenate([machine.intercept_visible_, machine.intercept_hidden_]), model.biases)
    exact = pseudo_log_likelihood(machine.program_.quantised, images[:50])
    assert machine.score_samples(images[:50]).mean() == pytest.approx(exact)
    assert list(machine.get_feature_names_out()[:2]) == ["pbitrbm0", "pbitrbm1"]


def test_gibbs_samples_as_the_model_does():
    """One visible unit held at 1 by its bias, one at 0, and a third that follows a hidden unit that is on."""
    images = np.tile([[1.0, 0.0, 1.0]], (2000, 1))
    machine = PbitRBM(2, batch_size=100, n_iter=20, learning_rate=0.5, random_state=0).fit(images)
    assert np.abs(machine.gibbs(images).mean(axis=0) - [1, 0, 1]).max() < 0.1


def test_verbose_prints_a_line_per_pass(capsys):
    clone(SMALL).set_params(verbose=True).fit(digits()[0][:40])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == ["[PbitRBM] iteration 1", "[PbitRBM] iteration 2"]


@pytest.mark.parametrize("name", ["n_components", "batch_size", "n_iter", "sweeps"])
def test_nothing_to_do_is_refused(name):
    with pytest.raises(RequestError, match=f"{name} is 0; it must be at least 1"):
        clone(SMALL).set_params(**{name: 0}).fit(digits()[0][:40])


def test_gibbs_needs_bits():
    machine = clone(SMALL).fit(digits()[0][:40])
    with pytest.raises(ModelError, match="rows of this model are 0 or 1"):
        machine.gibbs(np.full((2, 64), 0.5))


def test_digits_are_told_on_the_array():
    """No worse than logistic regression by more than 3 %, and near what free energies of the same weights give."""
    images, labels = digits()
    train, test = slice(0, 1500), slice(1500, None)
    machine = BoltzmannClassifier(64, random_state=0).fit(images[train], labels[train])
    accuracy = machine.score(images[test], labels[test])
    peer = LogisticRegression(max_iter=1000).fit(images[train], labels[train])
    assert accuracy > peer.score(images[test], labels[test]) - 0.03
    units = [unit for (unit,) in machine.label_units_]
    logs = label_log_probabilities(machine.program_.quantised, images[test], units)
    assert accuracy == pytest.approx(np.mean(logs.argmax(axis=1) == labels[test]), abs=0.03)
    # label units on the array are independent given the hidden ones, so that their shares are only near these
    assert np.abs(machine.predict_proba(images[test]) - np.exp(logs)).mean() < 0.03


def test_labels_that_mean_nothing_are_not_learned():
    """Negative control."""
    images, labels = digits()
    shuffled = np.random.default_rng(0).permutation(labels[:1000])
    assert clone(SMALL_CLASSIFIER).fit(images[:1000], shuffled).score(images[1000:], labels[1000:]) < 0.25


def test_a_device_tells_the_same():
    images, labels = digits()
    made = [clone(SMALL_CLASSIFIER).set_params(n_iter=1, sampler=make) for make in (device, None)]
    over_link, simulated = (machine.fit(images[:40], labels[:40]) for machine in made)
    assert np.array_equal(over_link.predict_proba(images[40:50]), simulated.predict_proba(images[40:50]))


def test_predictions_repeat_also_after_pickling():
    images, labels = digits()
    machine = clone(SMALL_CLASSIFIER).fit(images[:200], labels[:200])
    first = machine.predict_proba(images[200:300])
    assert np.array_equal(first, machine.predict_proba(images[200:300]))
    assert np.array_equal(first, pickle.loads(pickle.dumps(machine)).predict_proba(images[200:300]))


def test_classes_are_those_of_the_labels():
    images, labels = digits()
    names = np.array(["zero", "one", "two"], object)[labels[labels < 3]]
    chosen = images[labels < 3]
    machine = clone(SMALL_CLASSIFIER).fit(chosen[:300], names[:300])
    assert list(machine.classes_) == ["one", "two", "zero"]
    assert machine.score(chosen[300:], names[300:]) > 0.7


def test_copies_of_label_units():
    images, labels = digits()
    machine = clone(SMALL_CLASSIFIER).set_params(label_copies=3).fit(images[:1000], labels[:1000])
    assert machine.label_units_[1] == ["v67", "v68", "v69"]
    assert len(machine.program_.model.visible) == 64 + 3 * 10
    assert machine.score(images[1000:], labels[1000:]) > 0.7


def test_grey_values_are_cut_at_a_threshold():
    """At the rows' own means by default, at one value if it is given; bits stay as they are either way."""
    grey, labels = load_digits(return_X_y=True)
    grey, bits = grey[:60] / 16, (grey[:60] > 8).astype(float)
    by_mean, at_half, of_bits = (
        clone(SMALL_CLASSIFIER).set_params(threshold=threshold, n_iter=2).fit(rows, labels[:60])
        for threshold, rows in ((None, grey), (0.5, grey), (None, bits))
    )
    assert np.array_equal(by_mean.thresholds_, grey.mean(axis=0))
    assert np.array_equal(at_half.predict_proba(grey), of_bits.predict_proba(bits))
    assert not np.array_equal(by_mean.predict_proba(grey), of_bits.predict_proba(bits))


@pytest.mark.parametrize("threshold", [np.nan, np.inf])
def test_a_threshold_is_a_number(threshold):
    images, labels = digits()
    with pytest.raises(RequestError, match=f"threshold is {threshold}; give a finite number, or None"):
        clone(SMALL_CLASSIFIER).set_params(threshold=threshold).fit(images[:40], labels[:40])


def test_one_class_is_refused():
    with pytest.raises(ModelError, match="y holds one class, 7; give rows of at least two classes"):
        clone(SMALL_CLASSIFIER).fit(digits()[0][:10], np.full(10, 7))


@pytest.mark.parametrize("name", ["n_components", "n_iter", "batch_size", "chains", "label_copies", "predict_sweeps"])
def test_a_classifier_without_anything_to_do_is_refused(name):
    with pytest.raises(RequestError, match=f"{name} is 0; it must be at least 1"):
        clone(SMALL_CLASSIFIER).set_params(**{name: 0}).fit(digits()[0][:40], digits()[1][:40])


def test_a_classifier_prints_a_line_per_pass(capsys):
    images, labels = digits()
    clone(SMALL_CLASSIFIER).set_params(verbose=True, n_iter=2).fit(images[:40], labels[:40])
    lines = [line.split(",")[0] for line in capsys.readouterr().out.splitlines()]
    assert lines == ["[BoltzmannClassifier] iteration 1", "[BoltzmannClassifier] iteration 2"]
