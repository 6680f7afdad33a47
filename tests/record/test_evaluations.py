"""Evaluations from the worker's hands to the viewer's: bytes, store, recording."""

from __future__ import annotations

import contextlib
import math
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tuitrain.record import chunks
from tuitrain.record.evaluations import PictureCache
from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.live import Recording
from tuitrain.record.reader import StoreReader
from tuitrain.record.status import Event, RunResult, Status
from tuitrain.record.store import VERSION, StoreWriter
from tuitrain.spec.catalogue import find
from tuitrain.spec.experiment import Experiment, Run
from tuitrain.spec.recording import Chunk, Evaluation, Layout

DTYPES = {"loss": "float64"}
LAYOUTS = [Layout(2, DTYPES), Layout(1, DTYPES)]


def evaluation(step: int, *, stack: int = 0, pictured: bool = True) -> Evaluation:
    """Values that tell the stack, the step, and the run."""
    runs = np.arange(LAYOUTS[stack].runs)
    number = 1000.0 * stack + step + runs / 10
    values = {"loss": number, "accuracy": number / 3, "test_accuracy": number / 7}
    pictures = {
        "weights": (number[:, None] + np.arange(3)).astype(np.float32),
        "grid": np.broadcast_to(number[:, None, None, None], (len(runs), 4, 4, 1)).astype("f4"),
        "confusion": (np.arange(4).reshape(2, 2) + 10 * runs[:, None, None]).astype(np.int32),
        "predicted": (step + np.arange(5) + runs[:, None]).astype(np.uint8),
    }
    return Evaluation(stack, step, values | (pictures if pictured else {}))


@pytest.fixture
def experiment() -> Experiment:
    """Two presets, their runs mixed: 0 and 2 are stack 0, run 1 is stack 1."""
    presets = {name: find(name) for name in ("line-fit", "sales-mse")}
    of = ["line-fit", "sales-mse", "line-fit"]
    optimizer, schedule = presets["line-fit"].optimizer, presets["line-fit"].schedule
    runs = [
        Run(name=str(i), preset=p, optimizer=optimizer, schedule=schedule, seed=i)
        for i, p in enumerate(of)
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
        yield writer


@pytest.fixture
def recording(folder: ExperimentFolder, writer: StoreWriter) -> Iterator[Recording]:
    with contextlib.closing(Recording(folder)) as recording:
        yield recording


def record(writer: StoreWriter, *evaluations: Evaluation) -> None:
    with writer.transaction():
        for each in evaluations:
            writer.evaluation(each)


def test_every_value_comes_back_bit_by_bit(writer: StoreWriter, folder: ExperimentFolder) -> None:
    given = evaluation(7)
    odd = {"loss": np.array([math.nan, -0.0]), "accuracy": np.array([math.inf, 1e-320])}
    record(writer, given, Evaluation(0, 8, odd))
    with contextlib.closing(StoreReader(folder.database)) as reader:
        (_, first), (_, second) = reader.evaluations()
        pictures = {name: reader.picture(0, 7, name) for name in first.pictures}
        assert reader.picture(0, 8, "grid") is None
    assert (first.stack, first.step) == (0, 7)
    back = first.values | pictures
    assert list(back) == list(given.values)
    for name, values in given.values.items():
        found = back[name]
        assert found is not None
        assert (found.dtype, found.shape) == (values.dtype, values.shape), name
        assert found.tobytes() == values.tobytes(), name
    assert {n: v.tobytes() for n, v in second.values.items()} == {
        n: v.tobytes() for n, v in odd.items()
    }
    assert second.pictures == ()


def test_evaluations_find_their_run(recording: Recording, writer: StoreWriter) -> None:
    record(writer, evaluation(0), evaluation(0, stack=1), evaluation(20), evaluation(5, stack=1))
    assert recording.refresh()
    for run, start, steps in ((0, 0.0, [0, 20]), (2, 0.1, [0, 20]), (1, 1000.0, [0, 5])):
        found, values = recording.evaluated(run, "accuracy")
        assert found.tolist() == steps
        np.testing.assert_array_equal(values, (start + np.array(steps)) / 3)
        picture = recording.picture(run, "weights")
        assert picture is not None
        np.testing.assert_array_equal(picture, np.float32(start + steps[-1] + np.arange(3)))
    assert recording.picture(2, "confusion").tolist() == [[10, 11], [12, 13]]  # type: ignore[union-attr]


def test_only_what_is_new_is_read(
    recording: Recording, writer: StoreWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(writer, *(evaluation(step) for step in range(100)))  # beyond one page of the query
    recording.refresh()
    asked: list[int] = []
    original = StoreReader.evaluations

    def noted(reader: StoreReader, after: int = 0) -> object:
        asked.append(after)
        return original(reader, after)

    monkeypatch.setattr(StoreReader, "evaluations", noted)
    assert not recording.refresh()
    record(writer, evaluation(100))
    assert recording.refresh()
    assert asked == [100, 100]
    steps, values = recording.evaluated(2, "loss")
    assert steps.tolist() == [*range(101)]
    np.testing.assert_array_equal(values, np.arange(101) + 0.1)


def test_the_newest_picture_up_to_a_step(recording: Recording, writer: StoreWriter) -> None:
    record(writer, *(evaluation(step, pictured=step % 20 == 0) for step in range(0, 50, 5)))
    recording.refresh()
    assert recording.picture_steps(0) == recording.picture_steps(2, "grid") == [0, 20, 40]
    assert recording.picture_steps(0, "probability") == []

    def shown(step: int | None) -> float | None:
        picture = recording.picture(0, "grid", step)
        return None if picture is None else float(picture[0, 0, 0])

    assert [shown(step) for step in (None, 45, 40, 39, 20, 0)] == [40, 40, 40, 20, 20, 0]
    assert shown(-1) is None
    assert recording.picture(0, "probability") is None


def test_scalars_are_read_without_the_pictures(
    recording: Recording, writer: StoreWriter, folder: ExperimentFolder
) -> None:
    record(writer, evaluation(3))
    with sqlite3.connect(folder.database) as database:
        database.execute("DROP TABLE pictures")
    recording.refresh()
    assert recording.evaluated(0, "loss")[1].tolist() == [3]
    assert recording.picture(0, "grid") is None


def test_a_picture_is_read_once(
    recording: Recording, writer: StoreWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(writer, evaluation(1))
    recording.refresh()
    read: list[tuple[int, int, str]] = []
    original = StoreReader.picture

    def noted(reader: StoreReader, *key: object) -> object:
        read.append(key)  # type: ignore[arg-type]
        return original(reader, *key)  # type: ignore[arg-type]

    monkeypatch.setattr(StoreReader, "picture", noted)
    for run in (0, 2, 0):
        recording.picture(run, "grid")
    assert read == [(0, 1, "grid")]


def test_pictures_that_are_not_looked_at_make_room() -> None:
    cache = PictureCache(limit=100)
    for step in (1, 2):
        cache.put((0, step, "grid"), np.zeros((1, 5)))
    assert cache.get((0, 1, "grid")) is not None  # now 2 is the one not looked at for longest
    cache.put((0, 3, "grid"), np.zeros((1, 5)))
    assert [cache.get((0, step, "grid")) is None for step in (1, 2, 3)] == [False, True, False]
    cache.put((0, 4, "grid"), np.zeros((1, 50)))  # too large alone, and kept alone
    assert [cache.get((0, step, "grid")) is None for step in (1, 3, 4)] == [True, True, False]


@pytest.mark.parametrize("column", ["data", "names", "pictures", "step"])
def test_a_damaged_evaluation_is_left_out(
    recording: Recording, writer: StoreWriter, folder: ExperimentFolder, column: str
) -> None:
    record(writer, *map(evaluation, (10, 20, 30)))
    damage(folder, "evaluations", column, "id = 2")
    recording.refresh()
    assert recording.evaluated(0, "loss")[0].tolist() == [10, 30]
    assert recording.picture_steps(0) == [10, 30]
    assert recording.corrupt == {"evaluation 2": "the checksum is wrong"}


@pytest.mark.parametrize("column", ["data", "dtype", "shape"])
def test_a_damaged_picture_is_left_out(
    recording: Recording, writer: StoreWriter, folder: ExperimentFolder, column: str
) -> None:
    """No earlier one takes its place: whoever shows it shows the step of the damaged one."""
    record(writer, *map(evaluation, (10, 20, 30)))
    damage(folder, "pictures", column, "step = 20 AND name = 'grid'")
    recording.refresh()
    assert recording.evaluated(0, "loss")[0].tolist() == [10, 20, 30]
    assert recording.picture(0, "grid", 20) is None
    assert recording.picture(0, "grid", 29) is None
    shown = [recording.picture(0, "grid", step) for step in (19, None)]
    assert [None if grid is None else grid[0, 0, 0] for grid in shown] == [10, 30]
    weights = recording.picture(0, "weights", 20)
    assert weights is not None
    assert weights[0] == 20
    assert recording.corrupt == {"grid of stack 0 at step 20": "the checksum is wrong"}


def damage(folder: ExperimentFolder, table: str, column: str, where: str) -> None:
    """Flips a bit of the first byte of a column."""
    with sqlite3.connect(folder.database) as database:
        (value,) = database.execute(f"SELECT {column} FROM {table} WHERE {where}").fetchone()
        match value:
            case int():
                value ^= 1
            case str():
                value = chr(ord(value[0]) ^ 1) + value[1:]
            case bytes():
                value = bytes([value[0] ^ 1]) + value[1:]
        database.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (value,))


def test_an_evaluation_is_written_whole_or_not_at_all(
    recording: Recording, writer: StoreWriter
) -> None:
    with contextlib.suppress(KeyError), writer.transaction():
        writer.append(Chunk(0, 1, 1, {"loss": np.ones((2, 3))}))
        writer.evaluation(evaluation(3))
        raise KeyError("in the middle")
    recording.refresh()
    assert recording.evaluated(0, "loss")[0].tolist() == []
    record(writer, evaluation(3))
    recording.refresh()
    assert recording.picture_steps(0) == [3]


def test_a_run_that_diverges_has_nothing_after_that(
    recording: Recording, writer: StoreWriter
) -> None:
    record(writer, *map(evaluation, (0, 10, 20)))
    with writer.transaction():
        run = RunResult(2, "2", "line-fit", "sgd", 0.1, 2, "diverged", 15, diverged_at=15)
        writer.run(run)
        writer.append(Chunk(0, 1, 1, {"loss": np.ones((2, 20))}))
    recording.refresh()
    assert recording.evaluated(0, "accuracy")[0].tolist() == [0, 10, 20]
    steps, values = recording.evaluated(2, "accuracy")
    assert (steps.tolist(), len(values)) == ([0, 10], 2)


@pytest.mark.parametrize("rows", [True, False])
def test_runs_that_go_on_are_judged_by_their_last_evaluation(
    folder: ExperimentFolder, writer: StoreWriter, rows: bool
) -> None:
    record(writer, *map(evaluation, (0, 10)))
    recording = Recording(folder, rows=rows)
    recording.refresh()
    assert recording.results[2].metrics == {"accuracy": 10.1 / 3, "test_accuracy": 10.1 / 7}
    assert recording.results[1].metrics == {}
    with writer.transaction():  # done with its steps, while other presets go on
        writer.run(RunResult(2, "2", "line-fit", "sgd", 0.1, 2, "finished", 20))
    recording.refresh()
    assert recording.results[2].metrics == {"accuracy": 10.1 / 3, "test_accuracy": 10.1 / 7}
    with writer.transaction():
        reached = {"accuracy": 0.5}
        writer.run(RunResult(2, "2", "line-fit", "sgd", 0.1, 2, "finished", 20, metrics=reached))
        writer.event(Event(0.0, 20, None, "finished"))
        writer.status(Status("finished"))
    recording.refresh()
    assert recording.results[2].metrics == reached


def test_pictures_are_there_after_the_recording_was_closed(
    recording: Recording, writer: StoreWriter, folder: ExperimentFolder
) -> None:
    record(writer, evaluation(4))
    recording.refresh()
    recording.close()
    assert recording.picture(0, "weights").tolist() == [4, 5, 6]  # type: ignore[union-attr]
    recording.close()
    folder.database.unlink()
    assert recording.picture(0, "grid") is None
    assert recording.picture(0, "weights") is not None  # it was looked at


def test_before_there_is_anything(recording: Recording, folder: ExperimentFolder) -> None:
    for _ in range(2):
        steps, values = recording.evaluated(0, "loss")
        assert (steps.shape, values.shape) == ((0,), (0,))
        assert recording.picture_steps(0) == []
        assert recording.picture(0, "grid") is None
        recording.refresh()


# Stores of before -------------------------------------------------------------------------------

VERSION_1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, preset TEXT NOT NULL, optimizer TEXT NOT NULL,
    lr REAL NOT NULL, seed INTEGER NOT NULL, status TEXT NOT NULL, steps INTEGER NOT NULL,
    loss REAL, best_loss REAL, final_loss REAL, metrics TEXT NOT NULL,
    diverged_at INTEGER, diverged_in TEXT
);
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY, stack INTEGER NOT NULL, first INTEGER NOT NULL,
    stride INTEGER NOT NULL, rows INTEGER NOT NULL, crc INTEGER NOT NULL,
    summary_crc INTEGER NOT NULL, summary BLOB NOT NULL, data BLOB NOT NULL
);
CREATE TABLE events (
    id INTEGER PRIMARY KEY, time REAL NOT NULL, step INTEGER NOT NULL, run INTEGER,
    kind TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE TABLE status (id INTEGER PRIMARY KEY CHECK (id = 1), document TEXT NOT NULL);
CREATE TABLE weights (
    stack INTEGER NOT NULL, step INTEGER NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL,
    dtype TEXT NOT NULL, shape TEXT NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (stack, step, position)
);
PRAGMA application_id = 1953851758;
PRAGMA user_version = 1;
"""


@pytest.fixture
def old(tmp_path: Path, experiment: Experiment) -> ExperimentFolder:
    """An experiment that was recorded before there were evaluations."""
    folder = ExperimentFolder.create(tmp_path / "runs", experiment)
    chunk = Chunk(0, 1, 1, {"loss": np.array([[3.0, 2.0], [30.0, 20.0]])})
    extent, summary, data = chunks.extent(chunk), chunks.summarise(chunk), chunks.encode(chunk)
    row = 0, 1, 1, 2, extent.checksum(summary, data), extent.checksum(summary), summary, data
    with contextlib.closing(sqlite3.connect(folder.database)) as database, database:
        database.executescript(VERSION_1)
        layouts = chunks.layouts_to_json(LAYOUTS)
        database.execute("INSERT INTO meta VALUES ('layouts', ?)", (layouts,))
        database.execute("INSERT INTO chunks VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        database.execute('INSERT INTO status VALUES (1, \'{"state": "finished"}\')')
    return folder


def test_a_store_of_version_1_has_no_evaluations(old: ExperimentFolder) -> None:
    with contextlib.closing(Recording(old)) as recording:
        recording.refresh()
        assert (recording.status.state, recording.status.error) == ("finished", "")
        assert recording.series(2, "loss").values.tolist() == [30, 20]
        assert recording.evaluated(0, "accuracy")[0].tolist() == []
        assert recording.picture(0, "grid") is None


def test_a_store_of_version_1_can_be_written_on(old: ExperimentFolder) -> None:
    with contextlib.closing(StoreWriter(old.database)) as writer:
        record(writer, evaluation(2))
    with contextlib.closing(Recording(old)) as recording:
        recording.refresh()
        assert recording.series(0, "loss").values.tolist() == [3, 2]
        assert recording.evaluated(0, "loss")[0].tolist() == [2]
    with contextlib.closing(sqlite3.connect(old.database)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (VERSION,)
