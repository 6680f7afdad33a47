"""How long one waits for the first pictures: `python -m tests.benchmarks.first_frame`.

Runs the command in pseudo-terminals of 120 x 40, one after the other, and measures in each:

- from the command to the setup screen, its start button seen, and to the last change of it;
- from the command to the same words in a Textual application that shows nothing else;
- from the start key to the first point of the loss, with the worker's imports done.

Wanted: the start button and the first point within half a second. On a machine that is slower than
the one for which this was set, they may take longer as the other application does.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import statistics
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pexpect
import psutil
import pyte

from tuitrain.record.folder import experiments
from tuitrain.record.inbox import Stop, send

LIMIT = 0.5
"""Seconds; of the median."""

STOCK = 0.2
"""Seconds to the first frame of Textual alone, on the machine that the limit was set for."""

TIMES = 15
COLUMNS, LINES = 120, 40
PATIENCE = 60.0
START = "\x13"
"""The key ctrl+s."""

BUTTON = "Start training"
TUITRAIN = [str(Path(sysconfig.get_path("scripts")) / "tuitrain")]
LABEL = f"""
from textual.app import App
from textual.widgets import Label

class OneLabel(App):
    def compose(self):
        yield Label("{BUTTON}")

OneLabel().run()
"""

QUIET = 0.5
"""Seconds of rest after which a screen counts as complete and a worker as ready."""


class Screen:
    """A command in a pseudo-terminal, and what its screen shows."""

    def __init__(self, command: list[str], runs: Path) -> None:
        self.screen = pyte.Screen(COLUMNS, LINES)
        self.stream = pyte.ByteStream(self.screen)
        environment = os.environ | {"TERM": "xterm-256color", "TUITRAIN_RUNS_DIR": str(runs)}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # or every start would compile anew
        self.begin = self.changed = time.monotonic()
        self.child = pexpect.spawn(
            command[0],
            command[1:],
            dimensions=(LINES, COLUMNS),
            env=environment,  # type: ignore[arg-type]
        )
        self.child.delaybeforesend = None
        # The command is not to wait until what it has sent is drawn here, which takes longer.
        self._sent: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self) -> None:
        with contextlib.suppress(OSError):  # the terminal has been closed
            while sent := os.read(self.child.child_fd, 1 << 16):
                self._sent.put((time.monotonic(), sent))

    @property
    def text(self) -> list[str]:
        return list(self.screen.display)

    def read(self) -> None:
        """Take in what has been sent, and when it changed the text."""
        try:
            then, sent = self._sent.get(timeout=0.02)
        except queue.Empty:
            return
        before = self.text
        self.stream.feed(sent)
        if self.text != before:
            self.changed = then

    def wait(self, condition: Callable[[], bool]) -> float:
        """Read until something holds; when it was sent."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, "\n".join(self.text)
            self.read()
        return self.changed

    def rest(self) -> float:
        """Read until nothing changes; when the last change was sent."""
        return self.wait(lambda: time.monotonic() - self.changed > QUIET)

    def warm(self) -> None:
        """Wait until the worker has imported all that it needs, and rests."""
        self.wait(lambda: bool(psutil.Process(self.child.pid).children()))
        [worker] = psutil.Process(self.child.pid).children()
        spent, since = -1.0, time.monotonic()

        def rests() -> bool:
            nonlocal spent, since
            now = sum(worker.cpu_times()[:2])
            if now != spent:
                spent, since = now, time.monotonic()
            return now > 1.0 and time.monotonic() - since > QUIET

        self.wait(rests)

    def seen(self) -> bool:
        """Whether the screen shows the start button."""
        return any(BUTTON in line for line in self.text)

    def drawn(self) -> bool:
        """Whether the chart on the left of the dashboard has a point."""
        if self.seen() or not any("Loss" in line[: COLUMNS // 2] for line in self.text):
            return False
        chart = (line[: COLUMNS // 2] for line in self.text)
        return any("\u2800" < letter <= "\u28ff" for line in chart for letter in line)

    def close(self) -> None:
        self.child.kill(signal.SIGKILL)
        self.child.close()


def stock(runs: Path) -> float:
    """Seconds to the words in an application of one label."""
    screen = Screen([sys.executable, "-c", LABEL], runs)
    try:
        return screen.wait(screen.seen) - screen.begin
    finally:
        screen.close()


def measure(runs: Path) -> tuple[float, float, float, float]:
    """Seconds to Textual's first frame, to ours, to the last change of ours, to the first point."""
    label = stock(runs)
    screen = Screen(TUITRAIN, runs)
    try:
        button = screen.wait(screen.seen) - screen.begin
        complete = screen.rest() - screen.begin
        screen.warm()
        pressed = time.monotonic()
        screen.child.send(START)
        return label, button, complete, screen.wait(screen.drawn) - pressed
    finally:
        screen.close()
        for folder in experiments(runs):
            if not folder.status().ended:
                send(folder, Stop())


def main() -> int:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as runs:
        measured = [measure(Path(runs)) for _ in range(TIMES)]
    labels, buttons, completes, points = zip(*measured, strict=True)
    for title, seconds in {
        "command to one label, Textual alone": labels,
        "command to start button": buttons,
        "command to complete setup screen": completes,
        "start key to first point": points,
    }.items():
        median, most = statistics.median(seconds), max(seconds)
        print(f"{title}: median {median:.3f} s, max {most:.3f} s, min {min(seconds):.3f} s")
    ratio = statistics.median(b / a for a, b in zip(labels, buttons, strict=True))
    limit = LIMIT * max(1.0, statistics.median(labels) / STOCK)
    print(f"start button over one label: {ratio:.2f} times; limit on this machine {limit:.2f} s")
    return int(max(statistics.median(buttons), statistics.median(points)) > limit)


if __name__ == "__main__":
    sys.exit(main())
