"""The scikit-learn transformer: scikit-learn's own checks, what it learns, and that it is the array's."""

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
from pbit_hw.estimators import PbitRBM
from pbit_hw.host import Device, log_likelihood, pseudo_log_likelihood
from pbit_hw.sim.virtual import VirtualDevice

SMALL = PbitRBM(n_components=8, batch_size=20, n_iter=2, random_state=1)


def digits():
    images, labels = load_digits(return_X_y=True)
    return (images > 7.5).astype(float), labels


@parametrize_with_checks([PbitRBM(n_components=3, n_iter=2)])
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

    def device(program, seed):
        return Device(program, VirtualDevice(program.image), seed)

    over_link, simulated = (clone(SMALL).set_params(sampler=make).fit(images[:60]) for make in (device, None))
    assert np.array_equal(over_link.components_, simulated.components_)
    assert np.array_equal(over_link.gibbs(images[:4]), simulated.gibbs(images[:4]))


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
