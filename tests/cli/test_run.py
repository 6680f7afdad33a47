"""`tuitrain run` and what it leaves behind, with the real command and the real worker."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import os
import re
import shutil
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import psutil
import pytest

from tuitrain.cli import control, main
from tuitrain.cli.training import start
from tuitrain.record import usage
from tuitrain.record.folder import ExperimentFolder, resolve
from tuitrain.record.inbox import SetLearningRate, send
from tuitrain.record.reader import StoreReader
from tuitrain.spec.catalogue import find
from tuitrain.spec.experiment import single

if TYPE_CHECKING:
    from tests.cli.conftest import Command, Inside

KEYS = ["experiment", "path", "device", "seconds", "steps_per_second", "runs"]
RUN_KEYS = [
    *("name", "preset", "optimizer", "lr", "seed", "status", "steps", "loss", "best_loss"),
    *("final_loss", "metrics", "weights"),
]
FOREVER = "100000000"
"""Steps that no test waits for."""


def columns(folder: ExperimentFolder) -> dict[str, list[float]]:
    """Every recorded series of the first run, straight from the store."""
    series: dict[str, list[float]] = {}
    with contextlib.closing(StoreReader(folder.database)) as reader:
        for _, chunk in reader.chunks():
            for name, values in chunk.series.items():
                series.setdefault(name, []).extend(values[0].tolist())
    return series


def test_json_is_the_contract(trained: tuple[Command, dict[str, Any]]) -> None:
    tuitrain, result = trained
    [run] = result["runs"]
    assert list(result) == KEYS
    assert list(run) == RUN_KEYS
    assert Path(result["path"]) == tuitrain.runs_dir / result["experiment"]
    assert (result["device"], result["seconds"] > 0) == ("cpu", True)
    assert run["name"] == "line-fit sgd lr=0.027 seed=0"
    assert (run["preset"], run["optimizer"], run["lr"], run["seed"]) == (
        *("line-fit", "sgd", 0.027, 0),
    )
    assert (run["status"], run["steps"], run["metrics"]) == ("finished", 10_000, {})
    assert 0 < run["best_loss"] <= run["loss"] < 1e-27
    assert run["final_loss"] < 1e-27
    assert run["weights"]["w"] == [[pytest.approx(2, abs=1e-12)]]
    assert run["weights"]["b"] == [pytest.approx(5, abs=1e-12)]


def test_csv_holds_the_recorded_numbers(trained: tuple[Command, dict[str, Any]]) -> None:
    tuitrain, result = trained
    exported = tuitrain("export", "--format", "csv")
    recorded = columns(resolve(tuitrain.runs_dir, result["experiment"]))
    header, *rows = csv.reader(io.StringIO(exported.stdout))
    assert exported.stdout.startswith('run,step,loss,lr,grad_norm,"w[0,0]",b[0]\n')
    assert [row[0] for row in rows] == ["0"] * 10_000
    assert [row[1] for row in rows] == [str(step) for step in range(1, 10_001)]
    for column, name in enumerate(header[2:], start=2):
        assert [row[column] for row in rows] == [repr(value) for value in recorded[name]]


def test_jsonl_holds_the_same(trained: tuple[Command, dict[str, Any]], tmp_path: Path) -> None:
    tuitrain, result = trained
    exported = tuitrain("export", result["experiment"][:11], "--format", "csv")
    target = tmp_path / "rows.jsonl"
    written = tuitrain("export", "--format", "jsonl", "-o", target)
    assert (written.returncode, written.stdout) == (0, "")
    header, *rows = csv.reader(io.StringIO(exported.stdout))
    objects = [json.loads(line) for line in target.read_text().splitlines()]
    assert list(objects[0]) == header
    assert [[repr(value) for value in row.values()] for row in objects] == rows


def test_experiments_lists_and_rm_deletes(inside: Inside) -> None:
    nothing = inside("experiments")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    ran = inside("run", "parabola-decay", "--quiet", "--set", "optimizer.lr=0.1")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "parabola-decay sgd lr=0.1 seed=0 finished after 40 steps" in ran.stdout
    [row] = inside.experiments()
    assert (row["state"], row["presets"], row["steps"]) == ("finished", ["parabola-decay"], 40)
    assert row["age"] < 60
    table = inside("experiments").stdout
    assert table.splitlines()[0].split() == ["id", "state", "preset", "steps", "loss", "age"]
    assert table.splitlines()[1].split()[:4] == [row["id"], "finished", "parabola-decay", "40"]
    scalar = inside("export", "--format", "csv").stdout.splitlines()
    assert scalar[0] == "run,step,loss,lr,grad_norm,w"
    assert inside("rm").stdout == f"{row['id']} deleted\n"
    assert inside.experiments() == []
    assert not Path(row["path"]).exists()


@pytest.mark.parametrize("stopped", [False, True])
def test_the_database_alone_is_the_whole_recording_when_the_command_is_done(
    inside: Inside, tmp_path: Path, stopped: bool
) -> None:
    if stopped:
        inside("run", "sales-mse", "--steps", FOREVER, "--detach")
        begun = resolve(inside.runs_dir)
        while not begun.status().step:
            assert begun.alive()
        inside("stop")
    else:
        inside("run", "sales-mse", "--quiet")
    folder = resolve(inside.runs_dir)
    copy = Path(shutil.copy(folder.database, tmp_path / "copy.db"))
    with contextlib.closing(StoreReader(copy)) as reader:
        assert reader.status() == folder.status()
        rows = sum(chunk.rows for _, chunk in reader.chunks())
    assert rows == len(columns(folder)["loss"]) > 0


def test_an_experiment_of_before_is_told_as_it_was_at_its_end(inside: Inside) -> None:
    commands = {
        "run": ("run", "parabola-decay", "--quiet"),
        "compare": ("compare", "parabola-decay", "--lr", "0.1,0.2", "--no-ui", "--quiet"),
    }
    for command in commands.values():
        told = inside(*command)
        result = json.loads(inside(*command, "--json").stdout)
        id_ = result["experiment"]
        assert json.loads(inside("experiments", id_, "--json").stdout) == result
        again = inside("experiments", id_).stdout
        assert len(again.splitlines()) == len(told.stdout.splitlines())
        assert str(result["path"]) in again.replace("\n", "")
    (Path(result["path"]) / "run.db").write_bytes(b"no database")
    damaged = inside("experiments", id_)
    assert (damaged.returncode, damaged.stdout) == (2, "")
    assert damaged.stderr.count("\n") == 1
    refused = inside("experiments", "none-such")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "no experiment 'none-such'" in refused.stderr


def test_an_experiment_that_goes_on_is_not_told_as_if_it_had_ended(inside: Inside) -> None:
    id_ = inside("run", "sales-mse", "--steps", FOREVER, "--detach").stdout.strip()
    try:
        refused = inside("experiments", id_, "--json")
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr.startswith(f"tuitrain: error: {id_}: is ")
    finally:
        inside("stop", id_)
    assert json.loads(inside("experiments", id_, "--json").stdout)["runs"][0]["status"] == "stopped"


def test_epochs_make_a_column(inside: Inside) -> None:
    ran = inside("run", "book-mse", "--epochs", "2", "--batch", "50", "-o", "adam", "--quiet")
    assert ran.returncode == 0, ran.stderr
    header, *rows = csv.reader(io.StringIO(inside("export", "--format", "csv").stdout))
    assert header[:6] == ["run", "step", "epoch", "loss", "lr", "grad_norm"]
    assert [row[1:3] for row in rows] == [
        *(["1", "1"], ["2", "1"], ["3", "1"], ["4", "2"], ["5", "2"], ["6", "2"]),
    ]


def test_divergence_is_told_in_json_and_by_the_exit_code(inside: Inside) -> None:
    ran = inside("run", "line-fit", "--lr", "10", "--json", "--fail-on-divergence")
    [run] = json.loads(ran.stdout)["runs"]
    assert ran.returncode == 1
    assert list(run) == [*RUN_KEYS[:6], "diverged_at", *RUN_KEYS[6:]]
    assert (run["status"], run["loss"], run["final_loss"]) == ("diverged", None, None)
    assert run["diverged_at"] == run["steps"] > 1
    assert "NaN" not in ran.stdout
    assert "Infinity" not in ran.stdout
    rows = inside("export", "--format", "jsonl").stdout.splitlines()
    assert len(rows) == run["steps"]
    assert json.loads(rows[0])["loss"] == 89
    assert json.loads(rows[-1])["loss"] is None
    last = inside("export", "--format", "csv").stdout.splitlines()[-1].split(",")
    assert not math.isfinite(float(last[2]))


def test_ctrl_c_stops_and_keeps(tuitrain: Command, runs_dir: Path) -> None:
    process = tuitrain.start("run", "sales-mse", "--steps", FOREVER, "--json")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    [run] = json.loads(out)["runs"]
    assert process.returncode == 130
    assert (run["status"], run["steps"] > 0) == ("stopped", True)
    [row] = tuitrain.experiments()
    assert (row["state"], row["steps"]) == ("stopped", run["steps"])
    rows = 1 + -(-(run["steps"] - 1) // stride(runs_dir))  # the last step is one, too
    assert len(columns(resolve(runs_dir))["loss"]) == rows


def test_ctrl_c_twice_at_once_stops_the_worker_too(tuitrain: Command) -> None:
    process = tuitrain.start("run", "sales-mse", "--steps", FOREVER, "--json")
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)  # two equal signals may become one
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert json.loads(out)["runs"][0]["status"] == "stopped"
    deadline = time.monotonic() + 30
    while (row := tuitrain.experiments()[0])["state"] != "stopped":
        assert time.monotonic() < deadline, row


def stride(runs_dir: Path) -> int:
    with contextlib.closing(StoreReader(resolve(runs_dir).database)) as reader:
        return reader.layouts()[0].stride


def test_a_detached_run_is_paused_resumed_and_stopped(tuitrain: Command) -> None:
    detached = tuitrain("run", "sales-mse", "--steps", FOREVER, "--detach")
    id_ = detached.stdout.strip()
    assert (detached.returncode, detached.stderr) == (0, "")
    paused = tuitrain("pause", id_)
    assert paused.stdout.startswith(f"{id_} paused at step "), paused.stderr
    [before] = tuitrain.experiments()
    assert before["state"] == "paused"
    assert tuitrain("rm", id_).returncode == 2
    assert tuitrain("resume").stdout.startswith(f"{id_} resumed at step ")
    stopped = tuitrain("stop", id_[:15])
    assert stopped.stdout.startswith(f"{id_} stopped at step ")
    [after] = tuitrain.experiments()
    assert (after["state"], after["steps"] >= before["steps"]) == ("stopped", True)
    assert tuitrain("stop").stderr == (
        f"tuitrain: error: {id_}: has ended (stopped); expected a running experiment\n"
    )


def test_what_is_so_already_is_said(inside: Inside) -> None:
    id_ = inside("run", "sales-mse", "--steps", FOREVER, "--detach").stdout.strip()
    assert inside("pause").returncode == 0
    again = inside("pause")
    assert again.stdout.startswith(f"{id_} is already paused, at step ")
    inside("resume")
    again = inside("resume")
    assert again.stdout.startswith(f"{id_} is already running, at step ")
    assert (again.returncode, again.stderr) == (0, "")


@pytest.mark.parametrize("command", ["pause", "resume", "stop"])
def test_a_worker_that_does_not_answer_is_an_error(
    runs_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
) -> None:
    folder = ExperimentFolder.create(runs_dir, single(find("line-fit")))
    folder.set_process(os.getpid())  # it lives, and looks into no inbox
    monkeypatch.setattr(control, "PATIENCE", 0.2)
    assert main([command, "--runs-dir", str(runs_dir)]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == (
        f"tuitrain: {folder.id}: the worker has not answered in 0.2 s; it will when it can\n"
    )


@pytest.mark.parametrize(
    ("preset", "rows"),
    [
        (
            "asymmetric-over3",
            [["loss (last step)", r"0\.\d+"], ["final loss", r"0\.\d+", r"0\.589 ± 0\.005"]],
        ),
        ("line-fit", [["loss (last step)", r"\S+"], ["final loss", r"\S+", r"below 1e-27"]]),
        ("book-mse", [["loss (last batch)", r"0\.\d+"], ["final loss (all rows)", r"0\.\d+"]]),
    ],
)
def test_the_expected_loss_stands_beside_the_loss_of_the_final_weights(
    inside: Inside, preset: str, rows: list[list[str]]
) -> None:
    ran = inside("run", preset, "--quiet", "--runs-dir", inside.runs_dir)
    heads, *lines = ran.stdout.splitlines()[1:4]
    assert heads.split() == ["reached", "expected"]
    for line, (name, *values) in zip(lines, rows, strict=True):
        assert re.fullmatch(r"\s{2,}".join([re.escape(name), *values]), line), line


def test_a_killed_worker_is_a_failed_run(tuitrain: Command, runs_dir: Path) -> None:
    process = tuitrain.start("run", "sales-mse", "--steps", FOREVER, "--json")
    worker = resolve(runs_dir).process()
    assert worker
    psutil.Process(worker.pid).kill()
    out, err = process.communicate(timeout=10)
    assert process.returncode == 1
    [run] = json.loads(out)["runs"]
    assert run["status"] == "failed"
    assert "killed: the worker died" in err
    [row] = tuitrain.experiments()
    assert row["state"] == "killed"
    recorded = columns(resolve(runs_dir))["loss"]
    assert run["loss"] == row["loss"]
    # where not every step is a row, the results may know of later ones
    last = 1 + (len(recorded) - 1) * stride(runs_dir)
    assert last <= run["steps"] < last + stride(runs_dir)
    assert run["steps"] > last or run["loss"] == recorded[-1]
    rows = columns(resolve(runs_dir))
    assert run["weights"] == {"w": [[rows["w[0,0]"][-1]], [rows["w[1,0]"][-1]]]}
    told = tuitrain("experiments", row["id"]).stdout
    assert re.search(r"sales-mse sgd lr=\S+ seed=0 killed after [\d,]+ steps", told)
    assert f"w[1,0]            {rows['w[1,0]'][-1]:.7g}\n" in told
    assert "nan" not in told


@pytest.mark.parametrize("changed", [False, True])
def test_nothing_is_expected_of_a_run_whose_learning_rate_was_changed(
    inside: Inside, changed: bool
) -> None:
    slow = msgspec.structs.replace(single(find("line-fit")), pace=5.0)
    folder = start(inside.runs_dir, slow)
    while not folder.status().step:
        assert folder.alive()
    if changed:
        send(folder, SetLearningRate(0.001))
    inside("stop")
    title, heads, *rows, _ = inside("experiments", folder.id).stdout.splitlines()
    assert title.startswith("line-fit sgd lr=0.027 seed=0 stopped after")
    assert heads.split() == ["reached", "expected"][: 1 if changed else 2]
    assert any("±" in row for row in rows) == (not changed)


def test_what_only_the_worker_can_refuse_is_bad_input_and_leaves_nothing(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage, "version", lambda _name: "2.13.0")  # with CUDA, but no driver seen
    ran = inside("run", "line-fit", "--device", "cuda:99")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("tuitrain: error: device: no GPU for 'cuda:99'; expected ")
    assert ran.stderr.count("\n") == 1
    assert ran.stderr.count("\n") == 1
    assert inside.experiments() == []
