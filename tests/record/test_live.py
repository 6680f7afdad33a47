from __future__ import annotations

import contextlib
import math
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.live import Recording
from tuitrain.record.status import Event, RunResult, Status
from tuitrain.record.store import StoreWriter
from tuitrain.spec.catalogue import find
from tuitrain.spec.experiment import Experiment, Run, single
from tuitrain.spec.recording import Chunk, Evaluation, Layout

DTYPES = {"loss": "float32", "lr": "float64", "w": "float64"}
LAYOUTS = [Layout(2, DTYPES), Layout(1, DTYPES)]


@pytest.fixture
def experiment() -> Experiment:
    """Two presets, their runs mixed: 0 and 2 are stack 0, run 1 is stack 1."""
    presets = {name: find(name) for name in ("line-fit", "sales-mse")}
    runs = [
        Run(
            name=f"{i}",
            preset=p,
            optimizer=presets[p].optimizer,
            schedule=presets[p].schedule,
            seed=i,
        )
        for i, p in enumerate(["line-fit", "sales-mse", "line-fit"])
    ]
    return Experiment(presets=presets, runs=runs)


@pytest.fixture
def writer(folder: ExperimentFolder) -> Iterator[StoreWriter]:
    """This process takes the worker's part."""
    folder.set_process(os.getpid())
    with contextlib.closing(StoreWriter(folder.database, LAYOUTS)) as writer:
        with writer.transaction():
            writer.status(Status("running"))
            for i, run in enumerate(folder.experiment.runs):
                writer.run(RunResult(i, run.name, run.preset, "sgd", 0.1, i, "running"))
            writer.snapshot(0, 0, {"w": np.array([10.0, 12.0])})
            writer.snapshot(1, 0, {"w": np.array([11.0])})
        yield writer


def chunk(stack: int, first: int, rows: int = 3) -> Chunk:
    """Values that tell the stack, the place in it, and the step."""
    steps = np.arange(first, first + rows)
    values = np.stack([1000.0 * stack + 100 * r + steps for r in range(LAYOUTS[stack].runs)])
    return Chunk(stack, first, 1, {name: values.astype(dtype) for name, dtype in DTYPES.items()})


def append(writer: StoreWriter, *chunks: Chunk) -> None:
    with writer.transaction():
        for each in chunks:
            writer.append(each)


def test_rows_find_their_run(folder: ExperimentFolder, writer: StoreWriter) -> None:
    recording = Recording(folder)
    append(writer, chunk(0, 1), chunk(1, 1), chunk(0, 4))
    assert recording.refresh()
    for run, offset in {0: 0, 2: 100, 1: 1000}.items():
        series = recording.series(run, "w")
        steps = np.arange(1, 4 if run == 1 else 7)
        np.testing.assert_array_equal(series.steps, steps)
        np.testing.assert_array_equal(series.values, offset + steps)
    assert recording.names(2) == tuple(DTYPES)
    assert recording.first_weights == {0: {"w": 10}, 2: {"w": 12}, 1: {"w": 11}}
    assert recording.last_weights == {}


def test_a_series_grows_while_it_is_held(folder: ExperimentFolder, writer: StoreWriter) -> None:
    recording = Recording(folder)
    append(writer, chunk(0, 1))
    recording.refresh()
    series = recording.series(2, "loss")
    append(writer, chunk(0, 4))
    assert len(series) == 3
    assert recording.refresh()
    assert len(series) == 6
    assert recording.series(2, "loss") is series
    assert not recording.refresh()
    assert len(series) == 6


def test_results_of_runs_that_go_on_are_up_to_date(
    folder: ExperimentFolder, writer: StoreWriter
) -> None:
    recording = Recording(folder)
    append(writer, chunk(0, 1), chunk(0, 4))
    recording.refresh()
    running = recording.results[2]
    assert (running.status, running.steps, running.loss) == ("running", 6, 106)
    assert running.best_loss == 101
    assert math.isnan(recording.results[1].loss)


def test_results_that_are_written_alone_are_seen(
    folder: ExperimentFolder, writer: StoreWriter
) -> None:
    recording = Recording(folder)
    append(writer, chunk(1, 1))
    recording.refresh()
    assert recording.results[1].status == "running"
    with writer.transaction():
        writer.run(RunResult(1, "1", "sales-mse", "sgd", 0.1, 1, "finished", 3))
    recording.refresh()
    assert recording.results[1].status == "finished"


def test_rows_after_a_divergence_are_not_the_runs(
    folder: ExperimentFolder, writer: StoreWriter
) -> None:
    recording = Recording(folder)
    broken = chunk(0, 1, rows=8)
    for values in broken.series.values():
        values[1, 4:] = np.nan
    with writer.transaction():
        writer.append(broken)
        writer.run(
            RunResult(
                2, "2", "line-fit", "sgd", 0.1, 2, "diverged", 5, diverged_at=5, diverged_in="w"
            )
        )
        writer.event(Event(0.0, 5, 2, "diverged", {"tensor": "w"}))
    recording.refresh()
    series = recording.series(2, "loss")
    assert len(series) == 5  # the last row is where it broke
    assert (series.min, series.max) == (101, 104)
    assert recording.results[2].diverged_in == "w"
    assert len(recording.series(0, "loss")) == 8
    append(writer, chunk(0, 9))
    recording.refresh()
    assert len(series) == 5


def test_a_thinned_run_ends_with_the_row_after_its_end(folder: ExperimentFolder) -> None:
    names = ("loss", "loss_min", "loss_max", "lr")
    layout = Layout(2, dict.fromkeys(names, "float64"), 4)
    values = np.array([[1.0, 2, 3, 4], [1.0, 2, np.nan, np.nan]])
    series = {name: values[:, :3].copy() for name in names}
    series["loss_min"][1, 2] = 0.5  # of steps 6 to 8
    closing = dict.fromkeys(names, values[:, 3:])  # less than a stride behind the run's end
    ended = RunResult(2, "2", "line-fit", "sgd", 0.1, 2, "diverged", 8, diverged_at=8)
    with (
        contextlib.closing(StoreWriter(folder.database, [layout, LAYOUTS[1]])) as writer,
        writer.transaction(),
    ):
        for i, run in enumerate(folder.experiment.runs[:2]):
            writer.run(RunResult(i, run.name, run.preset, "sgd", 0.1, i, "running"))
        writer.run(ended)
        writer.append(Chunk(0, 1, 4, series))
        writer.append(Chunk(0, 11, 4, closing))
    recording = Recording(folder)
    recording.refresh()
    assert recording.series(0, "loss").steps.tolist() == [1, 5, 9, 11]
    assert recording.series(2, "loss").steps.tolist() == [1, 5, 9]
    assert recording.series(2, "loss").columns(1, 15, 7).bad.nonzero()[0].tolist() == [4]
    assert recording.series(2, "lr").steps.tolist() == [1, 5]


def test_evaluations_of_a_stack_end_with_each_of_its_runs(
    folder: ExperimentFolder, writer: StoreWriter
) -> None:
    ended = RunResult(2, "2", "line-fit", "sgd", 0.1, 2, "diverged", 7, diverged_at=7)
    with writer.transaction():
        for step in (0, 5, 10):
            writer.evaluation(Evaluation(0, step, {"loss": np.array([step + 1.0, step + 2.0])}))
        writer.run(ended)
        writer.event(Event(0.0, 7, 2, "diverged", {"tensor": "w"}))
    recording = Recording(folder)
    assert recording.evaluations(0, "loss")[0].size == 0
    recording.refresh()
    steps, values = recording.evaluations(0, "loss")
    assert steps.tolist() == [0, 5, 10]
    np.testing.assert_array_equal(values, [[1, 2], [6, 7], [11, np.nan]])
    assert recording.evaluations(1, "loss")[0].size == 0


def test_a_thinned_loss_keeps_its_extremes(folder: ExperimentFolder) -> None:
    dtypes = {"loss": "float64", "loss_min": "float64", "loss_max": "float64", "lr": "float64"}
    loss = np.ones((2, 4))
    low, high = loss.copy(), loss.copy()
    low[0, 1], high[0, 2] = -5, 7
    series = {"loss": loss, "loss_min": low, "loss_max": high, "lr": loss}
    with (
        contextlib.closing(
            StoreWriter(folder.database, [Layout(2, dtypes, 4), LAYOUTS[1]])
        ) as writer,
        writer.transaction(),
    ):
        writer.append(Chunk(0, 4, 4, series))
    recording = Recording(folder)
    recording.refresh()
    drawn = recording.series(0, "loss")
    np.testing.assert_array_equal(drawn.steps, [4, 8, 12, 16])
    np.testing.assert_array_equal(drawn.values, 1)
    assert (drawn.min, drawn.max) == (-5, 7)


def test_a_damaged_chunk_leaves_a_gap(folder: ExperimentFolder, writer: StoreWriter) -> None:
    for first in (1, 4, 7):
        append(writer, chunk(0, first))
    with sqlite3.connect(folder.database) as database:
        database.execute("UPDATE chunks SET crc = crc + 1 WHERE id = 2")
    recording = Recording(folder)
    recording.refresh()
    np.testing.assert_array_equal(recording.series(0, "w").steps, [1, 2, 3, 7, 8, 9])
    assert list(recording.corrupt) == ["chunk 2"]


@pytest.mark.parametrize("old", [False, True], ids=["new", "old"])
def test_no_damage_to_the_layouts_is_a_crash(
    folder: ExperimentFolder, writer: StoreWriter, old: bool
) -> None:
    """Stores of before have no checksum of them, by which every damage is seen."""
    append(writer, chunk(0, 1), chunk(1, 1))
    with contextlib.closing(sqlite3.connect(folder.database)) as database:
        if old:
            database.execute("DELETE FROM meta WHERE key = 'checksum'")
            database.commit()
        for key, value in database.execute("SELECT key, value FROM meta").fetchall():
            for place, character in enumerate(value):
                flipped = value[:place] + chr(ord(character) ^ 1) + value[place + 1 :]
                database.execute("UPDATE meta SET value = ? WHERE key = ?", (flipped, key))
                database.commit()
                with contextlib.closing(Recording(folder)) as recording:
                    recording.refresh()
                    assert len(recording.results) == (0 if recording.status.error else 3)
                    assert len(recording.series(0, "loss")) == (0 if recording.status.error else 3)
                    assert old or "checksum" in recording.status.error
            database.execute("UPDATE meta SET value = ? WHERE key = ?", (value, key))
            database.commit()


def test_rows_that_were_written_twice_are_taken_once(
    folder: ExperimentFolder, writer: StoreWriter
) -> None:
    recording = Recording(folder)
    append(writer, chunk(0, 1), chunk(1, 1), chunk(0, 4))
    recording.refresh()
    append(writer, chunk(0, 1), chunk(0, 4), chunk(0, 7))
    recording.refresh()
    assert recording.series(0, "loss").steps.tolist() == list(range(1, 10))
    assert [block.first for block in recording.blocks(0)] == [1, 4, 7]


def test_what_was_read_before_something_damaged_is_read_once(
    folder: ExperimentFolder, writer: StoreWriter
) -> None:
    with writer.transaction():
        writer.event(Event(0.0, 1, None, "paused", {}))
        writer.append(chunk(0, 1))
        writer.evaluation(Evaluation(0, 1, {"loss": np.array([1.0, 2.0])}))
    with contextlib.closing(sqlite3.connect(folder.database)) as database, database:
        database.execute("UPDATE runs SET metrics = '{'")
    recording = Recording(folder)
    for _ in range(3):
        recording.refresh()
        assert "could not be read" in recording.status.error
    with contextlib.closing(sqlite3.connect(folder.database)) as database, database:
        database.execute("UPDATE runs SET metrics = '{}'")
    recording.refresh()
    assert len(recording.events) == 1
    assert len(recording.evaluated(0, "loss")[0]) == 1
    assert len(recording.results) == 3
    assert len(recording.series(0, "loss")) == 3
    recording.close()


def test_before_there_is_anything(folder: ExperimentFolder) -> None:
    recording = Recording(folder)
    recording.refresh()
    assert recording.status == Status("starting")
    assert recording.names(0) == ()
    assert len(recording.series(0, "loss")) == 0
    folder.database.touch()  # the worker has just made the file
    recording.refresh()
    assert recording.status == Status("starting")
    with contextlib.closing(StoreWriter(folder.database, LAYOUTS)) as writer:
        recording.refresh()  # and now the tables, with nothing in them yet
        assert recording.first_weights == {}
        with writer.transaction():
            writer.snapshot(0, 0, {"w": np.array([10.0, 12.0])})
        recording.refresh()
        assert recording.first_weights == {0: {"w": 10}, 2: {"w": 12}}


def test_a_vanished_folder_is_no_crash(folder: ExperimentFolder, writer: StoreWriter) -> None:
    recording = Recording(folder)
    append(writer, chunk(0, 1))
    recording.refresh()
    shutil.rmtree(folder.path)
    recording.refresh()
    assert recording.status.state == "failed"
    assert "is gone" in recording.status.error
    assert len(recording.series(0, "w")) == 3


def test_a_damaged_store_is_no_crash(folder: ExperimentFolder) -> None:
    folder.database.write_bytes(b"rubbish" * 1000)
    recording = Recording(folder)
    recording.refresh()
    assert "not a database" in recording.status.error


def test_a_store_without_its_experiment_is_no_crash(
    folder: ExperimentFolder, writer: StoreWriter
) -> None:
    (folder.path / "experiment.toml").write_text("")
    recording = Recording(ExperimentFolder(folder.path))
    append(writer, chunk(0, 1))
    recording.refresh()
    assert recording.names(0) == ()
    assert "experiment.toml" in recording.status.error


def test_the_refresh_that_sees_the_end_has_everything(
    folder: ExperimentFolder, writer: StoreWriter
) -> None:
    recording = Recording(folder)
    recording.refresh()
    assert recording.status.state == "running"
    with writer.transaction():
        writer.append(chunk(0, 1))
        writer.snapshot(0, 3, {"w": np.array([1.0, 2.0])})
        writer.status(Status("stopped"))
    recording.refresh()
    assert recording.ended
    assert len(recording.series(2, "w")) == 3
    assert recording.last_weights[2] == {"w": 2}


def test_results_and_weights_can_be_read_without_the_rows(
    folder: ExperimentFolder, writer: StoreWriter
) -> None:
    whole, short = Recording(folder), Recording(folder, rows=False)
    with writer.transaction():
        writer.append(chunk(0, 1))
        writer.append(chunk(1, 1, rows=5))
        writer.append(chunk(0, 4))
    for recording in (whole, short):
        recording.refresh()
    assert [result.steps for result in short.results] == [6, 5, 6]
    assert repr(short.results) == repr(whole.results)  # NaN equals nothing
    with writer.transaction():
        writer.snapshot(0, 6, {"w": np.array([1.0, 2.0])})
        writer.status(Status("finished"))
    short.refresh()
    assert short.last_weights[2] == {"w": 2}
    assert short.blocks(0) == []
    assert len(short.series(0, "loss")) == 0


def test_a_million_steps_are_read(tmp_path: Path) -> None:
    """In 1,000 chunks, with seven series."""
    folder = ExperimentFolder.create(tmp_path, single(find("line-fit")))
    dtypes = dict.fromkeys(("loss", "lr", "grad_norm", "a", "b", "c", "d"), "float32")
    rows = np.random.default_rng(0).random((1, 1000), np.float32)
    writer = StoreWriter(folder.database, [Layout(1, dtypes)])
    with contextlib.closing(writer), writer.transaction():
        for i in range(1000):
            writer.append(Chunk(0, 1 + 1000 * i, 1, dict.fromkeys(dtypes, rows)))
        writer.status(Status("finished"))
    recording = Recording(folder)
    recording.refresh()
    for name in recording.names(0):
        assert len(recording.series(0, name)) == 1_000_000
