"""What a list tells of an experiment."""

from __future__ import annotations

import contextlib
import os
import sqlite3

import numpy as np
import pytest

from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.listing import listed
from tuitrain.record.status import RunResult, Status
from tuitrain.record.store import StoreWriter
from tuitrain.spec.recording import Chunk, Layout


@pytest.mark.parametrize("presets", [[], ["line-fit", "sales-mse"]], ids=["old", "new"])
def test_an_experiment_is_listed_without_its_description(
    folder: ExperimentFolder, presets: list[str]
) -> None:
    """Which takes seconds to read where there are many runs."""
    with contextlib.closing(StoreWriter(folder.database, [])) as writer, writer.transaction():
        writer.status(Status("finished", stack_presets=presets))
        for i, (preset, loss) in enumerate([("sales-mse", 0.5), ("line-fit", 0.25)]):
            writer.run(RunResult(i, str(i), preset, "sgd", 0.1, i, "finished", 3, loss))
    (folder.path / "experiment.toml").write_text("damaged")
    one = listed(ExperimentFolder(folder.path))
    assert one.presets == (presets or ["sales-mse", "line-fit"])
    assert one.loss == 0.25


def test_before_anything_is_recorded_the_description_names_the_presets(
    folder: ExperimentFolder,
) -> None:
    one = listed(ExperimentFolder(folder.path))
    assert (one.presets, one.results, one.loss) == (["line-fit"], [], None)
    (folder.path / "experiment.toml").write_text("damaged")
    assert listed(ExperimentFolder(folder.path)).presets == []


def test_the_loss_of_runs_that_go_on_is_that_of_their_last_rows(folder: ExperimentFolder) -> None:
    folder.set_process(os.getpid())
    with contextlib.closing(
        StoreWriter(folder.database, [Layout(2, {"loss": "float64"})])
    ) as writer:
        for first, losses in ((1, [[0.1, 0.5], [0.2, 0.6]]), (3, [[0.7, 0.4], [0.8, 0.3]])):
            with writer.transaction():
                writer.status(Status("running", stack_presets=["line-fit"]))
                writer.append(Chunk(0, first, 1, {"loss": np.array(losses)}))
                for i in range(2):
                    writer.run(RunResult(i, str(i), "line-fit", "sgd", 0.1, i, "running"))
        one = listed(folder)
    assert [(result.steps, result.loss) for result in one.results] == [(4, 0.4), (4, 0.3)]
    assert one.loss == 0.3


def test_a_damaged_last_chunk_leaves_what_was_reached_before_it(folder: ExperimentFolder) -> None:
    folder.set_process(os.getpid())
    layouts = [Layout(1, {"loss": "float64"})] * 2
    with contextlib.closing(StoreWriter(folder.database, layouts)) as writer:
        with writer.transaction():
            writer.status(Status("running", stack_presets=["line-fit", "sales-mse"]))
            for i, preset in enumerate(("line-fit", "sales-mse")):
                writer.run(RunResult(i, str(i), preset, "sgd", 0.1, i, "running"))
            for first in (1, 2, 3, 4):
                for stack in (0, 1):
                    loss = np.array([[first + stack / 2]])
                    writer.append(Chunk(stack, first, 1, {"loss": loss}))
        with contextlib.closing(sqlite3.connect(folder.database)) as database, database:
            database.execute("UPDATE chunks SET summary_crc = 0 WHERE stack = 0 AND first > 2")
        one = listed(folder)
    assert [(result.steps, result.loss) for result in one.results] == [(2, 2.0), (4, 4.5)]
