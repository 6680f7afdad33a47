"""The store: what a worker records, in one SQLite file that it alone writes; `reader` reads it.

Write-ahead logging with `synchronous=FULL`: what a transaction has committed outlives a crash
and a power cut, and readers are never locked out.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from tuitrain.record import chunks, evaluations
from tuitrain.record.arrays import checksum, pack
from tuitrain.record.landscape import Landscape, encode
from tuitrain.record.status import Event, RunResult, Status
from tuitrain.spec.evaluation import PAGE
from tuitrain.spec.recording import Chunk, Evaluation, Layout

VERSION = 3
"""Of the format: 2 has evaluations; in 3, checksums cover the names and shapes of weights too."""
APPLICATION = 0x74756974  # "tuit"
RESERVE = 1 << 20
"""Bytes kept free for the last words of a worker whose disk has become full."""

LOG = 16 << 20
"""Bytes that the write-ahead log may hold before it is written back into the file."""

# Blobs stand last in their row: SQLite does not read what lies behind the columns asked for.
TABLES = """
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
"""

# What stores of before lack.
ADDED = """
CREATE TABLE IF NOT EXISTS probes (
    id INTEGER PRIMARY KEY, stack INTEGER NOT NULL, document TEXT NOT NULL,
    crc INTEGER NOT NULL, data BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS evaluations (
    id INTEGER PRIMARY KEY, stack INTEGER NOT NULL, step INTEGER NOT NULL, names TEXT NOT NULL,
    pictures TEXT NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS evaluated ON evaluations (stack, step);
CREATE TABLE IF NOT EXISTS pictures (
    stack INTEGER NOT NULL, step INTEGER NOT NULL, name TEXT NOT NULL, dtype TEXT NOT NULL,
    shape TEXT NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (stack, step, name)
);
"""
KEPT = 8
"""Landscapes of a stack that are kept: the last ones that were asked for."""

RESULT = tuple(field.name for field in dataclasses.fields(RunResult))
"""The columns of the table `runs`, in order."""


class StoreWriteError(Exception):
    """What was to be recorded is not on disk; one line says why."""


class StoreWriter:
    """Records one experiment; only its worker may have one.

    Everything is written inside `with writer.transaction():` and is there after it, or not at
    all.

    Args:
        path: of the file.
        layouts: the series of each stack; None goes on with what was recorded before.

    Raises:
        StoreWriteError: by the constructor and by `transaction`, and the training must end then.
    """

    def __init__(self, path: Path, layouts: Sequence[Layout] | None = None) -> None:
        self.path = path
        self.reserve = path.with_name("reserve")
        with _writing(path):
            path.touch(mode=0o600)  # SQLite gives its -wal and -shm the same permissions
            self._database = self._connect()
            try:
                self._begin(layouts)
            except BaseException:
                self._database.close()
                self.reserve.unlink(missing_ok=True)
                raise

    def _begin(self, layouts: Sequence[Layout] | None) -> None:
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise StoreWriteError(
                f"{self.path.name}: recorded by a newer tuitrain (format {version})"
            )
        self._keep_room(needed=bool(layouts))
        self._configure()
        with self.transaction():
            if layouts is not None:
                self._create(layouts)
            self._execute(ADDED)
            self._database.execute(f"PRAGMA user_version = {VERSION}")

    def _keep_room(self, needed: bool) -> None:
        """Takes up the reserve; OSError if there is no room for it where it is needed."""
        try:
            self.reserve.touch(mode=0o600)
            self.reserve.write_bytes(os.urandom(RESERVE))  # zeros may be compressed to nothing
        except OSError:
            self.reserve.unlink(missing_ok=True)
            if needed:
                raise

    def _create(self, layouts: Sequence[Layout]) -> None:
        self._execute(TABLES)
        self._database.execute(f"PRAGMA application_id = {APPLICATION}")
        text = chunks.layouts_to_json(layouts)
        rows = {"layouts": text, "checksum": str(checksum((), text.encode()))}
        self._database.executemany("INSERT INTO meta VALUES (?, ?)", rows.items())

    def _execute(self, statements: str) -> None:
        for statement in statements.split(";"):
            self._database.execute(statement)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing of what is recorded inside."""
        with _writing(self.path):
            self.path.stat()  # SQLite would go on writing into a deleted file
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._database.execute("ROLLBACK")
                raise

    def append(self, chunk: Chunk) -> None:
        """Records a block of rows."""
        extent = chunks.extent(chunk)
        summary, data = chunks.summarise(chunk), chunks.encode(chunk)
        crc, summary_crc = extent.checksum(summary, data), extent.checksum(summary)
        self._database.execute(
            "INSERT INTO chunks VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)",
            (chunk.stack, chunk.first, chunk.stride, chunk.rows, crc, summary_crc, summary, data),
        )

    def event(self, event: Event) -> None:
        """Records that something happened."""
        self._database.execute(
            "INSERT INTO events VALUES (NULL, ?, ?, ?, ?, ?)",
            (event.time, event.step, event.run, event.kind, json.dumps(event.detail)),
        )

    def status(self, status: Status) -> None:
        """Records where the experiment stands, in place of what was recorded before."""
        document = msgspec.json.encode(status).decode()
        self._database.execute("INSERT OR REPLACE INTO status VALUES (1, ?)", (document,))

    def run(self, result: RunResult) -> None:
        """Records what a run has reached, in place of what was recorded before."""
        values = (getattr(result, name) for name in RESULT)  # astuple copies deeply, and slowly
        row = [json.dumps(value) if isinstance(value, dict) else value for value in values]
        marks = ", ".join("?" * len(row))
        self._database.execute(f"INSERT OR REPLACE INTO runs VALUES ({marks})", row)

    def snapshot(self, stack: int, step: int, weights: Mapping[str, NDArray[np.floating]]) -> None:
        """Records all parameters of a stack, each `[R, *shape]`, as they are after `step`."""
        for position, (name, values) in enumerate(weights.items()):
            kind, shape, data = pack(values)
            head = stack, step, position, name, kind, shape
            crc = checksum((*head, len(weights)), data)  # one that is missing is found, too
            self._database.execute(
                "INSERT OR REPLACE INTO weights VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*head, crc, data),
            )

    def evaluation(self, evaluation: Evaluation) -> None:
        """Records the evaluation of the weights after a step, and its plots separately.

        It takes the place of one of the same step: of one without pictures, say.
        """
        row = self._database.execute(
            "INSERT INTO evaluations VALUES (NULL, ?, ?, ?, ?, ?, ?)",
            evaluations.encode(evaluation),
        )
        # After the insertion, so that its id is new to those who have read the other one.
        self._database.execute(
            "DELETE FROM evaluations WHERE stack = ? AND step = ? AND id < ?",
            (evaluation.stack, evaluation.step, row.lastrowid),
        )
        self._database.executemany(
            "INSERT OR REPLACE INTO pictures VALUES (?, ?, ?, ?, ?, ?, ?)",
            evaluations.encode_pictures(evaluation),
        )

    def landscape(self, landscape: Landscape) -> None:
        """Records the loss over a plane, and lets the oldest of its stack go."""
        document, data, crc = encode(landscape)
        self._database.execute(
            "INSERT INTO probes VALUES (NULL, ?, ?, ?, ?)", (landscape.stack, document, crc, data)
        )
        self._database.execute(
            "DELETE FROM probes WHERE stack = :stack AND id NOT IN "
            "(SELECT id FROM probes WHERE stack = :stack ORDER BY id DESC LIMIT :kept)",
            {"stack": landscape.stack, "kept": KEPT},
        )

    def reopen(self) -> None:
        """After a failed write: frees the reserve, and opens the file anew to verify it.

        A failed fsync must not be repeated: what the system then holds in memory is not what is
        on disk.
        """
        with contextlib.suppress(sqlite3.Error):
            self._database.close()
        self.reserve.unlink(missing_ok=True)
        with _writing(self.path):
            self._database = self._connect()
            self._configure()
            (verdict,) = self._database.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise sqlite3.DatabaseError(verdict)

    def close(self) -> None:
        """Ends the recording; everything lies in the one file then."""
        with contextlib.suppress(sqlite3.Error):
            # closing does this too, but not while a viewer has the file open
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            # so that it can be read in a directory that cannot be written; a viewer prevents it
            self._database.execute("PRAGMA journal_mode = DELETE")
        with contextlib.suppress(sqlite3.Error):
            self._database.close()
        self.reserve.unlink(missing_ok=True)

    def _connect(self) -> sqlite3.Connection:
        # made in one thread and used in another, never in two at a time
        return sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)

    def _configure(self) -> None:
        database = self._database
        database.execute(f"PRAGMA page_size = {PAGE}")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        # fewer checkpoints than SQLite's own 4 MB makes: chunks of many runs come in megabytes
        database.execute(f"PRAGMA wal_autocheckpoint = {LOG // PAGE}")
        # a reader that stood still lets the log grow: give the room back after it has moved on
        database.execute(f"PRAGMA journal_size_limit = {LOG}")


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        full = "SQLITE_FULL" in getattr(error, "sqlite_errorname", "")
        hint = "; free some space" if full else ""
        raise StoreWriteError(f"{path.name} could not be written: {error}{hint}") from error
