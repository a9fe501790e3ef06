"""Sparse machines for images: degrees, copies, fields and first weights."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbit_hw.compiler.receptive import TIE, receptive_machine
from pbit_hw.contract.errors import ModelError


def images(count=200, shape=(6, 7), seed=0):
    """Random pixels, those of the first column always 0."""
    bits = np.random.default_rng(seed).integers(0, 2, (count, *shape), np.int8)
    bits[:, :, 0] = 0
    return bits.reshape(count, -1)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 99),
    st.integers(1, 90),
    st.integers(1, 9),
    st.integers(0, 4),
    st.integers(0, 5),
    st.integers(14, 20),
)
def test_every_machine_is_as_asked(seed, hidden, field, labels, classes, most):
    labels = min(labels, classes)
    made = receptive_machine(
        images(), (6, 7), classes, hidden=hidden, field=field, labels=labels, max_degree=most, seed=seed
    )
    model, columns = made.model, made.columns
    degrees = np.bincount(model.edges.ravel(), minlength=model.size)
    assert degrees.max() <= most
    assert len(model.hidden) == hidden
    assert set(columns.tolist()) == set(range(42 + classes))
    assert (degrees[model.hidden] == field + labels).all()
    seen, unit = model.edges[model.edges[:, 1] >= len(columns)].T
    pairs = set(zip(unit.tolist(), columns[seen].tolist(), strict=True))
    assert len(pairs) == hidden * (field + labels)  # nobody looks twice at one pixel
    assert not {column for _, column in pairs} & {row * 7 for row in range(6)}  # or at one that never changes
    votes = np.bincount([column - 42 for _, column in pairs if column >= 42], minlength=classes)
    assert not classes or hidden * labels == votes.sum()


def test_labels_name_what_units_show():
    made = receptive_machine(images(), (6, 7), 3, hidden=80, field=9, labels=3)
    assert [label[1] for label in made.pixels] == made.columns[: len(made.pixels)].tolist()
    assert [label for units in made.classes for label in units] == list(made.model.labels[len(made.pixels) :])[
        : sum(map(len, made.classes))
    ]
    assert len({len(units) for units in made.classes}) == 1
    assert len(made.classes[0]) >= 80 * 3 / 3 / 18


def test_ties_join_the_copies_of_a_label_in_a_ring():
    made = receptive_machine(images(), (6, 7), 3, hidden=80, field=9, labels=3)
    model = made.model
    assert (model.couplings[made.ties] == TIE).all()
    assert (np.delete(model.couplings, made.ties) != TIE).all()
    for units in made.classes:
        places = [model.index[label] for label in units]
        inside = [edge for edge in model.edges[made.ties].tolist() if set(edge) <= set(places)]
        assert (np.bincount(np.array(inside).ravel(), minlength=model.size)[places] == 2).all()


def test_fields_are_local():
    """Of radius 1 nearly all pixels that a unit sees are near each other; of radius 100 they are not."""
    spreads = []
    for radius in (1.0, 100.0):
        made = receptive_machine(images(shape=(20, 20)), (20, 20), 0, hidden=50, field=5, radius=radius)
        edges = made.model.edges
        rows = made.columns[edges[:, 0]] // 20
        spreads.append(np.mean([rows[edges[:, 1] == unit].std() for unit in np.unique(edges[:, 1])]))
    assert spreads[0] < 2 < 4 < spreads[1]


@pytest.mark.parametrize("radius", [0.1, 0.01, 1e-200])
def test_the_smallest_fields_are_the_nearest_pixels(radius):
    """Of five pixels each: a place with its four neighbours, or with what lies nearest if it is at a border."""
    made = receptive_machine(images(shape=(20, 20)), (20, 20), 0, hidden=50, field=5, radius=radius)
    seen, unit = made.model.edges.T
    places = np.stack(np.divmod(made.columns[seen], 20), axis=1)
    whole = 0
    for each in np.unique(unit):
        field = places[unit == each]
        spread = ((field[:, None] - field) ** 2).sum(axis=2)
        assert spread.max(axis=1).min() <= 2
        whole += np.array_equal(np.sort(spread.max(axis=1)), [1, 4, 4, 4, 4])
    assert whole > 30


@pytest.mark.parametrize("radius", [0.7, 2.0, 100.0])
def test_pixels_are_chosen_by_the_weights_of_efraimidis_and_spirakis(radius):
    """The largest u^(1 / weight), a sample without replacement, with the random numbers that a machine draws."""
    bits = images()
    made = receptive_machine(bits, (6, 7), 0, hidden=30, field=5, radius=radius, seed=4)
    rng, interest = np.random.default_rng(4), np.sqrt(bits.var(axis=0))
    places = np.stack(np.divmod(np.arange(42), 7), axis=1)
    centres = places[rng.choice(42, 30, p=interest / interest.sum())]
    weights = interest * np.exp(-((places - centres[:, None]) ** 2).sum(axis=2) / (2 * radius**2))
    drawn = rng.random(weights.shape)
    logs = np.divide(np.log(drawn), weights, out=np.full_like(drawn, -np.inf), where=weights > 0)
    expected = np.sort(np.argsort(-logs, axis=1)[:, :5], axis=1)
    columns, unit = made.columns[made.model.edges[:, 0]], made.model.edges[:, 1]
    found = [np.sort(columns[unit == each]) for each in range(len(made.columns), made.model.size)]
    assert np.array_equal(found, expected)


def test_hidden_units_begin_in_the_middle():
    """Their mean field over the images is zero, and pixels without a neighbour have their mean."""
    bits = images()
    made = receptive_machine(bits, (6, 7), 0, hidden=60, field=9)
    model = made.model
    fields = model.biases.copy()
    means = bits.mean(axis=0).clip(0.005, 0.995)
    for (i, j), coupling in zip(model.edges.tolist(), model.couplings.tolist(), strict=True):
        fields[j] += coupling * means[made.columns[i]]
    assert np.abs(fields[model.hidden]).max() < 1e-9
    assert model.biases[0] == pytest.approx(np.log(0.005 / 0.995))


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (np.zeros((3, 41)), {}, "are not rows of 6 x 7 pixels"),
        (np.full((3, 42), 2), {}, "of 0 and 1"),
        (images(), {"field": 19, "labels": 2}, "no more than the degree"),
        (images(), {"labels": 4}, "at most all classes"),
        (images(), {"hidden": 0}, "at least 1 unit"),
        *((images(), {"radius": radius}, f"radius is {radius}; give a finite") for radius in (0, -1.0, np.nan, np.inf)),
        (images(), {"seed": -1}, "seed is -1; give 0 or more"),
        (np.zeros((3, 42)), {}, "0 pixels change from image to image"),
    ],
)
def test_what_cannot_be_made(rows, options, message):
    with pytest.raises(ModelError, match=message):
        receptive_machine(rows, (6, 7), 3, **{"hidden": 10, "field": 5, "labels": 2} | options)
