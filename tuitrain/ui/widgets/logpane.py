"""The worker's log and the events of an experiment, as they come in."""

from __future__ import annotations

import time
from pathlib import Path

from textual.widgets import RichLog

from tuitrain.record.status import Event

TAIL = 64_000
"""Bytes of the log that are read when the pane opens."""


class LogPane(RichLog):
    """Tails a log file; events stand between its lines."""

    def __init__(self, path: Path, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, max_lines=2000, wrap=True, markup=False, highlight=False)
        self._path = path
        self._offset = -1
        self._events = 0

    def follow(self, events: list[Event], *, ended: bool = False) -> None:
        """Write what has come in since the last call.

        Args:
            ended: whether the worker writes no more: its last line may have no end.
        """
        for event in events[self._events :]:
            self.write(entry(event))
        self._events = len(events)
        for line in self._lines(ended):
            self.write("".join(c if c.isprintable() else "?" for c in line))

    def _lines(self, ended: bool) -> list[str]:
        """The lines that have been ended since the last call; of a long log, the last ones."""
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, 2)
                start = max(0, size - TAIL) if self._offset < 0 else min(self._offset, size)
                file.seek(start)
                news = file.read(TAIL)
        except OSError:
            return []
        cut = self._offset < 0 < start
        whole = news[: news.rfind(b"\n") + 1]
        if ended or (not whole and len(news) == TAIL):
            whole = news  # with a line that is too long to wait for its end, or has none
        self._offset = start + len(whole)
        lines = whole.decode(errors="replace").splitlines()
        return lines[cut:] or lines


def entry(event: Event) -> str:
    """One line for an event."""
    clock = time.strftime("%H:%M:%S", time.localtime(event.time))
    detail = "  ".join(f"{key}={value}" for key, value in event.detail.items() if key != "id")
    return f"{clock}  step {event.step:,}  {event.kind}  {detail}".rstrip()
