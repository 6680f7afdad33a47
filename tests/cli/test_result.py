"""What `--json` tells of an experiment that did not come to its end."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np

from tuitrain.cli.result import read, report
from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.status import RunResult, RunStatus, Status
from tuitrain.record.store import StoreWriter
from tuitrain.spec.catalogue import find
from tuitrain.spec.experiment import Experiment, single
from tuitrain.spec.recording import Chunk, Layout

NAMES = ("loss", "loss_min", "loss_max", "lr", "grad_norm", "w[0,0]", "b[0]")


def test_the_weights_of_a_run_that_diverged_long_before_are_left_out(tmp_path: Path) -> None:
    preset = find("line-fit")
    runs = single(preset).runs * 3
    statuses: list[RunStatus] = ["failed", "diverged", "diverged"]
    folder = ExperimentFolder.create(tmp_path, Experiment(presets={"line-fit": preset}, runs=runs))
    series = {name: np.arange(9.0).reshape(3, 3) for name in NAMES}
    for values in series.values():
        values[1, 1:] = np.nan  # it ended after its first row
    series["loss_min"][1, 2] = 0.5  # between rows
    series["w[0,0]"][2, 2] = np.nan  # it diverges in the last one
    with (
        contextlib.closing(
            StoreWriter(folder.database, [Layout(3, dict.fromkeys(NAMES, "float64"))])
        ) as writer,
        writer.transaction(),
    ):
        writer.append(Chunk(0, 1, 1, series))
        for i, status in enumerate(statuses):
            writer.run(RunResult(i, str(i), "line-fit", "sgd", 0.1, 0, status))
        writer.status(Status("failed", error="out of memory", exit_code=1))
    told = report(read(folder))["runs"]
    assert [run["weights"] for run in told] == [
        {"w": [[2.0]], "b": [2.0]},
        {},
        {"w": [[None]], "b": [8.0]},
    ]
