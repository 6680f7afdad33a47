"""`tuitrain compare` as scripts use it, with real trainings."""

from __future__ import annotations

import csv
import io
import json
import time
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from tests.cli.conftest import Command, Inside
from tuitrain.record.folder import ExperimentFolder

PRODUCT = ["compare", "sales-mse", "sales-cost1-profit99", "-o", "sgd,adam,sgdm"]


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> tuple[Command, dict[str, Any]]:
    """A comparison with diverging runs; and the command, to look at it again."""
    tuitrain = Command(tmp_path_factory.mktemp("compare") / "runs")
    done = tuitrain(
        *PRODUCT,
        *("--lr", "1e-3:10:log:3", "--seeds", "2:5", "--steps", "400", "--dtype", "float64"),
        *("--json", "--quiet"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    return tuitrain, json.loads(done.stdout)


Comparison = tuple[Command, dict[str, Any]]


def test_every_combination_is_trained(comparison: Comparison) -> None:
    _, result = comparison
    found = [(r["preset"], r["optimizer"], r["lr"], r["seed"]) for r in result["runs"]]
    assert found == [
        (preset, name, lr, seed)
        for preset in ("sales-mse", "sales-cost1-profit99")
        for name in ("sgd", "adam", "sgdm")
        for lr in (0.001, 0.1, 10.0)
        for seed in (2, 3, 4)
    ]
    assert {r["status"] for r in result["runs"]} == {"finished", "diverged"}
    assert all(r["steps"] == 400 for r in result["runs"] if r["status"] == "finished")


def test_seeds_share_the_initial_weights(comparison: Comparison) -> None:
    tuitrain, result = comparison
    table = rows(tuitrain, result["experiment"])
    first = {int(row["run"]): float(row["loss"]) for row in table if row["step"] == "1"}
    by_seed: dict[tuple[str, int], set[float]] = {}
    for i, run in enumerate(result["runs"]):
        by_seed.setdefault((run["preset"], run["seed"]), set()).add(first[i])
    # where a run stands among the others may round the last bit of its loss
    starts = [pytest.approx(min(losses), rel=1e-14) for losses in by_seed.values()]
    for start, losses in zip(starts, by_seed.values(), strict=True):
        assert [*losses] == [start] * len(losses)
    assert len({round(min(losses), 6) for losses in by_seed.values()}) == 6
    assert "same weights" in result["fair"]
    assert "400 steps" in result["fair"]


def test_a_run_is_the_same_as_alone(comparison: Comparison, tmp_path: Path) -> None:
    _, result = comparison
    alone = Inside(tmp_path)
    for name, lr in (("adam", 0.1), ("sgdm", 0.001), ("sgd", 10.0)):
        single = json.loads(
            alone(
                *("run", "sales-mse", "-o", name, "--lr", str(lr), "--seed", "3"),
                *("--steps", "400", "--dtype", "float64", "--json", "--quiet"),
            ).stdout
        )["runs"][0]
        [run] = [
            r
            for r in result["runs"]
            if (r["preset"], r["optimizer"], r["lr"], r["seed"]) == ("sales-mse", name, lr, 3)
        ]
        assert run["status"] == single["status"] == ("diverged" if lr == 10 else "finished")
        assert run.get("diverged_at") == single.get("diverged_at")
        if lr < 10:
            for key in ("loss", "best_loss", "final_loss"):
                assert run[key] == pytest.approx(single[key], rel=1e-12, abs=1e-15)
            np.testing.assert_allclose(run["weights"]["w"], single["weights"]["w"], rtol=1e-12)


def test_the_ranking_is_by_the_median_final_loss(comparison: Comparison) -> None:
    _, result = comparison
    assert list(result["ranking"]) == ["sales-mse", "sales-cost1-profit99"]
    for preset, ranking in result["ranking"].items():
        medians = {}
        runs = [r for r in result["runs"] if r["preset"] == preset]
        for key, group in groupby(runs, lambda r: (r["optimizer"], r["lr"])):
            final = [np.inf if r["status"] == "diverged" else r["final_loss"] for r in group]
            medians[key] = sorted(final)[1]
        found = [medians[entry["optimizer"], entry["lr"]] for entry in ranking]
        # up to rounding, for what is level by that shares a rank
        assert found == pytest.approx(sorted(medians.values()), rel=1e-12)
        ranks = [1 + sum(other < loss * (1 - 1e-12) for other in found) for loss in found]
        assert [entry["rank"] for entry in ranking] == ranks
        assert preset != "sales-mse" or ranks.count(1) > 1
        level = [e["median_steps_to_target"] for e in ranking if e["rank"] == 1]
        assert level == sorted(level)
        for entry, median in zip(ranking, found, strict=True):
            assert entry["median_final_loss"] == (median if np.isfinite(median) else None)
            assert entry["seeds"] == [2, 3, 4]


def test_steps_to_the_target_are_those_of_the_rows(comparison: Comparison) -> None:
    tuitrain, result = comparison
    losses: dict[int, list[float]] = {}
    for row in rows(tuitrain, result["experiment"]):
        losses.setdefault(int(row["run"]), []).append(float(row["loss"]))
    reached = 0
    for i, run in enumerate(result["runs"]):
        target = result["target"][run["preset"]]
        assert run["target"] == target
        first = next((k for k, loss in enumerate(losses[i], 1) if loss <= target), None)
        assert run["steps_to_target"] == first
        assert (run["seconds_to_target"] is None) == (first is None)
        reached += first is not None
    assert 0 < reached < len(result["runs"])


def test_seconds_to_the_target_are_those_of_the_preset_itself(inside: Inside) -> None:
    result = json.loads(inside("compare", "parabola-constant", "sales-mse", "--json").stdout)
    status = ExperimentFolder(Path(result["path"])).status()
    for run, seconds, steps in zip(
        result["runs"], status.stack_seconds, status.stack_steps, strict=True
    ):
        assert run["seconds_to_target"] == pytest.approx(run["steps_to_target"] * seconds / steps)
    assert status.stack_steps[0] < status.stack_steps[1] / 10
    assert status.stack_seconds[0] < status.stack_seconds[1]


def test_the_default_target_is_near_the_optimum(comparison: Comparison) -> None:
    _, result = comparison
    assert result["optimum"]["sales-mse"] == pytest.approx(0.000651, abs=5e-7)
    assert result["optimum"]["sales-cost1-profit99"] == pytest.approx(5.541, abs=5e-4)
    for preset, optimum in result["optimum"].items():
        assert optimum < result["target"][preset]


def test_the_verdict_names_leaders_and_losers(comparison: Comparison) -> None:
    _, result = comparison
    text = result["verdict"]["sales-mse"]
    assert result["ranking"]["sales-mse"][0]["name"].removeprefix("sales-mse ") in text
    assert "Diverged: sgd at lr=10 (all)" in text


def test_what_a_killed_comparison_has_reached_is_not_called_final(inside: Inside) -> None:
    asked = ("compare", "sales-mse", "-o", "sgd,adam", "--steps", "50000000", "--detach")
    folder = ExperimentFolder(inside.runs_dir / inside(*asked).stdout.strip())
    worker = folder.process()
    assert worker
    deadline = time.monotonic() + 30
    while not folder.status().step:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    psutil.Process(worker.pid).kill()
    while not folder.status().ended:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    result = json.loads(inside("experiments", folder.id, "--json").stdout)
    assert folder.status().state == "killed"
    [ranking] = result["ranking"].values()
    assert all(place["median_final_loss"] is None for place in ranking)
    assert all(place["median_loss"] > 0 for place in ranking)
    last = rows(inside, folder.id)[-1]
    assert result["runs"][1]["weights"] == {"w": [[float(last["w[0,0]"])], [float(last["w[1,0]"])]]}
    [verdict] = result["verdict"].values()
    assert "loss so far" in verdict
    printed = inside("experiments", folder.id).stdout
    assert "loss so far" in printed
    assert "final loss" not in printed


def rows(tuitrain: Command, experiment: str) -> list[dict[str, str]]:
    return list(
        csv.DictReader(io.StringIO(tuitrain("export", experiment, "--format", "csv").stdout))
    )


def test_a_comparison_is_listed(comparison: Comparison) -> None:
    tuitrain, result = comparison
    [listed] = tuitrain.experiments()
    assert listed["id"] == result["experiment"]
    assert listed["runs"] == 54


def test_without_a_terminal_a_table_is_printed(inside: Inside) -> None:
    done = inside("compare", "sales-mse", "-o", "sgd,adam", "--seeds", "2", "--steps", "50")
    assert done.returncode == 0
    head, columns, first, second, verdict, *_ = done.stdout.splitlines()
    assert head.startswith("sales-mse optimum 0.00065127, target 0.0")
    assert columns.split() == [
        *("optimizer", "lr", "final", "loss", "quartiles", "gap", "to", "target", "diverged"),
    ]
    assert first.split()[:2] == ["1", "sgd"]
    assert second.split()[:2] == ["2", "adam"]
    assert verdict.startswith("2 seeds are too few to call a lead: sgd lr=0.002 is lowest")
    assert "4 runs finished in" in done.stdout
    assert done.stdout.splitlines()[-2].startswith("Runs of one preset and seed start from")


def test_lists_of_settings(inside: Inside) -> None:
    done = inside(
        *("compare", "sales-cost1-profit99", "--set", "loss.cost=1,9", "-o", "adam"),
        *("--set", "optimizer.beta1=0.8,0.9", "--steps", "5", "--json", "--target", "1500"),
    )
    result = json.loads(done.stdout)
    assert [run["name"].split()[1:4] for run in result["runs"]] == [
        [f"loss.cost={cost}", "adam", "lr=0.001"] for cost in (1, 1, 9, 9)
    ]
    assert list(result["ranking"]) == [f"sales-cost1-profit99 loss.cost={cost}" for cost in (1, 9)]
    assert set(result["target"].values()) == {1500}
    best = result["ranking"]["sales-cost1-profit99 loss.cost=9"][0]
    assert best["optimizer.beta1"] in (0.8, 0.9)


def test_a_budget_of_seconds(inside: Inside) -> None:
    done = inside(
        *("compare", "line-fit", "sales-mse", "--steps", "100000000", "--seconds", "0.5"),
        *("--json", "--quiet"),
    )
    result = json.loads(done.stdout)
    assert done.returncode == 0
    assert {run["status"] for run in result["runs"]} == {"finished"}
    assert all(0 < run["steps"] < 100_000_000 for run in result["runs"])
    assert 0.5 <= result["seconds"] < 20
    assert "as many as 0.5 s allow" in result["fair"]


def test_a_diverged_run_can_fail_the_command(inside: Inside) -> None:
    arguments = ["compare", "sales-mse", "--lr", "0.1,1e30", "--steps", "50", "--quiet"]
    assert inside(*arguments).returncode == 0
    assert inside(*arguments, "--fail-on-divergence").returncode == 1


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ("sales-msee", "sales-msee: no such preset; expected sales-mse"),
        ("sales-mse -o sgd,adamm", "no optimizer 'adamm'; expected adam"),
        ("sales-mse --lr 1e-3,x", "--lr 1e-3,x: 'x' is not a number"),
        ("sales-mse --lr 1:1e-4:log:8", "is empty"),
        ("sales-mse --lr -1", "--lr: cannot be -1.0"),
        ("sales-mse --seeds 3:3", "--seeds 3:3: no seed at all"),
        (
            "sales-mse --lr 1e-4:1:log:5000 --seeds 8",
            "40,000 runs (5,000 learning rates x 8 seeds)",
        ),
        ("sales-mse --steps x", '--steps x: cannot be "x"; expected a whole number'),
        ("sales-mse --steps 5 --epochs 5", "--steps: conflicts with --epochs"),
        ("sales-mse --json --detach", "--detach: conflicts with --json"),
        ("sales-mse --seconds 0", "--seconds: cannot be 0"),
        ("sales-mse --target x", "--target x: 'x' is not a number"),
        ("sales-mse --schedule cosine:foo=1", "no key 'foo'"),
        ("sales-mse --set loss.cost=1,2", '--set loss.cost=1: kind "mse" has no settings'),
        ("sales-mse --set optimizer.beta1=0.9", "--set optimizer.beta1: unknown key for sgd"),
        ("sales-mse --device tpu", "--device: 'tpu'"),
        ("", "Missing argument 'PRESET...'"),
    ],
)
def test_bad_input_is_one_line_and_starts_nothing(
    inside: Inside, arguments: str, problem: str
) -> None:
    done = inside("compare", *arguments.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("tuitrain: error: ")
    assert problem in done.stderr
    assert not inside.runs_dir.exists()
