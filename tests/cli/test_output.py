"""Where results and progress cannot be written, or nobody reads them."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Command


PIPE = 1 << 16
"""Bytes that a pipe holds which nobody reads."""


def unread(tuitrain: Command, arguments: str) -> int:
    """The exit code where the reader of stdout has left before anything is written."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as stdout:
        return subprocess.run(
            [tuitrain.path, *arguments.split()],
            stdout=stdout,
            stderr=subprocess.DEVNULL,
            env=tuitrain.environment,
            check=False,
        ).returncode


def test_a_reader_that_leaves_is_no_error(trained: tuple[Command, dict[str, Any]]) -> None:
    tuitrain, _ = trained
    piped = subprocess.run(
        ["bash", "-c", f"{tuitrain.path} export --format csv | head -n 1; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        env=tuitrain.environment,
        check=False,
    )
    written = len(tuitrain("export", "--format", "csv").stdout)
    assert written > 4 * PIPE, "all of it fits into the pipe and the reader: nobody notices"
    assert piped.stdout.startswith("run,step,loss")
    assert (piped.returncode, piped.stderr) == (0, "")


@pytest.mark.parametrize("form", ["", " --json"])
@pytest.mark.parametrize(("lr", "code"), [("0.01", 0), ("5", 1)])
def test_a_reader_that_leaves_does_not_hide_how_the_training_ended(
    tuitrain: Command, lr: str, code: int, form: str
) -> None:
    command = f"run line-fit --lr {lr} --steps 2000 --fail-on-divergence --quiet"
    assert unread(tuitrain, command + form) == code


@pytest.mark.parametrize("command", ["experiments", "experiments --json", "presets"])
def test_a_list_that_nobody_reads_is_no_error(
    trained: tuple[Command, dict[str, Any]], command: str
) -> None:
    assert unread(trained[0], command) == 0


@pytest.mark.parametrize(
    "command",
    [
        "export --format csv >/dev/full",
        "export --format csv -o /dev/full",
        "experiments --json >/dev/full",
        "presets show line-fit >/dev/full",
    ],
)
def test_output_for_which_there_is_no_space_is_no_bad_input(
    trained: tuple[Command, dict[str, Any]], command: str
) -> None:
    tuitrain, _ = trained
    full = subprocess.run(
        ["bash", "-c", f"{tuitrain.path} {command}"],
        capture_output=True,
        text=True,
        env=tuitrain.environment,
        check=False,
    )
    line = "tuitrain: error: output: No space left on device\n"
    assert (full.returncode, full.stdout, full.stderr) == (1, "", line)


def test_a_training_goes_on_where_its_progress_cannot_be_written(tuitrain: Command) -> None:
    ran = subprocess.run(
        ["bash", "-c", f"{tuitrain.path} run line-fit --json 2>/dev/full"],
        capture_output=True,
        text=True,
        env=tuitrain.environment,
        check=False,
    )
    assert ran.returncode == 0
    assert json.loads(ran.stdout)["runs"][0]["status"] == "finished"


def test_the_result_comes_though_nobody_reads_the_progress(tuitrain: Command) -> None:
    script = f"{tuitrain.path} run line-fit --json 2>&1 >result.json | head -0"
    subprocess.run(
        ["bash", "-c", script], cwd=tuitrain.runs_dir.parent, env=tuitrain.environment, check=True
    )
    told = json.loads((tuitrain.runs_dir.parent / "result.json").read_text())
    assert told["runs"][0]["status"] == "finished"
