"""The whole product as a person meets it: `tuitrain` in a real terminal, driven by keys alone."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pexpect
import psutil
import pytest

from tests.terminal import (  # noqa: F401  (fixtures are found by name)
    CTRL_C,
    CTRL_S,
    ENTER,
    PATIENCE,
    TAB,
    Terminal,
    only,
    runs_fixture,
    terminal_fixture,
)
from tuitrain.record.reader import StoreReader


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
    tty.press("f")
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


def test_keys_typed_before_the_first_frame_are_kept(terminal: Callable[..., Terminal]) -> None:
    tty = terminal()
    tty.press(*"parabola-const", TAB)
    tty.wait(r"\A.*\n.*\n parabola-const +.*\n(.|\n)*formula +")
    tty.press("q")  # the list has the focus by now: else it were a letter
    assert tty.end() == 0


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
def test_leaving_a_run_asks_and_leaves_it_running(
    terminal: Callable[..., Terminal], runs: Path, size: tuple[int, int]
) -> None:
    tty = terminal("run", "line-fit", "--steps", "10000000", "--ui", size=size)
    tty.wait("running")
    tty.press(" ")
    tty.wait("paused")
    tty.press("q")
    tty.wait("Leave it paused")
    tty.press(ENTER)
    tty.wait(f"still paused: tuitrain attach {only(runs).id}")
    assert tty.end() == 0
    assert only(runs).status().state == "paused"


def test_works_in_sixteen_colours_without_colour_and_in_ascii(
    terminal: Callable[..., Terminal], runs: Path
) -> None:
    tty = terminal(size=(80, 24), TERM="xterm", NO_COLOR="1", TUITRAIN_MARKERS="ascii")
    tty.wait("type to filter")
    tty.press(*"line-fit", CTRL_S)
    tty.wait("running")
    tty.press("f")
    text = tty.wait(r"finished +10,000 / 10,000")
    assert not re.search("[\u2800-\u28ff]", text)
    tty.press(CTRL_C)
    assert tty.end() == 0
    assert only(runs).status().state == "finished"


def test_ends_when_its_terminal_goes_and_the_training_does_not(
    terminal: Callable[..., Terminal], runs: Path
) -> None:
    tty = terminal("run", "line-fit", "--steps", "10000000", "--ui")
    tty.wait("running")
    dashboard = psutil.Process(tty.child.pid)
    tty.child.ptyproc.fileobj.close()
    deadline = time.monotonic() + PATIENCE
    while dashboard.is_running() and dashboard.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the dashboard outlives its terminal"
        time.sleep(0.05)
    assert only(runs).status().state == "running"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.3])
def test_a_signal_in_the_first_moments_gives_the_terminal_back(
    runs: Path, number: signal.Signals, seconds: float
) -> None:
    child = pexpect.spawn(
        sys.executable,
        ["-m", "tuitrain"],
        dimensions=(40, 120),
        env=os.environ | {"TERM": "xterm-256color", "TUITRAIN_RUNS_DIR": str(runs)},  # type: ignore[arg-type]
        timeout=PATIENCE,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # not as under nohup
    )
    child.expect_exact("\x1b[?1049h")  # the terminal is taken over
    time.sleep(seconds)
    child.kill(number)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert b"\x1b[?1049l" in child.before
    assert b"Error" not in child.before
