"""The whole product as a person meets it: `tuitrain` in a real terminal, driven by keys alone."""

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
from tuitrain.record.store import StoreReader

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
        env = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
        env |= {"TERM": "xterm-256color", "TUITRAIN_RUNS_DIR": str(runs), **environment}
        self.child = pexpect.spawn(
            sys.executable,
            ["-m", "tuitrain", *arguments],
            dimensions=(lines, columns),
            env=env,  # type: ignore[arg-type]
            timeout=PATIENCE,
        )

    def read(self) -> str:
        """The text on the screen now."""
        try:
            self.stream.feed(self.child.read_nonblocking(1 << 16, timeout=0.05))
        except pexpect.TIMEOUT:
            return "\n".join(self.screen.display)
        except pexpect.EOF:
            return ""
        return "\n".join(self.screen.display)

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


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def terminal(runs: Path) -> Iterator[Callable[..., Terminal]]:
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


def only(runs: Path) -> ExperimentFolder:
    [folder] = experiments(runs)
    return folder


def choose_adam(terminal: Terminal, preset: str) -> None:
    """Pick a preset and Adam on the setup screen."""
    terminal.wait("type to filter")
    terminal.press(*preset)
    terminal.wait(f"{preset}(.|\n)*Start training")
    terminal.press(TAB, TAB, TAB)
    terminal.press(ENTER)
    terminal.wait("adagrad")
    terminal.press(*"adam", ENTER)
    terminal.wait(r"optimizer +adam\b")


def test_a_preset_trains_to_its_end_by_keys_alone(
    terminal: Callable[..., Terminal], runs: Path
) -> None:
    tty = terminal()
    choose_adam(tty, "sales-cost1-profit99")
    tty.press(CTRL_S)
    tty.wait(r"adam +lr 0\.001")
    text = tty.wait(r"finished +15,000 / 15,000")
    assert "Loss" in text
    assert "w[1,0]" in text
    tty.press("q")
    assert tty.end() == 0
    reader = StoreReader(only(runs).database)
    [result] = reader.runs()
    assert (result.status, result.steps, result.optimizer) == ("finished", 15000, "adam")
    rows = sum(chunk.rows for _, chunk in reader.chunks())
    assert rows == 15000
    weights = reader.weights(0, "last")["w"][0]
    # the optimum of this loss is (1.128, 1.032), and Adam ends within its last steps of it
    assert weights.ravel().tolist() == pytest.approx([1.12791, 1.03177], abs=0.02)
    assert result.final_loss == pytest.approx(5.541, rel=0.05)


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
def test_leaving_a_run_asks_and_leaves_it_running(
    terminal: Callable[..., Terminal], runs: Path, size: tuple[int, int]
) -> None:
    tty = terminal("run", "line-fit", "--steps", "10000000", "--ui", size=size)
    tty.wait("running")
    tty.press(" ")
    tty.wait("paused")
    tty.press("q")
    tty.wait("[Ll]eave it running")
    tty.press(ENTER)
    assert tty.end() == 0
    assert only(runs).status().state == "paused"


def test_works_in_sixteen_colours_without_colour_and_in_ascii(
    terminal: Callable[..., Terminal], runs: Path
) -> None:
    tty = terminal(size=(80, 24), TERM="xterm", NO_COLOR="1", TUITRAIN_MARKERS="ascii")
    tty.wait("type to filter")
    tty.press(*"line-fit", CTRL_S)
    text = tty.wait(r"finished +10,000 / 10,000")
    assert not re.search("[\u2800-\u28ff]", text)
    tty.press(CTRL_C)
    assert tty.end() == 0
    assert only(runs).status().state == "finished"
