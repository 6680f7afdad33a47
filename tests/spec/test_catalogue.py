"""The shipped presets: complete, loadable, repeatable, and found by name or path."""

from __future__ import annotations

import json
import tomllib
from itertools import pairwise
from pathlib import Path

import jsonschema
import pytest
from rich.cells import cell_len

from tuitrain.errors import InputError
from tuitrain.spec.catalogue import catalogue, find, preset_directory
from tuitrain.spec.experiment import single
from tuitrain.spec.load import (
    decode,
    experiment_from_toml,
    load_file,
    parse,
    to_toml,
)
from tuitrain.spec.schema import json_schema

ISSUE_2 = {
    "line-fit",
    "sales-mse",
    "sales-cost1-profit99",
    "sales-cost99-profit1",
    "book-less10",
    "book-more10",
    "book-mse",
    "parabola-decay",
    "parabola-constant",
    "plain-mse",
    "asymmetric-over3",
    "asymmetric-under3",
    "cross-entropy-two-guesses",
}
every_preset = pytest.mark.parametrize("name", catalogue())


def test_all_presets_are_shipped():
    assert catalogue().keys() >= ISSUE_2


def test_the_catalogue_keeps_topics_together():
    topics = [preset.topic for preset in catalogue().values()]
    changes = sum(a != b for a, b in pairwise(topics))
    assert changes == len(set(topics)) - 1
    orders = [preset.order for preset in catalogue().values()]
    assert orders == sorted(set(orders))


@every_preset
def test_a_preset_is_named_after_its_file(name):
    assert load_file(preset_directory() / f"{name}.toml") == find(name)
    assert find(name).name == name


@every_preset
def test_texts_are_there_and_one_cell_wide(name):
    preset = find(name)
    for key in ("title", "topic", "story", "formula", "source", "expectation"):
        text = getattr(preset, key)
        assert text.strip(), key
        for line in text.splitlines():
            assert cell_len(line) == len(line), (key, line)
    assert preset.expected.weights or preset.expected.metrics
    assert max(map(len, preset.formula.splitlines())) <= 76


@every_preset
def test_a_preset_survives_toml(name):
    preset = find(name)
    assert decode(parse(to_toml(preset), name), name) == preset


@every_preset
def test_an_experiment_survives_toml(name):
    experiment = single(find(name), device="cpu", paused=True)
    assert experiment_from_toml(to_toml(experiment), "experiment.toml") == experiment


@pytest.fixture(scope="module")
def validator():
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@every_preset
def test_a_file_and_its_full_form_fit_the_schema(name, validator):
    validator.validate(tomllib.loads((preset_directory() / f"{name}.toml").read_text("utf-8")))
    validator.validate(tomllib.loads(to_toml(find(name))))


def test_every_file_is_commented_as_a_template():
    for path in preset_directory().glob("*.toml"):
        assert path.read_text("utf-8").startswith("# "), path.name


def test_a_path_works_where_a_name_does(tmp_path: Path, monkeypatch):
    text = (preset_directory() / "line-fit.toml").read_text("utf-8")
    (tmp_path / "mine.toml").write_text(text, "utf-8")
    (tmp_path / "bare").write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    assert find(str(tmp_path / "mine.toml")).name == "mine"
    assert find("mine.toml").name == "mine"
    assert find("./bare").name == "bare"
    assert find("bare").name == "bare"


def test_a_shipped_name_wins_over_a_file_of_that_name(tmp_path: Path, monkeypatch):
    (tmp_path / "line-fit").write_text("not TOML", "utf-8")
    monkeypatch.chdir(tmp_path)
    assert find("line-fit") == catalogue()["line-fit"]


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(InputError) as error:
        find("sales-mes")
    assert str(error.value) == (
        "sales-mes: no such preset; expected sales-mse, or the path of a .toml file"
    )
    with pytest.raises(InputError) as error:
        find("Yogurt")
    assert str(error.value) == (
        "Yogurt: no such preset; expected sales-mse, sales-cost1-profit99 or "
        "sales-cost99-profit1, or the path of a .toml file"
    )
    with pytest.raises(InputError) as error:
        find("zzz")
    assert str(error.value) == (
        "zzz: no such preset; expected a name that `tuitrain presets` lists, "
        "or the path of a .toml file"
    )


def test_values_are_those_of_the_course():
    course = json.loads(
        (Path(__file__).parents[1] / "reference" / "course.json").read_text("utf-8")
    )
    line = course["line-fit"]
    assert find("line-fit").optimizer.lr == line["lr"]
    assert find("line-fit").train.steps == line["steps"]
    assert find("line-fit").train.dtype == line["dtype"]
    for name in ("sales-mse", "sales-cost1-profit99", "sales-cost99-profit1"):
        preset, entry = find(name), course[name]
        assert preset.model.init["w"] == [[value] for value in entry["init"]]
        assert preset.optimizer.lr == entry["lr"]
        assert preset.train.steps == entry["steps"]
        assert preset.train.batch == "full"
    for name, (cost, profit) in {"book-less10": (1, 10), "book-more10": (10, 1)}.items():
        preset = find(name)
        assert (preset.loss.cost, preset.loss.profit, preset.loss.reduce) == (cost, profit, "sum")
        assert preset.expected.tolerance == course[name]["expect"]["tol"]
        assert preset.expected.weights["w"] == [[v] for v in course[name]["expect"]["final"]]
    book = course["book-less10"]
    adam = find("book-mse").optimizer
    assert (adam.lr, adam.beta1, adam.beta2, adam.eps) == (
        book["lr"],
        *book["betas"],
        book["eps"],
    )
    for name in ("sales-cost1-profit99", "sales-cost99-profit1"):
        tolerance = find(name).expected.tolerance
        for (centre,), (low, high) in zip(
            find(name).expected.weights["w"], course[name]["expect"]["final_range"], strict=True
        ):
            assert (centre - tolerance, centre + tolerance) == pytest.approx((low, high))
