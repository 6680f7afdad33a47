"""Writing to the store beside the training, so that neither waits for the disk."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuitrain.record.chunks import merged
from tuitrain.record.landscape import Landscape
from tuitrain.record.status import Event, RunResult, Status
from tuitrain.record.store import RESERVE, StoreWriteError, StoreWriter
from tuitrain.spec.recording import Chunk, Evaluation

log = logging.getLogger(__name__)

News = Chunk | Evaluation | Event | Landscape

SHARE = 1e-3
"""Rows wait for so much of the training time so far: every chunk costs memory and time in each
viewer, and 20 a second would be 72,000 in an hour."""

LONGEST = 1.0
"""Seconds that rows wait at most."""

LARGE = 1 << 20
"""Bytes of rows and pictures that do not wait."""


@dataclass(frozen=True)
class Transaction:
    """What one transaction records.

    Attributes:
        status: where the experiment stands then.
        news: what has come since the last one, in order.
        results: what runs have reached.
        snapshots: the parameters of stacks as they are after a step: (stack, step, weights).
    """

    status: Status
    news: Sequence[News] = ()
    results: Sequence[RunResult] = ()
    snapshots: Sequence[tuple[int, int, dict[str, NDArray[np.floating]]]] = ()


def size(news: Sequence[News]) -> int:
    """Bytes of the rows and pictures in it, about."""
    arrays = [
        array
        for item in news
        if isinstance(item, Chunk | Evaluation)
        for array in (item.series if isinstance(item, Chunk) else item.values).values()
    ]
    return sum(array.nbytes for array in arrays)


def patience(trained: float, news: Sequence[News]) -> float:
    """How long after the last transaction these news may wait, in seconds.

    Args:
        trained: seconds of training so far.
        news: what has come since the last transaction.
    """
    return 0.0 if size(news) > LARGE else min(trained * SHARE, LONGEST)


class BackgroundWriter:
    """Records one transaction after the other in a thread; one is under way at most.

    SQLite and checksums let go of the interpreter while they work: with two cores, recording
    256 runs costs no time of the training.

    Args:
        store: what is written to, by this thread alone until `wait` has returned.
    """

    def __init__(self, store: StoreWriter) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(1, "store")
        self._last: Future[None] | None = None
        self._news: Sequence[News] = ()
        self.unwritten: Sequence[News] = ()
        """The news of the transaction that could not be written."""

    def record(self, transaction: Transaction) -> None:
        """Begins to write a transaction as soon as the one before it is on disk.

        Raises:
            StoreWriteError: that one is not on disk; nor will this one be.
        """
        self.wait()
        self._news = transaction.news
        self._last = self._thread.submit(self._write, transaction)

    def wait(self) -> None:
        """Returns when everything is on disk.

        Raises:
            StoreWriteError: the last transaction is not.
        """
        last, self._last = self._last, None
        if last is None:
            return
        self.unwritten = self._news
        last.result()
        self.unwritten = ()

    def rescue(self, last: Transaction, *, broken: bool) -> None:
        """Writes what is not on disk yet, and then the last transaction, after something failed.

        What cannot be written is given up: there must be room for the reason.

        Args:
            last: what was not handed to `record` any more.
            broken: whether a write has failed, after which the store has to be opened anew.
        """
        try:
            self.wait()
        except StoreWriteError:
            broken = True
        # Apart, as the first may be on disk after all: viewers leave out what comes twice.
        waiting = [Transaction(last.status, self.unwritten), last]
        if broken:
            self.reopen()
        # Where the disk is full, the reserve that was freed is for the reason.
        if not broken or sum(size(each.news) for each in waiting) < RESERVE // 4:
            try:
                for each in waiting:
                    self.record(each)
                self.wait()
            except StoreWriteError:
                log.exception("the last rows are lost")
                self.reopen()

    def close(self) -> None:
        """Ends the thread and the store."""
        self._thread.shutdown()
        self._store.close()

    def reopen(self) -> None:
        """Opens the store anew after a failed write; see `StoreWriter.reopen`."""
        self._store.reopen()

    def _write(self, transaction: Transaction) -> None:
        store = self._store
        write: dict[type, Callable[..., None]] = {
            Evaluation: store.evaluation,
            Event: store.event,
            Landscape: store.landscape,
        }
        with store.transaction():
            for chunk in merged(item for item in transaction.news if isinstance(item, Chunk)):
                store.append(chunk)
            for item in transaction.news:
                if not isinstance(item, Chunk):
                    write[type(item)](item)
            for result in transaction.results:
                store.run(result)
            for snapshot in transaction.snapshots:
                store.snapshot(*snapshot)
            store.status(transaction.status)
