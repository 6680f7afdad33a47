"""Reading a store, while its worker writes it or later."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import math
import os
import sqlite3
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

import msgspec
import numpy as np
from numpy.typing import NDArray

from tuitrain.record import chunks, evaluations
from tuitrain.record.arrays import checksum, unpack
from tuitrain.record.chunks import ChunkError, Extent, Summary
from tuitrain.record.evaluations import Picture, Scalars
from tuitrain.record.landscape import Landscape, decode
from tuitrain.record.status import Event, RunResult, Status
from tuitrain.record.store import RESULT, VERSION
from tuitrain.spec.recording import Chunk, Layout

if TYPE_CHECKING:
    from tuitrain.spec.experiment import Experiment

log = logging.getLogger(__name__)

UNWRITABLE = ("SQLITE_READONLY_DIRECTORY", "SQLITE_READONLY_CANTINIT", "SQLITE_CANTOPEN")
"""What SQLite says where it cannot make the files that a write-ahead log needs."""

SUMMARY = "stack, first, stride, rows, summary_crc, summary"
"""The columns of a chunk in short."""


class StoreReadError(Exception):
    """The store is missing, damaged, or not ours; one line says which."""


class StoreReader:
    """Reads a store while it is written, with short queries that hold nobody up.

    Before the worker has begun to record, everything is empty.

    Raises:
        StoreReadError: by every method, when the file is missing, damaged, or not ours.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.corrupt: dict[str, str] = {}
        """What is wrong with all that was left out, such as `chunk 2`."""
        with _reading(path):
            self._database, version = self._connect()
        if version > VERSION:
            self.close()
            raise StoreReadError(f"{path}: recorded by a newer tuitrain (format {version})")
        self._layouts: list[Layout] = []

    def _connect(self) -> tuple[sqlite3.Connection, int]:
        """Opens the file, and reads the version of its format.

        One that was not closed needs room for its log's index beside it.
        """
        uri = f"file:{quote(os.fsencode(self.path))}?mode=ro"
        database = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=1.0)
        try:
            [version] = database.execute("PRAGMA user_version").fetchone()
        except sqlite3.Error as error:
            database.close()
            if error.sqlite_errorname not in UNWRITABLE or os.access(self.path.parent, os.W_OK):
                raise
            problem = "it was not closed; copy its directory to where you may write"
            raise sqlite3.OperationalError(f"{error}: {problem}") from error
        return database, version

    def close(self) -> None:
        """Closes the file."""
        with contextlib.suppress(sqlite3.Error):
            self._database.close()

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """What is read inside belongs together: nothing that is written meanwhile is seen."""
        with _reading(self.path):
            self._database.execute("BEGIN")
        try:
            yield
        finally:
            with contextlib.suppress(sqlite3.Error):
                self._database.execute("COMMIT")

    def version(self) -> int:
        """Another number after every transaction; comparable within one reader."""
        version: int = self._rows("PRAGMA data_version")[0][0]
        return version

    def layouts(self) -> list[Layout]:
        """The series of each stack; empty until the worker has begun to record."""
        if not self._layouts and (meta := dict(self._rows("SELECT key, value FROM meta"))):
            with _reading(self.path):
                text = str(meta.get("layouts"))
                crc = checksum((), text.encode())
                if int(meta.get("checksum", crc)) != crc:  # stores of before have none
                    raise ValueError("the checksum of the layouts is wrong")
                self._layouts = chunks.layouts_from_json(text)
        return self._layouts

    def layouts_of(self, experiment: Experiment) -> list[Layout]:
        """As `layouts`; StoreReadError where they are not those of the experiment's runs."""
        layouts = self.layouts()
        runs = [len(indices) for indices in experiment.stacks()]
        if layouts and [layout.runs for layout in layouts] != runs:
            raise StoreReadError(f"{self.path} does not belong to its experiment.toml")
        return layouts

    def status(self) -> Status:
        """Where the experiment stands, as the worker wrote it."""
        rows = self._rows("SELECT document FROM status")
        if not rows:
            return Status("starting")
        with _reading(self.path):
            return msgspec.json.decode(rows[0][0], type=Status)

    def runs(self) -> list[RunResult]:
        """What every run has reached, in the order of the experiment."""
        rows = self._rows("SELECT * FROM runs ORDER BY id")
        with _reading(self.path):
            return [_result(row) for row in rows]

    def brought_up_to_date(
        self, runs: Sequence[RunResult], presets: Iterable[str], *, best: bool = True
    ) -> list[RunResult]:
        """The results `runs`, as the newest rows have them where a run has not ended.

        The worker writes the results of such runs only when they end, but every row at once.

        Args:
            runs: the results of all runs.
            presets: the preset of each stack, in order.
            best: whether `best_loss` is wanted, for which every chunk is read; NaN otherwise.
        """
        results = {run.index: run for run in runs}
        stacks: dict[str, list[RunResult]] = {preset: [] for preset in presets}
        for run in runs:
            stacks.setdefault(run.preset, []).append(run)
        known = [
            min((run.steps for run in mine if run.alive), default=math.inf)
            for mine in stacks.values()
        ]
        newest: dict[int, Summary] = {}
        least: dict[int, NDArray[np.float64]] = {}
        for _, summary in self.summaries() if best else self._newest(len(known)):
            stack = summary.extent.stack
            if stack < len(known) and summary.extent.first > known[stack]:
                newest[stack] = summary
                losses = self.best_losses(summary)
                least[stack] = np.fmin(least.get(stack, losses), losses)
        for stack, mine in enumerate(stacks.values()):
            for place, run in enumerate(mine):
                if run.alive and stack in newest:
                    results[run.index] = dataclasses.replace(
                        run,
                        steps=newest[stack].extent.last,
                        loss=float(newest[stack].last[0, place]),
                        best_loss=float(np.fmin(run.best_loss, least[stack][place]))
                        if best
                        else math.nan,
                    )
        return list(results.values())

    def best_losses(self, summary: Summary) -> NDArray[np.float64]:
        """The least finite loss of each run in a chunk, [R]; NaN where there is none."""
        names = self.layouts()[summary.extent.stack].series
        least = names.index("loss_min" if "loss_min" in names else "loss")
        losses: NDArray[np.float64] = summary.low[least]
        return losses

    def chunks(self, after: int = 0) -> Iterator[tuple[int, Chunk]]:
        """The recorded rows in the order of writing, with the id to go on after.

        A chunk that is damaged is left out, logged, and noted in `corrupt`. One that was written
        once more, after a write that had only seemed to fail, is left out too.
        """
        columns = "stack, first, stride, rows, crc, summary, data"
        last: dict[int, int] = {}
        for key, *numbers, crc, summary, data in self._pages("chunks", columns, after):
            try:
                extent, layout = self._checked(numbers, crc, summary, data)
                chunk = chunks.decode(extent, data, layout)
            except ChunkError as error:
                self._skip(f"chunk {key}", error)
            else:
                if chunk.first > last.get(chunk.stack, 0):
                    last[chunk.stack] = chunk.last
                    yield key, chunk

    def summaries(self, after: int = 0) -> Iterator[tuple[int, Summary]]:
        """As `chunks`, in short and without reading the rows."""
        return self._summaries(self._pages("chunks", SUMMARY, after))

    def _newest(self, stacks: int) -> Iterator[tuple[int, Summary]]:
        """The last chunk of each stack that is not damaged, in short."""
        for stack in range(stacks):
            yield from islice(self._summaries(self._backwards(stack)), 1)

    def _backwards(self, stack: int) -> Iterator[tuple[Any, ...]]:
        query = f"SELECT id, {SUMMARY} FROM chunks WHERE stack = ? AND id < ? ORDER BY id DESC"
        before = sys.maxsize
        while page := self._rows(f"{query} LIMIT 1", (stack, before)):
            yield from page
            before = page[0][0]

    def _summaries(self, rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[int, Summary]]:
        for key, *numbers, crc, summary in rows:
            try:
                extent, layout = self._checked(numbers, crc, summary)
                short = chunks.decode_summary(extent, summary, layout)
            except ChunkError as error:
                self._skip(f"chunk {key}", error)
            else:
                yield key, short

    def events(self, after: int = 0) -> list[tuple[int, Event]]:
        """What happened, in order, with the id to go on after."""
        rows = self._rows("SELECT * FROM events WHERE id > ? ORDER BY id", after)
        with _reading(self.path):
            return [
                (key, Event(time, step, run, kind, json.loads(detail)))
                for key, time, step, run, kind, detail in rows
            ]

    def evaluations(self, after: int = 0) -> Iterator[tuple[int, Scalars]]:
        """The evaluations without their pictures, with the id to go on after.

        One that is damaged is left out, logged, and noted in `corrupt`.
        """
        columns = "stack, step, names, pictures, crc, data"
        for key, *row in self._pages("evaluations", columns, after):
            try:
                if row[0] >= len(self.layouts()):
                    raise ValueError(f"there is no stack {row[0]}")
                scalars = evaluations.decode((*row,), self.layouts()[row[0]].runs)
            except ValueError as error:
                self._skip(f"evaluation {key}", error)
            else:
                yield key, scalars

    def picture(self, stack: int, step: int, name: str) -> Picture | None:
        """A picture of all runs of a stack, [R, ...]; None if there is none (intact).

        One that is damaged is logged, and noted in `corrupt`.
        """
        query = "SELECT * FROM pictures WHERE stack = ? AND step = ? AND name = ?"
        for row in self._rows(query, (stack, step, name)):
            try:
                return evaluations.decode_picture((*row,))
            except ValueError as error:
                self._skip(f"{name} of stack {stack} at step {step}", error)
        return None

    def landscapes(self, after: int = 0) -> Iterator[tuple[int, Landscape]]:
        """The losses over planes, in the order of writing, with the id to go on after.

        One that is damaged is left out, and logged.
        """
        query = "SELECT id, document, crc, data FROM probes WHERE id > ? ORDER BY id"
        for key, document, crc, data in self._rows(query, after):
            try:
                yield key, decode(document, data, crc)
            except ValueError as error:
                log.warning("%s: landscape %d is left out: %s", self.path, key, error)

    def weights(
        self, stack: int, which: Literal["first", "last"]
    ) -> dict[str, NDArray[np.floating]]:
        """All parameters of a stack, each `[R, *shape]`; empty if none are recorded (intact).

        What is damaged is logged, and noted in `corrupt`.
        """
        extreme = {"first": "MIN", "last": "MAX"}[which]
        rows = self._rows(
            "SELECT * FROM weights WHERE stack = :stack AND "
            f"step = (SELECT {extreme}(step) FROM weights WHERE stack = :stack) ORDER BY position",
            {"stack": stack},
        )
        found = {}
        try:
            for *head, crc, data in rows:
                # in stores of before, the checksum is that of the data alone
                if crc not in (checksum((*head, len(rows)), data), zlib.crc32(data)):
                    raise ValueError("the checksum is wrong")
                *_, name, kind, shape = head
                found[name] = unpack(kind, shape, data)
                layouts = self.layouts()[stack : stack + 1]
                if found[name].shape[:1] != tuple(layout.runs for layout in layouts):
                    raise ValueError(f"{name} is not of all runs")
        except ValueError as error:
            self._skip(f"snapshot of stack {stack} at step {rows[0][1]}", error)
            return {}
        return found

    def _checked(self, numbers: list[int], crc: int, *blobs: bytes) -> tuple[Extent, Layout]:
        extent = Extent(*numbers)
        if extent.checksum(*blobs) != crc:
            raise ChunkError("the checksum is wrong")
        if extent.stack >= len(self.layouts()):
            raise ChunkError(f"there is no stack {extent.stack}")
        return extent, self.layouts()[extent.stack]

    def _skip(self, what: str, error: ValueError) -> None:
        if what not in self.corrupt:
            log.warning("%s: %s is left out: %s", self.path, what, error)
        self.corrupt[what] = str(error)

    def _pages(self, table: str, columns: str, after: int) -> Iterator[tuple[Any, ...]]:
        """Rows of a table, some at a time: an open query would hold the writer's log back."""
        query = f"SELECT id, {columns} FROM {table} WHERE id > ? ORDER BY id LIMIT 64"
        while page := self._rows(query, after):
            yield from page
            after = page[-1][0]

    def _rows(self, query: str, parameters: object = ()) -> list[tuple[Any, ...]]:
        values = parameters if isinstance(parameters, dict | tuple) else (parameters,)
        with _reading(self.path):
            try:
                return self._database.execute(query, values).fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):  # the worker is about to make them
                    return []
                raise


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, ValueError, TypeError) as error:  # the latter: what is no document
        raise StoreReadError(f"{path} could not be read: {error}") from error


def _result(row: tuple[Any, ...]) -> RunResult:
    """A row of `runs`; SQLite keeps NaN as NULL."""
    values = dict(zip(RESULT, row, strict=True))
    values["metrics"] = json.loads(values["metrics"])
    for name in ("loss", "best_loss", "final_loss"):
        if values[name] is None:
            values[name] = math.nan
    return msgspec.convert(values, RunResult)  # which refuses what is of another type
