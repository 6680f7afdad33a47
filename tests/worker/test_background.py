"""Recording beside the training: in order, on disk when waited for, loud when it fails."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.live import Recording
from tuitrain.record.reader import StoreReader
from tuitrain.record.status import Event, Status
from tuitrain.record.store import StoreWriteError, StoreWriter
from tuitrain.spec.catalogue import find
from tuitrain.spec.experiment import single
from tuitrain.spec.recording import Chunk, Layout
from tuitrain.worker.background import BackgroundWriter, Transaction, patience


def transaction(step: int) -> Transaction:
    loss = np.full((300, 50), 1 / step, np.float32)
    news = [Chunk(0, step, 1, {"loss": loss}), Event(0.0, step, None, "paused", {})]
    weights = {"w": np.full((300, 2), float(step))}
    return Transaction(Status("running", step=step), news, snapshots=[(0, step, weights)])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.db"


@pytest.fixture
def writer(path: Path) -> Iterator[BackgroundWriter]:
    with contextlib.closing(
        BackgroundWriter(StoreWriter(path, [Layout(300, {"loss": "float32"})]))
    ) as w:
        yield w


def test_entries_are_recorded_in_order_and_whole(writer: BackgroundWriter, path: Path) -> None:
    for step in range(1, 1001, 50):
        writer.record(transaction(step))
    writer.wait()
    with contextlib.closing(StoreReader(path)) as reader, reader.snapshot():
        assert [chunk.first for _, chunk in reader.chunks()] == list(range(1, 1001, 50))
        assert [event.step for _, event in reader.events()] == list(range(1, 1001, 50))
        assert reader.status().step == 951
        assert reader.weights(0, "last")["w"][299].tolist() == [951.0, 951.0]


def test_rows_of_one_transaction_are_one_chunk(writer: BackgroundWriter, path: Path) -> None:
    first, second, after_a_gap = (transaction(step).news[0] for step in (1, 51, 201))
    writer.record(Transaction(Status("running"), [first, second, after_a_gap]))
    writer.wait()
    with contextlib.closing(StoreReader(path)) as reader:
        found = [chunk for _, chunk in reader.chunks()]
    assert [(chunk.first, chunk.rows) for chunk in found] == [(1, 100), (201, 50)]
    assert found[0].series["loss"][0, [49, 50]].tolist() == [1.0, np.float32(1 / 51)]


def test_what_may_be_written_twice_hides_nothing_that_follows(tmp_path: Path) -> None:
    folder = ExperimentFolder.create(tmp_path, single(find("line-fit"), device="cpu"))
    rows = [Chunk(0, first, 1, {"loss": np.ones((1, 5))}) for first in (1, 6)]
    store = StoreWriter(folder.database, [Layout(1, {"loss": "float64"})])
    with contextlib.closing(BackgroundWriter(store)) as writer:
        writer.record(Transaction(Status("running"), [rows[0]]))
        writer.wait()
        writer.unwritten = [rows[0]]  # as after a commit that only seemed to fail
        writer.rescue(Transaction(Status("running"), [rows[1]]), broken=False)
    recording = Recording(folder)
    recording.refresh()
    assert recording.series(0, "loss").steps.tolist() == list(range(1, 11))


def test_rows_wait_the_longer_the_training_has_lasted() -> None:
    few, many = transaction(1).news, [Chunk(0, 1, 1, {"loss": np.zeros((300, 2000), np.float32)})]
    waits = [patience(trained, few) for trained in (0.0, 10.0, 100.0, 1e5)]
    assert waits == [0.0, 0.01, 0.1, 1.0]
    assert patience(1e5, many) == 0.0


def test_what_was_waited_for_is_there_for_a_reader(writer: BackgroundWriter, path: Path) -> None:
    with contextlib.closing(StoreReader(path)) as reader:
        for step in range(1, 400, 50):
            writer.record(transaction(step))
            writer.wait()
            with reader.snapshot():
                assert reader.status().step == step


def test_a_failed_write_is_told_once_and_what_was_there_stays(
    writer: BackgroundWriter, path: Path
) -> None:
    writer.record(transaction(1))
    writer.wait()
    away = path.rename(path.with_name("away.db"))
    writer.record(transaction(51))
    with pytest.raises(StoreWriteError, match=r"^run\.db could not be written"):
        writer.record(transaction(101))
    assert [item.first for item in writer.unwritten if isinstance(item, Chunk)] == [51]
    away.rename(path)
    writer.wait()
    writer.reopen()
    writer.record(transaction(151))
    writer.wait()
    assert not writer.unwritten
    with contextlib.closing(StoreReader(path)) as reader, reader.snapshot():
        assert [chunk.first for _, chunk in reader.chunks()] == [1, 151]
