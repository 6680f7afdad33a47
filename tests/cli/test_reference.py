"""The whole catalogue through the real command: what `--json` says against the course's values."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tuitrain.spec.catalogue import catalogue, find

if TYPE_CHECKING:
    from tests.cli.conftest import Inside

COURSE: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "reference" / "course.json").read_text(encoding="utf-8")
)

LAST_LOSS = {
    "parabola-decay": (COURSE["parabola-decay"]["expect"]["loss_at_epoch"]["39"], 1e-15),
    "line-fit": (0.0, COURSE["line-fit"]["expect"]["final_loss_below"]),
    "sales-mse": (COURSE["sales-mse"]["expect"]["trace_w1_w2_loss"]["14500"][2], 1e-5),
}
"""The loss before the last update, and how far from it a run may end."""


def final_weights(name: str) -> tuple[list[float], float]:
    """The weights that the course ends with, flat, and how far from them a run may end.

    An empty list where neither the course nor the preset gives any.
    """
    match name:
        case "line-fit":
            final, tolerance = COURSE[name]["expect"]["final"], COURSE[name]["expect"]["tol"]
            return [final["w"], final["b"]], tolerance
        case "sales-mse" | "book-less10" | "book-more10" | "book-mse":
            return COURSE[name]["expect"]["final"], COURSE[name]["expect"]["tol"]
        case "sales-cost1-profit99" | "sales-cost99-profit1":
            return COURSE[name]["expect"]["final_float32"], 0.02
        case "parabola-decay":
            return [COURSE[name]["expect"]["w_after_epoch"]["39"]], COURSE[name]["expect"]["tol"]
        case "parabola-constant":
            return [6 * 0.6**40 - 1], COURSE[name]["tol"]
        case "plain-mse":
            reference = COURSE["plain-mse-x1-2x2"]["expect"]
            return reference["truth"], reference["tol"]
    # The course gives no end of the others, or none that can be repeated: see the preset.
    expected = find(name).expected
    return np.ravel(list(expected.weights.values())).tolist(), expected.tolerance


@pytest.mark.parametrize("name", catalogue())
def test_a_run_of_the_command_gives_the_reference_values(inside: Inside, name: str) -> None:
    ran = inside("run", name, "--json")
    assert ran.returncode == 0, ran.stderr
    [run] = json.loads(ran.stdout)["runs"]
    assert (run["status"], run["preset"]) == ("finished", name)
    weights, tolerance = final_weights(name)
    if weights:
        reached = np.concatenate([np.ravel(values) for values in run["weights"].values()])
        np.testing.assert_allclose(reached, weights, rtol=0, atol=tolerance)
    if name in LAST_LOSS:
        loss, tolerance = LAST_LOSS[name]
        assert run["loss"] == pytest.approx(loss, abs=tolerance, rel=0)
    expected = find(name).expected
    if expected.loss is not None:
        assert run["final_loss"] == pytest.approx(expected.loss, abs=expected.tolerance, rel=0)
    if expected.loss_below is not None:
        assert run["final_loss"] < expected.loss_below
    for metric, (low, high) in expected.metrics.items():
        assert low <= run["metrics"][metric] <= high, metric


def test_the_five_optimizers_on_iris(inside: Inside) -> None:
    """From the comparison to the exported table: the mean of an epoch, as the course prints it."""
    names = ["sgd", "sgdm", "adagrad", "rmsprop", "adam"]
    expect = dict(COURSE["iris"]["expect"])
    tolerance, accuracy = expect.pop("tol"), expect.pop("test_accuracy_final")
    ran = inside(
        *("compare", "iris", "-o", ",".join(names), "--lr", str(COURSE["iris"]["lr"])),
        *("--set", "optimizer.alpha=0.9", "--json", "--quiet"),
    )
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)
    assert [run["optimizer"] for run in result["runs"]] == names
    assert [run["metrics"]["test_accuracy"] for run in result["runs"]] == [accuracy] * 5
    table = inside("export", result["experiment"], "--format", "csv")
    assert table.returncode == 0, table.stderr
    rows = list(csv.DictReader(io.StringIO(table.stdout)))
    for number, epochs in enumerate(expect.values()):
        losses = [float(row["loss"]) for row in rows if row["run"] == str(number)]
        means = np.reshape(losses, (-1, 4)).mean(1)
        assert len(means) == COURSE["iris"]["epochs"]
        within = 1e-3 if "note" in epochs else tolerance  # as the note on rmsprop says
        for epoch in ("0", "99", "499"):
            assert means[int(epoch)] == pytest.approx(epochs[epoch], abs=within, rel=0)
