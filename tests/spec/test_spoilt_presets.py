"""Spoilt presets of the catalogue: one line that names the key and what would be right."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuitrain.errors import InputError
from tuitrain.spec.catalogue import catalogue, find
from tuitrain.spec.load import decode, parse, to_document, to_toml


@pytest.mark.parametrize(
    ("preset", "metrics", "line"),
    [
        (
            "iris",
            {"loss": (0, 1)},
            ".loss: no such metric; expected one of accuracy, test_accuracy, data_loss, test_loss",
        ),
        ("iris", {"accuracy": (1, 0.9)}, ".accuracy: cannot be [1, 0.9]; expected the "),
        (
            "sales-mse",
            {"accuracy": (0, 1)},
            ".accuracy: needs classes; expected data_loss or test_loss",
        ),
        (
            "sales-mse",
            {"test_loss": (0, 1)},
            ".test_loss: there are no test rows; expected data.test above 0",
        ),
        (
            "iris",
            {"data_loss": (0, 1)},
            ".data_loss: is the loss itself; expected loss_below, or data and regularisation",
        ),
        (
            "cross-entropy-two-guesses",
            {"accuracy": (0, 1)},
            ".accuracy: cannot be of a single row; expected at least two rows to train on",
        ),
        ("iris", {"accuracy": (0.9,)}, ".accuracy: cannot be [0.9]; expected a list of 2 numbers"),
        ("iris", {"accuracy": (0.9, "1")}, '.accuracy[1]: cannot be "1"; expected a number'),
    ],
)
def test_metrics_that_cannot_be_expected(preset, metrics, line):
    document = to_document(find(preset))
    document["expected"] = {"metrics": {name: [*span] for name, span in metrics.items()}}
    with pytest.raises(InputError) as error:
        decode(document, "mine")
    assert str(error.value).startswith(f"mine: expected.metrics{line}")


@pytest.mark.parametrize(
    ("preset", "key"),
    [
        ("moons", "data.noise"),
        ("sales-mse", "data.noise"),
        ("sales-mse", "model.std"),
        ("moons", "model.biases"),
        ("moons", "model.initialisation.low"),
        ("moons", "model.initialisation.high"),
    ],
)
@pytest.mark.parametrize("value", [1.000001e6, 1e308, -1e308])
def test_what_numbers_are_drawn_by_is_bounded(preset, key, value):
    document = to_document(find(preset))
    if ".initialisation" in key:
        document["model"]["initialisation"] = {"kind": "uniform"}
    *tables, name = key.split(".")
    table = document
    for step in tables:
        table = table[step]
    table[name] = 1e6
    if name != "low":
        decode(document, "mine")
    table[name] = value
    with pytest.raises(InputError) as error:
        decode(document, "mine")
    assert str(error.value).startswith(f"mine: {key}: cannot be {value}; expected a number at ")
    assert "at least 0" in str(error.value) or "at least -1,000,000" in str(error.value)


def places(value, path=()):
    """The path of every value below a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        yield (*path, key)
        if isinstance(item, dict | list):
            yield from places(item, (*path, key))


plain = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.dates(),
    st.sampled_from(["mse", "linear", "parameter", "points", "gaussian", "adam", "full"]),
)
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@given(name=st.sampled_from(list(catalogue())), data=st.data())
def test_any_damage_gives_a_preset_or_one_line(name, data):
    document = to_document(find(name))
    path = data.draw(st.sampled_from(list(places(document))))
    *tables, key = path
    table = document
    for step in tables:
        table = table[step]
    damage = data.draw(st.sampled_from(["drop", "replace", "add"]))
    if damage == "drop":
        table.pop(key)
    elif damage == "replace" or isinstance(table, list):
        table[key] = data.draw(values)
    else:
        table[data.draw(st.text())] = data.draw(values)
    preset, line = None, ""
    try:
        preset = decode(document, name)
    except InputError as error:
        line = str(error)
    if preset is None:
        assert line.startswith(f"{name}: ")
        assert line.isprintable()
    else:
        assert decode(parse(to_toml(preset), name), name) == preset
