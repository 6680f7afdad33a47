from __future__ import annotations

import contextlib
import math
import resource
import sqlite3
import stat
import subprocess
import sys
import threading
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from tests.record.conftest import LAYOUT, chunk
from tuitrain.record.reader import StoreReader, StoreReadError
from tuitrain.record.status import Event, RunResult, Status
from tuitrain.record.store import StoreWriteError, StoreWriter
from tuitrain.spec.evaluation import PAGE
from tuitrain.spec.recording import Evaluation

RUN = RunResult(0, "a", "line-fit", "adam", 0.1, 7)


def test_everything_comes_back(writer: StoreWriter, reader: StoreReader) -> None:
    status = Status("running", 4, 9, 0.5, 8.0, "cuda:0", "a GPU", "GPU-1", 1, stack_steps=[4])
    diverged = RunResult(
        1,
        "b",
        "p",
        "sgd",
        1e-3,
        0,
        "diverged",
        4,
        math.inf,
        0.1 + 0.2,
        math.nan,
        {"a": 1.0},
        4,
        "w",
    )
    event = Event(12.5, 4, 1, "diverged", {"tensor": "w"})
    weights = {"w": np.array([[1.5], [np.nan]], np.float32), "b": np.array([1e-300, -0.0])}
    with writer.transaction():
        writer.append(chunk(1))
        writer.event(event)
        writer.status(status)
        writer.run(RUN)
        writer.run(diverged)
        writer.snapshot(0, 0, weights)
        writer.snapshot(0, 4, {"w": weights["w"] * 2})
    assert reader.layouts() == [LAYOUT]
    assert reader.status() == status
    assert reader.events() == [(1, event)]
    assert repr(reader.runs()) == repr([RUN, diverged])  # NaN included
    ((key, back),) = reader.chunks()
    assert key == 1
    assert back.first == 1
    np.testing.assert_array_equal(back.series["loss"], chunk(1).series["loss"])
    first = reader.weights(0, "first")
    assert {n: w.tobytes() for n, w in first.items()} == {
        n: w.tobytes() for n, w in weights.items()
    }
    assert first["w"].dtype == np.float32
    np.testing.assert_array_equal(reader.weights(0, "last")["w"], weights["w"] * 2)
    assert reader.weights(1, "first") == {}


def test_reading_goes_on_after_what_was_read(writer: StoreWriter, reader: StoreReader) -> None:
    for first in range(1, 801, 4):
        with writer.transaction():
            writer.append(chunk(first))
            writer.event(Event(0.0, first, None, "paused"))
    read = list(reader.chunks(after=150))
    assert [key for key, _ in read] == list(range(151, 201))  # beyond one page of the query
    assert [c.first for _, c in read] == list(range(601, 801, 4))
    assert [key for key, _ in reader.events(after=198)] == [199, 200]
    assert [key for key, _ in reader.summaries(after=199)] == [200]


def test_what_is_written_once_more_is_read_once(writer: StoreWriter, reader: StoreReader) -> None:
    """As after a commit that had only seemed to fail."""
    values = {"loss": np.zeros(2), "weights": np.ones((2, 3))}
    for _ in range(2):
        with writer.transaction():
            writer.append(chunk(1))
            writer.append(chunk(5))
            writer.evaluation(Evaluation(0, 4, values))
    assert [rows.first for _, rows in reader.chunks()] == [1, 5]
    assert [judged.step for _, judged in reader.evaluations()] == [4]
    assert reader.picture(0, 4, "weights") is not None


def test_summaries_tell_what_the_chunks_hold(writer: StoreWriter, reader: StoreReader) -> None:
    broken = chunk(5)
    broken.series["loss"][1, 2] = np.nan
    with writer.transaction():
        writer.append(broken)
    ((_, short),) = reader.summaries()
    assert (short.extent.first, short.extent.rows) == (5, 4)
    np.testing.assert_array_equal(short.bad, [[0, 1], [0, 0]])
    np.testing.assert_array_equal(short.high[0], np.float32([1 / 5, 2 / 5]))


def test_a_transaction_is_all_or_nothing(writer: StoreWriter, reader: StoreReader) -> None:
    with contextlib.suppress(KeyError), writer.transaction():
        writer.append(chunk(1))
        writer.status(Status("running"))
        raise KeyError("in the middle")
    assert list(reader.chunks()) == []
    assert reader.status() == Status("starting")
    with writer.transaction():
        writer.append(chunk(1))
    assert len(list(reader.chunks())) == 1


def test_a_reader_sees_whole_transactions_while_they_are_written(
    writer: StoreWriter, path: Path
) -> None:
    """Each transaction adds one chunk, one event and the count of them as the status."""
    seen, problems, done = [], [], threading.Event()

    def watch() -> None:
        with contextlib.closing(StoreReader(path)) as reader:
            while not done.is_set():
                with reader.snapshot():
                    chunks = len(list(reader.chunks()))
                    events, status = len(reader.events()), reader.status().step
                if not chunks == events == status:
                    problems.append((chunks, events, status))
                seen.append(chunks)

    thread = threading.Thread(target=watch)
    thread.start()
    for i in count(1):
        with writer.transaction():
            writer.append(chunk(4 * i))
            writer.event(Event(0.0, i, None, "paused"))
            writer.status(Status("running", i))
        if i >= 300 and len(set(seen)) > 3:  # it did look on meanwhile
            break
    done.set()
    thread.join(20)
    assert not problems
    assert seen == sorted(seen)


def test_the_log_is_written_back_when_it_holds_16_mib(writer: StoreWriter, path: Path) -> None:
    (pages,) = writer._database.execute("PRAGMA wal_autocheckpoint").fetchone()
    (size,) = writer._database.execute("PRAGMA page_size").fetchone()
    assert (size, pages * size) == (PAGE, 16 << 20)


def test_viewers_cannot_write(writer: StoreWriter, reader: StoreReader) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._database.execute("DELETE FROM meta")


def test_what_is_committed_is_synced_and_private(writer: StoreWriter, path: Path) -> None:
    database = writer._database
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_before_the_tables_are_there_everything_is_empty(path: Path) -> None:
    path.touch()
    with contextlib.closing(StoreReader(path)) as reader:
        assert reader.status() == Status("starting")
        assert (reader.layouts(), reader.runs(), reader.events()) == ([], [], [])
        assert list(reader.chunks()) == []


def test_what_is_no_store_is_said_in_one_line(path: Path) -> None:
    with pytest.raises(StoreReadError, match="unable to open"):
        StoreReader(path)
    path.write_text("no database at all" * 100)
    with pytest.raises(StoreReadError, match="not a database"):
        StoreReader(path)


def test_a_newer_format_is_refused(writer: StoreWriter, path: Path) -> None:
    writer._database.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreReadError, match="newer tuitrain"):
        StoreReader(path)
    with pytest.raises(StoreWriteError, match="newer tuitrain"):
        StoreWriter(path)
    assert writer._database.execute("PRAGMA user_version").fetchone() == (99,)


def test_a_full_disk_loses_nothing_that_was_recorded(writer: StoreWriter, path: Path) -> None:
    """SQLite's own SQLITE_FULL, by a limit on the pages of the file."""
    with writer.transaction():
        writer.append(chunk(1))
    (pages,) = writer._database.execute("PRAGMA page_count").fetchone()
    writer._database.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StoreWriteError) as error, writer.transaction():
        writer.append(chunk(5, rows=10_000))
    assert str(error.value).endswith("free some space")
    assert "\n" not in str(error.value)
    assert writer.reserve.exists()
    writer.reopen()
    assert not writer.reserve.exists()
    with writer.transaction():
        writer.status(Status("failed", error="full"))
    with contextlib.closing(StoreReader(path)) as reader:
        assert [key for key, _ in reader.chunks()] == [1]
        assert reader.status().error == "full"


def test_a_failed_write_leaves_a_readable_store(tmp_path: Path) -> None:
    """The kernel refuses to let any file grow beyond 2 MiB, in a process of its own."""
    program = (
        "import sys, numpy as np\n"
        "from pathlib import Path\n"
        "from tuitrain.record.status import Status\n"
        "from tuitrain.record.store import *\n"
        "from tuitrain.spec.recording import Chunk, Layout\n"
        "writer = StoreWriter(Path(sys.argv[1]), [Layout(1, {'loss': 'float64'})])\n"
        "written = 0\n"
        "try:\n"
        "    while True:\n"
        "        with writer.transaction():\n"
        "            values = np.full((1, 10_000), float(written))\n"
        "            writer.append(Chunk(0, 1 + 10_000 * written, 1, {'loss': values}))\n"
        "        written += 1\n"
        "except StoreWriteError as error:\n"
        "    writer.reopen()\n"
        "    with writer.transaction():\n"
        "        writer.status(Status('failed', error=str(error)))\n"
        "writer.close()\n"
        "print(written)\n"
    )
    limit = 2 << 20
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "run.db")],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    with contextlib.closing(StoreReader(tmp_path / "run.db")) as reader:
        values = [c.series["loss"][0, 0] for _, c in reader.chunks()]
        assert values == list(range(int(done.stdout)))
        assert len(values) > 10
        assert reader.corrupt == {}
        assert reader.status().state == "failed"
        assert "could not be written" in reader.status().error


def test_a_deleted_store_is_not_written_on(writer: StoreWriter, path: Path) -> None:
    path.unlink()
    with pytest.raises(StoreWriteError), writer.transaction():
        writer.append(chunk(1))
