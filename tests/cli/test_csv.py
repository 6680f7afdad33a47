"""Experiments on a CSV file, which may change or go when they have begun."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Command

PRESET = """\
title = "Mine"
[data]
csv = "mine.csv"
test = 0.25
[model]
kind = "network"
hidden = [3]
[loss]
kind = "binary-cross-entropy"
[optimizer]
name = "adam"
lr = 0.05
[train]
steps = 30
"""


@pytest.fixture
def preset(tmp_path: Path) -> Path:
    """A preset file beside `mine.csv`, which has two classes."""
    rows = [f"{i},{i % 3},{'uv'[i % 2]}" for i in range(20)]
    (tmp_path / "mine.csv").write_text("\n".join(["a,b,kind", *rows]))
    path = tmp_path / "mine.toml"
    path.write_text(PRESET)
    return path


def exported(tuitrain: Command, *arguments: str) -> list[list[str]]:
    done = tuitrain("export", *arguments, "--format", "csv")
    assert (done.returncode, done.stderr) == (0, "")
    return list(csv.reader(io.StringIO(done.stdout)))


@pytest.mark.parametrize("change", ["edited", "broken", "gone"])
def test_an_experiment_needs_its_file_no_more(preset: Path, change: str, tuitrain: Command) -> None:
    ran = tuitrain("run", preset, "--json")
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)
    before = exported(tuitrain), exported(tuitrain, "--evaluations")
    table = preset.with_name("mine.csv")
    if change == "gone":
        table.unlink()
    else:
        table.write_text("a,b,kind\n1,2,v\n3,4,u\n" if change == "edited" else "\x00")
    assert (exported(tuitrain), exported(tuitrain, "--evaluations")) == before
    assert len(before[0]) == 1 + 30
    assert float(before[1][-1][2]) == result["runs"][0]["final_loss"]
    assert [each["id"] for each in tuitrain.experiments()] == [result["experiment"]]


def test_each_experiment_has_the_file_as_it_was(preset: Path, tuitrain: Command) -> None:
    first = tuitrain("run", preset, "--json")
    table = preset.with_name("mine.csv")
    table.write_text(re.sub(r",u$", ",w", table.read_text(), flags=re.MULTILINE) + "\n50,1,w\n")
    second = tuitrain("run", preset, "--json")
    ids = [json.loads(ran.stdout)["experiment"] for ran in (first, second)]
    kept = [next((tuitrain.runs_dir / each / "data").iterdir()).read_text() for each in ids]
    assert kept[1] == table.read_text()
    assert "w" not in kept[0]
    assert exported(tuitrain, ids[0]) != exported(tuitrain, ids[1])


def test_a_file_takes_the_place_of_other_data(preset: Path, tuitrain: Command) -> None:
    file = preset.with_name("mine.csv")
    options = ["--set", "data.test=0.25", "--set", f"data.csv={file}", "--set", "train.batch=full"]
    ran = tuitrain("run", "circle", *options, "--steps", "5", "--json")
    assert ran.returncode == 0, ran.stderr
    assert 0 <= json.loads(ran.stdout)["runs"][0]["metrics"]["test_accuracy"] <= 1
    kept = tuitrain("run", "circle", "--set", f"data.csv={file}.gone", "--json")
    assert kept.returncode == 2
    assert (
        kept.stderr
        == f"tuitrain: error: {file}.gone: No such file or directory; expected a CSV file\n"
    )
    kept = tuitrain("run", "circle", "--set", "data.csv=7", "--json")
    assert kept.returncode == 2
    assert kept.stderr.startswith("tuitrain: error: --set data.csv=7: cannot be 7")
