"""What a store leaves behind when it is closed, and who can read that."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
import pytest

from tests.record.conftest import LAYOUT, chunk
from tuitrain.record.reader import StoreReader, StoreReadError
from tuitrain.record.status import Event, Status
from tuitrain.record.store import RESERVE, StoreWriteError, StoreWriter


def test_closing_leaves_one_file(writer: StoreWriter, path: Path) -> None:
    with writer.transaction():
        writer.append(chunk(1))
    writer.close()
    assert [file.name for file in path.parent.iterdir()] == ["run.db"]


def test_a_closed_store_can_be_written_on(writer: StoreWriter, path: Path) -> None:
    writer.close()
    for _ in range(2):
        with contextlib.closing(StoreWriter(path)) as later:
            assert later._database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            with contextlib.closing(StoreReader(path)) as reader, later.transaction():
                before = len(reader.events())
                later.event(Event(0.0, 1, None, "paused"))
                assert len(reader.events()) == before  # a viewer is never locked out
    with contextlib.closing(StoreReader(path)) as reader:
        assert len(reader.events()) == 2


def as_stranger(path: Path) -> str:
    """What a process that may not write where the store is reads of it."""

    def look(answer: Connection) -> None:
        if os.geteuid() == 0:
            os.setuid(65534)
        try:
            with contextlib.closing(StoreReader(path)) as reader:
                answer.send(reader.status().state)
        except StoreReadError as error:
            answer.send(str(error))

    forks = multiprocessing.get_context("fork")
    mine, theirs = forks.Pipe(duplex=False)
    process = forks.Process(target=look, args=(theirs,))
    process.start()
    process.join()
    answer: str = mine.recv()
    return answer


@pytest.fixture
def unwritable(path: Path) -> Iterator[Callable[[], None]]:
    """Lets everyone read the store's directory and nobody write it."""
    mode = path.parent.stat().st_mode

    def lock() -> None:
        for directory in path.parents[1:]:
            if directory.stat().st_uid == os.geteuid() and directory != Path("/"):
                directory.chmod(directory.stat().st_mode | 0o111)
        for file in path.parent.iterdir():
            file.chmod(0o444)
        path.parent.chmod(0o555)

    yield lock
    path.parent.chmod(mode)


@pytest.mark.parametrize("log", ["none", "written back", "not written back"])
def test_a_store_is_read_where_nothing_can_be_written(
    writer: StoreWriter, path: Path, unwritable: Callable[[], None], tmp_path: Path, log: str
) -> None:
    with writer.transaction():
        writer.status(Status("finished"))
    if log != "none":  # as before stores were closed without one, or after a power cut
        if log == "written back":
            writer._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        copies = {name: path.with_name(name).read_bytes() for name in ("run.db", "run.db-wal")}
    writer.close()
    if log != "none":
        for name, content in copies.items():
            path.with_name(name).write_bytes(content)
    unwritable()
    seen = as_stranger(path)
    if log != "none":  # another user's worker might still be writing it
        assert "copy its directory to where you may write" in seen
        assert "\n" not in seen
    else:
        assert seen == "finished"


def test_closing_beside_a_viewer_leaves_everything_in_one_file(
    writer: StoreWriter, reader: StoreReader, path: Path, tmp_path: Path
) -> None:
    with writer.transaction():
        writer.append(chunk(1))
    assert len(list(reader.chunks())) == 1
    writer.close()
    copy = tmp_path / "copy.db"
    copy.write_bytes(path.read_bytes())
    with contextlib.closing(StoreReader(copy)) as other:
        assert len(list(other.chunks())) == 1


def held(path: Path) -> list[str]:
    """The files of a directory that this process has open."""
    files = [Path(file.path) for file in psutil.Process().open_files()]
    return [file.name for file in files if file.parent == path.parent]


def test_a_store_that_cannot_be_begun_leaves_nothing_open(path: Path) -> None:
    StoreWriter(path, [LAYOUT]).close()
    with pytest.raises(StoreWriteError, match="already exists"):
        StoreWriter(path, [LAYOUT])
    assert held(path) == []
    assert [file.name for file in path.parent.iterdir()] == ["run.db"]


@pytest.mark.parametrize("problem", ["not a database", "newer tuitrain"])
def test_a_file_that_cannot_be_read_is_not_left_open(path: Path, problem: str) -> None:
    if problem == "newer tuitrain":
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA user_version = 999")
    else:
        path.write_text("no database" * 100)
    with pytest.raises(StoreReadError, match=problem):
        StoreReader(path)
    assert held(path) == []


def test_a_store_is_closed_even_if_its_log_cannot_be_written_back(path: Path) -> None:
    writer = StoreWriter(path, [LAYOUT])
    writer._database.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        writer._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    writer.close()
    assert held(path) == []


def test_the_reserve_takes_up_as_much_on_a_disk_that_compresses(writer: StoreWriter) -> None:
    assert len(zlib.compress(writer.reserve.read_bytes())) >= RESERVE
