"""`tuitrain` in a real terminal, driven by keys: what the tests of the whole product share."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pyte
import pytest

from tuitrain.record.folder import ExperimentFolder, experiments
from tuitrain.record.inbox import Stop, send

PATIENCE = 90.0
"""Seconds to wait for anything on a busy machine."""

ENTER, TAB, DOWN, ESCAPE, CTRL_C, CTRL_S = "\r", "\t", "\x1b[B", "\x1b", "\x03", "\x13"


class Terminal:
    """A pseudo-terminal with `tuitrain` in it, and a terminal emulator that reads its screen."""

    def __init__(
        self, runs: Path, arguments: list[str], size: tuple[int, int], environment: dict[str, str]
    ) -> None:
        columns, lines = size
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)
        # pytest-xdist sets the size of a terminal that is none
        unset = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"}
        env = {key: value for key, value in os.environ.items() if key not in unset}
        env |= {"TERM": "xterm-256color", "TUITRAIN_RUNS_DIR": str(runs), **environment}
        self.child = pexpect.spawn(
            sys.executable,
            ["-m", "tuitrain", *arguments],
            dimensions=(lines, columns),
            env=env,  # type: ignore[arg-type]
            timeout=PATIENCE,
            ignore_sighup=True,  # as under nohup, and in some CI
        )
        self.child.delaybeforesend = None  # that is for programs that ask for passwords

    def read(self) -> str:
        """The text on the screen now."""
        try:
            self.stream.feed(self.child.read_nonblocking(1 << 16, timeout=0.05))
        except pexpect.TIMEOUT:
            return "\n".join(self.screen.display)
        except pexpect.EOF:
            return ""
        return "\n".join(self.screen.display)

    def cells(self) -> list[pyte.screens.Char]:
        """The cells of the screen with their colours, as they are now."""
        self.read()
        rows = (self.screen.buffer[y] for y in range(self.screen.lines))
        return [row[x] for row in rows for x in range(self.screen.columns)]

    def wait(self, pattern: str) -> str:
        """Read until the screen shows `pattern`."""
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, text := self.read()):
            assert time.monotonic() < deadline, f"{pattern!r} never came up in\n{text}"
        return text

    def press(self, *keys: str) -> None:
        for key in keys:
            self.child.send(key)
            self.read()

    def end(self) -> int:
        """Wait for the program's end; its exit code."""
        deadline = time.monotonic() + PATIENCE
        while self.child.isalive():
            self.read()
            assert time.monotonic() < deadline, f"still there:\n{self.read()}"
        self.child.close()
        assert self.child.exitstatus is not None, f"ended by signal {self.child.signalstatus}"
        return self.child.exitstatus


def only(runs: Path) -> ExperimentFolder:
    [folder] = experiments(runs)
    return folder


@pytest.fixture(name="runs")
def runs_fixture(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture(name="terminal")
def terminal_fixture(runs: Path) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def open_terminal(
        *arguments: str, size: tuple[int, int] = (120, 40), **environment: str
    ) -> Terminal:
        opened.append(Terminal(runs, list(arguments), size, environment))
        return opened[-1]

    yield open_terminal
    for one in opened:
        one.child.close(force=True)
    for folder in experiments(runs):
        if not folder.status().ended:
            send(folder, Stop())
