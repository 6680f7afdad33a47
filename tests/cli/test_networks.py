"""The command line on networks and classes, with real trainings."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command

IRIS = """
title = "Iris"
[data]
kind = "iris"
test = 0.2
shuffle = 116
standardise = true
[model]
kind = "network"
hidden = [8]
activation = "tanh"
output = "softmax"
[loss]
kind = "cross-entropy"
[regularisation]
l2 = 0.001
[optimizer]
name = "adam"
lr = 0.02
[train]
epochs = 20
batch = 10
[expected]
metrics = {accuracy = [0.9, 1], test_accuracy = [0.875, 1]}
"""

XOR = """
title = "xor"
[data]
kind = "xor"
rows = 200
test = 0.2
[model]
kind = "network"
hidden = HIDDEN
[loss]
kind = "binary-cross-entropy"
[optimizer]
name = "adam"
lr = 0.05
[train]
steps = 300
"""

Trained = tuple[Command, dict[str, Any]]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of presets."""
    directory = tmp_path_factory.mktemp("presets")
    (directory / "iris-small.toml").write_text(IRIS)
    (directory / "xor-none.toml").write_text(XOR.replace("HIDDEN", "[]"))
    (directory / "xor-some.toml").write_text(XOR.replace("HIDDEN", "[8]"))
    return directory


@pytest.fixture(scope="module")
def iris(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    tuitrain = Command(tmp_path_factory.mktemp("iris") / "runs")
    ran = tuitrain("run", files / "iris-small.toml", "--json", "--quiet")
    assert (ran.returncode, ran.stderr) == (0, "")
    return tuitrain, json.loads(ran.stdout)


@pytest.fixture(scope="module")
def xor(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A linear model and a network on the same data."""
    tuitrain = Command(tmp_path_factory.mktemp("xor") / "runs")
    arguments = ["compare", files / "xor-none.toml", files / "xor-some.toml", "--seeds", "3"]
    done = tuitrain(*arguments, "--json", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    return tuitrain, json.loads(done.stdout)


def test_json_tells_the_metrics_of_the_final_weights(iris: Trained) -> None:
    [run] = iris[1]["runs"]
    assert list(run["metrics"]) == ["data_loss", "accuracy", "test_loss", "test_accuracy"]
    metrics = run["metrics"]
    assert 0.9 <= metrics["accuracy"] <= 1
    assert metrics["accuracy"] * 120 == pytest.approx(round(metrics["accuracy"] * 120))
    assert metrics["test_accuracy"] * 30 == pytest.approx(round(metrics["test_accuracy"] * 30))
    weights = run["weights"]
    assert list(weights) == ["w1", "b1", "w2", "b2"]
    squares = sum(w**2 for name in ("w1", "w2") for row in weights[name] for w in row)
    penalty = run["final_loss"] - metrics["data_loss"]
    assert penalty == pytest.approx(0.001 / 2 * squares, rel=1e-4)


def test_the_summary_puts_what_is_expected_beside(files: Path, tuitrain: Command) -> None:
    ran = tuitrain("run", files / "iris-small.toml")
    heads, *lines = ran.stdout.splitlines()[1:]
    assert heads.split() == ["reached", "expected"]
    number = r"[0-9.e-]+"
    for line, expected in zip(
        lines,
        [
            rf"loss \(last batch\)\s+{number}",
            rf"final loss \(training rows\)\s+{number}",
            rf"data loss\s+{number}",
            rf"accuracy\s+{number}\s+0\.9 to 1",
            rf"test loss\s+{number}",
            rf"test accuracy\s+{number}\s+0\.875 to 1",
            r"saved in .*",  # 67 weights are too many to list
        ],
        strict=True,
    ):
        assert re.fullmatch(expected, line), line
    told = ran.stderr.splitlines()[-1]
    assert re.match(rf"finished  240/240  loss {number}  test accuracy {number}  ", told), told


def test_a_diverged_run_has_metrics_of_null(files: Path, tuitrain: Command) -> None:
    ran = tuitrain("run", files / "iris-small.toml", "-o", "sgd", "--lr", "1e30", "--json")
    [run] = json.loads(ran.stdout)["runs"]
    assert run["status"] == "diverged"
    assert set(run["metrics"].values()) == {None}
    assert list(run["metrics"]) == ["data_loss", "accuracy", "test_loss", "test_accuracy"]


def test_presets_with_the_same_data_and_loss_are_ranked_together(xor: Trained) -> None:
    _, result = xor
    name = "xor-none and xor-some"
    assert list(result["ranking"]) == list(result["verdict"]) == [name]
    assert result["optimum"] == {name: None}
    best, other = result["ranking"][name]
    assert (best["preset"], other["preset"]) == ("xor-some", "xor-none")
    for entry in (best, other):
        for metric in ("accuracy", "test_accuracy"):
            reached = [
                r["metrics"][metric] for r in result["runs"] if r["preset"] == entry["preset"]
            ]
            assert entry[metric] == sorted(reached)[1]
    assert best["accuracy"] > 0.9 > 0.8 > other["accuracy"]
    share = f"{best['test_accuracy']:.4g}"
    told = f"xor-some adam lr=0.05 also has the highest median test accuracy, {share}."
    assert told in result["verdict"][name]


def test_the_table_tells_the_accuracy(files: Path, tuitrain: Command) -> None:
    ran = tuitrain("compare", files / "iris-small.toml", "-o", "sgd,adam", "--no-ui", "--quiet")
    _, heads, *rows = ran.stdout.splitlines()
    assert re.split(r"\s{2,}", heads.strip()) == [
        *("optimizer", "lr", "final loss", "accuracy", "test accuracy", "to target", "diverged"),
    ]
    assert re.match(r"1  adam +[\d.]+ +[\d.]+ +0?[\d.]+ +[\d.]+ ", rows[0]), rows[0]


def test_without_classes_nothing_is_said_of_accuracy(tuitrain: Command) -> None:
    arguments = ["compare", "sales-mse", "-o", "sgd,adam", "--steps", "20", "--quiet"]
    assert "accuracy" not in tuitrain(*arguments, "--json").stdout
    assert "accuracy" not in tuitrain(*arguments, "--no-ui").stdout


def test_another_penalty_is_another_loss(files: Path, tuitrain: Command) -> None:
    done = tuitrain(
        *("compare", files / "iris-small.toml", "--set", "regularisation.l2=0,0.1"),
        *("--set", "model.activation=tanh,relu", "--epochs", "1", "--json", "--quiet"),
    )
    ranking = json.loads(done.stdout)["ranking"]
    assert list(ranking) == [f"iris-small regularisation.l2={l2}" for l2 in ("0", "0.1")]
    for entries in ranking.values():
        assert {entry["model.activation"] for entry in entries} == {"tanh", "relu"}


# Export -----------------------------------------------------------------------------------------


def exported(trained: Trained, *arguments: str) -> str:
    tuitrain, result = trained
    done = tuitrain("export", result["experiment"], "--evaluations", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_evaluations_are_exported(iris: Trained) -> None:
    [run] = iris[1]["runs"]
    header, *rows = csv.reader(io.StringIO(exported(iris, "--format", "csv")))
    assert header == [
        *("run", "step", "loss", "data_loss", "accuracy", "test_loss", "test_accuracy"),
    ]
    steps = [int(row[1]) for row in rows]
    assert (steps[0], steps[-1]) == (0, 240)
    assert steps == sorted(set(steps))
    last = dict(zip(header[2:], rows[-1][2:], strict=True))
    metrics = {"loss": run["final_loss"]} | run["metrics"]
    assert last == {name: repr(metrics[name]) for name in last}
    objects = [json.loads(line) for line in exported(iris, "--format", "jsonl").splitlines()]
    assert [[*map(repr, row.values())] for row in objects] == rows
    assert list(objects[0]) == header


def test_every_run_has_its_evaluations(xor: Trained) -> None:
    header, *rows = csv.reader(io.StringIO(exported(xor, "--format", "csv")))
    assert header == ["run", "step", "loss", "accuracy", "test_loss", "test_accuracy"]
    for index, run in enumerate(xor[1]["runs"]):
        mine = [row for row in rows if row[0] == str(index)]
        assert [int(row[1]) for row in mine] == [*range(0, 301, 5)]  # the least there are: 60
        assert float(mine[-1][2]) == run["final_loss"]
        assert float(mine[-1][5]) == run["metrics"]["test_accuracy"]


@pytest.mark.parametrize("format_", ["svg", "png"])
def test_evaluations_are_no_figure(iris: Trained, format_: str) -> None:
    refused = iris[0]("export", "--evaluations", "--format", format_)
    assert refused.returncode == 2
    assert refused.stderr == (
        f"tuitrain: error: --evaluations: cannot be drawn as {format_}; "
        "expected --format csv or jsonl\n"
    )


def test_what_was_not_evaluated_is_bad_input(trained: Trained) -> None:
    refused = trained[0]("export", "--evaluations", "--format", "csv")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("tuitrain: error: --evaluations: nothing was evaluated; ")
    assert refused.stderr.count("\n") == 1


# Presets ----------------------------------------------------------------------------------------


def test_show_tells_what_a_preset_comes_to(files: Path, tuitrain: Command) -> None:
    shown = tuitrain("presets", "show", files / "iris-small.toml")
    assert shown.stdout == IRIS
    facts = dict(re.split(r":\s+", line, maxsplit=1) for line in shown.stderr.splitlines())
    assert facts == {
        "data": "iris: 120 rows to train on, 30 for testing, shuffled by seed 116, standardised",
        "inputs": "4: sepal length, sepal width, petal length, petal width",
        "classes": "3: setosa, versicolor, virginica",
        "layer 1": "4 -> 8, tanh",
        "layer 2": "8 -> 3, softmax",
        "parameters": "67",
        "initialisation": "he; biases 0",
        "regularisation": "l2 = 0.001",
        "expected accuracy": "0.9 to 1",
        "expected test accuracy": "0.875 to 1",
    }


CONVOLUTION = """
kind = "convolution"
channels = [4, 8]
kernel = 5
bias = false
hidden = [16]
initialisation = {kind = "normal", std = 0.1}
"""


@pytest.mark.parametrize(
    ("change", "facts"),
    [
        (
            lambda text: (
                re.sub(r"\[model\].*?\[loss\]", f"[model]{CONVOLUTION}[loss]", text, flags=re.S)
                .replace('"iris"', '"digits"')
                .replace('"cross-entropy"', '"softmax-cross-entropy"')
            ),
            [
                "inputs: 64: pixel 1,1, pixel 1,2, pixel 1,3, ..., pixel 8,8",
                "layer 1: convolution 5 x 5 of 8 x 8 pixels, 1 -> 4 channels, relu, no bias, "
                "2 x 2 max pooling",
                "layer 3: 32 -> 16, relu, no bias",
                "initialisation: normal std = 0.1",
            ],
        ),
        (
            lambda text: text.replace("hidden = [8]", "hidden = [8]\ninit = {b2 = [1, 2, 3]}"),
            ["initialisation: he; biases 0; b2 given in the file"],
        ),
    ],
)
def test_show_tells_of_layers_and_start_values(
    tuitrain: Command, tmp_path: Path, change: Callable[[str], str], facts: list[str]
) -> None:
    file = tmp_path / "changed.toml"
    file.write_text(change(IRIS))
    shown = tuitrain("presets", "show", file)
    told = [re.sub(r":\s+", ": ", line, count=1) for line in shown.stderr.splitlines()]
    assert [fact for fact in facts if fact not in told] == [], told
